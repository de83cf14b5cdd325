"""What all measures share: Fisher's z, the error of a mean over dependent windows, and the form of a result.

Every measure returns a Dataset with ``score`` and its standard error ``error``, ``lead`` where the measure has a
direction (positive: the first person leads), and attributes that name method, convention, statistic and source.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from scipy.fft import next_fast_len

from dyadloop.signals.series import SIGN, Floats

_LARGEST_Z = 10.0  # a correlation of exactly 1 would be infinite; rMEA's bound


def fisher_z(r: Floats) -> Floats:
    """Return atanh r, bounded at 10 where r is 1."""
    with np.errstate(divide="ignore"):
        return np.clip(np.arctanh(r), -_LARGEST_Z, _LARGEST_Z)


def quick_z(r: Floats) -> Floats:
    """Return atanh r through one logarithm, to 1e-16 absolute; +-10 at +-1."""
    if np.abs(r).max(initial=0.0) > 0.999:
        return fisher_z(r)
    z = (1.0 + r) / (1.0 - r)
    np.log(z, out=z)
    z *= 0.5
    return z


def error_of_mean(values: Floats, overlap: int = 1) -> float:
    """Return the standard error of a mean over windows that overlap and depend on each other.

    Bartlett-weighted autocovariances up to the larger of the overlap and n^(1/3) windows; NaN below 4 windows.

    Parameters
    ----------
    values
        One value per window, in time; NaN where missing.
    overlap
        Number of following windows that share samples with a window.

    References
    ----------
    .. [1] Newey & West (1987). doi:10.2307/1913610
    """
    known = values[~np.isnan(values)]
    n = len(known)
    if n < 4:
        return math.nan
    deviation = known - known.mean()
    depth = min(max(overlap, round(n ** (1 / 3))), n - 1)
    weights = 2 * (1 - np.arange(depth + 1) / (depth + 1))
    weights[0] = 1.0
    total = float(weights @ _products(deviation, depth))
    return math.sqrt(max(total, 0.0) / n / (n - depth if n > 2 * depth else n / 2))


def _products(deviation: Floats, depth: int) -> Floats:
    """Return the sums of products of a series with itself, 0 to ``depth`` steps later."""
    if depth < 64:
        return np.array([deviation[k:] @ deviation[: len(deviation) - k] for k in range(depth + 1)])
    size = next_fast_len(len(deviation) + depth, real=True)
    return np.fft.irfft(np.abs(np.fft.rfft(deviation, size)) ** 2, size)[: depth + 1]


def mean(values: Floats, axis: int | None = None) -> Any:  # noqa: ANN401 - a number or an array
    """Return the mean of the values that are not NaN; NaN, without a warning, where there are none."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = total / np.where(count > 0, count, np.nan)
    return float(found) if axis is None else found


def result(
    method: str,
    score: float,
    error: float,
    statistic: str,
    source: str,
    settings: Mapping[str, Any],
    lead: float | None = None,
    variables: Mapping[str, Any] | None = None,
    coords: Mapping[str, Any] | None = None,
    **notes: Any,  # noqa: ANN401 - attributes
) -> xr.Dataset:
    """Return the result of a measure in the form that all share."""
    found: dict[str, Any] = {"score": ((), float(score)), "error": ((), float(error))}
    if lead is not None:
        found["lead"] = ((), float(lead))
    found |= dict(variables or {})
    plain = {name: _plain(value) for name, value in settings.items()}
    attrs = {"method": method, "statistic": statistic, "sign": SIGN, "source": source, **plain, **notes}
    return xr.Dataset(found, coords=dict(coords or {}), attrs=attrs)


def _plain(value: Any) -> Any:  # noqa: ANN401 - what an attribute can hold
    if value is None:
        return "none"
    return int(value) if isinstance(value, bool) else value
