"""Which states of one person are near to each state of the other: rows of a recurrence plot, 64 cells in a word.

In one dimension the states near to a value are neighbours in the order of size. A row is then what two sets of the
smallest states differ in, and a few of these sets are kept. In several dimensions the rows of each are put together;
norms other than the maximum are then computed for what is left. Every cell is decided by the comparison of a naive
loop, to the last bit, and memory grows with the length of the series.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from dyadloop.measures.synchrony.bits import NONE, ONE, Words, count_of, first_of

Floats = NDArray[np.float64]
EUCLIDEAN, MAXIMUM, MANHATTAN = 0, 1, 2
_SETS = 256  # sets of the smallest states that are kept
_FEW = 8  # candidates are computed one by one where at most one cell in so many is one
_GATHER = np.uint64(0x0102040810204080)  # brings the lowest bits of eight bytes together at the top


class Rows(NamedTuple):
    """Two sequences of states, and the second's in order of size.

    Attributes
    ----------
    x, y
        States (dimension, time); a state with a NaN is near to none.
    bound
        Largest distance, squared for the Euclidean norm.
    norm
        EUCLIDEAN, MAXIMUM or MANHATTAN.
    order, values
        Times of the second person's states, and the states, by size (dimension, place).
    known
        Number of values that are not NaN (dimension).
    sets
        Times of the smallest 0, step, 2 step ... states as bits (dimension, set, word).
    step
        Distance of the sets in places.
    """

    x: Floats
    y: Floats
    bound: float
    norm: int
    order: NDArray[np.int64]
    values: Floats
    known: NDArray[np.int64]
    sets: Words
    step: int


def rows_of(x: Floats, y: Floats, radius: float, norm: int) -> Rows:
    """Return what :func:`fill` needs of two sequences of states (dimension, time)."""
    one, two = np.ascontiguousarray(x, dtype=np.float64), np.ascontiguousarray(y, dtype=np.float64)
    m = two.shape[1]
    order = np.argsort(two, axis=1, kind="stable")
    known = (~np.isnan(two)).sum(axis=1)
    step = -(-m // max(min(_SETS, m // 64), 1))
    sets = np.zeros((len(two), m // step + 1, m // 64 + 1), dtype=np.uint64)
    _fill_sets(order, known, step, sets)
    bound = radius**2 if norm == EUCLIDEAN else radius
    return Rows(one, two, bound, norm, order, np.take_along_axis(two, order, axis=1), known, sets, step)


@numba.njit(cache=True)
def _fill_sets(order: NDArray[np.int64], known: NDArray[np.int64], step: int, sets: Words) -> None:
    for d in range(len(order)):
        for k in range(1, sets.shape[1]):
            sets[d, k] = sets[d, k - 1]
            for place in range((k - 1) * step, min(k * step, known[d])):
                _turn(sets[d, k], order[d, place])


@numba.njit(cache=True, inline="always")
def _turn(words: Words, place: int) -> None:
    words[place >> 6] ^= ONE << np.uint64(place & 63)


@numba.njit(cache=True)
def fill(rows: Rows, i: int, here: Words, scratch: Words) -> None:
    """Fill ``here`` with the times of the second person's states that are near to state i of the first."""
    for d in range(len(rows.x)):
        low, high = _between(rows.values[d], rows.known[d], rows.x[d, i], rows.bound, rows.norm)
        if low >= high:
            here[:] = NONE
            return
        if d == 0:
            _from_to(rows, d, low, high, here)
        else:
            _from_to(rows, d, low, high, scratch)
            for word in range(len(here)):
                here[word] &= scratch[word]
    if len(rows.x) > 1 and rows.norm != MAXIMUM:
        _decide(rows, i, here)


@numba.njit(cache=True)
def _between(values: Floats, known: int, at: float, bound: float, norm: int) -> tuple[int, int]:
    """Return the first place, and one past the last, of the values near to one."""
    if at != at:
        return 0, 0
    low, top = 0, known
    while low < top:
        middle = (low + top) // 2
        if values[middle] < at and not _within(at - values[middle], bound, norm):
            low = middle + 1
        else:
            top = middle
    high, top = low, known
    while high < top:
        middle = (high + top) // 2
        if values[middle] <= at or _within(at - values[middle], bound, norm):
            high = middle + 1
        else:
            top = middle
    return low, high


@numba.njit(cache=True, inline="always")
def _within(gap: float, bound: float, norm: int) -> bool:
    return gap * gap <= bound if norm == 0 else abs(gap) <= bound


@numba.njit(cache=True)
def _from_to(rows: Rows, d: int, low: int, high: int, here: Words) -> None:
    """Fill the times of the states at places low ... high - 1: what two sets differ in, and what these leave over."""
    step, last = rows.step, rows.sets.shape[1] - 1
    lower, upper = min((low + step // 2) // step, last), min((high + step // 2) // step, last)
    one, two = rows.sets[d, lower], rows.sets[d, upper]
    for word in range(len(here)):
        here[word] = one[word] ^ two[word]
    order, known = rows.order[d], rows.known[d]
    for wanted, kept in ((low, min(lower * step, known)), (high, min(upper * step, known))):
        for place in range(min(wanted, kept), max(wanted, kept)):
            _turn(here, order[place])


@numba.njit(cache=True)
def _decide(rows: Rows, i: int, here: Words) -> None:
    """Leave only the states whose distance over all dimensions is within the bound."""
    m, candidates = rows.y.shape[1], 0
    for word in range(len(here)):
        candidates += count_of(here[word])
    if _FEW * candidates > m:
        _decide_all(rows, i, here)
        return
    for word in range(len(here)):
        left = here[word]
        while left != NONE:
            bit = first_of(left)
            left &= left - ONE
            total = 0.0
            for d in range(len(rows.x)):
                gap = rows.x[d, i] - rows.y[d, 64 * word + bit]
                total += gap * gap if rows.norm == 0 else abs(gap)
            if total > rows.bound:
                here[word] ^= ONE << np.uint64(bit)


@numba.njit(cache=True)
def _decide_all(rows: Rows, i: int, here: Words) -> None:
    """Fill from the distances to all states, 512 at a time."""
    m = rows.y.shape[1]
    distance, near = np.empty(512), np.zeros(512, dtype=np.uint8)
    eights = near.view(np.uint64)
    for begin in range(0, m, 512):
        size = min(512, m - begin)
        distance[:] = 0.0
        for d in range(len(rows.x)):
            at, part = rows.x[d, i], rows.y[d, begin : begin + size]
            if rows.norm == 0:
                for j in range(size):
                    gap = at - part[j]
                    distance[j] += gap * gap
            else:
                for j in range(size):
                    distance[j] += abs(at - part[j])
        for j in range(512):
            near[j] = distance[j] <= rows.bound
        near[size:] = 0
        for word in range(begin // 64, min(begin // 64 + 8, len(here))):
            found = NONE
            for eight in range(8):
                found |= ((eights[8 * (word - begin // 64) + eight] * _GATHER) >> np.uint64(56)) << np.uint64(8 * eight)
            here[word] = found
