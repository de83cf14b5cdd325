"""The kernel of recurrence analysis: lengths of diagonal and vertical lines, in one pass over the plot.

The plot itself is never stored: memory grows with the length of the series, not with its square.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

_NONE, _ONE, _BYTE, _TOP = np.uint64(0), np.uint64(1), np.uint64(8), np.uint64(56)
_ALL, _PLACES = np.uint64(0x0101010101010101), np.uint64(0x0001020304050607)
EUCLIDEAN, MAXIMUM, MANHATTAN = 0, 1, 2


@numba.njit(cache=True)
def _near(x: Floats, y: Floats, i: int, radius: float, norm: int, distance: Floats, near: NDArray[np.uint8]) -> None:
    """Fill ``near`` with whether state i of ``x`` is one with each state of ``y``; squares for the Euclidean norm."""
    if len(x) == 1 and norm == 0:
        at, row = x[0, i], y[0]
        for j in range(len(near)):
            near[j] = (at - row[j]) * (at - row[j]) <= radius
        return
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
    words = (m + 8) // 8  # eight cells at a time, the last ones empty
    distance, near, before = np.empty(m), np.zeros(8 * words, dtype=np.uint8), np.zeros(8 * words, dtype=np.uint8)
    near_words, before_words = near.view(np.uint64), before.view(np.uint64)
    start = np.full(n + m - 1, -1, dtype=np.int32)
    change = np.zeros(n + 1, dtype=np.int64)
    for i in range(n):
        _near(x, y, i, radius, norm, distance, near[:m])
        for j in range(max(0, i - theiler + 1), min(m, i + theiler)):
            near[j] = 0
        points, run, shift, last = 0, -1, n - 1 - i, _NONE
        for word in range(words):
            here = near_words[word]
            changed = here ^ before_words[word]  # diagonals that begin or end
            while changed != _NONE:
                j, changed = 8 * word + _first(changed), changed & (changed - _ONE)
                k = j + shift
                if near[j]:
                    start[k] = i
                else:
                    _close(i - start[k], start[k], i, k, shortest, diagonal, profile, change)
                    start[k] = -1
            edges = here ^ ((here << _BYTE) | last)  # vertical lines that begin or end
            while edges != _NONE:
                j, edges = 8 * word + _first(edges), edges & (edges - _ONE)
                if near[j]:
                    run = j
                else:
                    vertical[j - run] += 1
            points += np.int64((here * _ALL) >> _TOP)
            last = here >> _TOP
        rows[0, i] = points
        before[1 : m + 1] = near[:m]  # on the diagonal of (i, j - 1) lies (i + 1, j)
    for j in range(m):
        if near[j]:
            k = j
            _close(n - start[k], start[k], n, k, shortest, diagonal, profile, change)
    total = 0
    for i in range(n):
        total += change[i]
        rows[1, i] = total


@numba.njit(cache=True, inline="always")
def _first(word: np.uint64) -> np.int64:
    """Return which of eight bytes, each 0 or 1, is the first that is 1."""
    return np.int64(((word & (~word + _ONE)) * _PLACES) >> _TOP)


@numba.njit(cache=True)
def _close(
    length: Any,  # noqa: ANN401 - NumPy's integers
    begin: Any,  # noqa: ANN401
    end: int,
    k: Any,  # noqa: ANN401
    shortest: int,
    diagonal: Counts,
    profile: Counts,
    change: Counts,
) -> None:
    diagonal[length] += 1
    profile[k] += length
    if length >= shortest:
        change[begin] += 1
        change[end] -= 1
