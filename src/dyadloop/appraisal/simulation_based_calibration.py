"""Simulation-based calibration: whether the fit finds, at the stated rate, the truths that made the data.

Truths are drawn from the prior, data from each truth, and each data set is fitted. If simulation, likelihood and
sampler agree, the rank of a truth among the draws of its posterior is uniform, whatever the design. Planted faults
show that the check can fail.
"""

import hashlib
import json
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import binom

from dyadloop.appraisal.calibration_design import design_of
from dyadloop.appraisal.ranks import RANKS, least_tail, uniform_tails
from dyadloop.appraisal.replication import as_recorded, replicate
from dyadloop.data import Study
from dyadloop.errors import FitError, ResultError
from dyadloop.files import folder_or_temporary, write_text
from dyadloop.inference.fitting import prior_draws
from dyadloop.inference.mode import find_mode, posterior_of
from dyadloop.inference.problem import Problem, build_problem, priors_to_json
from dyadloop.inference.result import versions
from dyadloop.inference.sampling import Count, Settings, sample_batch, write_npz
from dyadloop.likelihood.panel import Panel
from dyadloop.machine import processors
from dyadloop.model import Plan, ProcessModel
from dyadloop.observation.kinds import Record
from dyadloop.observation.kinds.censored import as_seen
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import Theory, linear_form

SIGNIFICANT = 0.05
_LOGDENSITY = "log_likelihood"
_ENTRIES = ("ranks", "divergences", "tries")
_MOST_TRIES = 100
_TOGETHER = 25  # data sets sampled in step: spreads the overhead of a program over them


@dataclass(frozen=True)
class _WrongPlan(Plan):
    """A plan whose process model is wrong on purpose."""

    fault: str = ""

    def process_model(self, values: dict[str, Any]) -> ProcessModel:
        """Return the wrong process model."""
        return FAULTS[self.fault](super().process_model(values))


def _wrong_sign(process: ProcessModel) -> ProcessModel:
    nonlinear = process.nonlinear and replace(process.nonlinear, rates=tuple(-rate for rate in process.nonlinear.rates))
    moderated = jax.tree.map(jnp.negative, process.moderated)
    return replace(process, always=-process.always, session=-process.session, moderated=moderated, nonlinear=nonlinear)


def _half_noise(process: ProcessModel) -> ProcessModel:
    return replace(process, noise=process.noise / 4.0, start_covariance=process.start_covariance / 4.0)


def _no_gate(process: ProcessModel) -> ProcessModel:
    nonlinear = process.nonlinear and replace(
        process.nonlinear, arrows=tuple(replace(a, gated=False) for a in process.nonlinear.arrows)
    )
    moderated = jax.tree.map(lambda rates: rates.at[:, 0].add(rates[:, 1]).at[:, 1].set(0.0), process.moderated)
    parts = {"always": process.always + process.session, "session": 0.0 * process.session, "moderated": moderated}
    return replace(process, **parts, nonlinear=nonlinear)


FAULTS: dict[str, Callable[[ProcessModel], ProcessModel]] = {
    "sign": _wrong_sign,
    "noise": _half_noise,
    "gate": _no_gate,
    "limit": lambda process: process,
}
"""Faults that can be planted in the fit: all arrows reversed in sign, the noise halved, arrows of sessions that act
always, values below the limit taken for values at it."""


def calibrate(
    theory: Theory,
    *,
    study: Study | None = None,
    dyads: int = 10,
    sessions: int = 8,
    replicates: int = 500,
    below: float = 0.0,
    fault: str | None = None,
    priors: pd.DataFrame | None = None,
    seed: int = 1,
    settings: Settings | None = None,
    folder: str | Path | None = None,
    progress: Count = lambda name, done, total: None,
) -> xr.Dataset:
    """Check a fit by simulation: rank truths drawn from the prior among the draws of their posteriors.

    Parameters
    ----------
    theory
        Theory, possibly restricted to a hypothesis; one that is not linear is checked in its linear form.
    study
        Study whose moments, missing values and indicators are simulated; default: a simulated design with saliva
        before and after some sessions or, for a theory without oxytocin and components of the framework, one answer
        per variable and person, all given at one moment. Its values and limits play no role; coarse scales and counts
        remain such.
    dyads, sessions
        Dyads and sessions that are kept, from the first.
    replicates
        Simulated data sets, 20 or more.
    below
        Share of the oxytocin values that the assay does not see: the lowest ones lie below a limit.
    fault
        A fault planted in the fit, which the check must find: ``sign``, ``noise``, ``gate`` or ``limit``.
    priors
        Rows that replace priors, in the form of :func:`dyadloop.priors`.
    seed
        Seed of truths, data and fits.
    settings
        Warm-up and draws of the one chain of each fit.
    folder
        Folder that keeps the ranks of each replicate; the same call goes on where an earlier one was killed.
    progress
        Called after each replicate.

    Returns
    -------
    xarray.Dataset
        ``rank`` (parameter, replicate) from 0 to ``n_ranks - 1``; ``p_value`` (parameter) of uniform ranks;
        ``outside`` (parameter), whether the ranks leave the 95 % simultaneous band; ``low`` and ``high`` (position),
        the band of the share of ranks below a position; ``divergences`` (replicate). The log-likelihood of the whole
        study is ranked as a parameter is, for it sees faults that single parameters hide. Attributes: ``calibrated``
        (1 if the smallest p value times the number of parameters is at least .05), ``fault``, ``redrawn`` (truths
        without finite data, which the prior excludes by that) and what was run.

    Raises
    ------
    FitError
        If the fault or a number is not among what is possible.
    ResultError
        If ``folder`` holds another calibration.

    References
    ----------
    .. [1] Talts et al. (2018), Simulation-based calibration. arXiv:1804.06788
    .. [2] Modrak et al. (2023), on test quantities that use the data. doi:10.1214/23-BA1404
    .. [3] Saeilynoja, Buerkner & Vehtari (2022), simultaneous bands. doi:10.1007/s11222-022-10090-6

    Examples
    --------
    >>> network = dl.hypothesis("network", dl.read_theory("framework_linear"))
    >>> theory = dl.keep(network, ["trust", "depression"])
    >>> short = dl.Settings(chains=1, warmup=50, draws=100)
    >>> ranks = dl.calibrate(theory, dyads=4, sessions=4, replicates=20, settings=short)
    >>> ranks.sizes["replicate"]
    20
    """
    settings = settings or Settings(chains=1, warmup=100, draws=3 * (RANKS - 1))
    problem = _problem(theory, study, dyads, sessions, priors, seed)
    _check(problem, replicates, below, fault, settings)
    with folder_or_temporary(folder) as kept:
        return _calibrate(problem, replicates, below, fault, seed, settings, kept, progress)


def _problem(
    theory: Theory, study: Study | None, dyads: int, sessions: int, priors: pd.DataFrame | None, seed: int
) -> Problem:
    """Return the problem of the design: its data have the right moments and places, its values play no role."""
    if dyads < 1 or sessions < 1:
        raise FitError(f"dyads={dyads}, sessions={sessions}: expected 1 or more")
    if study is None:
        with TemporaryDirectory() as scratch:
            scores = scale_scores(design_of(linear_form(theory), Path(scratch) / "design", dyads, sessions, seed))
    else:
        scores = scale_scores(study)
    scores = as_seen(scores.isel(dyad=slice(0, dyads)))
    kept = scores["session"] <= sessions
    times = kept.any("dyad")
    whole = {"score": scores["score"].where(kept), "days": scores["days"].where(kept)}
    scores = scores.assign(whole).isel(time=times.values)
    return build_problem(scores, theory, priors, study.info.priors if study is not None else None)


def _check(problem: Problem, replicates: int, below: float, fault: str | None, settings: Settings) -> None:
    if replicates < 20:
        raise FitError(f"replicates={replicates}: expected 20 or more; fewer ranks show nothing")
    if fault is not None and fault not in FAULTS:
        raise FitError(f"fault {fault!r} cannot be planted; known: {', '.join(FAULTS)}")
    if not 0.0 <= below < 1.0:
        raise FitError(f"below={below}: expected a share from 0 to less than 1")
    if (settings.draws or 0) < RANKS - 1:
        raise FitError(f"draws={settings.draws}: expected {RANKS - 1} or more, from which ranks are made")
    if (below > 0 or fault == "limit") and not _oxytocin(problem).any():
        raise FitError("values below a limit of the assay need oxytocin in the theory and in the study")
    if fault == "limit" and below == 0:
        raise FitError("fault 'limit' needs values below a limit: set `below`, such as 0.3")
    if fault in ("sign", "gate") and not problem.plan.couplings:
        raise FitError(f"fault {fault!r} needs a theory with arrows")


def _oxytocin(problem: Problem) -> np.ndarray:
    """Return which indicators of the panel measure oxytocin."""
    return np.array([problem.plan.states[state].variable.kind == "oxytocin" for state in problem.observed.states])


def _calibrate(
    problem: Problem, replicates: int, below: float, fault: str | None, seed: int, settings: Settings, folder: Path,
    progress: Count,
) -> xr.Dataset:  # fmt: skip
    settings = replace(settings, chains=1)
    names = [str(name) for name in problem.priors.index] + ([] if below or problem.normals else [_LOGDENSITY])
    about = {
        "theory": problem.plan.theory.id,
        "hypothesis": problem.plan.theory.hypothesis or "",
        "dyads": problem.scores.sizes["dyad"],
        "moments": int(problem.panel.seen.sum()),
        "below": below,
        "fault": fault or "",
        "seed": seed,
        "settings": json.dumps(vars(settings)),
        "versions": json.dumps(versions()),
    }
    _stamp_folder(folder, problem, about)
    fitted = problem
    if fault:
        parts = {part.name: getattr(problem.plan, part.name) for part in fields(Plan)}
        fitted = replace(problem, plan=_WrongPlan(**parts, fault=fault))
    stop = threading.Event()
    finished: list[dict[str, np.ndarray]] = []
    tasks = [range(begin, min(begin + _TOGETHER, replicates)) for begin in range(0, replicates, _TOGETHER)]

    def one(task: range) -> dict[str, np.ndarray] | None:
        path = folder / f"replicates-{task.start + 1:05d}-{task.stop:05d}.npz"
        if path.is_file():
            return _read(path)
        if stop.is_set():
            return None
        found = _replicates(problem, fitted, below, fault, task, seed, settings)
        write_npz(path, found)
        return found

    with ThreadPoolExecutor(max_workers=processors()) as pool:
        try:
            progress("replicates", 0, replicates)
            for found in chain([one(tasks[0])], pool.map(one, tasks[1:])):  # the first compiles what the others share
                finished.extend([found] if found is not None else [])
                progress("replicates", sum(len(part["tries"]) for part in finished), replicates)
        except BaseException:
            stop.set()
            raise
    together = {name: np.concatenate([part[name] for part in finished]) for name in _ENTRIES}
    return _summary(together, names, about)


def _stamp_folder(folder: Path, problem: Problem, about: dict[str, object]) -> None:
    """Note what is calibrated here, or refuse to mix two calibrations."""
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(eqx.tree_at(lambda panel: panel.score, problem.panel, None)):
        digest.update(np.asarray(leaf).tobytes())
    wanted = json.dumps(
        {**about, "priors": priors_to_json(problem.priors), "design": digest.hexdigest()}, indent=2, sort_keys=True
    )
    path = folder / "calibration.json"
    if path.is_file():
        if path.read_text(encoding="utf-8") != wanted:
            raise ResultError(f"{folder}: holds another calibration; choose another folder or remove this one")
        return
    write_text(path, wanted)


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in _ENTRIES}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ResultError(f"{path}: not readable ({error}); remove the file to run it anew") from None


def _replicates(
    problem: Problem, fitted: Problem, below: float, fault: str | None, task: range, seed: int, settings: Settings
) -> dict[str, np.ndarray]:
    """Draw truths and their data, fit them all in step, and return the rank of each number of each truth."""
    seeds = [int(np.random.SeedSequence([seed, index]).generate_state(1)[0]) >> 1 for index in task]
    drawn = [_draw(problem, own) for own in seeds]
    truths = [truth for truth, _, _ in drawn]
    panels = [_limited(problem, panel, below, fault == "limit") for _, panel, _ in drawn]
    works = [fitted.with_panel(panel, f"replicate {index + 1}") for panel, index in zip(panels, task, strict=True)]
    posterior = posterior_of(works[0])
    modes = [find_mode(work, posterior, own, starts=1) for work, own in zip(works, seeds, strict=True)]
    draws = sample_batch(posterior, panels, modes, settings, seeds)
    thin = (settings.iterations - settings.warmup) // (RANKS - 1)
    ranks = [
        _ranks(work, truth, place[::-thin][: RANKS - 1], not (below or posterior.normals))
        for work, truth, place in zip(works, truths, draws["position"], strict=True)
    ]
    tries = np.array([count for _, _, count in drawn])
    return dict(zip(_ENTRIES, (np.array(ranks), draws["diverging"].sum(axis=1), tries), strict=True))


def _draw(problem: Problem, seed: int) -> tuple[dict[str, float], Panel, int]:
    """Return a truth from the prior, its data, and how many truths before it had no finite data."""
    seen = np.asarray(problem.panel.seen)
    for tries in range(_MOST_TRIES):
        drawn = prior_draws(problem.priors, seed + tries, 1)
        truth = {str(name): drawn[name].item() for name in drawn.data_vars}
        score = replicate(problem, {name: np.array([value]) for name, value in truth.items()}, seed + tries)[0]
        if np.isfinite(score[seen]).all():
            return truth, problem.panel.with_scores(jnp.asarray(np.nan_to_num(as_recorded(problem)(score)))), tries
    raise FitError(f"{_MOST_TRIES} draws of the prior gave no finite data; its time constants are too far apart")


def _ranks(work: Problem, truth: dict[str, float], places: np.ndarray, whole: bool) -> list[int]:
    """Return how many draws lie below the truth, for each parameter and, if ``whole``, for the log-likelihood."""
    values = jax.vmap(posterior_of(work).constrain)(jnp.asarray(places))
    values = {str(name): np.asarray(values[name]) for name in work.priors.index}
    ranks = [int((values[name] < truth[name]).sum()) for name in values]
    if whole:
        # the truth goes first, so that one program does for all
        rows = {name: (("chain", "draw"), np.append(truth[name], found)[None]) for name, found in values.items()}
        grid = xr.Dataset(rows, coords={"chain": [0], "draw": np.arange(RANKS)})
        density = work.pointwise(grid).sum("dyad").values.ravel()
        ranks.append(int((density[1:] < density[0]).sum()))
    return ranks


def _limited(problem: Problem, panel: Panel, below: float, ignored: bool) -> Panel:
    """Put the lowest oxytocin values below a limit, which is the lowest value that is still seen.

    Their number is fixed, not the limit; the likelihood of what was seen is the same either way.
    """
    if not below:
        return panel
    score, places = np.asarray(panel.score).copy(), np.asarray(panel.seen) & _oxytocin(problem)
    values = np.sort(score[places])
    limit = values[int(below * len(values))]
    hidden = places & (score < limit)
    score[hidden] = limit
    panel = eqx.tree_at(lambda p: p.score, panel, jnp.asarray(score))
    sides = Record({"side": jnp.asarray(np.where(hidden, -1, 0))}, {})
    return panel if ignored else panel.with_kind("censored", hidden, sides)


def _summary(found: dict[str, np.ndarray], names: list[str], about: dict[str, object]) -> xr.Dataset:
    ranks = found["ranks"].T
    reference = uniform_tails(ranks.shape[1])
    tails = np.array([least_tail(row[None])[0] for row in ranks])
    # the observed ranks are one more uniform set if all is well
    p_value = (1 + (reference <= tails[:, None]).sum(axis=1)) / (1 + reference.size)
    gamma = np.quantile(reference, SIGNIFICANT)
    position = np.arange(1, RANKS)
    n = ranks.shape[1]
    low, high = (binom.ppf(q, n, position / RANKS) / n for q in (gamma / 2, 1 - gamma / 2))
    return xr.Dataset(
        {
            "rank": (("parameter", "replicate"), ranks),
            "p_value": ("parameter", p_value),
            "outside": ("parameter", tails < gamma),
            "low": ("position", low),
            "high": ("position", high),
            "divergences": ("replicate", found["divergences"]),
        },
        coords={"parameter": names, "replicate": np.arange(1, n + 1), "position": position / RANKS},
        attrs={
            **about,
            "n_ranks": RANKS,
            "replicates": n,
            "calibrated": int(float(p_value.min()) * len(names) >= SIGNIFICANT),
            "redrawn": int(found["tries"].sum()),
        },
    )
