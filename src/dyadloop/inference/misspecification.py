"""What ordinary data break: simulated studies that violate one assumption each, with no arrow or with a planted one.

Two quantities of one person follow Ornstein-Uhlenbeck processes and are rated at prompts. In half of the studies
neither acts on the other; in the other half the first acts on the second. Each study breaks one assumption of the
measurement model or of the dynamics, is fitted, and its arrows are looked at: how often an arrow is found that is not
there, how often its interval holds the truth, and how often a check says that the fit is not to be trusted.
Everything here is simulated; sizes of violations are assumptions named in each entry.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Bool, Float
from scipy.linalg import expm, solve_continuous_lyapunov

from dyadloop.data import Indicator, StudyInfo, read_study, write_study
from dyadloop.errors import FitError
from dyadloop.inference.faults import faults_of
from dyadloop.inference.laplace import Mode, Posterior, find_mode, posterior_of
from dyadloop.inference.problem import Problem, build_problem
from dyadloop.inference.sampling import Count
from dyadloop.measures import measure
from dyadloop.theory import keep, read_theory

Scores = Float[np.ndarray, "person time 2"]
NAMES = ("sad", "cheerful")
PERSONS, DAYS, PROMPTS = 45, 10, 6
TAU = 0.25  # time constant of both states [d]
NOISE = -0.4  # correlation of what happens to both
SIGNAL, ERROR = 0.8, 0.7  # SDs of state and error in a score
PLANTED = 0.4
"""Lasting change of the second state per lasting unit of the first, where an arrow is planted."""
FOUND = 1.96
"""Distance of an arrow from 0 in standard errors from which it counts as found (95 %)."""
_DRAWS = 400  # from the normal approximation, for checks
INSIDE = 1.598  # half the width of an 89 % interval in standard errors


@dataclass(frozen=True)
class Violation:
    """One broken assumption: what it is, in words, and how it changes a study."""

    words: str
    change: Callable[[np.random.Generator, "Plain"], Scores]


@dataclass(frozen=True)
class Plain:
    """A study that breaks nothing: days of the prompts, states, errors and person means, each with SD 1."""

    days: Float[np.ndarray, " time"]
    states: Scores
    errors: Scores
    means: Float[np.ndarray, "person 2"]

    def scores(self, states: Scores | None = None, errors: Scores | None = None) -> Scores:
        """Return scores of other states or errors."""
        own = self.states if states is None else states
        noise = self.errors if errors is None else errors
        return SIGNAL * own + ERROR * noise + self.means[:, None, :]


def prompts() -> Float[np.ndarray, " time"]:
    """Return the days of the prompts: six a day, 2.5 hours apart."""
    hours = 2.5 * np.arange(PROMPTS) / 24
    return (np.arange(DAYS)[:, None] + hours).ravel()


def paths(
    rng: np.random.Generator, days: Float[np.ndarray, " time"], arrow: float, tau: Float[np.ndarray, " person"]
) -> Scores:
    """Return states of persons who differ in their time constant; the first state acts on the second by ``arrow``."""
    found = np.zeros((len(tau), len(days), 2))
    for value in np.unique(tau):
        here = np.flatnonzero(tau == value)
        drift = np.array([[-1.0, 0.0], [arrow, -1.0]]) / value
        noise = 2.0 / value * np.array([[1.0, NOISE], [NOISE, 1.0]])
        still = solve_continuous_lyapunov(drift, -noise)
        state = rng.multivariate_normal(np.zeros(2), still, size=len(here))
        found[here, 0] = state
        for place, gap in enumerate(np.diff(days), start=1):
            move = expm(drift * gap)
            state = state @ move.T + rng.multivariate_normal(np.zeros(2), still - move @ still @ move.T, size=len(here))
            found[here, place] = state
    return found


def plain(rng: np.random.Generator, arrow: float, tau: Float[np.ndarray, " person"] | None = None) -> Plain:
    """Return a study that breaks nothing."""
    days = prompts()
    states = paths(rng, days, arrow, np.full(PERSONS, TAU) if tau is None else tau)
    return Plain(days, states, rng.normal(size=states.shape), rng.normal(size=(PERSONS, 2)))


def _shared_error(correlation: float) -> Callable[[np.random.Generator, Plain], Scores]:
    def change(rng: np.random.Generator, study: Plain) -> Scores:
        first = study.errors[..., 0]
        second = correlation * first + np.sqrt(1 - correlation**2) * study.errors[..., 1]
        return study.scores(errors=np.stack([first, second], axis=-1))

    return change


def _trend(rng: np.random.Generator, study: Plain) -> Scores:
    course = np.linspace(-0.5, 0.5, len(study.days))[:, None] * np.array([-1.0, 1.0])
    return study.scores() + course


def _own_trends(rng: np.random.Generator, study: Plain) -> Scores:
    slope = rng.normal(size=(PERSONS, 1, 1)) * np.array([-1.0, 1.0])
    return study.scores() + slope * np.linspace(-0.5, 0.5, len(study.days))[:, None]


def _time_of_day(rng: np.random.Generator, study: Plain) -> Scores:
    wave = np.sin(2 * np.pi * (study.days % 1.0) / 0.6)[:, None] * np.array([-0.4, 0.4])
    return study.scores() + wave


def _weekend(rng: np.random.Generator, study: Plain) -> Scores:
    free = (np.floor(study.days) % 7 >= 5)[:, None] * np.array([-0.5, 0.5])
    return study.scores() + free


def _reactivity(rng: np.random.Generator, study: Plain) -> Scores:
    return study.scores() + np.exp(-study.days / 1.0)[:, None] * np.array([0.6, -0.6])


def _floor(rng: np.random.Generator, study: Plain) -> Scores:
    scores = study.scores()
    return np.maximum(scores, np.quantile(scores, 0.3, axis=(0, 1)))


def _skips(rng: np.random.Generator, study: Plain) -> Scores:
    scores = study.scores()
    missing = rng.random(scores.shape[:2]) < 0.6 / (1 + np.exp(-1.5 * study.states[..., 0]))
    return np.where(missing[..., None], np.nan, scores)


def _dropout(rng: np.random.Generator, study: Plain) -> Scores:
    scores = study.scores()
    hazard = 0.02 / (1 + np.exp(-2.0 * study.states[..., 0]))
    gone = np.cumsum(rng.random(hazard.shape) < hazard, axis=1) > 0
    return np.where(gone[..., None], np.nan, scores)


def _common_cause(rng: np.random.Generator, study: Plain) -> Scores:
    cause = paths(rng, study.days, 0.0, np.full(PERSONS, 1.0))[..., :1]
    return study.scores(states=study.states + 0.8 * cause * np.array([-1.0, 1.0]))


def _outlier(rng: np.random.Generator, study: Plain) -> Scores:
    scores = study.scores()
    lagged = np.roll(study.states[0, :, 0], 1)
    scores[0] = 6.0 * np.stack([study.states[0, :, 0], lagged], axis=-1) + study.means[0]
    return scores


def _wrong_minutes(rng: np.random.Generator, study: Plain) -> Scores:
    shifted = np.clip(np.arange(len(study.days)) + rng.integers(-1, 2, size=len(study.days)), 0, len(study.days) - 1)
    return np.stack([study.scores()[:, shifted, 0], study.scores()[..., 1]], axis=-1)


def _two_speeds(rng: np.random.Generator, study: Plain) -> Scores:
    drift = paths(rng, study.days, 0.0, np.full(PERSONS, 10.0))
    return study.scores(states=study.states + 0.8 * drift)


def _heavy_tails(rng: np.random.Generator, study: Plain) -> Scores:
    return study.scores(errors=rng.standard_t(3, size=study.errors.shape) / np.sqrt(3.0))


def _rounded(rng: np.random.Generator, study: Plain) -> Scores:
    return np.round(study.scores() / 1.2) * 1.2


def _style(rng: np.random.Generator, study: Plain) -> Scores:
    own = rng.uniform(0.4, 1.8, size=(PERSONS, 1, 1))
    return own * study.scores()


VIOLATIONS: dict[str, Violation] = {
    "none": Violation("nothing is broken", lambda rng, study: study.scores()),
    "error_minus": Violation("errors of one prompt correlate by -.6 (mood of the moment)", _shared_error(-0.6)),
    "error_plus": Violation("errors of one prompt correlate by +.5 (halo, style)", _shared_error(0.5)),
    "trend": Violation("both levels change by 1 SD over the study in everybody", _trend),
    "own_trends": Violation("levels change by a person's own amount, SD 1 over the study", _own_trends),
    "time_of_day": Violation("levels follow the time of day, amplitude .4 SD", _time_of_day),
    "weekend": Violation("levels differ by .5 SD at the weekend", _weekend),
    "reactivity": Violation("first answers are .6 SD off and return within a day", _reactivity),
    "dynamics_differ": Violation("time constants differ by a factor of 4 between persons", lambda r, s: s.scores()),
    "style": Violation("persons use the scale differently, .4 to 1.8 times", _style),
    "floor": Violation("three answers in ten lie at the lowest point", _floor),
    "rounded": Violation("answers come in steps of 1.2 SD", _rounded),
    "heavy_tails": Violation("errors have heavy tails (t with 3 degrees of freedom)", _heavy_tails),
    "skips": Violation("prompts are skipped more often in one state", _skips),
    "dropout": Violation("persons drop out more often in one state", _dropout),
    "common_cause": Violation("a common cause of a day moves both, .8 SD", _common_cause),
    "outlier": Violation("one person of 45 is six times as variable and follows another rule", _outlier),
    "wrong_minutes": Violation("half of the prompts of one quantity carry the time of a neighbour", _wrong_minutes),
    "two_speeds": Violation("a slow drift of ten days runs below the moods", _two_speeds),
}
"""Broken assumptions by name; sizes are assumed, of the order seen in diaries."""


def misspecified(
    names: tuple[str, ...] | None = None,
    replicates: int = 200,
    *,
    seed: int = 1,
    shared_errors: bool = True,
    checks: bool = True,
    progress: Count = lambda name, done, total: None,
) -> pd.DataFrame:
    """Return what a fit does to simulated studies that break its assumptions.

    Each study is fitted by its mode and the curvature there.

    Parameters
    ----------
    names
        Violations; default: all of ``VIOLATIONS``.
    replicates
        Studies per violation, with and without an arrow each.
    seed
        Seed of the studies.
    shared_errors
        Whether errors of one moment may correlate in the fit, as they do by default.
    checks
        Whether to ask of each fit whether a check withholds its findings (:func:`dyadloop.finding_faults`).
    progress
        Called after each study.

    Returns
    -------
    pandas.DataFrame
        One row per violation: ``violation``, ``what``; in studies without an arrow ``found``, the share of arrows that
        are found at 95 %, with its standard error ``found_se``, and ``coverage``, the share of 89 % intervals that hold
        the truth; in studies with a planted arrow ``power`` and ``reversed``, the shares in which it, or its opposite,
        is found; and with ``checks`` ``flagged`` and ``flagged_if_wrong``, the shares of arrows that are not there, and
        of those that are found all the same, which a check withholds. NaN where nothing is found.

    Raises
    ------
    FitError
        If a violation does not exist; the message lists those that do.
    """
    chosen = tuple(VIOLATIONS) if names is None else names
    if unknown := [name for name in chosen if name not in VIOLATIONS]:
        raise FitError(f"{', '.join(unknown)}: no violation; known: {', '.join(VIOLATIONS)}")
    if replicates < 1:
        raise FitError(f"replicates={replicates}: expected 1 or more")
    problem = _problem(shared_errors)
    posterior = posterior_of(problem)
    rows = []
    for name in chosen:
        runs = []
        for number in range(2 * replicates):
            arrow = PLANTED if number % 2 else 0.0
            runs.append(_run(problem, posterior, name, arrow, np.random.default_rng([seed, number]), checks))
            progress(name, number + 1, 2 * replicates)
        rows.append({"violation": name, "what": VIOLATIONS[name].words, **_summary(runs, checks)})
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class _Run:
    """One study: the planted arrow; distances from 0 in standard errors, hits and flags of both arrows."""

    arrow: float
    distances: Float[np.ndarray, "2"]
    inside: Bool[np.ndarray, "2"]
    flagged: Bool[np.ndarray, "2"]


ARROWS = ("d_cheerful_sad", "d_sad_cheerful")
"""The arrow that is planted, from the first quantity to the second, and the one back."""


def _run(
    problem: Problem, posterior: Posterior, name: str, arrow: float, rng: np.random.Generator, checks: bool
) -> _Run:
    tau = rng.choice([TAU / 2, 2 * TAU], size=PERSONS) if name == "dynamics_differ" else None
    scores = VIOLATIONS[name].change(rng, plain(rng, arrow, tau))
    scale = np.sqrt(np.nanmean((scores - np.nanmean(scores, axis=1, keepdims=True)) ** 2, axis=(0, 1)))
    scores = (scores - np.nanmean(scores, axis=(0, 1))) / scale
    panel = problem.panel.with_scores(jnp.asarray(np.nan_to_num(scores)))
    panel = replace(panel, seen=jnp.asarray(np.isfinite(scores)))
    observed = problem.scores.assign(score=(problem.scores["score"].dims, scores))
    study = replace(problem.with_panel(panel, f"{name} {arrow}"), scores=observed)
    mode = find_mode(study, posterior, seed=1, starts=1)
    places = [posterior.names.index(found) for found in ARROWS]
    # in SDs of what varies within persons, states and so arrows have about the unit of the simulation
    estimates, errors = mode.center[places], np.sqrt((mode.factor**2).sum(axis=1))[places]
    inside = np.abs(estimates - np.array([arrow, 0.0])) <= INSIDE * errors
    faults = faults_of(study, _drawn(study, posterior, mode)) if checks else {}
    return _Run(arrow, estimates / errors, inside, np.array([found in faults for found in ARROWS]))


def _drawn(problem: Problem, posterior: Posterior, mode: Mode) -> xr.DataTree:
    """Return draws from the normal approximation at a mode in the groups of a fit that checks read."""
    rng = np.random.default_rng(1)
    places = mode.center + rng.standard_normal((_DRAWS, posterior.size)) @ mode.factor.T
    values = jax.vmap(posterior.constrain)(jnp.asarray(places))
    draws = xr.Dataset(
        {name: (("chain", "draw"), np.asarray(values[name])[None]) for name in posterior.names},
        coords={"chain": [0], "draw": np.arange(_DRAWS)},
    )
    groups = {"posterior": draws, "log_likelihood": xr.Dataset({"dyads": problem.pointwise(draws)})}
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = {"seed": 1, "study_info": _info(shared_errors=True).model_dump_json()}
    return tree


def _summary(runs: list[_Run], checked: bool) -> dict[str, float]:
    """Return the shares of one violation."""
    without, planted = [run for run in runs if not run.arrow], [run for run in runs if run.arrow]
    wrong = np.abs(np.array([run.distances for run in without])) > FOUND
    forth = np.array([run.distances[0] for run in planted])
    found = {
        "found": float(wrong.mean()),
        "found_se": float(np.sqrt(wrong.mean() * (1 - wrong.mean()) / wrong.size)),
        "coverage": float(np.mean([run.inside for run in without])),
        "power": float((forth > FOUND).mean()),
        "reversed": float((forth < -FOUND).mean()),
    }
    if checked:
        flags = np.array([run.flagged for run in without])
        found |= {
            "flagged": float(flags.mean()),
            "flagged_if_wrong": float(flags[wrong].mean()) if wrong.any() else np.nan,
        }
    return found


def _info(shared_errors: bool) -> StudyInfo:
    person = {"person": "patient", "unit": "points"}
    return StudyInfo(
        schema_version=1,
        name="misspecified",
        title="SIMULATED prompts",
        licence="CC0-1.0",
        simulated=True,
        indicators={name: Indicator.model_validate({"quantity": name, **person}) for name in NAMES},
        shared_errors="auto" if shared_errors else "none",
    )


def _problem(shared_errors: bool) -> Problem:
    """Return the fitting problem of the design; its values play no role."""
    rng, days = np.random.default_rng(0), prompts()
    people = [{"participant_id": f"P{p:02d}", "dyad": f"D{p:02d}", "role": "patient"} for p in range(PERSONS)]
    sessions = [{"dyad": f"D{p:02d}", "session": 1, "start": float(days[0]), "length_min": 0.0} for p in range(PERSONS)]
    rows = [
        {"dyad": f"D{p:02d}", "participant_id": f"P{p:02d}", "time": float(day), "phase": "between",
         "indicator": name, "value": f"{rng.normal():.6f}"}
        for p in range(PERSONS) for day in days for name in NAMES
    ]  # fmt: skip
    with TemporaryDirectory() as scratch:
        folder = write_study(Path(scratch) / "study", _info(shared_errors), people, sessions, rows, {})
        scores = measure(read_study(folder))
    return build_problem(scores, keep(read_theory("affect"), list(NAMES)))
