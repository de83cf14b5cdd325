"""What the kernels of the filter are given, in the order of their arguments, and how eight dyads of it are read.

Arrays are addresses: what is compiled knows no objects of Python.
"""

from typing import NamedTuple

from dyadloop.kernels.calls import entries_of, length
from dyadloop.kernels.lanes import WIDTH, after, byte, collect, inner, put, put_whole, whole

PAIR = 3
"""Place of the argument that tells the interval before each moment."""
_MATRIX, _SCORE, _SLOPES, _PUSH, _MIX, _MEAN = 0, 4, 5, 9, 10, 11
_OF = (_MATRIX, _SLOPES, _SCORE, _MIX, PAIR, PAIR, _MATRIX, _MATRIX, _SLOPES, _SLOPES, _PUSH, _PUSH, _MEAN)
_AXES = (
    1,
    1,
    1,
    1,
    1,
    2,
    3,
    4,
    4,
    3,
    3,
    2,
    2,
)  # counted from the last; arguments and axes of the sizes, in their order
TABLE = 6
"""Vectors of room for a list of addresses and for the lanes."""


class Sizes(NamedTuple):
    """Lengths of the axes: states, columns of the mean, scores, pairs of mixed scores, moments, dyads, intervals.

    ``owners`` and the others are the lengths of axes that may be 1 instead of one per dyad or moment. ``one`` and
    ``none`` are 1 and 0, which the compiler does not know and so makes one version of each function.
    """

    states: int
    lead: int
    scores: int
    mixed: int
    times: int
    dyads: int
    intervals: int
    owners: int
    slope_dyads: int
    slope_times: int
    push_dyads: int
    push_times: int
    starts: int
    one: int
    none: int


class Arguments(NamedTuple):
    """Addresses of the numbers of one data set."""

    matrix: int
    noise: int
    shift: int
    pair: int
    score: int
    slopes: int
    loading: int
    variance: int
    seen: int
    push: int
    mix: int
    mean: int
    cov: int
    states: int
    ends: int
    others: int


class Moment(NamedTuple):
    """Addresses of what is read of one moment: its transition and its scores."""

    matrix: int
    noise: int
    shift: int
    reading: int
    slopes: int
    variance: int
    seen: int
    push: int
    mix: int


class Lanes(NamedTuple):
    """The dyads of the lanes (their address and how many there are), and room for where their entries begin."""

    dyads: int
    filled: int
    places: int


@inner
def sizes_of(call, room):
    """Return the lengths of the axes."""
    for place in range(len(_AXES)):
        put_whole(room, place, length(call.arguments, _OF[place], _AXES[place]))
    return Sizes(
        whole(room, 0), 1 + whole(room, 1), whole(room, 2), whole(room, 3), whole(room, 4), whole(room, 5),
        whole(room, 6), whole(room, 7), whole(room, 8), whole(room, 9), whole(room, 10), whole(room, 11),
        whole(room, 12),
        call.n_arguments // call.n_arguments, call.n_arguments - call.n_arguments,
    )  # fmt: skip


@inner
def data_sets(call):
    """Return how many data sets lie side by side."""
    return entries_of(whole(call.arguments, PAIR), 2)


@inner
def arguments_of(table):
    """Return where the numbers of one data set are, from a list of them."""
    return Arguments(
        whole(table, 0), whole(table, 1), whole(table, 2), whole(table, 3), whole(table, 4), whole(table, 5),
        whole(table, 6), whole(table, 7), whole(table, 8), whole(table, 9), whole(table, 10), whole(table, 11),
        whole(table, 12), whole(table, 13), whole(table, 14), whole(table, 15),
    )  # fmt: skip


@inner
def moment_entries(sizes):
    """Return how many vectors the room of a moment takes."""
    n, m = sizes.states, sizes.scores
    return 2 * n * n + 2 * n + m * (sizes.lead - 1) + 3 * m + sizes.mixed


@inner
def moment_at(address, sizes):
    """Return the room of a moment."""
    n, m = sizes.states, sizes.scores
    noise = after(address, n * n)
    shift = after(noise, n * n)
    push = after(shift, n)
    reading = after(push, n)
    variance, seen, mix = after(reading, m), after(reading, 2 * m), after(reading, 3 * m)
    return Moment(address, noise, shift, reading, after(mix, sizes.mixed), variance, seen, push, mix)


@inner
def lanes_from(room, begin, n_dyads):
    """Return the lanes of the dyads from ``begin`` on; beyond the last dyad, lanes hold that one again."""
    for lane in range(WIDTH):
        put_whole(room, lane, min(begin + lane, n_dyads - 1))
    return Lanes(room, min(WIDTH, n_dyads - begin), after(room, 1))


@inner
def at(lanes, by_dyad, now, by_time, entries):
    """Return where the entries of each dyad at a moment begin; an axis of length 1 is read again and again."""
    time = now if by_time > 1 else 0
    for lane in range(WIDTH):
        dyad = whole(lanes.dyads, lane) if by_dyad > 1 else 0
        put_whole(lanes.places, lane, (dyad * by_time + time) * entries)
    return lanes.places


@inner
def intervals_at(lanes, given, now, sizes, entries):
    """Return where the entries of each dyad's interval before a moment begin among the transitions."""
    for lane in range(WIDTH):
        dyad = whole(lanes.dyads, lane)
        place = whole(given.pair, dyad * sizes.times + now)
        if sizes.owners > 1:
            place += dyad * sizes.intervals
        put_whole(lanes.places, lane, place * entries)
    return lanes.places


@inner
def read_transition(moment, given, sizes, lanes, now):
    """Read how the states of each dyad move into a moment."""
    n = sizes.states
    places = intervals_at(lanes, given, now, sizes, n * n)
    collect(moment.matrix, given.matrix, places, n * n)
    collect(moment.noise, given.noise, places, n * n)
    collect(moment.shift, given.shift, intervals_at(lanes, given, now, sizes, n), n)


@inner
def read_scores(moment, given, sizes, lanes, now):
    """Read the scores of a moment, how they read what differs between dyads, and the push after it."""
    m = sizes.scores
    places = at(lanes, sizes.dyads, now, sizes.times, m)
    collect(moment.reading, given.score, places, m)
    collect(moment.variance, given.variance, places, m)
    for entry in range(m):
        for lane in range(WIDTH):
            here = lane < lanes.filled and byte(given.seen, whole(places, lane) + entry) != 0
            put(moment.seen, entry * WIDTH + lane, 1.0 if here else 0.0)
    if sizes.mixed:
        collect(moment.mix, given.mix, at(lanes, sizes.dyads, now, sizes.times, sizes.mixed), sizes.mixed)
    columns = m * (sizes.lead - 1)
    collect(moment.slopes, given.slopes, at(lanes, sizes.slope_dyads, now, sizes.slope_times, columns), columns)
    collect(moment.push, given.push, at(lanes, sizes.push_dyads, now, sizes.push_times, sizes.states), sizes.states)
