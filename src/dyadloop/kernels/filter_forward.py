"""A pass of a Kalman filter over the moments of eight dyads at once.

What is believed of the states of a dyad: ``mean``, states by columns, holds minus their mean and the slope of the mean
in what differs between dyads; ``cov`` is their covariance. An observation reads one row of both, adds its square to the
Gram matrix of the innovations and takes a product of vectors away from the belief.
"""

from collections.abc import Callable
from typing import NamedTuple

from dyadloop.kernels.calls import asked, call_of, tabulate
from dyadloop.kernels.filter_arguments import (
    TABLE,
    arguments_of,
    at,
    data_sets,
    lanes_from,
    moment_at,
    moment_entries,
    read_scores,
    read_transition,
    sizes_of,
)  # fmt: skip
from dyadloop.kernels.lanes import (
    WIDTH,
    after,
    aligned,
    all_lanes,
    clear,
    collect,
    copy,
    fused,
    inner,
    less,
    load,
    minus,
    number,
    over,
    plus,
    product,
    put,
    room_of,
    spread,
    store,
    times,
    whole,
)  # fmt: skip


class Belief(NamedTuple):
    """Addresses of what is believed, of the Gram matrix of the innovations, and of room for a row and a moved mean."""

    mean: int
    cov: int
    gram: int
    row: int
    moved: int


class Kept(NamedTuple):
    """Addresses of what the way back needs of a moment.

    The mean before it, the covariance moved on one side, the row of the belief that each score reads, the rows of the
    scores that it is combined with, and the variances of the innovations.
    """

    mean: int
    half: int
    lines: int
    others: int
    variances: int


@inner
def kept_entries(sizes):
    """Return how many vectors are kept of a moment."""
    n, lead = sizes.states, sizes.lead
    return n * lead + n * n + (sizes.scores + sizes.mixed) * (lead + n) + sizes.scores


@inner
def kept_at(address, sizes):
    """Return where the parts of what is kept of a moment are."""
    n, lead = sizes.states, sizes.lead
    half = after(address, n * lead)
    lines = after(half, n * n)
    others = after(lines, sizes.scores * (lead + n))
    return Kept(address, half, lines, others, after(others, sizes.mixed * (lead + n)))


@inner
def read_row(row, line, others, moment, j, begin, end, loading, sizes):
    """Put how a score reads the columns of the belief, from the line of its state and of those it is mixed with."""
    lead, columns = sizes.lead, sizes.lead + sizes.states
    for column in range(columns):
        value = times(loading, load(line, column))
        for k in range(begin, end):
            value = fused(load(moment.mix, k), load(others, k * columns + column), value)
        store(row, column, value)
    store(row, 0, plus(load(row, 0), load(moment.reading, j)))
    for column in range(1, lead):
        store(row, column, plus(load(row, column), load(moment.slopes, j * (lead - 1) + column - 1)))


@inner
def _line(out, state, belief, sizes):
    """Copy the row of a state."""
    lead, n = sizes.lead, sizes.states
    copy(out, after(belief.mean, state * lead), lead)
    copy(after(out, lead), after(belief.cov, state * n), n)


@inner
def _move(belief, half, moment, sizes):
    """Move the belief into a moment; ``half`` keeps the covariance moved on one side."""
    n, lead = sizes.states, sizes.lead
    product(belief.moved, moment.matrix, n, sizes.one, belief.mean, lead, sizes.one, n, n, lead, sizes.none)
    copy(belief.mean, belief.moved, n * lead)
    for i in range(n):
        store(belief.mean, i * lead, minus(load(belief.mean, i * lead), load(moment.shift, i)))
    product(half, moment.matrix, n, sizes.one, belief.cov, n, sizes.one, n, n, n, sizes.none)
    copy(belief.cov, moment.noise, n * n)
    product(belief.cov, half, n, sizes.one, moment.matrix, sizes.one, n, n, n, n, sizes.one)


@inner
def _observe(belief, weight, sizes):
    """Take away from the belief what an observation tells; add its square to the Gram matrix."""
    n, lead = sizes.states, sizes.lead
    covs = after(belief.row, lead)
    for i in range(n):
        gain, mean, cov = times(weight, load(covs, i)), after(belief.mean, i * lead), after(belief.cov, i * n)
        for column in range(lead):
            store(mean, column, less(gain, load(belief.row, column), load(mean, column)))
        for k in range(n):
            store(cov, k, less(gain, load(covs, k), load(cov, k)))
    for i in range(lead):
        own, gram = times(weight, load(belief.row, i)), after(belief.gram, i * lead)
        for column in range(i + 1):
            store(gram, column, fused(own, load(belief.row, column), load(gram, column)))


@inner
def _moment(belief, moment, given, kept, sizes):
    """Move the belief into a moment and take in its scores."""
    n, lead, columns = sizes.states, sizes.lead, sizes.lead + sizes.states
    copy(kept.mean, belief.mean, n * lead)
    _move(belief, kept.half, moment, sizes)
    for j in range(sizes.scores):
        state, begin, end = whole(given.states, j), whole(given.ends, j), whole(given.ends, j + 1)
        loading, line = all_lanes(number(given.loading, j)), after(kept.lines, j * columns)
        _line(line, state, belief, sizes)
        for k in range(begin, end):
            _line(after(kept.others, k * columns), whole(given.others, k), belief, sizes)
        read_row(belief.row, line, kept.others, moment, j, begin, end, loading, sizes)
        variance = fused(loading, load(belief.row, lead + state), load(moment.variance, j))
        for k in range(begin, end):
            variance = fused(load(moment.mix, k), load(belief.row, lead + whole(given.others, k)), variance)
        store(kept.variances, j, variance)
        _observe(belief, over(load(moment.seen, j), variance), sizes)
    for i in range(n):
        store(belief.mean, i * lead, minus(load(belief.mean, i * lead), load(moment.push, i)))


@inner
def _start(belief, given, sizes, lanes):
    """Read the first belief, of no slope in what differs between dyads."""
    n, lead = sizes.states, sizes.lead
    collect(belief.row, given.mean, at(lanes, sizes.starts, sizes.none, sizes.one, n), n)
    collect(belief.cov, given.cov, at(lanes, sizes.starts, sizes.none, sizes.one, n * n), n * n)
    clear(belief.mean, n * lead)
    clear(belief.gram, lead * lead)
    for i in range(n):
        store(belief.mean, i * lead, minus(all_lanes(0.0), load(belief.row, i)))


@inner
def _write_variances(variances, kept, moment, sizes, lanes, now):
    """Write the variances of the innovations, 1 where there is no score."""
    for entry in range(sizes.scores * WIDTH):
        if number(moment.seen, entry) == 0:
            put(moment.variance, entry, 1.0)
        else:
            put(moment.variance, entry, number(kept.variances, entry))
    spread(
        variances, at(lanes, sizes.dyads, now, sizes.times, sizes.scores), moment.variance, sizes.scores, lanes.filled
    )


@inner
def _write_gram(grams, belief, sizes, lanes):
    """Write the Gram matrix, of which one half has been added up."""
    lead = sizes.lead
    for i in range(lead):
        for column in range(i):
            store(belief.gram, column * lead + i, load(belief.gram, i * lead + column))
    spread(grams, at(lanes, sizes.dyads, sizes.none, sizes.one, lead * lead), belief.gram, lead * lead, lanes.filled)


@inner
def _data_set(given, sizes, room, variances, grams, kept, step):
    """Run the filter over all dyads of a data set; ``step`` is how far apart what is kept of moments lies."""
    n, lead = sizes.states, sizes.lead
    mean = after(room, 2)
    cov, gram = after(mean, n * lead), after(mean, n * lead + n * n)
    row = after(gram, lead * lead)
    belief = Belief(mean, cov, gram, row, after(row, lead + n))
    moment = moment_at(after(belief.moved, n * lead), sizes)
    for begin in range(0, sizes.dyads, WIDTH):
        lanes = lanes_from(room, begin, sizes.dyads)
        _start(belief, given, sizes, lanes)
        for now in range(sizes.times):
            read_transition(moment, given, sizes, lanes, now)
            read_scores(moment, given, sizes, lanes, now)
            here = kept_at(after(kept, (begin // WIDTH * sizes.times + now) * step), sizes)
            _moment(belief, moment, given, here, sizes)
            _write_variances(variances, here, moment, sizes, lanes, now)
        _write_gram(grams, belief, sizes, lanes)


@inner
def _all(frame):
    """Run the filter over all data sets; what the way back needs is kept where there is a third result."""
    call, lengths = call_of(frame), room_of(2)
    sizes, n_sets = sizes_of(call, aligned(lengths)), data_sets(call)
    n, lead, entries = sizes.states, sizes.lead, kept_entries(sizes)
    needed = 2 * TABLE + 2 * n * lead + n * n + lead * lead + lead + n + moment_entries(sizes)
    room = room_of(needed + entries)
    arguments = aligned(room)
    results = after(arguments, TABLE)
    for which in range(n_sets):
        tabulate(arguments, call.arguments, call.n_arguments, which, n_sets)
        tabulate(results, call.results, call.n_results, which, n_sets)
        kept, step = after(arguments, needed), sizes.none
        if call.n_results > 2:
            kept, step = whole(results, 2), entries
        _data_set(
            arguments_of(arguments), sizes, after(results, TABLE - 2), whole(results, 0), whole(results, 1), kept, step
        )
    return room[0] + lengths[0]


def handler(stamp: int) -> Callable:
    """Return the handler of the pass."""

    def filtered(frame):
        if not asked(frame):
            _all(frame)
        return 0 * stamp

    return filtered
