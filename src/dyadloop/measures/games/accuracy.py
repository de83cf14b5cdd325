"""Empathic accuracy from continuous ratings: how closely one person's guess follows what the other felt."""

import math

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import mean, result
from dyadloop.signals.series import Floats, make_pair, samples

_SOURCE = "Zaki, Weber, Bolger & Ochsner 2009, doi:10.1073/pnas.0902666106"


def empathic_accuracy(
    target: ArrayLike, perceiver: ArrayLike, fs: float, bin_seconds: float = 5.0, lag: float = 0.0
) -> xr.Dataset:
    """Return the empathic accuracy of a perceiver for a target, with its lag and bias.

    Parameters
    ----------
    target
        The target's own continuous rating; NaN where missing.
    perceiver
        The perceiver's rating of the target, on the same scale and clock.
    fs
        Samples per second [Hz].
    bin_seconds
        Width of the bins that are correlated [s]; half-empty bins are missing.
    lag
        Longest delay of the perceiver that is allowed for [s]; the best one in bins is used and reported.

    Returns
    -------
    xarray.Dataset
        ``score``: Fisher z of the correlation; ``error``: 1 / sqrt(n - 3) with the number of independent bins that the
        autocorrelations of both leave; ``r``; ``lead``: delay of the perceiver [s]; ``bias``: mean of perceiver minus
        target; ``bins``, ``independent_bins``.

    Raises
    ------
    MeasureError
        If a rating never varies (it counts as missing, not as zero accuracy), or fewer than 6 bins remain.

    Notes
    -----
    With a lag the largest of several correlations is taken, which favours high values by chance.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> target = np.cumsum(rng.normal(size=3000)) / 10  # SIMULATED ratings, ten minutes at 5 Hz
    >>> perceiver = target + rng.normal(size=3000)
    >>> found = dl.empathic_accuracy(target, perceiver, fs=5)
    >>> round(float(found["r"]), 2), int(found["bins"])
    (0.99, 120)
    """
    pair = make_pair(target, perceiver, fs)
    width = samples(bin_seconds, pair.fs, "a bin")
    if not (np.isfinite(lag) and lag >= 0):
        raise MeasureError(f"lag: got {lag:g} s; expected 0 or more")
    one, two = (_binned(series, width) for series in (pair.first, pair.second))
    best = max(range(min(round(lag / bin_seconds), max(len(one) - 1, 0)) + 1), key=lambda k: _r(one, two, k))
    a, b = _aligned(one, two, best)
    if len(a) < 6:
        raise MeasureError(f"{len(a)} bins of {bin_seconds:g} s hold both ratings; expected at least 6")
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        raise MeasureError("a rating does not vary over the bins; its accuracy is missing, not zero")
    r, effective = float(np.corrcoef(a, b)[0, 1]), _independent(a, b)
    return result(
        "empathic_accuracy",
        math.atanh(min(max(r, -1 + 1e-12), 1 - 1e-12)),
        1 / math.sqrt(effective - 3) if effective > 4 else math.nan,
        "Fisher z of binned ratings",
        _SOURCE,
        {"bin_seconds": bin_seconds, "lag": lag, "fs": pair.fs},
        lead=best * bin_seconds,
        variables={
            "r": ((), r),
            "bias": ((), float(b.mean() - a.mean())),
            "bins": ((), len(a)),
            "independent_bins": ((), effective),
        },
        lead_units="s",
    )


def _binned(values: Floats, width: int) -> Floats:
    cut = values[: len(values) // width * width].reshape(-1, width)
    known = (~np.isnan(cut)).mean(axis=1) >= 0.5
    return np.where(known, mean(cut, 1), np.nan)


def _aligned(one: Floats, two: Floats, lag: int) -> tuple[Floats, Floats]:
    a, b = one[: len(one) - lag], two[lag:]
    known = ~(np.isnan(a) | np.isnan(b))
    return a[known], b[known]


def _r(one: Floats, two: Floats, lag: int) -> float:
    a, b = _aligned(one, two, lag)
    if len(a) < 6 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return -math.inf
    return float(np.corrcoef(a, b)[0, 1])


def _independent(a: Floats, b: Floats) -> float:
    """Return the number of independent pairs that two autocorrelated series are worth.

    References
    ----------
    .. [1] Bartlett (1946). doi:10.2307/2983611
    """
    n = len(a)
    total = 1.0
    for k in range(1, n // 4 + 1):
        product = _auto(a, k) * _auto(b, k)
        if product <= 0:
            break
        total += 2 * (1 - k / n) * product
    return n / total


def _auto(x: Floats, k: int) -> float:
    d = x - x.mean()
    return float(d[k:] @ d[:-k] / (d @ d))
