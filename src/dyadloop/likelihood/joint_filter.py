"""A Kalman filter over states and what differs between dyads: for smoothing, limits and fields that are not linear.

A value beyond a limit, or one that a coarse scale bounds on both sides, has the probability of lying there as its
likelihood and then stands for a draw from there, made of an auxiliary standard normal that is sampled with the
parameters. Integrated over these normals the likelihood is exact (the Geweke-Hajivassiliou-Keane simulator, one draw
per iteration); nothing is substituted. The log odds of a count are drawn before it is seen, and the count has the
binomial probability at them.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import gammaln, log_ndtr, ndtr, ndtri
from jaxtyping import Array, Float

from dyadloop.likelihood.correlated_errors import combined, uncorrelated
from dyadloop.likelihood.panel import Panel
from dyadloop.likelihood.propagation import STEPS, axis_of, carried, motion
from dyadloop.model import Field, Flow, Transition
from dyadloop.observation.plan import Observation
from dyadloop.observation.scaling import COARSE, COUNT

_LOG_2PI = 1.8378770664093453
_FARTHEST = -30.0  # sds; farther beyond, a draw stays at this distance: its likelihood is below exp(-450) anyway


class Step(NamedTuple):
    """What the filter knew before the observations of one moment, and what each of them added.

    ``mean`` and ``cov`` of states and effects, which are person means and varying shifts; ``move``, their slope in
    what they were at the moment before; ``innovation``, ``weight`` (1 / its variance, 0 where unseen) and ``gain`` per
    indicator.
    """

    mean: Array
    cov: Array
    move: Array
    innovation: Array
    weight: Array
    gain: Array


class Filtered(NamedTuple):
    """Log density of a dyad and the steps of its filter."""

    log_density: Float[Array, ""]
    steps: Step


def filtered(
    field: Field, observation: Observation, panel: Panel, beyond: Array | None = None, n_steps: int = STEPS
) -> Filtered:
    """Run the filter over every dyad.

    Parameters
    ----------
    field, observation
        Theory, one for all dyads or one for each, and observation model with numbers.
    panel
        Observations and intervals.
    beyond
        One standard normal per value that is only bounded, in the order of the panel; None where there is none.
    n_steps
        Steps of an interval where the field is not linear.

    References
    ----------
    .. [1] Hajivassiliou, McFadden & Ruud (1996). doi:10.1016/0304-4076(94)01716-6
    .. [2] Durbin & Koopman (2012), Time Series Analysis by State Space Methods, section 6.4.
    """
    if panel.n_beyond and beyond is None:
        raise ValueError(
            f"{panel.n_beyond} values lie beyond a limit or on a coarse scale and need one standard normal each"
        )
    normals = jnp.zeros(panel.score.shape)
    if beyond is not None and panel.n_beyond:
        normals = normals.at[tuple(jnp.asarray(panel.beyond_at).T)].set(beyond)
    steps, axis, pair = motion(field, panel, n_steps)

    def one_dyad(field: Field, steps: Transition | Flow, covariate: Array | None, *data: Array) -> Filtered:
        return _one_dyad(field, observation, steps, n_steps, bounds, covariate, *data)

    side = jnp.zeros(panel.score.shape, dtype=int) if panel.side is None else panel.side
    reach = _reach(observation, panel)
    odds = None if panel.counts is None else panel.counts.scale
    bounds = _Bounds(panel.half_step is not None, odds) if panel.n_beyond else None
    none = jnp.zeros((*panel.score.shape, 0))
    counts = none if panel.counts is None else jnp.stack([panel.counts.successes, panel.counts.trials], axis=-1)
    beside = panel.score - observation.expected(panel.covariate)
    apart = uncorrelated(observation, panel)
    data = (beside, panel.seen, apart.variance, apart.weights, side, normals, counts, reach, pair, panel.event)
    return jax.vmap(one_dyad, in_axes=(axis_of(field), axis, *[0] * 11))(field, steps, panel.covariate, *data)


def _reach(observation: Observation, panel: Panel) -> Float[Array, "dyad time indicator bound"]:
    """Return how far the borders below and above each coarse score lie from it; no bounds where none is coarse."""
    if panel.half_step is None:
        return jnp.zeros((*panel.score.shape, 0))
    half = jnp.where(panel.half_step > 0, panel.half_step, 1.0)
    found = jnp.broadcast_to(jnp.stack([-half, half], axis=-1), (*panel.score.shape, 2))
    for borders in observation.borders:
        assert panel.answers is not None
        j = borders.indicator
        ends = borders.reach(panel.answers.number[..., j], half[j])
        found = found.at[:, :, j].set(jnp.stack(ends, axis=-1))
    return found


def reading(observation: Observation, n_states: int, covariate: Array | None) -> Array:
    """Return how the level of each state at one moment reads states and effects (state, state and effect)."""
    return jnp.concatenate([jnp.eye(n_states), observation.design(n_states, covariate)], axis=1)


def design_rows(observation: Observation, levels: Array, mix: Array) -> Float[Array, "indicator effect"]:
    """Return how each score of one moment reads states and effects; scores with common errors are combined by ``mix``.

    ``levels`` is how the level of each state reads them, see :func:`reading`.
    """
    rows = observation.loading[:, None] * levels[jnp.array(observation.states)]
    return combined(observation, mix, rows)


def predicted(
    field: Field, steps: Transition | Flow, index: Array, mean: Array, cov: Array, n_steps: int = STEPS
) -> tuple[Array, Array, Array]:
    """Return mean and covariance of states and effects after an interval, and their slope in what they were."""
    n, size = len(field.names), len(mean)
    here = jax.tree.map(lambda leaf: leaf[index], steps)
    if isinstance(here, Transition):
        move = jax.scipy.linalg.block_diag(here.matrix, jnp.eye(size - n))
        noise = jax.scipy.linalg.block_diag(here.noise, jnp.zeros((size - n, size - n)))
        return move @ mean + jnp.zeros(size).at[:n].set(here.shift), move @ cov @ move.T + noise, move
    moved = carried(field, here, mean[:n], cov[:n, :n], n_steps)
    move = jax.scipy.linalg.block_diag(moved.slope, jnp.eye(size - n))
    return mean.at[:n].set(moved.mean), (move @ cov @ move.T).at[:n, :n].set(moved.cov), move


def _one_dyad(
    field: Field, observation: Observation, steps: Transition | Flow, n_steps: int, bounds: "_Bounds | None",
    covariate: Array | None,
    score: Array, seen: Array, own: Array, weights: Array, side: Array, normals: Array, counts: Array,
    reach: Array, pair: Array, event: Array,
) -> Filtered:  # fmt: skip
    n = len(field.names)
    between = observation.between(field.between)
    none = jnp.zeros(len(between))

    def advance(belief: tuple[Array, Array, Array], now: tuple) -> tuple[tuple, Step]:
        mean, cov, density = belief
        beside, y, is_seen, variance, mix, y_side, normal, count, ends, index, push = now
        rows = design_rows(observation, reading(observation, n, beside), mix)
        mean, cov, move = predicted(field, steps, index, mean, cov, n_steps)
        before, innovations, weights, gains = (mean, cov, move), [], [], []
        drawn = y  # where a score only bounds a value, the value that was drawn
        for j, row in enumerate(rows):
            column = cov @ row
            f = row @ column + variance[j]
            v = combined(observation, mix, drawn)[j] - row @ mean
            log_p = -0.5 * (_LOG_2PI + jnp.log(f) + v**2 / f)
            if bounds is not None:
                limit = v
                v, log_p = _bounded(bounds, j, v, jnp.sqrt(f), y_side[j], normal[j], count[j], ends[j], log_p)
                drawn = drawn.at[j].add(v - limit)
            weight = jnp.where(is_seen[j], 1.0 / f, 0.0)
            density = density + jnp.where(is_seen[j], log_p, 0.0)
            mean, cov = mean + column * weight * v, cov - weight * jnp.outer(column, column)
            innovations.append(v)
            weights.append(weight)
            gains.append(column * weight)
        parts = (jnp.stack(innovations), jnp.stack(weights), jnp.stack(gains))
        return (mean + jnp.concatenate([push, none]), cov, density), Step(*before, *parts)

    start_cov = jax.scipy.linalg.block_diag(field.start_covariance, between @ between.T)
    start = (jnp.concatenate([field.start, none]), start_cov, jnp.zeros(()))
    data = (covariate, score, seen, own, weights, side, normals, counts, reach, pair, event @ field.jumps)
    # the way back computes each moment anew: less than half the time of keeping everything, measured with limits
    (_, _, density), taken = jax.lax.scan(jax.checkpoint(advance, prevent_cse=False), start, data)
    return Filtered(density, taken)


class _Bounds(NamedTuple):
    """Whether any value is coarse, and log odds per unit of score; None where no value is a count."""

    coarse: bool
    odds: Array | None


def _bounded(
    bounds: _Bounds,
    j: int,
    v: Array,
    sd: Array,
    side: Array,
    normal: Array,
    count: Array,
    ends: Array,
    log_p: Array,
) -> tuple[Array, Array]:
    """Return the innovation of a score, drawn where the score only bounds it, and the log probability of the score."""
    kinds = [(jnp.abs(side) == 1, _beyond(v, sd, side, normal))]
    if bounds.coarse:
        kinds.append((side == COARSE, _inside(v, sd, ends, normal)))
    if bounds.odds is not None:
        kinds.append((side == COUNT, _counted(v, sd, normal, count, bounds.odds[j])))
    for here, (drawn, log_probability) in kinds:
        v, log_p = jnp.where(here, drawn, v), jnp.where(here, log_probability, log_p)
    return v, log_p


def _counted(v: Array, sd: Array, normal: Array, count: Array, odds: Array) -> tuple[Array, Array]:
    """Return the innovation that a normal makes, and the log probability of a count at its log odds."""
    successes, failures = count[0], count[1] - count[0]
    drawn = sd * normal
    place = jnp.log((successes + 0.5) / (failures + 0.5)) + odds * (drawn - v)
    ways = gammaln(count[1] + 1) - gammaln(successes + 1) - gammaln(failures + 1)
    return drawn, ways + successes * jax.nn.log_sigmoid(place) + failures * jax.nn.log_sigmoid(-place)


def _beyond(v: Array, sd: Array, side: Array, normal: Array) -> tuple[Array, Array]:
    """Return an innovation drawn from beyond the limit, and the log probability of being there.

    Parameters
    ----------
    v
        Limit minus prediction.
    side
        -1 below the limit, +1 above it.
    normal
        Auxiliary standard normal that the draw is made of.
    """
    reach = jnp.where(jnp.abs(side) != 1, 0.0, -side * v / sd)
    drawn = ndtri(ndtr(normal) * ndtr(jnp.maximum(reach, _FARTHEST)))
    return -side * sd * drawn, log_ndtr(reach)


def _inside(v: Array, sd: Array, ends: Array, normal: Array) -> tuple[Array, Array]:
    """Return an innovation drawn from between two ends about ``v``, and the log probability of being there."""
    # mirrored to the lower tail, where differences of probabilities are exact
    mirrored = v + (ends[0] + ends[1]) / 2 > 0
    away, below, above = jnp.where(mirrored, -1.0, 1.0), v + ends[0], v + ends[1]
    low, high = jnp.where(mirrored, -above, below) / sd, jnp.where(mirrored, -below, above) / sd
    log_low, log_high = log_ndtr(low), log_ndtr(high)
    least, most = ndtr(jnp.maximum(low, _FARTHEST)), ndtr(jnp.maximum(high, _FARTHEST))
    # the normal is mirrored too, so that the draw does not jump where the side changes
    drawn = ndtri(least + ndtr(away * normal) * (most - least))
    # so far out that the two probabilities are one number, the near border stands for the draw
    drawn = jnp.where(most > least, jnp.clip(drawn, low, high), high)
    return away * sd * drawn, log_high + jnp.log1p(-jnp.exp(log_low - log_high))
