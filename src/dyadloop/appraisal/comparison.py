"""Compare hypotheses on one study: how well each predicts a dyad that it has not seen, and how probable the data are.

The score of a dyad is its log density with states and person means integrated out, so what is left out is a whole
dyad. Pareto-smoothed importance sampling stands in for refits; where its diagnostic says that it cannot, the
hypothesis is fitted again without that dyad.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import logsumexp

from dyadloop import dynamics
from dyadloop.appraisal.left_out import leave_one_out
from dyadloop.appraisal.marginal_likelihood import log_evidence
from dyadloop.appraisal.particle_correction import correction
from dyadloop.appraisal.replication import sampled
from dyadloop.data import Study
from dyadloop.errors import FitError, TheoryError
from dyadloop.estimands.catalogue import draws_of
from dyadloop.files import folder_or_temporary, replacing
from dyadloop.inference.convergence import convergence_faults
from dyadloop.inference.fitting import fit_in
from dyadloop.inference.problem import Problem, build_problem
from dyadloop.inference.randomised import contrasted
from dyadloop.inference.result import file_name, save_result
from dyadloop.inference.sampling import Count, Settings, counted
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import Theory, hypothesis, read_theory

QUANTILES = (0.055, 0.5, 0.945)
PASSIVE = (
    "no randomised event on oxytocin: a common cause (M6) leaves the same trace as the reciprocal loop (M3) in passive "
    "data, so a better score of a hypothesis with oxytocin is no evidence that oxytocin acts"
)
TWINS = ("reciprocal", "common_cause")
"""Hypotheses that passive data cannot tell apart: in both what is slow is driven along one direction."""
SMALL = 4.0
"""Differences below this tell nothing, whatever their standard error (Sivula et al. 2020, arXiv:2008.10296)."""
_SAME = 1e-9  # moments closer than this [d] are one


@dataclass(frozen=True)
class _Work:
    """What all fits of one comparison share."""

    study: Study
    seed: int
    settings: Settings
    folder: Path
    progress: Count
    message: Callable[[str], None]
    notes: list[str]

    def fit(self, problem: Problem, name: str, place: Path, like: Path | None = None) -> xr.DataTree:
        """Fit a problem in a folder of its own, from the mode of another fit if there is one like it."""
        step = counted(self.progress, name, self.settings)
        post = fit_in(place, self.study, problem, self.seed, self.settings, step, lambda text: None, like)
        if faults := convergence_faults(post):
            self.notes.append(f"{name} has not converged: {'; '.join(faults)}")
        return post


def compare(
    study: Study,
    hypotheses: Iterable[str] | None = None,
    theory: Theory | None = None,
    *,
    priors: pd.DataFrame | None = None,
    ahead: int = 0,
    seed: int = 1,
    settings: Settings | None = None,
    folder: str | Path | None = None,
    progress: Count = lambda name, done, total: None,
    message: Callable[[str], None] = lambda text: None,
) -> xr.Dataset:
    """Fit several hypotheses to one study and compare their predictions.

    Parameters
    ----------
    study
        Result of :func:`dyadloop.read_study`.
    hypotheses
        Names or ids of rivals within the theory, two or more; default: all that need none of its optional parts.
    theory
        Theory that holds them; default: the one that study.yaml names.
    priors
        Rows that replace priors, in the form of :func:`dyadloop.priors`, in each hypothesis that has them.
    ahead
        Last sessions of each dyad to predict from all that came before (leave-future-out); 0 leaves this out.
    seed, settings
        As in :func:`dyadloop.fit`.
    folder
        Folder that keeps each fit; the same call goes on where an earlier one was killed.
    progress, message
        Called while sampling, and at each stage.

    Returns
    -------
    xarray.Dataset
        By ``hypothesis``, best first: ``elpd`` (expected log predictive density of a new dyad, summed over dyads)
        and ``se``, ``difference`` to the best and ``difference_se``, ``told_apart`` (worse than the best by more than
        4 and by more than two standard errors), ``weight`` (stacking), ``log_evidence`` and ``log_evidence_se``,
        ``refits``, ``converged`` (with all its refits), and with ``ahead`` the same scores with ``_ahead``. By dyad:
        ``elpd_dyad``, ``pareto_k``, ``refitted``, ``correction`` and ``correction_se``, what the filter of a hypothesis
        that is not linear misses by a particle filter at the posterior mean, and its Monte Carlo error; the scores
        include it and their errors the error. By ``quantile``:
        ``continuous_loop_gain`` (L, as if sessions never ended) and ``session_loop_gain`` (L_W).
        Attribute ``notes``: what must be known when it is read, as JSON.

    Raises
    ------
    FitError
        If there are fewer than two hypotheses that this study can tell apart, fewer than two dyads, or the
        hypotheses use different data.
    TheoryError
        If a hypothesis is unknown or cannot be fitted.

    Notes
    -----
    Scores are centred and scaled once, by all dyads, so a dyad left out has had its share in the units.

    References
    ----------
    .. [1] Vehtari, Gelman & Gabry (2017). doi:10.1007/s11222-016-9696-4
    .. [2] Merkle, Furr & Rabe-Hesketh (2019), on leaving out clusters. doi:10.1007/s11336-019-09679-0
    .. [3] Yao et al. (2018), stacking. doi:10.1214/17-BA1091

    Examples
    --------
    >>> study = dl.read_study("results/example-study")
    >>> theory = dl.keep(dl.read_theory("framework_linear"), ["oxytocin", "trust"])
    >>> short = dl.Settings(chains=1, warmup=50, draws=50)  # far too short to conclude from
    >>> table = dl.compare(study, ["none", "biomarker"], theory, settings=short)
    >>> sorted(table["hypothesis"].values.tolist())
    ['biomarker', 'none']
    """
    whole = theory or read_theory(study.info.theory, study.path)
    problems, notes = _problems(study, whole, rival_names(whole) if hypotheses is None else tuple(hypotheses), priors)
    settings = settings or Settings()
    with folder_or_temporary(folder) as kept:
        found = _compare(problems, ahead, _Work(study, seed, settings, kept, progress, message, notes))
        with replacing(kept / "comparison.nc") as draft:
            found.to_netcdf(draft, engine="h5netcdf")
    return found


def rival_names(theory: Theory) -> tuple[str, ...]:
    """Return the hypotheses of a theory that need none of its optional parts, which a comparison takes by itself.

    Raises
    ------
    TheoryError
        If there are fewer than two.
    """
    found = tuple(rival.name for rival in theory.hypotheses if not rival.including)
    if len(found) < 2:
        got = f"{len(found)} hypotheses without optional parts ({', '.join(found) or 'none'})"
        raise TheoryError(
            f"theory {theory.id!r}: got {got}; expected two or more to compare; declare rivals under `hypotheses`, or "
            "name two"
        )
    return found


def _problems(
    study: Study, theory: Theory, names: tuple[str, ...], priors: pd.DataFrame | None
) -> tuple[dict[str, Problem], list[str]]:
    """Return one problem per hypothesis that this study can tell from the others, and what must be said."""
    scores = scale_scores(study)
    if scores.sizes["dyad"] < 2:
        raise FitError("one dyad: nothing can be left out; a comparison needs two dyads or more")
    problems: dict[str, Problem] = {}
    notes: list[str] = []
    for name in dict.fromkeys(names):
        rival = hypothesis(name, theory)
        problem = build_problem(scores, rival, None, study.info.priors, split=False)
        if priors is not None and (known := priors.index.intersection(problem.priors.index)).size:
            problem = build_problem(scores, rival, priors.loc[known], study.info.priors, split=False)
        name = str(rival.hypothesis)
        twin = next((other for other, had in problems.items() if _same(had, problem)), None)
        if twin:
            notes.append(
                f"{name} and {twin} are the same model here: what sets them apart is not measured in this study"
            )
        else:
            problems[name] = problem
    if len(problems) < 2:
        raise FitError(
            f"{', '.join(dict.fromkeys(names)) or 'nothing'}: a comparison needs two hypotheses that this study can "
            f"tell apart{'; ' if notes else ''}{'; '.join(notes)}"
        )
    used = {problem.observed.indicators for problem in problems.values()}
    if len(used) > 1:
        listed = "; ".join(f"{name}: {', '.join(problem.observed.indicators)}" for name, problem in problems.items())
        raise FitError(f"the hypotheses use different data, so their scores cannot be compared ({listed})")
    first = next(iter(problems.values()))
    speaks = any(state.variable.kind == "oxytocin" for state in first.plan.states)
    if speaks and "oxytocin" not in {target for _, target in contrasted(first.plan, first.scores)[0]}:
        notes.append(PASSIVE)
    return problems, notes


def _same(one: Problem, other: Problem) -> bool:
    """Say whether two problems have the same arrows between the same states."""
    return (one.plan.couplings, one.plan.names) == (other.plan.couplings, other.plan.names)


def _compare(problems: dict[str, Problem], ahead: int, work: _Work) -> xr.Dataset:
    columns: dict[str, xr.Dataset] = {}
    for name, problem in problems.items():
        work.message(f"fitting {name}: {len(problem.priors)} parameters")
        n_notes = len(work.notes)
        post = work.fit(problem, name, work.folder / name / "chains")
        save_result(post, work.folder / name)
        scores = _leave_one_out(problem, post, name, work)
        evidence, error = log_evidence(problem, post, work.seed)
        numbers: dict[str, Any] = {
            "elpd_dyad": scores["elpd"],
            "pareto_k": scores["pareto_k"],
            "refitted": scores["refitted"],
            "refits": int(scores["refitted"].sum()),
            "log_evidence": evidence,
            "log_evidence_se": error,
        }
        numbers |= _loops(problem, post)
        if ahead:
            numbers |= _leave_future_out(problem, name, ahead, work)
        numbers["converged"] = len(work.notes) == n_notes  # each fit that has not says so
        numbers |= _corrected(problem, post, name, numbers, work)
        columns[name] = xr.Dataset(numbers)
    found = xr.concat(list(columns.values()), dim=pd.Index(list(columns), name="hypothesis"))
    found = _ranked(found.assign_coords(quantile=list(QUANTILES)))
    if PASSIVE in work.notes and set(TWINS) <= set(problems):
        work.notes.append(f"{' and '.join(TWINS)} are not told apart, whatever their scores")
        best = str(found["hypothesis"].values[0])
        found["told_apart"] &= ~found["hypothesis"].isin(TWINS if best in TWINS else ())
    first = next(iter(problems.values()))
    found.attrs = {
        "study": work.study.info.name,
        "study_digest": work.study.digest,
        "simulated": int(work.study.info.simulated),
        "theory": first.plan.theory.id,
        "seed": work.seed,
        "settings": json.dumps(vars(work.settings)),
        "ahead": ahead,
        "notes": json.dumps(work.notes),
    }
    return found


def _corrected(problem: Problem, post: xr.DataTree, name: str, numbers: dict[str, Any], work: _Work) -> dict[str, Any]:
    """Return the scores and the evidence with what the fast filter misses, and how much that is."""
    if not problem.plan.is_linear:
        work.message(f"{name}: not linear, so a particle filter checks and corrects its likelihood")
    found = correction(problem, sampled(post), work.seed)
    total, error = float(found["correction"].sum()), float(np.sqrt((found["correction_se"] ** 2).sum()))
    if total:
        work.notes.append(
            f"{name} is not linear: at the posterior mean a particle filter finds a log likelihood {total:+.1f} "
            f"({error:.1f}) from that of the filter it was fitted with; scores and evidence are corrected by that, the "
            "posterior is not"
        )
    return {
        "correction": found["correction"],
        "correction_se": found["correction_se"],
        "elpd_dyad": numbers["elpd_dyad"] + found["correction"],
        "log_evidence": numbers["log_evidence"] + total,
        "log_evidence_se": float(np.hypot(numbers["log_evidence_se"], error)),
    }


def _leave_one_out(problem: Problem, post: xr.DataTree, name: str, work: _Work) -> xr.Dataset:
    """Return the score of each dyad left out, by importance sampling or, where that fails, by a refit."""
    found = leave_one_out(post)
    scores = xr.Dataset({"elpd": found.elpd_i, "pareto_k": found.pareto_k}).reset_coords(drop=True)
    scores["refitted"] = scores["pareto_k"] > found.good_k
    dyads = problem.scores["dyad"].values.tolist()
    for row in np.flatnonzero(scores["refitted"].values):
        dyad = dyads[row]
        work.message(f"{name}: Pareto k {float(scores['pareto_k'][row]):.2f} for dyad {dyad}; fitting without it")
        held = np.zeros(problem.panel.seen.shape[:2], dtype=bool)
        held[row] = True
        left = problem.without(held, f"dyad {dyad}")
        root = work.folder / name
        place = root / "refits" / f"{int(row) + 1}-{file_name(dyad)}"
        again = work.fit(left, f"{name} without {dyad}", place, root / "chains")
        density = problem.pointwise(sampled(again)).values[..., row]
        scores["elpd"][row] = logsumexp(density) - np.log(density.size)
    return scores


def _leave_future_out(problem: Problem, name: str, ahead: int, work: _Work) -> dict[str, Any]:
    """Return the log density of each dyad's last sessions given all that came before in all dyads, and its error."""
    held = _last_sessions(problem, ahead)
    work.message(f"{name}: fitting without the last {ahead} sessions of each dyad")
    past = problem.without(held, f"last {ahead} sessions")
    root = work.folder / name
    post = work.fit(past, f"{name} before the last {ahead}", root / f"before-{ahead}", root / "chains")
    draws = sampled(post)
    density = (problem.pointwise(draws) - past.pointwise(draws)).stack(sample=("chain", "draw"))
    found = logsumexp(density.transpose("dyad", "sample").values, axis=1) - np.log(density.sizes["sample"])
    whole, before = (correction(one, draws, work.seed) for one in (problem, past))
    return {
        "elpd_ahead_dyad": found + whole["correction"] - before["correction"],
        "correction_ahead_se": np.hypot(whole["correction_se"], before["correction_se"]),
    }


def _last_sessions(problem: Problem, ahead: int) -> np.ndarray:
    """Return which moments of the panel lie in the last sessions of their dyad (dyad, time)."""
    scores, panel = problem.scores, problem.panel
    session = scores["session"].values
    if ahead < 1 or session.max() == 0:
        raise FitError(f"ahead={ahead}: expected a number of sessions, 1 or more, and a study with sessions")
    begins = np.where(session > (session.max(axis=1, keepdims=True) - ahead), scores["days"].values, np.inf)
    moments = np.cumsum(np.asarray(panel.durations)[np.asarray(panel.pair)], axis=1)
    start = np.nanmin(scores["days"].values, axis=1, keepdims=True)
    held = start + moments >= np.nanmin(begins, axis=1, keepdims=True) - _SAME
    seen = np.asarray(panel.seen).any(axis=2)
    if (held | ~seen).all():
        raise FitError(f"ahead={ahead}: no dyad has a value before its last {ahead} sessions; hold out fewer")
    return held


def _loops(problem: Problem, post: xr.DataTree) -> dict[str, xr.DataArray]:
    """Return quantiles of L and L_W; missing where the study has no oxytocin or no sessions."""
    group = post["posterior"].to_dataset()
    has_oxytocin = any(state.variable.kind == "oxytocin" for state in problem.plan.states)
    schedule = problem.schedule
    found = {}
    for name in ("continuous_loop_gain", "session_loop_gain"):
        numbers = np.full(len(QUANTILES), np.nan)
        if problem.plan.has_kink:
            pass  # no slope, no gain
        elif has_oxytocin and name == "continuous_loop_gain":
            (draws,) = draws_of(lambda values: dynamics.continuous_loop_gain(problem.at_mean(values)), group)
            numbers = np.nanquantile(draws, QUANTILES)
        elif has_oxytocin and schedule is not None:
            (draws,) = draws_of(lambda values: dynamics.session_loop_gain(problem.at_mean(values), schedule), group)
            numbers = np.nanquantile(draws, QUANTILES) if np.isfinite(draws).any() else numbers
        found[name] = xr.DataArray(numbers, dims="quantile")
    return found


def _ranked(found: xr.Dataset) -> xr.Dataset:
    """Add sums over dyads, differences to the best with their errors, and stacking weights; best first."""
    found = found.assign(_sums(found["elpd_dyad"], found["correction_se"], ""))
    found["told_apart"] = found["difference"] < -np.maximum(SMALL, 2 * found["difference_se"])
    found["weight"] = ("hypothesis", _stacking(found["elpd_dyad"]))
    if "elpd_ahead_dyad" in found:
        found = found.assign(_sums(found["elpd_ahead_dyad"], found["correction_ahead_se"], "_ahead"))
    return found.sortby("elpd", ascending=False)


def _sums(scores: xr.DataArray, error: xr.DataArray, suffix: str) -> dict[str, Any]:
    """Return sums over dyads and differences to the best; ``error`` is the Monte Carlo error of each score."""
    n = scores.sizes["dyad"]
    total, noise = scores.sum("dyad"), (error**2).sum("dyad")
    first = int(np.argmax(total.values))
    gap = scores - scores.isel(hypothesis=first, drop=True)
    both = xr.where(np.arange(len(total)) == first, 0.0, noise + noise.isel(hypothesis=first, drop=True))
    return {
        f"elpd{suffix}": total,
        f"se{suffix}": np.sqrt(n * scores.var("dyad", ddof=1) + noise),
        f"difference{suffix}": gap.sum("dyad"),
        f"difference{suffix}_se": np.sqrt(n * gap.var("dyad", ddof=1) + both),
    }


def _stacking(scores: xr.DataArray) -> np.ndarray:
    """Return stacking weights; scores are shifted dyad by dyad, for the density of a whole dyad has no exponential."""
    from arviz_stats.loo.compare import compare as arviz_compare
    from arviz_stats.utils import ELPDData

    shifted = scores - scores.max("hypothesis")
    n = scores.sizes["dyad"]
    blank = ELPDData("loo", 0.0, 0.0, 0.0, 1, n, "log", False, 0.7)
    entries = {
        str(name): replace(
            blank,
            elpd=float(shifted.sel(hypothesis=name).sum()),
            se=float(np.sqrt(n) * shifted.sel(hypothesis=name).std(ddof=1)),
            elpd_i=shifted.sel(hypothesis=name, drop=True),
        )
        for name in scores["hypothesis"].values
    }
    weights = arviz_compare(entries, method="stacking")["weight"]
    return np.array([float(weights[str(name)]) for name in scores["hypothesis"].values])
