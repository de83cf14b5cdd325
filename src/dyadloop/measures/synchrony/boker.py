"""Boker's windowed cross-correlation: each window looks back, and the nearest peak of each window is picked."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from dyadloop.measures.synchrony.lagged import Grid, grid, windowed_correlation
from dyadloop.measures.synchrony.scoring import error_of_mean, fisher_z, mean, result
from dyadloop.measures.synchrony.series import Floats, Pair, samples

_SOURCE = "Boker et al. 2002, doi:10.1037/1082-989X.7.3.338"


def wcc(
    pair: Pair,
    window: float = 60.0,
    step: float = 30.0,
    lag: float = 5.0,
    lag_step: int = 1,
    span: float = 0.25,
    peak_size: int | None = None,
) -> xr.Dataset:
    """Return Boker's windowed cross-correlation as the program wcc computes it, with peaks.

    Parameters
    ----------
    pair
        Two series.
    window, step, lag
        Width, distance and largest lag of the windows [s].
    lag_step
        Distance of lags [samples].
    span
        Share of the lags that a local quadratic smooth of a row uses.
    peak_size
        Points without a higher value that end the search; default: a quarter of the lags.

    Returns
    -------
    xarray.Dataset
        ``r`` (window, lag); ``end`` (window) [s]; ``peak_lag`` [s] and ``peak_z`` (window), NaN where a window has no
        peak; ``score``: mean z at the peaks, ``error`` over windows, ``lead``: mean lag of the peaks [s];
        ``share_with_peak``.

    Notes
    -----
    The window is the later of the two, in rMEA the earlier. Positive lags mean that the first person leads; wcc shows
    that on the left. The number of rows is floor((n - window - lag) / step); wcc 0.4.1 writes one too many where this
    is no whole number. Windows may have gaps. The smooth is the exact local regression, R's default interpolates it.

    References
    ----------
    .. [1] Boker et al. (2002). doi:10.1037/1082-989X.7.3.338
    """
    width, max_lag = samples(window, pair.fs, "a window", 3), samples(lag, pair.fs, "the largest lag")
    increment = samples(step, pair.fs, "a step")
    cells = _backward(len(pair.first), width, increment, max_lag)
    r = windowed_correlation(pair.first[::-1].copy(), pair.second[::-1].copy(), cells)[:, ::-1]
    keep = max_lag % lag_step
    r, lags = r[:, keep::lag_step], cells.lags[keep::lag_step]
    z = fisher_z(r)
    places, heights = peaks(z, lags, span, peak_size)
    overlap = max(-(-width // increment) - 1, 1)
    ends = len(pair.first) - cells.starts
    return result(
        "wcc",
        mean(heights),
        error_of_mean(heights, overlap),
        "mean z at the peaks of the windows",
        _SOURCE,
        {"window": window, "step": step, "lag": lag, "lag_step": lag_step, "span": span, "fs": pair.fs},
        lead=mean(places) / pair.fs,
        variables={
            "r": (("window", "lag"), r, {"units": "1"}),
            "peak_lag": ("window", places / pair.fs, {"units": "s"}),
            "peak_z": ("window", heights, {"units": "1"}),
            "share_with_peak": ((), float((~np.isnan(places)).mean())),
        },
        coords={"end": ("window", ends / pair.fs, {"units": "s"}), "lag": ("lag", lags / pair.fs, {"units": "s"})},
        lead_units="s",
    )


def _backward(n: int, width: int, increment: int, max_lag: int) -> Grid:
    """Return the windows of a reversed series whose ends are width + max_lag, + increment, ... of the original."""
    whole = grid(n, width, 1, max_lag)
    rows = max((n - width - max_lag) // increment, 1)
    ends = width + max_lag + increment * np.arange(rows)
    return Grid(n - ends, whole.width, whole.max_lag)


def peaks(z: Floats, lags: NDArray, span: float = 0.25, size: int | None = None) -> tuple[Floats, Floats]:
    """Return lag [samples] and height of the peak nearest to lag 0 of each row (window, lag), NaN where none is.

    Rows are smoothed, interpolated to half lags, and searched outwards from 0 until ``size`` points bring no higher
    value; a peak nearer than that to the border is none.
    """
    count = len(lags)
    fine = np.linspace(lags[0], lags[-1], 2 * count - 1)
    known = np.all(np.isfinite(z), axis=1)
    smooth = np.where(known[:, None], z, 0.0) @ smoother(np.asarray(lags, dtype=np.float64), span).T
    curve = CubicSpline(lags, smooth, axis=1)(fine)
    size = max(len(fine) // 4, 1) if size is None else size
    centre = count - 1
    best = np.full(len(z), centre)
    since = np.zeros(len(z), dtype=np.int64)
    height = curve[:, centre].copy()
    searching = known.copy()
    for distance in range(1, centre + 1):
        sides = curve[:, [centre - distance, centre + distance]]
        side = sides.argmax(axis=1)
        value = sides[np.arange(len(z)), side]
        higher = searching & (value > height)
        height = np.where(higher, value, height)
        best = np.where(higher, np.where(side == 0, centre - distance, centre + distance), best)
        since = np.where(higher, 0, since + 1)
        searching &= since < size
    sound = known & (best >= size) & (best < len(fine) - size)
    return np.where(sound, fine[best], np.nan), np.where(sound, height, np.nan)


def smoother(x: Floats, span: float) -> Floats:
    """Return the matrix of a local quadratic regression with tricube weights over the nearest share of points."""
    count = max(int(np.floor(len(x) * span + 1e-5)), 4)
    matrix = np.zeros((len(x), len(x)))
    for row, at in enumerate(x):
        distance = np.abs(x - at)
        near = np.argsort(distance, kind="stable")[:count]
        width = distance[near].max()
        weight = np.sqrt(np.clip(1 - (distance[near] / width) ** 3, 0, None) ** 3)
        basis = np.vander(x[near] - at, 3, increasing=True)
        matrix[row, near] = (np.linalg.pinv(basis * weight[:, None]) * weight)[0]
    return matrix
