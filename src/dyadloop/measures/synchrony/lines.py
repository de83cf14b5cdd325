"""Lines and blocks of a recurrence plot, row by row: memory grows with the length of the series, not with its square.

Only where lines begin or end is anything done; what is between is counted 64 cells at a time.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from dyadloop.measures.synchrony.bits import NONE, ONE, Words, clear, count_of, first_of
from dyadloop.measures.synchrony.near import Rows, fill

Counts = NDArray[np.int64]
_TOP = np.uint64(63)


@numba.njit(cache=True)
def lines(
    cells: Rows, low: int, high: int, theiler: int, shortest: int,
    diagonal: Counts, vertical: Counts, profile: Counts, rows: Counts,
) -> None:  # fmt: skip
    """Count lines by length, points by diagonal j - i, and per moment i all points and those on diagonal lines.

    A diagonal line goes on in both persons; a vertical one stays at a moment i of the first while the second goes on,
    as crqa has it. Diagonals below ``low``, above ``high`` and nearer to the main one than ``theiler`` are left out.
    ``profile`` starts at -(n - 1); ``rows`` is (2, n). ``start`` holds, for each diagonal, the moment at which its
    running line began.
    """
    n, m = cells.x.shape[1], cells.y.shape[1]
    words = m // 64 + 1  # there is a place m, always empty, at which lines end
    here, before, scratch = np.zeros(words, np.uint64), np.zeros(words, np.uint64), np.zeros(words, np.uint64)
    start, change = np.zeros(n + m - 1, dtype=np.int32), np.zeros(n + 1, dtype=np.int64)
    for i in range(n):
        fill(cells, i, here, scratch)
        _leave_out(here, i, m, low, high, theiler)
        _diagonals(here, before, start, n - 1 - i, i, shortest, diagonal, profile, change)
        rows[0, i] = _verticals(here, vertical)
        here, before = before, here
    here[:] = NONE
    _diagonals(here, before, start, -1, n, shortest, diagonal, profile, change)
    total = 0
    for i in range(n):
        total += change[i]
        rows[1, i] = total


@numba.njit(cache=True, inline="always")
def _leave_out(here: Words, i: int, m: int, low: int, high: int, theiler: int) -> None:
    clear(here, 0, min(i + low, m))
    clear(here, max(i + high + 1, 0), m)
    clear(here, max(0, i - theiler + 1), min(m, i + theiler))


@numba.njit(cache=True, inline="always")
def _diagonals(
    here: Words, before: Words, start: NDArray[np.int32], shift: int, i: int, shortest: int,
    diagonal: Counts, profile: Counts, change: Counts,
) -> None:  # fmt: skip
    """Begin and end diagonal lines at moment i: what differs from the row before, moved on by one cell."""
    carried = NONE
    for word in range(len(here)):
        changed = here[word] ^ ((before[word] << ONE) | carried)
        carried = before[word] >> _TOP
        while changed != NONE:
            bit = first_of(changed)
            changed &= changed - ONE
            k = 64 * word + bit + shift
            if (here[word] >> np.uint64(bit)) & ONE != NONE:
                start[k] = i
            else:
                length = i - start[k]
                diagonal[length] += 1
                profile[k] += length
                if length >= shortest:
                    change[start[k]] += 1
                    change[i] -= 1


@numba.njit(cache=True, inline="always")
def _verticals(here: Words, vertical: Counts) -> int:
    """Count the runs of a row by length, and return its points."""
    points, run, carried = 0, -1, NONE
    for word in range(len(here)):
        row = here[word]
        edges = row ^ ((row << ONE) | carried)
        carried = row >> _TOP
        points += count_of(row)
        while edges != NONE:
            j = 64 * word + first_of(edges)
            edges &= edges - ONE
            if run < 0:
                run = j
            else:
                vertical[j - run] += 1
                run = -1
    return points


@numba.njit(cache=True)
def block_areas(cells: Rows, theiler: int) -> Counts:
    """Return the areas of the blocks of recurrent points, in the order they are found.

    A point joins the block of the point before it in its row if they touch, else that of the point before it in its
    column if they touch, else it begins a block.
    """
    n, m = cells.x.shape[1], cells.y.shape[1]
    here, scratch = np.zeros(m // 64 + 1, np.uint64), np.zeros(m // 64 + 1, np.uint64)
    column_row = np.full(m, -2)
    column_block = np.zeros(m, dtype=np.int64)
    areas = np.zeros(1024, dtype=np.int64)
    count = 0
    for i in range(n):
        fill(cells, i, here, scratch)
        _leave_out(here, i, m, -n, m, theiler)
        before, block = -2, 0
        for word in range(len(here)):
            left = here[word]
            while left != NONE:
                j = 64 * word + first_of(left)
                left &= left - ONE
                if j - before != 1:
                    if i - column_row[j] == 1:
                        block = column_block[j]
                    else:
                        block = count
                        count += 1
                        if count > len(areas):
                            areas = np.concatenate((areas, np.zeros(len(areas), dtype=np.int64)))
                areas[block] += 1
                before, column_row[j], column_block[j] = j, i, block
    return areas[:count]
