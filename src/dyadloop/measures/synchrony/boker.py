"""Boker's windowed cross-correlation: each window looks back, and the nearest peak of each window is picked."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import error_of_mean, fisher_z, mean, result
from dyadloop.measures.synchrony.lagged import Grid, windowed_correlation, windows_of
from dyadloop.measures.synchrony.loess import smooth_half_lags
from dyadloop.signals.series import Floats, Pair

SOURCE = "Boker et al. 2002, doi:10.1037/1082-989X.7.3.338"


def wcc(
    pair: Pair,
    window: float = 60.0,
    step: float = 30.0,
    lag: float = 5.0,
    lag_step: int = 1,
    span: float = 0.25,
    peak_size: int = 8,
) -> xr.Dataset:
    """Return Boker's windowed cross-correlation as the program wcc computes it, with peaks.

    Parameters
    ----------
    pair, window, step, lag
        As in :func:`dyadloop.measures.synchrony.windowed.windowed`.
    lag_step
        Distance of lags [samples].
    span
        Share of the lags that a local quadratic smooth of a row uses.
    peak_size
        ``Lsize``: half lags without a higher value that end the search.

    Returns
    -------
    xarray.Dataset
        ``r`` (window, lag); ``end`` (window) [s]; ``peak_lag`` [s], ``peak_r`` and ``peak_z`` (window), NaN where a
        window has no peak; ``trough_lag`` and ``trough_r``: the same of the lowest values; ``score``: mean z at the
        peaks, ``error`` over windows, ``lead``: mean lag of the peaks [s]; ``share_with_peak``.

    Raises
    ------
    MeasureError
        If fewer than 4 lags remain, or the peak size or the span does not fit them.

    Notes
    -----
    The window is the later of the two, in rMEA the earlier. Positive lags mean that the first person leads; wcc shows
    that on the left. The number of rows is floor((n - window - lag) / step); wcc 0.4.1 writes one too many where this
    is no whole number. Windows may have gaps. The smooth of r is R's ``loess`` as it interpolates, the half lags are
    those of R's ``spline``; lags and values of peaks and troughs equal wcc's.

    References
    ----------
    .. [1] Boker et al. (2002). doi:10.1037/1082-989X.7.3.338
    """
    forward, increment = windows_of(pair, window, step, lag)
    cells = _backward(len(pair.first), forward, increment)
    r = windowed_correlation(pair.first[::-1].copy(), pair.second[::-1].copy(), cells)[:, ::-1]
    keep = cells.max_lag % lag_step
    r, lags = r[:, keep::lag_step], cells.lags[keep::lag_step]
    _check(len(lags), span, peak_size)
    smooth = half_lags(r, span)
    places, tops = _search(smooth, lags, peak_size)
    low_places, bottoms = _search(-smooth, lags, peak_size)
    heights = fisher_z(np.clip(tops, -1.0, 1.0))
    overlap = max(-(-cells.width // increment) - 1, 1)
    ends = len(pair.first) - cells.starts
    return result(
        "wcc",
        mean(heights),
        error_of_mean(heights, overlap),
        "mean z at the peaks of the windows",
        SOURCE,
        {
            "window": window,
            "step": step,
            "lag": lag,
            "lag_step": lag_step,
            "span": span,
            "peak_size": peak_size,
            "fs": pair.fs,
        },
        lead=mean(places) / pair.fs,
        variables={
            "r": (("window", "lag"), r, {"units": "1"}),
            "peak_lag": ("window", places / pair.fs, {"units": "s"}),
            "peak_r": ("window", tops, {"units": "1"}),
            "peak_z": ("window", heights, {"units": "1"}),
            "trough_lag": ("window", low_places / pair.fs, {"units": "s"}),
            "trough_r": ("window", -bottoms, {"units": "1"}),
            "share_with_peak": ((), float((~np.isnan(places)).mean())),
        },
        coords={"end": ("window", ends / pair.fs, {"units": "s"}), "lag": ("lag", lags / pair.fs, {"units": "s"})},
        lead_units="s",
    )


def _backward(n: int, forward: Grid, increment: int) -> Grid:
    """Return the windows of a reversed series whose ends are width + max_lag, + increment, ... of the original."""
    rows = max((n - forward.reach) // increment, 1)
    return Grid(n - forward.reach - increment * np.arange(rows), forward.width, forward.max_lag)


def _check(count: int, span: float, peak_size: int) -> None:
    if count < 4 or not 0 < span <= 1 or not 1 <= peak_size < count:
        raise MeasureError(
            f"{count} lags, span {span:g}, peak size {peak_size}: expected 4 lags or more, a span above 0 and up to 1, "
            f"and a peak size from 1 to {max(count - 1, 1)}; take a longer lag or a smaller step of lags"
        )


def half_lags(r: Floats, span: float) -> Floats:
    """Return rows (window, lag) smoothed by R's loess at lags and half lags, NaN where a row has a gap."""
    known = np.all(np.isfinite(r), axis=1)
    turned = np.where(known[:, None], r, 0.0)[:, ::-1]  # wcc's first lag is our last, and its cells are cut from there
    return np.where(known[:, None], (turned @ smooth_half_lags(r.shape[1], span).T)[:, ::-1], np.nan)


def peaks(r: Floats, lags: NDArray, span: float = 0.25, size: int = 8) -> tuple[Floats, Floats]:
    """Return lag [samples] and height of the peak nearest to lag 0 of each row (window, lag), NaN where none is."""
    return _search(half_lags(r, span), lags, size)


def _search(smooth: Floats, lags: NDArray, size: int) -> tuple[Floats, Floats]:
    """Return lag and height of the peak nearest to lag 0 of each smooth row (window, half lag), NaN where none is.

    A row is searched outwards from 0 until ``size`` half lags bring no higher value; a peak nearer than that to the
    border is none. Where both sides are as high, the first person leads, as wcc has it.
    """
    fine = np.linspace(lags[0], lags[-1], smooth.shape[1])
    known = np.all(np.isfinite(smooth), axis=1)
    curve = np.where(known[:, None], smooth, 0.0)
    rows, centre = np.arange(len(curve)), len(lags) - 1
    best, since = np.full(len(curve), centre), np.zeros(len(curve), dtype=np.int64)
    height, searching = curve[:, centre].copy(), known.copy()
    for distance in range(1, centre + 1):
        if not searching.any():
            break
        sides = curve[:, [centre + distance, centre - distance]]
        side = sides.argmax(axis=1)
        value = sides[rows, side]
        higher = searching & (value > height)
        height = np.where(higher, value, height)
        best = np.where(higher, np.where(side == 0, centre + distance, centre - distance), best)
        since = np.where(higher, 0, since + 1)
        searching &= since < size
    sound = known & (best >= size) & (best < len(fine) - size)
    return np.where(sound, fine[best], np.nan), np.where(sound, height, np.nan)
