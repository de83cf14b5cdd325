"""Transitions over many intervals of one linear drift, eight intervals at a time.

The states move by x' = A x + b with noise of covariance N per day. Over a short time h the transition, the covariance
of the noise and the response to b are series in h whose matrices all intervals share. With u a norm of A, M = A / u,
z = h u and L(X) = M X + X M' they are the sum of z^k M^k / k!, h times the sum of z^k L^k(N) / (k + 1)!, and h times
the sum of z^k M^k b / (k + 1)!. The short time is doubled until it covers the interval. With z of at most 0.5, z L is
at most 1 in the norm of the largest entry, so what is left out after the term of order 17 is below the sum of 1 / k!
from 19 on, 9e-18, times N h: less than rounding. Repeated rates, defective drifts and unstable ones are no exceptions.
"""

from collections.abc import Callable
from typing import NamedTuple

from dyadloop.kernels.calls import asked, call_of, entries_of, length, tabulate
from dyadloop.kernels.lanes import (
    WIDTH,
    after,
    aligned,
    all_lanes,
    byte,
    copy,
    fused,
    inner,
    load,
    number,
    product,
    put,
    put_whole,
    room_of,
    store,
    times,
    whole,
)  # fmt: skip

ORDER = 17
LARGEST_STEP = 0.5
_NAN = float("nan")


class Sizes(NamedTuple):
    """Numbers of states, columns of constant pushes and intervals, and how often a short time may be doubled.

    ``entries`` is how many numbers a transition has; ``one`` and ``none`` are 1 and 0, unknown to the compiler.
    """

    states: int
    columns: int
    intervals: int
    most: int
    entries: int
    one: int
    none: int


class Drift(NamedTuple):
    """Addresses of the drift of one gate, over its norm, of noise and push, and the norm."""

    matrix: int
    noise: int
    push: int
    norm: float


class Block(NamedTuple):
    """Eight intervals: addresses of their numbers and lengths, how many there are, and how often to double.

    ``short`` holds the lengths of the first step and ``powers`` those of the step times the norm of the drift.
    """

    numbers: int
    filled: int
    doublings: int
    short: int
    powers: int


@inner
def sizes_of(call):
    """Return the lengths of the axes."""
    n, columns = length(call.arguments, 0, 1), length(call.arguments, 2, 1)
    one, most = call.n_results // call.n_results, whole(whole(whole(call.arguments, 5), 3), 0)
    return Sizes(n, columns, length(call.arguments, 4, 1), most, 2 * n * n + n * columns, one, one - one)


@inner
def multiply(out, left, right, rows, inner_size, columns):
    """Put left @ right into ``out``: matrices of plain numbers, row by row."""
    for i in range(rows):
        for j in range(columns):
            total = 0.0
            for k in range(inner_size):
                total += number(left, i * inner_size + k) * number(right, k * columns + j)
            put(out, i * columns + j, total)


@inner
def drift_of(room, drifts, noise, pushes, gate, sizes):
    """Return the drift of a gate, scaled to a norm of 1; the norm is the largest sum of a row."""
    n, first, norm = sizes.states, gate * sizes.states * sizes.states, 0.0
    for i in range(n):
        total = 0.0
        for k in range(n):
            total += abs(number(drifts, first + i * n + k))
        if norm == norm and not total <= norm:  # so that what is not a number stays
            norm = total
    scale = norm if norm > 0.0 else 1.0
    for entry in range(n * n):
        put(room, entry, number(drifts, first + entry) / scale)
    return Drift(room, noise, pushes + 8 * gate * n * sizes.columns, scale)


@inner
def series(room, drift, spare, sizes):
    """Put the matrices of all orders of the three series, one order behind the other, as numbers."""
    n, columns, size = sizes.states, sizes.columns, sizes.entries
    for entry in range(n * n):
        put(room, entry, 1.0 if entry % (n + 1) == 0 else 0.0)
        put(room, n * n + entry, number(drift.noise, entry))
    for entry in range(n * columns):
        put(room, 2 * n * n + entry, number(drift.push, entry))
    for order in range(1, ORDER + 1):
        last, now = room + 8 * size * (order - 1), room + 8 * size * order
        multiply(now, drift.matrix, last, n, n, n)
        for entry in range(n * n):
            put(now, entry, number(now, entry) / order)
        multiply(spare, drift.matrix, last + 8 * n * n, n, n, n)
        for i in range(n):
            for k in range(n):
                both = number(spare, i * n + k) + number(spare, k * n + i)
                put(now, n * n + i * n + k, both / (order + 1))
        multiply(now + 16 * n * n, drift.matrix, last + 16 * n * n, n, n, columns)
        for entry in range(n * columns):
            put(now, 2 * n * n + entry, number(now, 2 * n * n + entry) / (order + 1))


@inner
def block_from(room, gates, durations, gate, begin, norm, sizes):
    """Take the next eight intervals of a gate; return them and where to go on. Lanes too many hold the last again."""
    found, at, longest = 0, begin, 0.0
    while at < sizes.intervals and found < WIDTH:
        if (byte(gates, at) != 0) == (gate != 0):
            put_whole(room, found, at)
            put(room, WIDTH + found, number(durations, at))
            longest = max(longest, number(durations, at))
            found += 1
        at += 1
    for lane in range(max(found, 1), WIDTH):
        put(room, WIDTH + lane, number(room, WIDTH + lane - 1))
    doublings, reach = 0, longest * norm
    while reach > LARGEST_STEP and doublings < sizes.most:
        reach, doublings = reach / 2, doublings + 1
    powers = after(room, 2)
    store(powers, 0, all_lanes(1.0))
    for lane in range(WIDTH):
        short = number(room, WIDTH + lane) / 2.0**doublings
        put(room, WIDTH + lane, short)
        put(powers, WIDTH + lane, short * norm)
    for order in range(2, ORDER + 1):
        store(powers, order, times(load(powers, order - 1), load(powers, 1)))
    return Block(room, found, doublings, after(room, 1), powers), at


@inner
def short_step(out, matrices, block, sizes):
    """Put the transitions over the short times: the series, summed from the highest order on."""
    size, squares = sizes.entries, sizes.states * sizes.states
    step = load(block.powers, 1)
    for entry in range(size):
        total = all_lanes(number(matrices, ORDER * size + entry))
        for order in range(ORDER - 1, -1, -1):
            total = fused(total, step, all_lanes(number(matrices, order * size + entry)))
        if entry >= squares:
            total = times(total, load(block.short, 0))
        store(out, entry, total)


@inner
def double(out, step, spare, sizes):
    """Put the transitions over twice the time."""
    n, columns = sizes.states, sizes.columns
    noise, shift, of_noise, of_shift = (
        after(step, n * n),
        after(step, 2 * n * n),
        after(out, n * n),
        after(out, 2 * n * n),
    )
    product(out, step, n, sizes.one, step, n, sizes.one, n, n, n, sizes.none)
    product(spare, step, n, sizes.one, noise, n, sizes.one, n, n, n, sizes.none)
    copy(of_noise, noise, n * n + n * columns)
    product(of_noise, spare, n, sizes.one, step, sizes.one, n, n, n, n, sizes.one)
    product(of_shift, step, n, sizes.one, shift, columns, sizes.one, n, n, columns, sizes.one)


class Room(NamedTuple):
    """Addresses of the arrays of one data set; ``matrices`` are those of the series, and ``step`` holds vectors."""

    drift: int
    matrices: int
    spare: int
    block: int
    step: int


BLOCK = 2 + ORDER + 1
"""Vectors of a block: numbers and lengths of its intervals, and the powers of the first step."""
TABLE = 2
"""Vectors of a list of addresses."""


@inner
def room_at(address, sizes):
    """Return the room of a data set."""
    squares = sizes.states * sizes.states
    matrices = after(address, squares)
    spare = after(matrices, (ORDER + 1) * sizes.entries // WIDTH + 1)
    block = after(spare, squares)
    return Room(address, matrices, spare, block, after(block, BLOCK))


@inner
def room_entries(sizes):
    """Return how many vectors lie before the steps."""
    return 2 * sizes.states * sizes.states + (ORDER + 1) * sizes.entries // WIDTH + 1 + BLOCK


@inner
def _write(results, step, block, sizes):
    """Write the transitions of a block; not a number where the short time is too long, never inexact."""
    n, columns = sizes.states, sizes.columns
    for lane in range(block.filled):
        at = whole(block.numbers, lane)
        fine = number(block.powers, WIDTH + lane) <= LARGEST_STEP
        for i in range(n):
            for k in range(n):
                entry = i * n + k
                put(whole(results, 0), at * n * n + entry, number(step, entry * WIDTH + lane) if fine else _NAN)
                both = number(step, (n * n + entry) * WIDTH + lane) + number(step, (n * n + k * n + i) * WIDTH + lane)
                put(whole(results, 1), at * n * n + entry, both / 2)
        for entry in range(n * columns):
            put(whole(results, 2), at * n * columns + entry, number(step, (2 * n * n + entry) * WIDTH + lane))


@inner
def _data_set(arguments, results, room, sizes):
    """Compute the transitions over all intervals of a data set."""
    gates, durations = whole(arguments, 3), whole(arguments, 4)
    for gate in range(2):
        drift = drift_of(room.drift, whole(arguments, 0), whole(arguments, 1), whole(arguments, 2), gate, sizes)
        series(room.matrices, drift, room.spare, sizes)
        block, at = block_from(room.block, gates, durations, gate, sizes.none, drift.norm, sizes)
        while block.filled > 0:
            now, later = room.step, after(room.step, sizes.entries)
            short_step(now, room.matrices, block, sizes)
            for _ in range(block.doublings):
                double(later, now, room.spare, sizes)
                now, later = later, now
            _write(results, now, block, sizes)
            block, at = block_from(room.block, gates, durations, gate, at, drift.norm, sizes)


@inner
def _all(frame):
    """Compute the transitions of all data sets."""
    call = call_of(frame)
    n_sets, sizes = entries_of(whole(call.arguments, 4), 1), sizes_of(call)
    room = room_of(2 * TABLE + room_entries(sizes) + 2 * sizes.entries)
    arguments = aligned(room)
    results = after(arguments, TABLE)
    for which in range(n_sets):
        tabulate(arguments, call.arguments, call.n_arguments, which, n_sets)
        tabulate(results, call.results, call.n_results, which, n_sets)
        _data_set(arguments, results, room_at(after(results, TABLE), sizes), sizes)
    return room[0]


def handler(stamp: int) -> Callable:
    """Return the handler of the transitions."""

    def moved(frame):
        if not asked(frame):
            _all(frame)
        return 0 * stamp

    return moved
