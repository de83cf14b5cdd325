"""The derivative of a pass of the Kalman filter, back over the moments of eight dyads at once.

That by a covariance is kept symmetric, as the covariances are.
"""

from collections.abc import Callable
from typing import NamedTuple

from dyadloop.kernels.calls import asked, call_of, nothing, tabulate
from dyadloop.kernels.filter_arguments import (
    TABLE,
    arguments_of,
    at,
    data_sets,
    intervals_at,
    lanes_from,
    moment_at,
    moment_entries,
    read_scores,
    read_transition,
    sizes_of,
)  # fmt: skip
from dyadloop.kernels.filter_forward import kept_at, kept_entries, read_row
from dyadloop.kernels.lanes import (
    WIDTH,
    after,
    aligned,
    all_lanes,
    clear,
    collect,
    copy,
    fused,
    gather_up,
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
    store,
    times,
    whole,
)  # fmt: skip


class Found(NamedTuple):
    """Addresses of the derivatives, in the order of the results."""

    matrix: int
    noise: int
    shift: int
    score: int
    slopes: int
    loading: int
    variance: int
    push: int
    mix: int
    mean: int
    cov: int


class Slopes(NamedTuple):
    """Addresses of derivatives for one block of dyads: by the belief, by a row that is read, and what comes between."""

    mean: int
    cov: int
    gram: int
    loading: int
    of_row: int
    by_gain: int
    by_mean: int
    row: int
    of_variance: int
    moved: int
    half: int


@inner
def _slopes_entries(sizes):
    n, lead, m = sizes.states, sizes.lead, sizes.scores
    return 2 * n * lead + 2 * n * n + lead * lead + 2 * m + 3 * (lead + n)


@inner
def _slopes_at(address, sizes):
    n, lead, m = sizes.states, sizes.lead, sizes.scores
    cov = after(address, n * lead)
    gram = after(cov, n * n)
    loading = after(gram, lead * lead)
    of_row = after(loading, m)
    by_gain = after(of_row, lead + n)
    by_mean = after(by_gain, lead)
    row = after(by_mean, n)
    of_variance = after(row, lead + n)
    moved = after(of_variance, m)
    half = after(moved, n * lead)
    return Slopes(address, cov, gram, loading, of_row, by_gain, by_mean, row, of_variance, moved, half)


@inner
def _of_observation(slopes, weight, relative, sizes):
    """Put the derivative by a row that was read; return that by the variance of its innovation.

    ``relative`` is the weight over that variance.
    """
    n, lead = sizes.states, sizes.lead
    covs, by_cov = after(slopes.row, lead), after(slopes.of_row, lead)
    product(
        slopes.of_row, slopes.row, sizes.one, sizes.one, slopes.gram, lead, sizes.one, sizes.one, lead, lead, sizes.none
    )
    product(slopes.by_gain, covs, sizes.one, sizes.one, slopes.mean, lead, sizes.one, sizes.one, n, lead, sizes.none)
    product(by_cov, covs, sizes.one, sizes.one, slopes.cov, n, sizes.one, sizes.one, n, n, sizes.none)
    product(
        slopes.by_mean, slopes.row, sizes.one, sizes.one, slopes.mean, sizes.one, lead, sizes.one, lead, n, sizes.none
    )
    of_weight, half, zero = all_lanes(0.0), all_lanes(0.5), all_lanes(0.0)
    for column in range(lead):
        gram = load(slopes.of_row, column)
        of_weight = fused(times(half, load(slopes.row, column)), gram, of_weight)
        store(slopes.of_row, column, times(weight, minus(gram, load(slopes.by_gain, column))))
    for column in range(n):
        both = plus(load(by_cov, column), load(slopes.by_mean, column))
        of_weight = less(load(covs, column), both, of_weight)
        store(by_cov, column, less(weight, plus(both, load(by_cov, column)), zero))
    return less(of_weight, relative, zero)


@inner
def _add_read(slopes, factor, state, sizes):
    """Add to the derivative by the belief what a score reads of a state."""
    n, lead = sizes.states, sizes.lead
    half = times(all_lanes(0.5), factor)
    mean, cov = after(slopes.mean, state * lead), after(slopes.cov, state * n)
    for column in range(lead):
        store(mean, column, fused(factor, load(slopes.of_row, column), load(mean, column)))
    for k in range(n):
        value = load(slopes.of_row, lead + k)
        store(cov, k, fused(half, value, load(cov, k)))
        store(slopes.cov, k * n + state, fused(half, value, load(slopes.cov, k * n + state)))


@inner
def _along(slopes, line, columns):
    """Return the derivative by a row times a line of the belief."""
    found = all_lanes(0.0)
    for column in range(columns):
        found = fused(load(slopes.of_row, column), load(line, column), found)
    return found


@inner
def _back_over_score(slopes, moment, of_moment, given, kept, j, sizes):
    """Go back over one score of a moment."""
    lead, columns = sizes.lead, sizes.lead + sizes.states
    state, begin, end = whole(given.states, j), whole(given.ends, j), whole(given.ends, j + 1)
    loading, line = all_lanes(number(given.loading, j)), after(kept.lines, j * columns)
    read_row(slopes.row, line, kept.others, moment, j, begin, end, loading, sizes)
    seen, variance = load(moment.seen, j), load(kept.variances, j)
    weight = over(seen, variance)
    by_weight = _of_observation(slopes, weight, over(weight, variance), sizes)
    of_variance = fused(seen, load(slopes.of_variance, j), by_weight)
    covs = after(slopes.of_row, lead)
    store(covs, state, fused(of_variance, loading, load(covs, state)))
    for k in range(begin, end):
        other = whole(given.others, k)
        store(covs, other, fused(of_variance, load(moment.mix, k), load(covs, other)))
    by_loading = fused(of_variance, load(slopes.row, lead + state), _along(slopes, line, columns))
    store(slopes.loading, j, plus(load(slopes.loading, j), by_loading))
    store(of_moment.variance, j, of_variance)
    store(of_moment.reading, j, load(slopes.of_row, 0))
    copy(after(of_moment.slopes, j * (lead - 1)), after(slopes.of_row, 1), lead - 1)
    _add_read(slopes, loading, state, sizes)
    for k in range(begin, end):
        other = whole(given.others, k)
        by_mix = _along(slopes, after(kept.others, k * columns), columns)
        store(of_moment.mix, k, fused(of_variance, load(slopes.row, lead + other), by_mix))
        _add_read(slopes, load(moment.mix, k), other, sizes)


@inner
def _back_over_move(slopes, moment, of_moment, kept, sizes):
    """Go back over the interval before a moment."""
    n, lead = sizes.states, sizes.lead
    _negative(of_moment.shift, slopes.mean, n, lead)
    copy(of_moment.noise, slopes.cov, n * n)
    product(of_moment.matrix, slopes.cov, n, sizes.one, kept.half, n, sizes.one, n, n, n, sizes.none)
    for entry in range(n * n):
        store(of_moment.matrix, entry, plus(load(of_moment.matrix, entry), load(of_moment.matrix, entry)))
    product(of_moment.matrix, slopes.mean, lead, sizes.one, kept.mean, sizes.one, lead, n, lead, n, sizes.one)
    product(slopes.half, slopes.cov, n, sizes.one, moment.matrix, n, sizes.one, n, n, n, sizes.none)
    product(slopes.cov, moment.matrix, sizes.one, n, slopes.half, n, sizes.one, n, n, n, sizes.none)
    product(slopes.moved, moment.matrix, sizes.one, n, slopes.mean, lead, sizes.one, n, n, lead, sizes.none)
    copy(slopes.mean, slopes.moved, n * lead)


@inner
def _negative(out, mean, n, lead):
    """Put the first column of a matrix with ``lead`` columns, with the opposite sign."""
    for i in range(n):
        store(out, i, minus(all_lanes(0.0), load(mean, i * lead)))


@inner
def _write(found, of_moment, given, sizes, lanes, now):
    """Add the derivatives of a moment to those of the data set."""
    n, m, lead, n_lanes = sizes.states, sizes.scores, sizes.lead, lanes.filled
    places = intervals_at(lanes, given, now, sizes, n * n)
    gather_up(found.matrix, places, of_moment.matrix, n * n, n_lanes)
    gather_up(found.noise, places, of_moment.noise, n * n, n_lanes)
    gather_up(found.shift, intervals_at(lanes, given, now, sizes, n), of_moment.shift, n, n_lanes)
    places = at(lanes, sizes.dyads, now, sizes.times, m)
    gather_up(found.score, places, of_moment.reading, m, n_lanes)
    gather_up(found.variance, places, of_moment.variance, m, n_lanes)
    columns = m * (lead - 1)
    places = at(lanes, sizes.slope_dyads, now, sizes.slope_times, columns)
    gather_up(found.slopes, places, of_moment.slopes, columns, n_lanes)
    gather_up(found.push, at(lanes, sizes.push_dyads, now, sizes.push_times, n), of_moment.push, n, n_lanes)
    if sizes.mixed:
        places = at(lanes, sizes.dyads, now, sizes.times, sizes.mixed)
        gather_up(found.mix, places, of_moment.mix, sizes.mixed, n_lanes)


@inner
def _start(slopes, of_grams, lanes, sizes):
    """Begin at no derivative by the last belief; read that by the Gram matrix, made symmetric."""
    lead = sizes.lead
    collect(slopes.gram, of_grams, at(lanes, sizes.dyads, sizes.none, sizes.one, lead * lead), lead * lead)
    for i in range(lead):
        for column in range(i + 1):
            both = plus(load(slopes.gram, i * lead + column), load(slopes.gram, column * lead + i))
            store(slopes.gram, i * lead + column, both)
            store(slopes.gram, column * lead + i, both)
    clear(slopes.mean, sizes.states * (lead + sizes.states))
    clear(slopes.loading, sizes.scores)


@inner
def _end(found, slopes, sizes, lanes):
    """Add the derivatives by the first belief and by the loadings."""
    n, lead = sizes.states, sizes.lead
    _negative(slopes.row, slopes.mean, n, lead)
    gather_up(found.mean, at(lanes, sizes.starts, sizes.none, sizes.one, n), slopes.row, n, lanes.filled)
    gather_up(found.cov, at(lanes, sizes.starts, sizes.none, sizes.one, n * n), slopes.cov, n * n, lanes.filled)
    for j in range(sizes.scores):
        total = number(found.loading, j)
        for lane in range(lanes.filled):
            total += number(slopes.loading, j * WIDTH + lane)
        put(found.loading, j, total)


@inner
def _data_set(given, sizes, room, kept, of_variances, of_grams, found):
    """Go back over all dyads of a data set."""
    n, lead, m, entries = sizes.states, sizes.lead, sizes.scores, kept_entries(sizes)
    slopes = _slopes_at(after(room, 2), sizes)
    moment = moment_at(after(slopes.mean, _slopes_entries(sizes)), sizes)
    of_moment = moment_at(after(moment.matrix, moment_entries(sizes)), sizes)
    for begin in range(0, sizes.dyads, WIDTH):
        lanes = lanes_from(room, begin, sizes.dyads)
        _start(slopes, of_grams, lanes, sizes)
        for now in range(sizes.times - 1, -1, -1):
            read_transition(moment, given, sizes, lanes, now)
            read_scores(moment, given, sizes, lanes, now)
            collect(slopes.of_variance, of_variances, at(lanes, sizes.dyads, now, sizes.times, m), m)
            here = kept_at(after(kept, (begin // WIDTH * sizes.times + now) * entries), sizes)
            _negative(of_moment.push, slopes.mean, n, lead)
            for j in range(m - 1, -1, -1):
                _back_over_score(slopes, moment, of_moment, given, here, j, sizes)
            _back_over_move(slopes, moment, of_moment, here, sizes)
            _write(found, of_moment, given, sizes, lanes, now)
        _end(found, slopes, sizes, lanes)


@inner
def _found(table):
    """Return where the derivatives of one data set go, from a list of it."""
    return Found(
        whole(table, 0), whole(table, 1), whole(table, 2), whole(table, 3), whole(table, 4), whole(table, 5),
        whole(table, 6), whole(table, 7), whole(table, 8), whole(table, 9), whole(table, 10),
    )  # fmt: skip


@inner
def _all(frame):
    """Go back over all data sets."""
    call, lengths = call_of(frame), room_of(2)
    sizes, n_sets = sizes_of(call, aligned(lengths)), data_sets(call)
    nothing(call.results, call.n_results)
    room = room_of(2 * TABLE + _slopes_entries(sizes) + 2 * moment_entries(sizes))
    arguments = aligned(room)
    results = after(arguments, TABLE)
    for which in range(n_sets):
        tabulate(arguments, call.arguments, call.n_arguments, which, n_sets)
        tabulate(results, call.results, call.n_results, which, n_sets)
        kept, of_variances, of_grams = whole(arguments, 16), whole(arguments, 17), whole(arguments, 18)
        place = after(results, TABLE - 2)
        _data_set(arguments_of(arguments), sizes, place, kept, of_variances, of_grams, _found(results))
    return room[0] + lengths[0]


def handler(stamp: int) -> Callable:
    """Return the handler of the derivative."""

    def filtered_back(frame):
        if not asked(frame):
            _all(frame)
        return 0 * stamp

    return filtered_back
