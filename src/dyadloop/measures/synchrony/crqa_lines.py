"""Lines and blocks of a recurrence plot of which one side, or all but a band, may count; nothing of size n squared."""

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@numba.njit(cache=True)
def _near(x: Floats, y: Floats, i: int, j: int, bound: float, norm: int) -> bool:
    """Tell whether two states (dimension, time) are within the bound, which is squared for the Euclidean norm."""
    total = 0.0
    for d in range(x.shape[0]):
        gap = abs(x[d, i] - y[d, j])
        if norm == 0:
            total += gap * gap
        elif norm == 1:
            total = max(total, gap)
        else:
            total += gap
    return total <= bound


@numba.njit(cache=True)
def lines(
    x: Floats, y: Floats, bound: float, norm: int, low: int, high: int, theiler: int, shortest: int,
    diagonal: Counts, vertical: Counts, profile: Counts, rows: Counts,
) -> None:  # fmt: skip
    """Count diagonal and vertical lines by length, points by diagonal, and per moment i all points and those on lines.

    Diagonals j - i below ``low``, above ``high`` and nearer to 0 than ``theiler`` are left out. A vertical line is a
    run over the second person's time at one moment of the first. ``profile`` starts at -(n - 1); ``rows`` is (2, n).
    """
    n, m = x.shape[1], y.shape[1]
    for k in range(max(low, -(n - 1)), min(high, m - 1) + 1):
        if abs(k) < theiler:
            continue
        begin, end, run = max(0, -k), min(n, m - k), 0
        for i in range(begin, end + 1):
            if i < end and _near(x, y, i, i + k, bound, norm):
                run += 1
            elif run:
                diagonal[run] += 1
                profile[k + n - 1] += run
                for place in range(i - run, i):
                    rows[0, place] += 1
                    if run >= shortest:
                        rows[1, place] += 1
                run = 0
    for i in range(n):
        begin, end, run = max(0, i + low), min(m, i + high + 1), 0
        for j in range(begin, end + 1):
            if j < end and abs(j - i) >= theiler and _near(x, y, i, j, bound, norm):
                run += 1
            elif run:
                vertical[run] += 1
                run = 0


@numba.njit(cache=True)
def block_areas(x: Floats, y: Floats, bound: float, norm: int, theiler: int) -> Counts:
    """Return the areas of the blocks of recurrent points, in the order they are found.

    A point joins the block of the point before it in its row if they touch, else that of the point before it in its
    column if they touch, else it begins a block.
    """
    n, m = x.shape[1], y.shape[1]
    column_row = np.full(m, -2)
    column_block = np.zeros(m, dtype=np.int64)
    areas = np.zeros(1024, dtype=np.int64)
    count = 0
    for i in range(n):
        before, block = -2, 0
        for j in range(m):
            if abs(j - i) < theiler or not _near(x, y, i, j, bound, norm):
                continue
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
