"""What one-step residuals of a fit still share: at one moment, and from one occasion to the next ones."""

import numpy as np
import pandas as pd

from dyadloop.appraisal.occasions import by_occasion
from dyadloop.inference.problem import Problem

LAGS = (0, 1, 2, 3)
SURE, LARGE = 3.5, 0.05
"""Standard errors, and size, from which a correlation of residuals is told: many are looked at."""
UNLIKE = 5.0
"""Robust SDs, on a logarithm, by which the variance of one dyad's residuals exceeds that of most."""
FEWEST_DYADS = 8
"""Dyads below which none can be told to be unlike the others."""
COLUMNS = ("first", "then", "lag", "correlation", "se", "pairs", "flag")


def cross_residuals(problem: Problem, residual: np.ndarray) -> pd.DataFrame:
    """Return the correlations of residuals of different indicators at the same occasion and at the next three.

    Parameters
    ----------
    problem
        Problem whose panel the residuals belong to.
    residual
        Standardised one-step residuals at the moments of the panel (dyad, time, indicator).

    Returns
    -------
    pandas.DataFrame
        One row per pair of indicators and lag: ``correlation`` of the residual of ``first`` with that of ``then``, so
        many occasions later; its standard error in a right model, the number of ``pairs``, and ``flag``, a sentence
        where it is too large.
    """
    known = np.where(np.asarray(problem.panel.seen) & problem.panel.is_plain, residual, np.nan)
    values = by_occasion(problem, known)
    names = problem.observed.indicators
    rows = []
    for lag in LAGS:
        before, after = values[:, : values.shape[1] - lag], values[:, lag:]
        for j, first in enumerate(names):
            for k, then in enumerate(names):
                if j < k or (lag and j > k):
                    rows.append(_row(first, then, lag, before[..., j], after[..., k]))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def unlike_dyads(problem: Problem, residual: np.ndarray) -> list[str]:
    """Return in words which dyads vary so much more than the others that one model cannot hold for all.

    Compared are the mean squares of the residuals of :func:`cross_residuals`, by median and median absolute deviation
    of their logarithms, or the spread that chance alone makes where that is larger.
    """
    known = np.where(np.asarray(problem.panel.seen) & problem.panel.is_plain, residual, np.nan)
    counts = np.isfinite(known).sum(axis=(1, 2))
    enough = counts >= 2
    if enough.sum() < FEWEST_DYADS:
        return []
    size = np.log(np.nansum(known[enough] ** 2, axis=(1, 2)) / counts[enough] + 1e-12)
    middle = float(np.median(size))
    spread = np.maximum(1.4826 * np.median(np.abs(size - middle)), np.sqrt(2.0 / counts[enough]))
    names = problem.scores["dyad"].values[enough]
    return [
        f"dyad {name} varies {np.exp((own - middle) / 2):.1f} times as much as most, more than the fit can follow: "
        "fit without it"
        for name, own, wide in zip(names, size, spread, strict=True)
        if own - middle > UNLIKE * wide
    ]


def _row(first: str, then: str, lag: int, before: np.ndarray, after: np.ndarray) -> dict[str, object]:
    both = np.isfinite(before) & np.isfinite(after)
    x, y, pairs = before[both], after[both], int(both.sum())
    scale = np.sqrt((x**2).sum() * (y**2).sum())
    found, se = (float(x @ y / scale), pairs**-0.5) if scale > 0 else (float("nan"), float("nan"))
    flag = ""
    if abs(found) > max(SURE * se, LARGE):
        when = "at one moment" if lag == 0 else f"{lag} occasion{'s' if lag > 1 else ''} later"
        flag = (
            f"residuals of {first} and of {then} {when} go together ({found:.2f}, standard error {se:.2f}): "
            f"{'what both share' if lag == 0 else 'part of how the one follows the other'} is no part of the model"
        )
    about = {"first": first, "then": then, "lag": lag}
    return about | {"correlation": found, "se": se, "pairs": pairs, "flag": flag}
