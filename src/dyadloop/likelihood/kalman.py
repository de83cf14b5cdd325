"""One pass of a Kalman filter over the moments of all dyads, and its derivative, both written out.

What is believed of the states of a dyad stands in one matrix, state by column: minus their mean, the slope of the mean
in what differs between dyads, and their covariance. An observation reads one row of it and takes a product of vectors
away from it, whatever the column. The derivative goes back over the moments by the same few products; automatic
differentiation would do the same in many more, and they are so small that their number is what takes the time. Dyads
are the last axis of everything, where arithmetic on many of them at once is fastest.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


class Given(NamedTuple):
    """What a sweep needs.

    ``matrix``, ``noise`` and ``shift`` move the states into each moment; ``reading`` holds the score less what it reads
    at a mean of 0, and how it reads what differs between dyads; ``variance`` is that of the error, ``seen`` is 1 where
    there is a score and 0 elsewhere, ``push`` moves the states after a moment, ``start`` is the first belief. Where
    errors of one moment correlate, a score is a combination of scores: ``mix`` holds how it reads the states of the
    earlier ones, by pair of indicators.
    """

    matrix: Float[Array, "time state state dyad"]
    noise: Float[Array, "time state state dyad"]
    shift: Float[Array, "time state dyad"]
    reading: Float[Array, "time indicator lead dyad"]
    loading: Float[Array, " indicator"]
    variance: Float[Array, "time indicator dyad"]
    seen: Float[Array, "time indicator dyad"]
    push: Float[Array, "time state dyad"]
    mix: Float[Array, "time pair dyad"]
    start: Float[Array, "state column dyad"]


class _Moment(NamedTuple):
    """The parts of :class:`Given` that belong to one moment."""

    matrix: Array
    noise: Array
    shift: Array
    reading: Array
    variance: Array
    seen: Array
    push: Array
    mix: Array


class Readings(NamedTuple):
    """The state that each indicator measures, and those of the earlier indicators that its score is combined with.

    The pairs of an indicator lie behind each other in ``mix``, and those of all indicators in their order.
    """

    states: tuple[int, ...]
    others: tuple[tuple[int, ...], ...]

    def pairs(self) -> list[tuple[slice, list[int]]]:
        """Return, per indicator, the place of its pairs and the states of the earlier indicators."""
        ends = np.cumsum([0, *(len(states) for states in self.others)])
        return [(slice(a, b), list(own)) for a, b, own in zip(ends[:-1], ends[1:], self.others, strict=True)]


class _Kept(NamedTuple):
    """What the way back needs of each moment: the belief before it, and the row that each observation read."""

    before: Float[Array, "time state column dyad"]
    lines: Float[Array, "time indicator column dyad"]
    mixed: Float[Array, "time pair column dyad"]
    spreads: Float[Array, "time indicator dyad"]


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def sweep(
    readings: Readings, given: Given
) -> tuple[Float[Array, "time indicator lead dyad"], Float[Array, "time indicator dyad"]]:
    """Return the innovation of each score with its slope in what differs between dyads, and its variance.

    Parameters
    ----------
    readings
        Which states each score reads.
    given
        Numbers.
    """
    innovations, kept = _run(readings, given)
    return innovations, kept.spreads


def _run(readings: Readings, given: Given) -> tuple[Array, _Kept]:
    loading, lead = given.loading, given.reading.shape[2]

    def moment(belief: Array, now: _Moment) -> tuple[Array, tuple[Array, _Kept]]:
        before, innovations, lines, mixed, spreads = belief, [], [], [], []
        moved = _product(now.matrix, belief)
        cov = _product(moved[:, lead:], now.matrix.swapaxes(0, 1)) + now.noise
        belief = jnp.concatenate([moved[:, :1] - now.shift[:, None], moved[:, 1:lead], cov], axis=1)
        for j, (state, (place, earlier)) in enumerate(zip(readings.states, readings.pairs(), strict=True)):
            line, others = belief[state], belief[jnp.array(earlier, dtype=int)]
            row = _read(loading[j], line, now.reading[j], now.mix[place], others)
            spread = loading[j] * row[lead + state] + now.variance[j]
            if earlier:
                spread = spread + (now.mix[place] * row[lead + jnp.array(earlier)]).sum(axis=0)
                mixed.append(others)
            belief = belief - (row[lead:] * (now.seen[j] / spread))[:, None] * row[None]
            innovations.append(row[:lead])
            lines.append(line)
            spreads.append(spread)
        belief = jnp.concatenate([belief[:, :1] - now.push[:, None], belief[:, 1:]], axis=1)
        apart = jnp.concatenate(mixed) if mixed else jnp.zeros((0, *belief.shape[1:]))
        return belief, (jnp.stack(innovations), _Kept(before, jnp.stack(lines), apart, jnp.stack(spreads)))

    return jax.lax.scan(moment, given.start, _moments(given))[1]


def _forth(readings: Readings, given: Given) -> tuple[tuple[Array, Array], tuple[Given, _Kept]]:
    innovations, kept = _run(readings, given)
    return (innovations, kept.spreads), (given, kept)


def _back(readings: Readings, memory: tuple[Given, _Kept], slopes: tuple[Array, Array]) -> tuple[Given]:
    """Return the derivatives of everything given, from those of the innovations and of their variances."""
    given, kept = memory
    (lead, n_dyads), n = given.reading.shape[2:], given.matrix.shape[1]
    unit, loading, n_scores = jnp.asarray(np.eye(n)[..., None]), given.loading, len(readings.states)

    def moment(carry: tuple[Array, tuple[Array, ...]], now: tuple) -> tuple[tuple, _Moment]:
        belief, loadings = carry[0], list(carry[1])
        step, known, (of_innovation, of_spread) = now
        push = -belief[:, 0]
        scores, variances = [step.reading[0]] * n_scores, [step.variance[0]] * n_scores
        mix: list[Array] = []
        for j in reversed(range(n_scores)):
            state, (place, earlier) = readings.states[j], readings.pairs()[j]
            line, spread = known.lines[j], known.spreads[j]
            row = _read(loading[j], line, step.reading[j], step.mix[place], known.mixed[place])
            own, weight = row[lead:], step.seen[j] / spread
            of_row = -_weighed(belief, own * weight)
            of_gain = -_weighed(belief.swapaxes(0, 1), row)
            variances[j] = of_spread[j] - _weighed(of_gain, own) * weight / spread
            # how the score reads each state: the same weights lead back to all columns
            reads = unit[state] * loading[j] + (unit[jnp.array(earlier, dtype=int)] * step.mix[place][:, None]).sum(
                axis=0
            )
            of_own = of_row[lead:] + of_gain * weight + reads * variances[j]
            of_row = jnp.concatenate([of_row[:lead] + of_innovation[j], of_own])
            scores[j] = of_row[:lead]
            loadings[j] = loadings[j] + variances[j] * own[state] + _weighed(of_row, line)
            if earlier:
                mix.append(variances[j] * own[jnp.array(earlier)] + (of_row * known.mixed[place]).sum(axis=1))
            belief = belief + reads[:, None] * of_row[None]
        noise = belief[:, lead:]
        moved = _product(step.matrix, known.before)
        of_moved = jnp.concatenate([belief[:, :lead], _product(noise, step.matrix)], axis=1)
        matrix = _product(noise.swapaxes(0, 1), moved[:, lead:]) + _product(of_moved, known.before.swapaxes(0, 1))
        found = _Moment(
            matrix, noise, -belief[:, 0], jnp.stack(scores), jnp.stack(variances), step.seen * 0, push,
            jnp.concatenate(mix[::-1]) if mix else step.mix,
        )  # fmt: skip
        return (_product(step.matrix.swapaxes(0, 1), of_moved), tuple(loadings)), found

    nothing = (jnp.zeros(given.start.shape), (jnp.zeros(n_dyads),) * n_scores)
    (start, loadings), found = jax.lax.scan(moment, nothing, (_moments(given), kept, slopes), reverse=True)
    return (Given(**found._asdict(), loading=jnp.stack(loadings).sum(axis=1), start=start),)


sweep.defvjp(_forth, _back)


def _moments(given: Given) -> _Moment:
    return _Moment(*(getattr(given, name) for name in _Moment._fields))


def _read(loading: Array, line: Array, reading: Array, mix: Array, others: Array) -> Array:
    """Return how a score reads the columns of the belief, from the line of its state and of those it is mixed with."""
    row, lead = loading * line, len(reading)
    if len(mix):
        row = row + (mix[:, None] * others).sum(axis=0)
    return jnp.concatenate([row[:lead] + reading, row[lead:]])


def _product(left: Float[Array, "row k dyad"], right: Float[Array, "k column dyad"]) -> Float[Array, "row column dyad"]:
    """Return the matrix product of each dyad, written out."""
    return sum((left[:, k, None] * right[None, k] for k in range(1, len(right))), left[:, 0, None] * right[None, 0])


def _weighed(values: Float[Array, "k *rest dyad"], weights: Float[Array, "k dyad"]) -> Float[Array, "*rest dyad"]:
    """Return the sum over the first axis, weighed, written out."""
    return sum((values[k] * weights[k] for k in range(1, len(weights))), values[0] * weights[0])
