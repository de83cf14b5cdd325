"""Does a finding hold in each half of a study and without each person? From the draws of one fit, without refits.

Giving data more weight moves a posterior mean by its covariance with their log-likelihood (the infinitesimal
jackknife). So the log-likelihood of each dyad at each draw tells what halves would say, how uncertain a mean is when
dyads differ in ways that the model does not know, and, as importance weights, what the study says without a dyad.
"""

import numpy as np
import pandas as pd
import xarray as xr

from dyadloop.appraisal.left_out import leave_one_out
from dyadloop.appraisal.replication import sampled
from dyadloop.estimands.findings import NEGATIVE, POSITIVE, UNCLEAR, Judged, judged
from dyadloop.inference.problem import Problem
from dyadloop.inference.result import problem_of

HALF_COLUMNS: tuple[str, ...] = ("finding_of", "split", "whole", "first", "second", "se", "robust_ratio", "flag")
ONE_COLUMNS: tuple[str, ...] = (
    "finding_of", "finding", "share", "dyad", "share_without", "whole", "without", "pareto_k", "flag",
)  # fmt: skip
MOMENTS, DYADS = "first and second half of the moments", "odd and even dyads"
FEWEST = 10
"""Dyads below whose number differences between halves have no standard error worth the name."""
_N_DRAWS = 400
_APART = 2.0  # standard errors by which halves must differ to count
_WIDER = 1.5  # ratio of the sd over dyads to that of the posterior that is told
_CARRIED = 0.8  # share of the draws, without one dyad, below which that dyad carries the finding
_SIDE = 1.645  # posterior sds from 0 of a finding


def halves(post: xr.DataTree) -> pd.DataFrame:
    """Return what each half of a study says of each arrow and claim.

    Returns
    -------
    pandas.DataFrame
        Two rows per arrow and testable claim, one per ``split``: ``first`` and ``second``, the posterior mean if that
        half were the whole study, counted twice; ``se``, of half their difference over dyads; ``robust_ratio``, the sd
        of the mean over dyads by the posterior sd, 1 in a right model; ``flag``, a sentence where a finding turns round
        from one half to the other by more than two standard errors, or rests on an sd that is too small.

    Notes
    -----
    First-order, so a strong difference is told by sign and not by size; only fits of the halves give that. The second
    half of the moments is taken given the first.

    References
    ----------
    .. [1] Giordano & Broderick (2023), the Bayesian infinitesimal jackknife. arXiv:2305.06466

    Examples
    --------
    >>> table = dl.halves(dl.load_result("results/example"))
    >>> table["split"].unique().tolist()
    ['first and second half of the moments', 'odd and even dyads']
    """
    problem = problem_of(post)
    return halves_of(problem, post, judged(problem, post))


def halves_of(problem: Problem, post: xr.DataTree, found: list[Judged]) -> pd.DataFrame:
    """Return the table of halves for what is judged."""
    thin = sampled(post)
    kept = np.linspace(0, thin.sizes["draw"] - 1, min(max(_N_DRAWS // thin.sizes["chain"], 1), thin.sizes["draw"]))
    chosen = kept.astype(int)
    whole = post["log_likelihood"]["dyads"].isel(draw=chosen).transpose("chain", "draw", "dyad").values
    first = problem.without(_second_half(problem), "second half").pointwise(thin.isel(draw=chosen)).values
    turn = np.where(np.arange(whole.shape[2]) % 2 == 0, 1.0, -1.0)
    flat = whole.reshape(-1, whole.shape[2])
    apart = {MOMENTS: (2 * first - whole).reshape(flat.shape), DYADS: flat * turn}
    rows = []
    for entry in found:
        draws = entry.draws.reshape(thin.sizes["chain"], thin.sizes["draw"])[:, chosen].ravel()
        ratio = _robust(draws, flat)
        rows += [_half(entry, split, draws, contrast, ratio) for split, contrast in apart.items()]
    return pd.DataFrame(rows, columns=list(HALF_COLUMNS))


def _second_half(problem: Problem) -> np.ndarray:
    """Return the moments of the panel that lie behind the middle of the seen ones of their dyad (dyad, time)."""
    seen = np.asarray(problem.panel.seen).any(axis=2)
    number = np.cumsum(seen, axis=1)
    return number > seen.sum(axis=1, keepdims=True) / 2


def _pulls(draws: np.ndarray, log_density: np.ndarray) -> np.ndarray:
    """Return how far each dyad's log density pulls the mean of the draws: their covariance (dyad)."""
    kept = np.isfinite(draws)
    centred = draws[kept] - draws[kept].mean()
    return centred @ (log_density[kept] - log_density[kept].mean(axis=0)) / kept.sum()


def _spread(pulls: np.ndarray, draws: np.ndarray, log_density: np.ndarray) -> float:
    """Return the sd over dyads of a sum of pulls, less what the limited number of draws adds."""
    n = len(pulls)
    noise = np.nanvar(draws) * log_density.var(axis=0).sum() / len(draws)
    return float(np.sqrt(max(n / (n - 1) * ((pulls - pulls.mean()) ** 2).sum() - noise, 0.0)))


def _robust(draws: np.ndarray, log_density: np.ndarray) -> float:
    if log_density.shape[1] < FEWEST:
        return float("nan")
    return _spread(_pulls(draws, log_density), draws, log_density) / float(np.nanstd(draws))


def _half(entry: Judged, split: str, draws: np.ndarray, contrast: np.ndarray, ratio: float) -> dict[str, object]:
    whole, pulls = float(np.nanmean(draws)), _pulls(draws, contrast)
    move, enough = float(pulls.sum()), contrast.shape[1] >= FEWEST
    se = _spread(pulls, draws, contrast) if enough else float("nan")
    first, second = whole + move, whole - move
    flags = []
    if entry.finding in (POSITIVE, NEGATIVE):
        if first * second < 0 and abs(move) > _APART * se:
            flags.append(f"the {split} say the opposite of each other ({first:.2g} and {second:.2g}): fit each half")
        side = abs(whole - (entry.high if entry.finding == POSITIVE else entry.low)) / float(np.nanstd(draws))
        if split == DYADS and ratio > _WIDER and side < _SIDE * ratio:
            flags.append(
                f"dyads differ so much that its sd over dyads is {ratio:.1f} times that of the posterior, and with "
                "that it is no finding: let it differ between dyads (--vary)"
            )
    about = {"finding_of": entry.name, "split": split, "whole": whole, "first": first, "second": second}
    return about | {"se": se, "robust_ratio": ratio, "flag": "; ".join(flags)}


def without_each(post: xr.DataTree) -> pd.DataFrame:
    """Return what is left of each finding without the one dyad that carries most of it.

    Returns
    -------
    pandas.DataFrame
        One row per arrow and testable claim: ``finding`` and ``share``, the probability that it rests on; ``dyad``,
        without which that is lowest (``share_without``); posterior mean with and ``without`` it; its ``pareto_k``:
        above 0.7 (less with few draws) only a fit without it tells; ``flag``, a sentence where one dyad carries the
        finding.

    Examples
    --------
    >>> table = dl.without_each(dl.load_result("results/example"))
    >>> table.columns[:4].tolist()
    ['finding_of', 'finding', 'share', 'dyad']
    """
    problem = problem_of(post)
    return without_each_of(problem, post, judged(problem, post))


def without_each_of(problem: Problem, post: xr.DataTree, found: list[Judged]) -> pd.DataFrame:
    """Return the table of findings without their most influential dyad for what is judged."""
    if problem.scores.sizes["dyad"] < 2:
        return pd.DataFrame(columns=list(ONE_COLUMNS))
    left = leave_one_out(post)
    weights = np.exp(left.log_weights.transpose("dyad", "chain", "draw").values).reshape(
        left.log_weights.sizes["dyad"], -1
    )
    weights /= weights.sum(axis=1, keepdims=True)
    pareto, dyads = left.pareto_k.values, problem.scores["dyad"].values
    return pd.DataFrame(
        [_without(entry, weights, pareto, dyads, float(left.good_k)) for entry in found], columns=list(ONE_COLUMNS)
    )


def _without(
    entry: Judged, weights: np.ndarray, pareto: np.ndarray, dyads: np.ndarray, good_k: float
) -> dict[str, object]:
    finding = entry.finding
    shares = entry.shares
    word = finding if finding != UNCLEAR else max(shares, key=lambda name: shares[name].mean())
    share = float(shares[word].mean())
    left = weights @ shares[word]
    worst = int(np.argmin(np.where(np.isfinite(left), left, -1.0)))  # weights without a value are the worst
    flag = ""
    if finding != UNCLEAR and not left[worst] >= _CARRIED:
        flag = f"without dyad {dyads[worst]} it is no finding (probability {left[worst]:.2f} instead of {share:.2f})"
        if not pareto[worst] <= good_k:
            flag += f", and only a fit without it tells how much is left (Pareto k {pareto[worst]:.2f})"
    values = np.nan_to_num(entry.draws)
    about = {"finding_of": entry.name, "finding": finding, "share": share, "dyad": str(dyads[worst])}
    numbers = {"share_without": float(left[worst]), "whole": float(values.mean())}
    return about | numbers | {"without": float(weights[worst] @ values), "pareto_k": float(pareto[worst]), "flag": flag}
