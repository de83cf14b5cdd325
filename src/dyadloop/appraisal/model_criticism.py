"""Model criticism: what a fit does not reproduce, what it hangs on, and which dyads carry it."""

import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr

from dyadloop.appraisal.left_out import leave_one_out
from dyadloop.appraisal.particle_correction import corrected
from dyadloop.appraisal.referee_agreement import DOUBTFUL, OPPOSITE, compared
from dyadloop.appraisal.replication import predictive_checks, sampled
from dyadloop.appraisal.residuals import cross_residuals
from dyadloop.appraisal.smoothing import residual_at
from dyadloop.appraisal.stability import halves_of, without_each_of
from dyadloop.estimands.findings import judged
from dyadloop.inference.convergence import convergence_faults, prior_conflicts
from dyadloop.inference.mode import distribution
from dyadloop.inference.problem import Problem
from dyadloop.inference.result import problem_of
from dyadloop.inference.sampling import Count

SENSITIVE = 0.05
"""Power-scaling sensitivity from which a parameter counts as sensitive (Kallioinen et al. 2024)."""
TAIL = 0.01  # share of replicates beyond the observed value, below which the model does not reproduce it
BIASED = 0.25  # posterior sds from which what a fast filter does to an estimate is told
MOVED = 1.0  # a dyad whose removal moves a coupling by more than this many posterior sds carries it
_FAR = 3.0


def checks(post: xr.DataTree, n_draws: int = 100, progress: Count = lambda name, done, total: None) -> xr.DataTree:
    """Check a fitted model against its data, its priors and its single dyads.

    Parameters
    ----------
    post
        Result of :func:`dyadloop.fit`.
    n_draws
        Replicated studies of the predictive check.
    progress
        Called while the particle filter runs, which takes minutes.

    Returns
    -------
    xarray.DataTree
        ``predictive`` by statistic (spread, persistence, correlation and cross-lag within persons): ``observed``,
        ``low``, ``median`` and ``high`` of the replicates (89 %), ``share_above``. ``residuals`` by indicator, of
        one-step predictions at the posterior median: ``count``, ``mean``, ``sd``, ``autocorrelation`` at the next value
        and its standard error ``autocorrelation_se``, ``far``, the share beyond 3 (0.0027 in a right model).
        ``influence`` by dyad: ``pareto_k``, ``shift``, the largest move of a coupling without the dyad in posterior
        sds, and ``coupling``. ``sensitivity`` by parameter: ``prior`` and ``likelihood``, power-scaling sensitivities.
        ``cross_residuals``: residuals of different indicators at one occasion and up to three later.
        ``referees``: each arrow beside plain regressions, see :func:`dyadloop.compare_referees`. ``halves`` and
        ``without_each``: what halves of the study say of each arrow and claim, and what is left without the dyad that
        carries most of it, see :func:`dyadloop.halves` and :func:`dyadloop.without_each`.
        ``filter`` by parameter, where the theory is not linear: see
        :func:`dyadloop.appraisal.particle_correction.corrected`.
        Attribute ``findings``: what stands out, in words, one per line; empty where nothing does.

    References
    ----------
    .. [1] Kallioinen et al. (2024), power scaling. doi:10.1007/s11222-023-10366-5
    .. [2] Vehtari, Gelman & Gabry (2017), leave-one-out. doi:10.1007/s11222-016-9696-4

    Examples
    --------
    >>> found = dl.checks(dl.load_result("results/example"), n_draws=20)
    >>> sorted(found.children)[:4]
    ['cross_residuals', 'halves', 'influence', 'predictive']
    """
    problem = problem_of(post)
    residual, found_of = _residual(problem, post), judged(problem, post)
    tables = {
        "predictive": _predictive(problem, post, n_draws),
        "residuals": _residuals(problem, residual),
        "influence": _influence(problem, post),
        "sensitivity": _sensitivity(problem, post),
        "cross_residuals": _rows(cross_residuals(problem, residual)),
        "referees": _rows(compared(problem, post)),
        "halves": _rows(halves_of(problem, post, found_of)),
        "without_each": _rows(without_each_of(problem, post, found_of)),
    }
    if not problem.plan.is_linear:
        tables["filter"] = corrected(problem, post, progress=progress)
    found = xr.DataTree.from_dict(tables)
    found.attrs = {"study": post.attrs["study"], "findings": "\n".join(_findings(found, post, problem))}
    return found


def _predictive(problem: Problem, post: xr.DataTree, n_draws: int) -> xr.Dataset:
    found = predictive_checks(problem, post, n_draws, lags=True)
    low, median, high = np.nanquantile(found["replicated"].values, [0.055, 0.5, 0.945], axis=0)
    numbers = {"low": ("statistic", low), "median": ("statistic", median), "high": ("statistic", high)}
    return found.drop_vars("replicated").drop_dims("draw", errors="ignore").assign(numbers)


def _rows(table: pd.DataFrame) -> xr.Dataset:
    return xr.Dataset.from_dataframe(table.rename_axis("row"))


def _residual(problem: Problem, post: xr.DataTree) -> np.ndarray:
    """Return standardised one-step residuals at the posterior medians (dyad, time, indicator)."""
    group = sampled(post)
    values = {str(name): jnp.asarray(group[name].median(("chain", "draw")).values) for name in group.data_vars}
    return residual_at(problem, values)


def _residuals(problem: Problem, residual: np.ndarray) -> xr.Dataset:
    seen = np.asarray(problem.panel.seen) & problem.panel.is_plain  # a bound has no residual
    rows: dict[str, list[float]] = {
        name: [] for name in ("count", "mean", "sd", "autocorrelation", "autocorrelation_se", "far")
    }
    for j in range(len(problem.observed.indicators)):
        one = [residual[dyad, seen[dyad, :, j], j] for dyad in range(len(seen))]
        flat = np.concatenate(one)
        before = np.concatenate([values[:-1] for values in one])
        after = np.concatenate([values[1:] for values in one])
        enough = len(before) > 2 and before.std() > 0 and after.std() > 0
        rows["count"].append(len(flat))
        rows["mean"].append(float(flat.mean()) if len(flat) else np.nan)
        rows["sd"].append(float(flat.std()) if len(flat) else np.nan)
        rows["autocorrelation"].append(float(np.corrcoef(before, after)[0, 1]) if enough else np.nan)
        rows["autocorrelation_se"].append(len(before) ** -0.5 if len(before) else np.nan)
        rows["far"].append(float(np.mean(np.abs(flat) > _FAR)) if len(flat) else np.nan)
    data = {name: ("indicator", np.array(values)) for name, values in rows.items()}
    return xr.Dataset(data, coords={"indicator": list(problem.observed.indicators)})


def _influence(problem: Problem, post: xr.DataTree) -> xr.Dataset:
    found = leave_one_out(post)
    group = post["posterior"].to_dataset()
    couplings = [coupling.id for coupling in problem.plan.couplings]
    weights = np.exp(found.log_weights.transpose("dyad", "chain", "draw").values)
    weights = weights.reshape(len(weights), -1)
    weights /= weights.sum(axis=1, keepdims=True)
    data: dict[str, tuple[str, np.ndarray]] = {"pareto_k": ("dyad", found.pareto_k.values)}
    if couplings:
        draws = np.stack([group[name].values.ravel() for name in couplings], axis=1)
        moves = np.abs(weights @ draws - draws.mean(axis=0)) / draws.std(axis=0)
        data["shift"] = ("dyad", moves.max(axis=1))
        data["coupling"] = ("dyad", np.array(couplings)[moves.argmax(axis=1)])
    return xr.Dataset(data, coords={"dyad": problem.scores["dyad"].values}, attrs={"good_k": float(found.good_k)})


def _sensitivity(problem: Problem, post: xr.DataTree) -> xr.Dataset:
    """Return how much each posterior changes when the prior, or the likelihood, is raised to a power near 1."""
    from arviz_stats.psense import psense

    group = post["posterior"].to_dataset()
    prior = {
        str(name): (("chain", "draw"), np.asarray(distribution(row).log_prob(jnp.asarray(group[str(name)].values))))
        for name, row in problem.priors.iterrows()
    }
    likelihood = post["log_likelihood"].to_dataset()
    tree: Any = xr.DataTree.from_dict(
        {"posterior": group, "log_prior": xr.Dataset(prior, coords=group.coords), "log_likelihood": likelihood}
    )
    names = [str(name) for name in problem.priors.index]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Estimated shape parameter of Pareto")  # power scaling is near 1 by design
        columns = {kind: psense(tree, group=kind) for kind in ("prior", "likelihood")}
    data = {kind: ("parameter", np.array([float(found[n]) for n in names])) for kind, found in columns.items()}
    return xr.Dataset(data, coords={"parameter": names})


def _findings(found: xr.DataTree, post: xr.DataTree, problem: Problem) -> list[str]:
    lines = [f"not converged: {fault}" for fault in convergence_faults(post)]
    table = found["predictive"].to_dataset()
    share = table["share_above"].values
    lines += [
        f"the model does not reproduce '{name}': observed {observed:.3g}, replicated {low:.3g} to {high:.3g}"
        for name, observed, low, high, out in zip(
            table["statistic"].values, table["observed"].values, table["low"].values, table["high"].values,
            np.minimum(share, 1 - share) < TAIL, strict=True,
        )
        if out and np.isfinite(observed)
    ]  # fmt: skip
    residuals = found["residuals"].to_dataset()
    lines += [
        f"residuals of {name} are autocorrelated ({r:.2f}, standard error {se:.2f}): part of its course is missed"
        for name, r, se in zip(
            residuals["indicator"].values, residuals["autocorrelation"].values,
            residuals["autocorrelation_se"].values, strict=True,
        )
        if abs(r) > _FAR * se
    ]  # fmt: skip
    influence = found["influence"].to_dataset()
    for dyad in influence["dyad"].values:
        entry = influence.sel(dyad=dyad)
        if float(entry["pareto_k"]) > influence.attrs["good_k"]:
            lines.append(f"dyad {dyad} is influential (Pareto k {float(entry['pareto_k']):.2f}): fit without it")
        elif "shift" in entry and float(entry["shift"]) > MOVED:
            lines.append(f"dyad {dyad} alone moves {entry['coupling'].item()} by {float(entry['shift']):.1f} sd")
    lines += _beside_findings(found)
    if "filter" in found.children:
        lines += _filter_findings(found["filter"].to_dataset())
    return lines + _prior_findings(found["sensitivity"].to_dataset(), post, problem)


def _beside_findings(found: xr.DataTree) -> list[str]:
    """Say where plain regressions, residuals, halves or single dyads speak against a finding."""
    table = found["referees"].to_dataset().to_dataframe()
    told = table[table["agree"].isin(DOUBTFUL) | ~table["reproduced"].astype(bool)]
    lines = [
        f"{row['arrow']} ({row['source']} to {row['target']}): "
        f"{'plain regressions say the opposite; ' if row['agree'] == OPPOSITE else ''}{row['explanation']}"
        for _, row in told.iterrows()
    ]
    lines += [flag for flag in found["cross_residuals"].to_dataset()["flag"].values.tolist() if flag]
    for name in ("halves", "without_each"):
        part = found[name].to_dataset().to_dataframe()
        lines += [f"{row['finding_of']}: {row['flag']}" for _, row in part.iterrows() if row["flag"]]
    return lines


def _filter_findings(table: xr.Dataset) -> list[str]:
    """Say which estimates the fast filter moves, or that it misses too much for that to be known."""
    k, good = table.attrs["pareto_k"], table.attrs["good_k"]
    if not k <= good:  # nor where there is no k
        return [
            f"the fast filter misses so much that its posterior cannot be corrected (Pareto k {k:.2f}; {good:.2f} "
            "would do): trust no single estimate of this hypothesis, only its corrected scores (dyadloop compare)"
        ]
    error = table["corrected_mean_se"].values / table["sd"].values
    moved = np.abs(table["shift"].values) > np.maximum(BIASED, 2 * error)
    return [
        f"the fast filter puts {one['parameter'].item()} at {float(one['mean']):.3g}; corrected by particles it is "
        f"{float(one['corrected_mean']):.3g} (Monte Carlo error {float(one['corrected_mean_se']):.2g})"
        for one in (table.sel(parameter=name) for name in table["parameter"].values[moved])
    ]


def _prior_findings(table: xr.Dataset, post: xr.DataTree, problem: Problem) -> list[str]:
    """Say which couplings the priors decide; errors and time constants rest on their priors by design."""
    weak, torn = [], []
    for name in (coupling.id for coupling in problem.plan.couplings):
        prior, likelihood = (float(table[kind].sel(parameter=name)) for kind in ("prior", "likelihood"))
        if prior >= SENSITIVE:
            (torn if likelihood >= SENSITIVE else weak).append(name)
    lines = []
    if weak:
        lines.append(f"the prior decides {', '.join(weak)}: the data say little")
    if torn:
        how = "compare_priors, or dyadloop run --all-priors"
        lines.append(f"prior and data both shape {', '.join(torn)}: compare prior sets ({how})")
    if conflicts := prior_conflicts(post):
        lines.append(f"prior and data disagree on {', '.join(conflicts)}")
    return lines
