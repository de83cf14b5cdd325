"""How often a claim is supported where it does not hold, and where it does: simulated studies with randomised events.

A study of 37 dyads and 16 sessions is simulated under a hypothesis, some sessions of each dyad drawn at random get
component-focused work, a nasal dose or both, and the reciprocal hypothesis (M3) is fitted and judged as in any study.
Everything here is simulated; strengths are assumptions named in each entry.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float
from scipy.stats import beta

from dyadloop.appraisal.records import Records, chosen_from
from dyadloop.appraisal.replication import replicate
from dyadloop.claims.claims_table import UNTESTABLE, judge, subjects
from dyadloop.data import read_study
from dyadloop.data.names import known_names
from dyadloop.errors import FitError
from dyadloop.estimands.catalogue import Untestable, draws_of, estimand
from dyadloop.inference.cache import made_once
from dyadloop.inference.fitting import prior_draws
from dyadloop.inference.mode import Mode, Posterior, constraining, find_mode, mode_near, posterior_of
from dyadloop.inference.problem import Problem, build_problem
from dyadloop.inference.randomised import PREFIX
from dyadloop.inference.sampling import Count
from dyadloop.observation.scaling import scale_scores
from dyadloop.simulation import simulate_study
from dyadloop.theory import Theory, hypothesis, keep, read_theory

VARIABLES = ("oxytocin", "trust", "support", "depression")
EVENTS = {"trust": "work_trust", "oxytocin": "dose"}
AMOUNTS = {"work_trust": 1.0, "dose": 24.0}
EFFECTS = {"work_trust": "work_trust", "dose": "dose_oxytocin"}
RANDOMISED = (("trust",), ("oxytocin",), ("trust", "oxytocin"))
"""What randomised events act on, in turn."""
SESSIONS = (5, 8, 11)
"""In how many of 16 sessions an event takes place, in turn: all but five is the last."""
STRENGTHS = (0.0, 1.0, 2.0, 4.0)
"""Multiples of the theory file's own effect of an event, in turn: the first does nothing."""
_DRAWS = 500  # independent ones, from the prior and from the normal approximation
# what ordinary data have in common beside any arrow: correlated fluctuations and errors, as Fisher z of .3
_ORDINARY = {"rho_noise_support_trust": 0.31, "rho_noise_depression_trust": -0.31, "rho_error_support_trust": 0.31}
_ALONE = {
    "c_depression_trust": 0.0,
    "c_depression_support": 0.0,
    "f_trust_depression": 0.0,
    "f_support_depression": 0.0,
}


@dataclass(frozen=True)
class Truth:
    """A simulated world: what it is in words, its hypothesis, and values other than the theory file's."""

    words: str
    hypothesis: str
    values: Mapping[str, float] = field(default_factory=dict)


def _factor(strength: float) -> dict[str, float]:
    return _ALONE | {"k_trust": strength, "k_support": strength, "k_oxytocin": strength}


TRUTHS: dict[str, Truth] = {
    "none": Truth("nothing acts on anything (M0)", "none", _ALONE),
    "network": Truth(
        "components act on each other by .5, not through oxytocin (M5)",
        "network",
        _ALONE | {"d_trust_support": 0.5, "d_support_trust": 0.5},
    ),
    "weak_cause": Truth("a slow common cause acts on all by .4 (M6)", "common_cause", _factor(0.4)),
    "strong_cause": Truth("a slow common cause acts on all by .8 (M6)", "common_cause", _factor(0.8)),
    "reciprocal": Truth(
        "oxytocin and both components raise each other by .3 (M3)",
        "reciprocal",
        {"a_trust": 0.3, "a_support": 0.3, "w_trust": 0.3, "w_support": 0.3, "v_depression": 0.3},
    ),
}
"""Simulated worlds by name; their arrows are assumed, in SD of the target per SD of the source."""


def support_rates(
    names: tuple[str, ...] | None = None,
    replicates: int = 500,
    *,
    seed: int = 1,
    folder: str | Path | None = None,
    progress: Count = lambda name, done, total: None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return how often claims are supported in simulated studies with randomised events.

    Each study is fitted by its mode and the curvature there. What is randomised, in how many sessions and how strongly
    it acts changes from study to study. No rival is compared, which would withhold more.

    Parameters
    ----------
    names
        Simulated worlds; default: all of ``TRUTHS``.
    replicates
        Studies of each.
    seed
        Seed of the studies.
    folder
        Folder that keeps each finished study, so that an interrupted run goes on; default: none.
    progress
        Called after each study.

    Returns
    -------
    tuple
        Three tables. One row per world: ``truth``, ``what``, ``studies``, ``false_support``, the share of studies that
        support a claim that does not hold, and ``upper``, its upper 95 % bound (Clopper and Pearson). One row per world
        and strength of the events: numbers of ``studies``, and of those with ``false_support`` and with
        ``right_support``, of a claim that holds. One row per world
        and claim: ``truth``, ``claim``, ``holds``, ``testable``, the number of studies in which events moved what it
        needs, ``supported`` and ``contradicted``, the shares of all studies, and the coverage of the 89 % interval of
        the passive association and of the effect of events, where there is one.

    Raises
    ------
    FitError
        If a world does not exist; the message lists those that do.
    """
    chosen = chosen_from(TRUTHS, names, "simulated world", replicates)
    design = _Design.of()
    rows = []
    for name in chosen:
        world = _simulated(design, name)
        records = Records(folder, f"support-{name}-{seed}", {"world": repr(TRUTHS[name]), "design": _settings()})
        for number in range(replicates):
            study = records.made(number, partial(_study, design, world, [seed, list(TRUTHS).index(name)], number))
            rows += [{"truth": name, "study": number} | row for row in study]
            progress(name, number + 1, replicates)
    table = pd.DataFrame(rows)
    return _by_truth(table), _by_strength(table), _by_claim(table)


def _settings() -> str:
    return repr((VARIABLES, RANDOMISED, SESSIONS, STRENGTHS, _ORDINARY, _DRAWS))


@dataclass(frozen=True)
class _Design:
    """The fitted problem for each choice of what is chosen, and the amounts that events have where they take place."""

    scores: xr.Dataset
    fitted: dict[tuple[str, ...], Problem]
    amounts: Float[np.ndarray, "dyad time event"]

    @classmethod
    def of(cls) -> "_Design":
        scores = _scores()
        amounts = np.asarray(build_problem(scores, _theory("reciprocal"), split=False).panel.event)
        half = _some(np.random.default_rng(0), scores["amount"].values, SESSIONS[1])
        fitted = {}
        for chosen in RANDOMISED:
            here = scores["event"].isin([EVENTS[variable] for variable in chosen])
            mine = scores["amount"].copy(data=half).where(here, 0.0)
            study = scores.assign(amount=mine, event_randomised=here.astype(int))
            fitted[chosen] = build_problem(study, _theory("reciprocal"))
        return cls(scores, fitted, amounts)


def _theory(name: str) -> Theory:
    return keep(hypothesis(name, read_theory("framework_linear")), [*VARIABLES, "factor"])


def _scores() -> xr.Dataset:
    """Return the scores of a study in which every session has every event; its values play no role."""
    with TemporaryDirectory() as scratch:
        folder = simulate_study(Path(scratch) / "study", theory=_theory("reciprocal"), seed=1)
        sessions = pd.read_csv(folder / "sessions.tsv", sep="\t", keep_default_na=False)
        sessions["events"] = ";".join(f"{event}={amount:g}" for event, amount in AMOUNTS.items())
        sessions.to_csv(folder / "sessions.tsv", sep="\t", index=False)
        with (folder / "study.yaml").open("a") as stream:
            stream.write(f"randomised: [{', '.join(AMOUNTS)}]\n")
        return scale_scores(read_study(folder))


def _some(
    rng: np.random.Generator, amounts: Float[np.ndarray, "dyad time event"], sessions: int
) -> Float[np.ndarray, "dyad time event"]:
    """Return amounts that are there in some sessions of each dyad, drawn for each event by itself."""
    found = np.zeros_like(amounts)
    for dyad, event in np.ndindex(amounts.shape[0], amounts.shape[2]):
        places = np.flatnonzero(amounts[dyad, :, event])
        kept = rng.choice(places, size=min(sessions, len(places)), replace=False)
        found[dyad, kept, event] = amounts[dyad, kept, event]
    return found


@dataclass(frozen=True)
class _World:
    """A problem from which studies are drawn, its values, and what is true of each claim, by what is chosen."""

    problem: Problem
    values: dict[str, float]
    truths: dict[tuple[str, ...], dict[str, tuple[float, bool]]]


def _simulated(design: _Design, name: str) -> _World:
    """Return a world as a problem from which studies are drawn, and its values."""
    truth = TRUTHS[name]
    problem = build_problem(design.scores, _theory(truth.hypothesis), split=False)
    middle = {str(parameter): float(row["location"]) for parameter, row in problem.priors.iterrows()}
    ordinary = {parameter: value for parameter, value in _ORDINARY.items() if parameter in middle}
    if unknown := sorted(set(truth.values) - set(middle)):
        raise FitError(
            f"{', '.join(unknown)}: no parameter of the world {name!r}; known: {known_names(middle, *unknown)}"
        )
    values = middle | problem.plan.defaults() | ordinary | dict(truth.values)
    truths = {chosen: _truths(fitted, values, frozenset(chosen)) for chosen, fitted in design.fitted.items()}
    return _World(problem, values, truths)


def _study(design: _Design, world: _World, seed: list[int], number: int) -> list[dict[str, Any]]:
    """Return the judged claims of one simulated study."""
    rng = np.random.default_rng([*seed, number])
    strength = STRENGTHS[number % len(STRENGTHS)]
    variables = RANDOMISED[number // len(STRENGTHS) % len(RANDOMISED)]
    sessions = SESSIONS[number // (len(STRENGTHS) * len(RANDOMISED)) % len(SESSIONS)]
    values = world.values | {effect: strength * world.values[effect] for effect in EFFECTS.values()}
    fitted = design.fitted[variables]
    names = [EVENTS[variable] for variable in variables]
    taken = np.array([entry.event in names for entry in fitted.plan.events])
    event = jnp.asarray(np.where(taken, _some(rng, design.amounts, sessions), 0.0))
    source = world.problem.with_panel(world.problem.panel.with_events(event), "simulated")
    draw = {name: np.array([value]) for name, value in values.items()}
    scores = replicate(source, draw, int(rng.integers(2**31)))[0]
    panel = fitted.panel.with_scores(jnp.asarray(np.nan_to_num(scores))).with_events(event)
    study = fitted.with_panel(panel, f"{seed} {number}")
    posterior = posterior_of(fitted)
    rows = judge(study, {"prior": _prior(fitted), "posterior": _normal(fitted, study, posterior, rng)})
    common = {"randomised": " and ".join(variables), "sessions": sessions, "strength": strength}
    return [common | _short(row, world.truths[variables][row["claim"]]) for row in rows if row["verdict"] != UNTESTABLE]


@made_once
def _prior(problem: Problem) -> xr.Dataset:
    return prior_draws(problem.priors, 1, _DRAWS)


@made_once
def _first_mode(problem: Problem) -> Mode:
    """Return the mode of the design's own study, from which all others are sought."""
    return find_mode(problem, posterior_of(problem), seed=1, starts=1)


def _normal(problem: Problem, study: Problem, posterior: Posterior, rng: np.random.Generator) -> xr.Dataset:
    """Return draws from the normal approximation at the mode, which is sought from that of the design's own study."""
    mode = mode_near(study, posterior, _first_mode(problem))
    places = mode.center + rng.standard_normal((_DRAWS, posterior.size)) @ mode.factor.T
    values = constraining(problem)(jnp.asarray(places))
    return xr.Dataset({name: (("chain", "draw"), np.asarray(values[name])[None]) for name in posterior.names})


def _truths(problem: Problem, values: Mapping[str, float], chosen: frozenset[str]) -> dict[str, tuple[float, bool]]:
    """Return the true value of what each claim is about, of the components that are chosen, and whether it holds."""
    arrows = {coupling.id for coupling in problem.plan.couplings} | set(problem.randomised.arrows)
    numbers = {str(name): float(row["location"]) for name, row in problem.priors.iterrows()}
    numbers |= {name: values.get(name, 0.0) for name in arrows}
    numbers |= {f"{PREFIX}{name}": values.get(name, 0.0) for name in problem.randomised.arrows}
    numbers |= {name: value for name, value in values.items() if name in numbers and name not in arrows}
    here = xr.Dataset({name: (("chain", "draw"), np.array([[value]])) for name, value in numbers.items()})
    components = chosen & {variable.id for variable in problem.plan.theory.of_kind("component")}
    found = {}
    for claim in problem.plan.theory.claims:
        for subject in subjects(problem, claim):
            function = estimand(problem, claim, subject, components or None, by_events=True)
            if not isinstance(function, Untestable):
                (value,) = draws_of(function, here)[0]
                found[claim.id.format(id=subject)] = (float(value), bool(value > claim.rope.high))
    return found


def _short(row: dict[str, Any], truth: tuple[float, bool]) -> dict[str, Any]:
    """Return what is kept of a judged claim."""
    value, holds = truth
    kept = {
        "claim": row["claim"],
        "holds": bool(holds),
        "verdict": row["verdict"],
        "moved": row["randomised_median"] is not None,
    }
    for kind, low, high in (
        ("association", row["low"], row["high"]),
        ("effect", row["randomised_low"], row["randomised_high"]),
    ):
        ends = np.array([low, high], dtype=float)  # NaN where there is none
        told = np.isfinite([*ends, value]).all()
        kept[f"{kind}_inside"] = bool(ends[0] <= value <= ends[1]) if told else None
    return kept


def upper_bound(count: int, total: int) -> float:
    """Return the upper 95 % bound of a share (Clopper and Pearson)."""
    return float(beta.ppf(0.95, count + 1, total - count)) if count < total else 1.0


def _by_truth(table: pd.DataFrame) -> pd.DataFrame:
    """Return how many studies of each world support a claim that does not hold."""
    rows = []
    for name, mine in table.groupby("truth", sort=False):
        wrong = (mine["verdict"] == "supported") & ~mine["holds"]
        studies = wrong.groupby(mine["study"]).any()
        count, total = int(studies.sum()), len(studies)
        rows.append(
            {
                "truth": name,
                "what": TRUTHS[str(name)].words,
                "studies": total,
                "false_support": count / total,
                "upper": upper_bound(count, total),
            }
        )
    return pd.DataFrame(rows)


def _by_strength(table: pd.DataFrame) -> pd.DataFrame:
    """Return how many studies of each world support a claim, wrongly or rightly, by strength of the events."""
    rows = []
    for (name, strength), mine in table.groupby(["truth", "strength"], sort=False):
        supported = mine[mine["verdict"] == "supported"]
        rows.append(
            {
                "truth": name,
                "strength": strength,
                "studies": mine["study"].nunique(),
                "false_support": supported.loc[~supported["holds"], "study"].nunique(),
                "right_support": supported.loc[supported["holds"], "study"].nunique(),
            }
        )
    return pd.DataFrame(rows)


def _by_claim(table: pd.DataFrame) -> pd.DataFrame:
    """Return what became of each claim in each world."""
    rows = []
    for (name, claim), mine in table.groupby(["truth", "claim"], sort=False):
        total = table.loc[table["truth"] == name, "study"].nunique()
        rows.append(
            {"truth": name, "claim": claim, "holds": float(mine["holds"].mean()), "testable": int(mine["moved"].sum())}
            | {verdict: float((mine["verdict"] == verdict).sum() / total) for verdict in ("supported", "contradicted")}
            | {f"{kind}_coverage": float(mine[f"{kind}_inside"].dropna().mean()) for kind in ("association", "effect")}
        )  # fmt: skip
    return pd.DataFrame(rows)
