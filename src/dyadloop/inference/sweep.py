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
    there is a score and 0 elsewhere, ``push`` moves the states after a moment, ``start`` is the first belief.
    """

    matrix: Float[Array, "time state state dyad"]
    noise: Float[Array, "time state state dyad"]
    shift: Float[Array, "time state dyad"]
    reading: Float[Array, "time indicator lead dyad"]
    loading: Float[Array, " indicator"]
    variance: Float[Array, "time indicator dyad"]
    seen: Float[Array, "time indicator dyad"]
    push: Float[Array, "time state dyad"]
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


class _Kept(NamedTuple):
    """What the way back needs of each moment: the belief before it, and the row that each observation read."""

    before: Float[Array, "time state column dyad"]
    lines: Float[Array, "time indicator column dyad"]
    spreads: Float[Array, "time indicator dyad"]


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def sweep(
    states: tuple[int, ...], given: Given
) -> tuple[Float[Array, "time indicator lead dyad"], Float[Array, "time indicator dyad"]]:
    """Return the innovation of each score with its slope in what differs between dyads, and its variance.

    Parameters
    ----------
    states
        Index of the state that each indicator measures.
    given
        Numbers.
    """
    innovations, kept = _run(states, given)
    return innovations, kept.spreads


def _run(states: tuple[int, ...], given: Given) -> tuple[Array, _Kept]:
    loading, lead = given.loading, given.reading.shape[2]

    def moment(belief: Array, now: _Moment) -> tuple[Array, tuple[Array, _Kept]]:
        before, innovations, lines, spreads = belief, [], [], []
        moved = _product(now.matrix, belief)
        cov = _product(moved[:, lead:], now.matrix.swapaxes(0, 1)) + now.noise
        belief = jnp.concatenate([moved[:, :1] - now.shift[:, None], moved[:, 1:lead], cov], axis=1)
        for j, state in enumerate(states):
            line = belief[state]
            row = _read(loading[j], line, now.reading[j])
            spread = loading[j] * row[lead + state] + now.variance[j]
            belief = belief - (row[lead:] * (now.seen[j] / spread))[:, None] * row[None]
            innovations.append(row[:lead])
            lines.append(line)
            spreads.append(spread)
        belief = jnp.concatenate([belief[:, :1] - now.push[:, None], belief[:, 1:]], axis=1)
        return belief, (jnp.stack(innovations), _Kept(before, jnp.stack(lines), jnp.stack(spreads)))

    return jax.lax.scan(moment, given.start, _moments(given))[1]


def _forth(states: tuple[int, ...], given: Given) -> tuple[tuple[Array, Array], tuple[Given, _Kept]]:
    innovations, kept = _run(states, given)
    return (innovations, kept.spreads), (given, kept)


def _back(states: tuple[int, ...], memory: tuple[Given, _Kept], slopes: tuple[Array, Array]) -> tuple[Given]:
    """Return the derivatives of everything given, from those of the innovations and of their variances."""
    given, kept = memory
    (lead, n_dyads), n = given.reading.shape[2:], given.matrix.shape[1]
    unit, loading = jnp.asarray(np.eye(n)[..., None]), given.loading

    def moment(carry: tuple[Array, tuple[Array, ...]], now: tuple) -> tuple[tuple, _Moment]:
        belief, loadings = carry[0], list(carry[1])
        step, known, (of_innovation, of_spread) = now
        push = -belief[:, 0]
        readings, variances = [step.reading[0]] * len(states), [step.variance[0]] * len(states)
        for j, state in reversed(list(enumerate(states))):
            line, spread = known.lines[j], known.spreads[j]
            row = _read(loading[j], line, step.reading[j])
            own, weight = row[lead:], step.seen[j] / spread
            of_row = -_weighed(belief, own * weight)
            of_gain = -_weighed(belief.swapaxes(0, 1), row)
            variances[j] = of_spread[j] - _weighed(of_gain, own) * weight / spread
            of_own = of_row[lead:] + of_gain * weight + unit[state] * (loading[j] * variances[j])
            of_row = jnp.concatenate([of_row[:lead] + of_innovation[j], of_own])
            readings[j] = of_row[:lead]
            loadings[j] = loadings[j] + variances[j] * own[state] + _weighed(of_row, line)
            belief = belief + unit[state][..., None] * (loading[j] * of_row)[None]
        noise = belief[:, lead:]
        moved = _product(step.matrix, known.before)
        of_moved = jnp.concatenate([belief[:, :lead], _product(noise, step.matrix)], axis=1)
        matrix = _product(noise.swapaxes(0, 1), moved[:, lead:]) + _product(of_moved, known.before.swapaxes(0, 1))
        found = _Moment(matrix, noise, -belief[:, 0], jnp.stack(readings), jnp.stack(variances), step.seen * 0, push)
        return (_product(step.matrix.swapaxes(0, 1), of_moved), tuple(loadings)), found

    nothing = (jnp.zeros(given.start.shape), (jnp.zeros(n_dyads),) * len(states))
    (start, loadings), found = jax.lax.scan(moment, nothing, (_moments(given), kept, slopes), reverse=True)
    return (Given(**found._asdict(), loading=jnp.stack(loadings).sum(axis=1), start=start),)


sweep.defvjp(_forth, _back)


def _moments(given: Given) -> _Moment:
    return _Moment(*(getattr(given, name) for name in _Moment._fields))


def _read(loading: Array, line: Array, reading: Array) -> Array:
    """Return how a score reads the columns of the belief, from the line of its state."""
    row, lead = loading * line, len(reading)
    return jnp.concatenate([row[:lead] + reading, row[lead:]])


def _product(left: Float[Array, "row k dyad"], right: Float[Array, "k column dyad"]) -> Float[Array, "row column dyad"]:
    """Return the matrix product of each dyad, written out."""
    return sum((left[:, k, None] * right[None, k] for k in range(1, len(right))), left[:, 0, None] * right[None, 0])


def _weighed(values: Float[Array, "k *rest dyad"], weights: Float[Array, "k dyad"]) -> Float[Array, "*rest dyad"]:
    """Return the sum over the first axis, weighed, written out."""
    return sum((values[k] * weights[k] for k in range(1, len(weights))), values[0] * weights[0])
