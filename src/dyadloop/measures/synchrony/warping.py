"""Dynamic time warping: how far two courses are apart when each may run faster or slower by a bounded amount."""

import numba
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import result
from dyadloop.signals.series import Floats, Pair, samples

_SOURCE = "Sakoe & Chiba 1978, doi:10.1109/TASSP.1978.1163055"


@numba.njit(cache=True)
def _costs(x: Floats, y: Floats, band: int) -> Floats:
    """Return cumulative squared costs (n + 1, m + 1); a step goes on by one in x, in y, or in both."""
    n, m = len(x), len(y)
    total = np.full((n + 1, m + 1), np.inf)
    total[0, 0] = 0.0
    for i in range(n):
        for j in range(max(0, i - band), min(m, i + band + 1)):
            gap = x[i] - y[j]
            total[i + 1, j + 1] = gap * gap + min(total[i, j], total[i, j + 1], total[i + 1, j])
    return total


@numba.njit(cache=True)
def _path(total: Floats) -> NDArray[np.int64]:
    """Return the cheapest path (step, 2) from the start to the end; the diagonal wins where steps tie."""
    i, j = total.shape[0] - 1, total.shape[1] - 1
    found = np.empty((i + j, 2), dtype=np.int64)
    count = 0
    while i > 0 and j > 0:
        found[count, 0], found[count, 1] = i - 1, j - 1
        count += 1
        both, one, two = total[i - 1, j - 1], total[i - 1, j], total[i, j - 1]
        if both <= one and both <= two:
            i, j = i - 1, j - 1
        elif one <= two:
            i -= 1
        else:
            j -= 1
    return found[:count][::-1]


def dtw(pair: Pair, band: float = 5.0, piece: float = 60.0) -> xr.Dataset:
    """Return the warping distance of two z-scored series, piece by piece.

    Parameters
    ----------
    pair
        Two series; pieces with a gap are left out.
    band
        Largest shift between the two (Sakoe-Chiba band) [s].
    piece
        Length of a piece [s], which bounds the memory.

    Returns
    -------
    xarray.Dataset
        ``distance`` and ``shift`` (piece): root of the summed squared distance over the path length, and the mean of
        second minus first time along the path [s]; ``score``: minus the mean distance, so that more is closer;
        ``error`` over pieces; ``lead``: mean shift [s].

    Raises
    ------
    MeasureError
        If no piece is whole.
    """
    width, reach = samples(piece, pair.fs, "a piece", 3), samples(band, pair.fs, "the band", 0)
    one, two = ((s - np.nanmean(s)) / np.nanstd(s) for s in (pair.first, pair.second))
    starts = np.arange(0, max(len(one) - width + 1, 1), width)
    distance, shift, kept = [], [], []
    for start in starts:
        a, b = one[start : start + width], two[start : start + width]
        if np.isnan(a).any() or np.isnan(b).any():
            continue
        cost, path = warp(a, b, reach)
        distance.append(cost / np.sqrt(len(path)))
        shift.append(np.mean(path[:, 1] - path[:, 0]) / pair.fs)
        kept.append(start / pair.fs)
    if not kept:
        raise MeasureError(f"no piece of {piece:g} s is without a gap; choose shorter pieces")
    n = len(kept)
    return result(
        "dtw",
        -float(np.mean(distance)),
        float(np.std(distance, ddof=1) / np.sqrt(n)) if n > 3 else float("nan"),
        "minus the mean warping distance per step [SD]",
        _SOURCE,
        {"band": band, "piece": piece, "fs": pair.fs},
        lead=float(np.mean(shift)),
        variables={"distance": ("piece", np.array(distance)), "shift": ("piece", np.array(shift), {"units": "s"})},
        coords={"start": ("piece", np.array(kept), {"units": "s"})},
        lead_units="s",
    )


def warp(x: Floats, y: Floats, band: int | None = None) -> tuple[float, NDArray[np.int64]]:
    """Return the root of the least summed squared distance and the path (step, 2) of sample numbers.

    Raises
    ------
    MeasureError
        If the band is too narrow to join the two ends.
    """
    reach = max(len(x), len(y)) if band is None else band
    if abs(len(x) - len(y)) > reach:
        raise MeasureError(f"a band of {reach} samples cannot join series of {len(x)} and {len(y)}; widen it")
    total = _costs(np.ascontiguousarray(x), np.ascontiguousarray(y), reach)
    return float(np.sqrt(total[-1, -1])), _path(total)
