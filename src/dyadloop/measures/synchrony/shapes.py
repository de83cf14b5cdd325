"""Kernels of shape matching: features stretched to one length and correlated, and the best sums without crossings."""

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@numba.njit(cache=True)
def stretched(x: Floats, length: int) -> Floats:
    """Return a piece linearly interpolated to another number of samples, ends kept."""
    found = np.empty(length)
    ratio = (len(x) - 1) / (length - 1) if length > 1 else 0.0
    for k in range(length):
        place = k * ratio
        low = min(int(place), max(len(x) - 2, 0))
        rest = place - low
        found[k] = x[low] if len(x) == 1 else x[low] + rest * (x[low + 1] - x[low])
    return found


@numba.njit(cache=True)
def shapes_alike(first: Floats, second: Floats, span: Indices, others: Indices) -> Floats:
    """Return Pearson's r of one feature of the first series with some of the second (feature, 3: onset, peak, end).

    Rise and decline are stretched to the longer of the two features.
    """
    found = np.zeros(len(others))
    for k in range(len(others)):
        rise = max(span[1] - span[0], others[k, 1] - others[k, 0]) + 1
        decline = max(span[2] - span[1], others[k, 2] - others[k, 1]) + 1
        a, b = np.empty(rise + decline - 1), np.empty(rise + decline - 1)
        a[:rise] = stretched(first[span[0] : span[1] + 1], rise)
        a[rise - 1 :] = stretched(first[span[1] : span[2] + 1], decline)
        b[:rise] = stretched(second[others[k, 0] : others[k, 1] + 1], rise)
        b[rise - 1 :] = stretched(second[others[k, 1] : others[k, 2] + 1], decline)
        a -= a.mean()
        b -= b.mean()
        size = np.sqrt((a * a).sum() * (b * b).sum())
        if size > 0:
            found[k] = (a * b).sum() / size
    return found


@numba.njit(cache=True)
def best_sums(similar: Floats) -> Floats:
    """Return the largest sum of similarities without crossings of the first i and j features (i + 1, j + 1)."""
    n, m = similar.shape
    total = np.zeros((n + 1, m + 1))
    for i in range(n):
        for j in range(m):
            total[i + 1, j + 1] = max(total[i, j + 1], total[i + 1, j], total[i, j] + similar[i, j])
    return total
