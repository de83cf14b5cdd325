"""The kernel of recurrence analysis: lengths of diagonal and vertical lines, in one pass over the plot each.

The plot itself is never stored: memory grows with the length of the series, not with its square.
"""

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

EUCLIDEAN, MAXIMUM, MANHATTAN = 0, 1, 2


@numba.njit(cache=True)
def _distances(x: Floats, y: Floats, x_from: int, y_from: int, count: int, norm: int, out: Floats) -> None:
    """Fill ``out`` with the distances (squared for the Euclidean norm) of ``count`` successive pairs of states."""
    out[:count] = 0.0
    for d in range(x.shape[0]):
        a, b = x[d, x_from : x_from + count], y[d, y_from : y_from + count]
        if norm == 0:
            for k in range(count):
                gap = a[k] - b[k]
                out[k] += gap * gap
        elif norm == 1:
            for k in range(count):
                gap = abs(a[k] - b[k])
                out[k] = gap if gap > out[k] or gap != gap else out[k]
        else:
            for k in range(count):
                out[k] += abs(a[k] - b[k])


@numba.njit(cache=True)
def diagonals(
    x: Floats,
    y: Floats,
    radius: float,
    norm: int,
    theiler: int,
    shortest: int,
    lengths: Counts,
    profile: Counts,
    rows: Counts,
) -> None:
    """Count diagonal lines by length, points by diagonal j - i, and per moment i all points and those on lines.

    Diagonals nearer to the main one than ``theiler`` are left out. NaN states are never recurrent. ``profile`` starts
    at -(n - 1); ``rows`` is (2, n).
    """
    n, m = x.shape[1], y.shape[1]
    distance = np.empty(min(n, m))
    for diagonal in range(-(n - 1), m):
        if abs(diagonal) < theiler:
            continue
        first = max(0, -diagonal)
        count = min(n, m - diagonal) - first
        _distances(x, y, first, first + diagonal, count, norm, distance)
        run, points = 0, 0
        for k in range(count + 1):
            if k < count and distance[k] <= radius:
                run += 1
            elif run:
                lengths[run] += 1
                points += run
                for i in range(first + k - run, first + k):
                    rows[0, i] += 1
                    if run >= shortest:
                        rows[1, i] += 1
                run = 0
        profile[diagonal + n - 1] = points


@numba.njit(cache=True)
def verticals(x: Floats, y: Floats, radius: float, norm: int, theiler: int, lengths: Counts) -> None:
    """Count vertical lines by length: runs over the first person's time i at each moment j of the second."""
    n, m = x.shape[1], y.shape[1]
    distance, still = np.empty(n), np.empty((x.shape[0], n))
    for j in range(m):
        for d in range(x.shape[0]):
            still[d, :] = y[d, j]
        _distances(x, still, 0, 0, n, norm, distance)
        run = 0
        for i in range(n + 1):
            if i < n and distance[i] <= radius and abs(j - i) >= theiler:
                run += 1
            elif run:
                lengths[run] += 1
                run = 0
