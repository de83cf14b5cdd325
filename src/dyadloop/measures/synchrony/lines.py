"""The kernel of recurrence analysis: lengths of diagonal and vertical lines, in one pass over the plot.

The plot itself is never stored: memory grows with the length of the series, not with its square.
"""

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

EUCLIDEAN, MAXIMUM, MANHATTAN = 0, 1, 2


@numba.njit(cache=True)
def _near(x: Floats, y: Floats, i: int, radius: float, norm: int, distance: Floats, near: NDArray[np.uint8]) -> None:
    """Fill ``near`` with whether state i of ``x`` is one with each state of ``y``; squares for the Euclidean norm."""
    distance[:] = 0.0
    for d in range(x.shape[0]):
        at, row = x[d, i], y[d]
        if norm == 0:
            for j in range(len(row)):
                gap = at - row[j]
                distance[j] += gap * gap
        elif norm == 1:
            for j in range(len(row)):
                gap = abs(at - row[j])
                distance[j] = gap if gap > distance[j] or gap != gap else distance[j]
        else:
            for j in range(len(row)):
                distance[j] += abs(at - row[j])
    for j in range(len(near)):
        near[j] = distance[j] <= radius


@numba.njit(cache=True)
def lines(
    x: Floats,
    y: Floats,
    radius: float,
    norm: int,
    theiler: int,
    shortest: int,
    diagonal: Counts,
    vertical: Counts,
    profile: Counts,
    rows: Counts,
) -> None:
    """Count lines by length, points by diagonal j - i, and per moment i all points and those on diagonal lines.

    A diagonal line goes on in both persons; a vertical one stays at a moment i of the first while the second goes on,
    as crqa has it. Diagonals nearer to the main one than ``theiler`` are left out. NaN states are never recurrent.
    ``profile`` starts at -(n - 1); ``rows`` is (2, n). ``start`` holds, for each diagonal, the moment at which its
    running line began, or -1.
    """
    n, m = x.shape[1], y.shape[1]
    distance, near = np.empty(m), np.empty(m, dtype=np.uint8)
    start = np.full(n + m - 1, -1, dtype=np.int32)
    before = np.zeros(m + 1, dtype=np.uint8)
    change = np.zeros(n + 1, dtype=np.int64)
    for i in range(n):
        _near(x, y, i, radius, norm, distance, near)
        for j in range(max(0, i - theiler + 1), min(m, i + theiler)):
            near[j] = 0
        points, run, shift = 0, -1, n - 1 - i
        for j in range(m):
            # what begins or ends: along the row, and along the diagonal from (i - 1, j - 1)
            here = near[j]
            if here != before[j]:
                k = j + shift
                if here:
                    start[k] = i
                else:
                    _close(i - start[k], start[k], i, k, shortest, diagonal, profile, change)
                    start[k] = -1
            if here:
                points += 1
                if run < 0:
                    run = j
            elif run >= 0:
                vertical[j - run] += 1
                run = -1
        if run >= 0:
            vertical[m - run] += 1
        rows[0, i] = points
        if before[m]:  # the diagonal that left the plot at (i - 1, m - 1)
            k = m + shift
            _close(i - start[k], start[k], i, k, shortest, diagonal, profile, change)
        before[0] = 0
        before[1:] = near
    for j in range(m):
        if near[j]:
            k = j
            _close(n - start[k], start[k], n, k, shortest, diagonal, profile, change)
    total = 0
    for i in range(n):
        total += change[i]
        rows[1, i] = total


@numba.njit(cache=True)
def _close(
    length: int, begin: int, end: int, k: int, shortest: int, diagonal: Counts, profile: Counts, change: Counts
) -> None:
    diagonal[length] += 1
    profile[k] += length
    if length >= shortest:
        change[begin] += 1
        change[end] -= 1
