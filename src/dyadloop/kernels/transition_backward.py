"""The derivative of transitions by drift, noise and pushes, back over the doublings and the series.

That by a covariance is kept symmetric, as the covariances are.
"""

from collections.abc import Callable
from typing import NamedTuple

from dyadloop.kernels.calls import asked, call_of, entries_of, nothing, tabulate
from dyadloop.kernels.lanes import (
    WIDTH,
    after,
    aligned,
    clear,
    copy,
    fused,
    inner,
    load,
    number,
    plus,
    product,
    put,
    room_of,
    store,
    times,
    whole,
)  # fmt: skip
from dyadloop.kernels.transition_forward import (
    ORDER,
    TABLE,
    block_from,
    double,
    drift_of,
    room_at,
    room_entries,
    series,
    short_step,
    sizes_of,
)  # fmt: skip


class Slopes(NamedTuple):
    """Addresses of derivatives: by two steps in turn, what comes between, and by the matrices of the series."""

    now: int
    later: int
    moved: int
    of_matrices: int


@inner
def _read(slope, arguments, block, sizes):
    """Read the derivatives by the transitions of a block; 0 in lanes without an interval."""
    n, columns = sizes.states, sizes.columns
    clear(slope, sizes.entries)
    for lane in range(block.filled):
        at = whole(block.numbers, lane)
        for i in range(n):
            for k in range(n):
                entry, across = at * n * n + i * n + k, at * n * n + k * n + i
                put(slope, (i * n + k) * WIDTH + lane, number(whole(arguments, 6), entry))
                both = number(whole(arguments, 7), entry) + number(whole(arguments, 7), across)
                put(slope, (n * n + i * n + k) * WIDTH + lane, both / 2)
        for entry in range(n * columns):
            value = number(whole(arguments, 8), at * n * columns + entry)
            put(slope, (2 * n * n + entry) * WIDTH + lane, value)


@inner
def _back_over_double(out, slope, step, moved, spare, sizes):
    """Go back over a doubling: from the derivative by the transitions over twice the time to that by ``step``."""
    n, columns, one, none = sizes.states, sizes.columns, sizes.one, sizes.none
    noise, shift = after(step, n * n), after(step, 2 * n * n)
    by_noise, by_shift = after(slope, n * n), after(slope, 2 * n * n)
    product(moved, step, n, one, noise, n, one, n, n, n, none)
    product(out, by_noise, n, one, moved, n, one, n, n, n, none)
    for entry in range(n * n):
        store(out, entry, plus(load(out, entry), load(out, entry)))
    product(out, slope, n, one, step, one, n, n, n, n, one)
    product(out, step, one, n, slope, n, one, n, n, n, one)
    product(out, by_shift, columns, one, shift, one, columns, n, columns, n, one)
    product(spare, by_noise, n, one, step, n, one, n, n, n, none)
    copy(after(out, n * n), by_noise, n * n + n * columns)
    product(after(out, n * n), step, one, n, spare, n, one, n, n, n, one)
    product(after(out, 2 * n * n), step, one, n, by_shift, columns, one, n, n, columns, one)


@inner
def _back_over_short(of_matrices, slope, block, sizes):
    """Add the derivative by the matrices of the series, lane by lane."""
    squares = sizes.states * sizes.states
    for entry in range(sizes.entries):
        value = load(slope, entry)
        if entry >= squares:
            value = times(value, load(block.short, 0))
        for order in range(ORDER + 1):
            place = order * sizes.entries + entry
            store(of_matrices, place, fused(value, load(block.powers, order), load(of_matrices, place)))


@inner
def _add_product(out, left, right, factor, rows, inner_size, columns):
    """Add factor * left @ right' to ``out``: matrices of plain numbers, row by row."""
    for i in range(rows):
        for j in range(columns):
            total = 0.0
            for k in range(inner_size):
                total += number(left, i * inner_size + k) * number(right, j * inner_size + k)
            put(out, i * columns + j, number(out, i * columns + j) + factor * total)


@inner
def _add_transposed(out, left, right, factor, rows, columns):
    """Add factor * left' @ right to ``out``: matrices of plain numbers; ``left`` is square."""
    for i in range(rows):
        for j in range(columns):
            total = 0.0
            for k in range(rows):
                total += number(left, k * rows + i) * number(right, k * columns + j)
            put(out, i * columns + j, number(out, i * columns + j) + factor * total)


@inner
def _back_over_series(of_drift, of_matrices, matrices, drift, spare, sizes):
    """Go back over the series, from the highest order on: add the derivative by the scaled drift."""
    n, columns, size = sizes.states, sizes.columns, 8 * sizes.entries
    for order in range(ORDER, 0, -1):
        by, before, under = of_matrices + size * order, matrices + size * (order - 1), of_matrices + size * (order - 1)
        _add_product(of_drift, by, before, 1.0 / order, n, n, n)
        _add_transposed(under, drift.matrix, by, 1.0 / order, n, n)
        noise, factor = 8 * n * n, 1.0 / (order + 1)
        _add_product(of_drift, by + noise, before + noise, 2.0 * factor, n, n, n)
        for entry in range(n * n):
            put(spare, entry, 0.0)
        _add_transposed(spare, drift.matrix, by + noise, factor, n, n)
        for i in range(n):
            for k in range(n):
                both = number(spare, i * n + k) + number(spare, k * n + i)
                put(under, n * n + i * n + k, number(under, n * n + i * n + k) + both)
        _add_product(of_drift, by + 2 * noise, before + 2 * noise, factor, n, columns, n)
        _add_transposed(under + 2 * noise, drift.matrix, by + 2 * noise, factor, n, columns)


@inner
def _back_over_block(slopes, arguments, block, room, sizes):
    """Go back over the intervals of a block, after all its doublings have been done again."""
    size = sizes.entries
    short_step(room.step, room.matrices, block, sizes)
    for level in range(block.doublings):
        double(after(room.step, (level + 1) * size), after(room.step, level * size), room.spare, sizes)
    now, later = slopes.now, slopes.later
    _read(now, arguments, block, sizes)
    for level in range(block.doublings - 1, -1, -1):
        _back_over_double(later, now, after(room.step, level * size), slopes.moved, room.spare, sizes)
        now, later = later, now
    _back_over_short(slopes.of_matrices, now, block, sizes)


@inner
def _data_set(arguments, results, room, slopes, sizes):
    """Go back over all intervals of a data set."""
    n, size, columns = sizes.states, sizes.entries, sizes.columns
    gates, durations = whole(arguments, 3), whole(arguments, 4)
    for gate in range(2):
        drift = drift_of(room.drift, whole(arguments, 0), whole(arguments, 1), whole(arguments, 2), gate, sizes)
        series(room.matrices, drift, room.spare, sizes)
        clear(slopes.of_matrices, (ORDER + 1) * size)
        block, at = block_from(room.block, gates, durations, gate, sizes.none, drift.norm, sizes)
        while block.filled > 0:
            _back_over_block(slopes, arguments, block, room, sizes)
            block, at = block_from(room.block, gates, durations, gate, at, drift.norm, sizes)
        for entry in range((ORDER + 1) * size):
            total = 0.0
            for lane in range(WIDTH):
                total += number(slopes.of_matrices, entry * WIDTH + lane)
            put(slopes.of_matrices, entry, total)
        of_drift = whole(results, 0) + 8 * gate * n * n
        _back_over_series(of_drift, slopes.of_matrices, room.matrices, drift, room.spare, sizes)
        for entry in range(n * n):
            put(of_drift, entry, number(of_drift, entry) / drift.norm)
            put(whole(results, 1), entry, number(whole(results, 1), entry) + number(slopes.of_matrices, n * n + entry))
        for entry in range(n * columns):
            put(whole(results, 2), gate * n * columns + entry, number(slopes.of_matrices, 2 * n * n + entry))


@inner
def _all(frame):
    """Go back over all data sets."""
    call = call_of(frame)
    n_sets, sizes = entries_of(whole(call.arguments, 4), 1), sizes_of(call)
    nothing(call.results, call.n_results)
    size = sizes.entries
    room = room_of(2 * TABLE + room_entries(sizes) + (sizes.most + ORDER + 5) * size)
    arguments = aligned(room)
    results = after(arguments, TABLE)
    own = room_at(after(results, TABLE), sizes)
    slope = after(own.step, (sizes.most + 1) * size)
    slopes = Slopes(slope, after(slope, size), after(slope, 2 * size), after(slope, 3 * size))
    for which in range(n_sets):
        tabulate(arguments, call.arguments, call.n_arguments, which, n_sets)
        tabulate(results, call.results, call.n_results, which, n_sets)
        _data_set(arguments, results, own, slopes, sizes)
    return room[0]


def handler(stamp: int) -> Callable:
    """Return the handler of the derivative."""

    def moved_back(frame):
        if not asked(frame):
            _all(frame)
        return 0 * stamp

    return moved_back
