"""A Kalman filter over states and what differs between dyads: for smoothing, limits and nonlinear process models.

A value that is not seen as a number, such as one beyond a limit, has a likelihood of its own and then stands for a draw
that is made of an auxiliary standard normal, which is sampled with the parameters. Integrated over these normals the
likelihood is exact (the Geweke-Hajivassiliou-Keane simulator, one draw per iteration); nothing is substituted. How this
goes for a kind of observation says :meth:`dyadloop.observation.kinds.Kind.observe`.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from dyadloop.likelihood.correlated_errors import combined, uncorrelated
from dyadloop.likelihood.lasting_errors import errors_of, lasts
from dyadloop.likelihood.panel import Panel
from dyadloop.likelihood.propagation import STEPS, panel_transitions, propagate_moments
from dyadloop.model import Flow, ProcessModel, Transition
from dyadloop.observation.kinds import Kind
from dyadloop.observation.plan import Observation

_LOG_2PI = 1.8378770664093453


class Step(NamedTuple):
    """What the filter knew before the observations of one moment, and what each of them added.

    ``mean`` and ``cov`` of states, of effects, which are person means and varying shifts, and of lasting errors;
    ``move``, their slope in what they were at the moment before; ``innovation``, ``weight`` (1 / its variance, 0 where
    unseen) and ``gain`` per indicator.
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


def filter_jointly(
    process: ProcessModel, observation: Observation, panel: Panel, latent: Array | None = None, n_steps: int = STEPS
) -> Filtered:
    """Run the filter over every dyad.

    Parameters
    ----------
    process, observation
        Theory, one for all dyads or one for each, and observation model with numbers.
    panel
        Observations and intervals.
    latent
        One standard normal per value that is not seen as a number, in the order of the panel; None where there is none.
    n_steps
        Steps of an interval where the process model is not linear.

    References
    ----------
    .. [1] Hajivassiliou, McFadden & Ruud (1996). doi:10.1016/0304-4076(94)01716-6
    .. [2] Durbin & Koopman (2012), Time Series Analysis by State Space Methods, section 6.4.
    """
    if panel.n_latent and latent is None:
        raise ValueError(f"{panel.n_latent} values are not seen as numbers and need one standard normal each")
    normals = jnp.zeros(panel.score.shape)
    if latent is not None and panel.n_latent:
        normals = normals.at[tuple(jnp.asarray(panel.latent_at).T)].set(latent)
    steps, axis, pair = panel_transitions(process, panel, n_steps)

    def one_dyad(process: ProcessModel, steps: Transition | Flow, covariate: Array | None, *data: Any) -> Filtered:  # noqa: ANN401 - arrays, and those of each kind
        return _one_dyad(process, observation, steps, n_steps, kinds, constants, covariate, *data)

    kinds, shape = panel.of_kinds, panel.score.shape
    number = jnp.zeros(shape, dtype=int) if panel.kind is None else panel.kind
    constants = tuple(panel.records[kind.name].constants for kind in kinds)
    given = tuple(kind.given(panel.records[kind.name], observation.numbers.get(kind.name), shape) for kind in kinds)
    beside = panel.score - observation.expected(panel.covariate)
    apart = uncorrelated(observation, panel)
    left = lasts(observation, panel.durations[panel.pair])
    data = (beside, panel.seen, apart.variance, apart.weights, number, normals, given, pair, left, panel.event)
    return jax.vmap(one_dyad, in_axes=(process.dyad_axis, axis, *[0] * 11))(process, steps, panel.covariate, *data)


def reading(observation: Observation, n_states: int, covariate: Array | None) -> Array:
    """Return how the level of each state at one moment reads states, effects and, not at all, lasting errors."""
    design = observation.design(n_states, covariate)
    return jnp.concatenate([jnp.eye(n_states), design, jnp.zeros((n_states, len(observation.lasting)))], axis=1)


def design_rows(observation: Observation, levels: Array, mix: Array) -> Float[Array, "indicator column"]:
    """Return how each score of one moment reads states, effects and lasting errors.

    Scores with common errors are combined by ``mix``; ``levels`` is how the level of each state reads them, see
    :func:`reading`.
    """
    rows, errors = observation.loading[:, None] * levels[jnp.array(observation.states)], errors_of(observation)
    rows = rows.at[:, rows.shape[1] - errors.reads.shape[1] :].add(errors.reads)
    return combined(observation, mix, rows)


def predicted(
    process: ProcessModel, steps: Transition | Flow, index: Array, mean: Array, cov: Array, kept: Array, fresh: Array,
    n_steps: int = STEPS,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """Return mean and covariance after an interval, and their slope in what they were.

    ``kept`` is how much is left of effects and lasting errors, ``fresh`` the covariance of what is new of them.
    """
    n, size = len(process.names), len(mean)
    here = jax.tree.map(lambda leaf: leaf[index], steps)
    if isinstance(here, Transition):
        move = jax.scipy.linalg.block_diag(here.matrix, jnp.diag(kept))
        noise = jax.scipy.linalg.block_diag(here.noise, fresh)
        return move @ mean + jnp.zeros(size).at[:n].set(here.shift), move @ cov @ move.T + noise, move
    moved = propagate_moments(process, here, mean[:n], cov[:n, :n], n_steps)
    move = jax.scipy.linalg.block_diag(moved.slope, jnp.diag(kept))
    cov = move @ cov @ move.T + jax.scipy.linalg.block_diag(jnp.zeros((n, n)), fresh)
    return (move @ mean).at[:n].set(moved.mean), cov.at[:n, :n].set(moved.cov), move


def _one_dyad(
    process: ProcessModel, observation: Observation, steps: Transition | Flow, n_steps: int, kinds: tuple[Kind, ...],
    constants: tuple[dict[str, Array], ...],
    covariate: Array | None,
    score: Array, seen: Array, own: Array, weights: Array, number: Array, normals: Array,
    given: tuple[Array, ...], pair: Array, left: Array, event: Array,
) -> Filtered:  # fmt: skip
    n = len(process.names)
    between, common = observation.between(process.between), errors_of(observation).common
    none = jnp.zeros(len(between) + len(common))
    stays, lasting = jnp.ones(len(between)), jnp.ones(len(common))

    def advance(belief: tuple[Array, Array, Array], now: tuple) -> tuple[tuple, Step]:
        mean, cov, density = belief
        beside, y, is_seen, variance, mix, number, normal, known, index, share, push = now
        rows = design_rows(observation, reading(observation, n, beside), mix)
        kept = jnp.concatenate([stays, share * lasting])
        fresh = jax.scipy.linalg.block_diag(jnp.zeros(between.shape), (1.0 - share**2) * common)
        mean, cov, move = predicted(process, steps, index, mean, cov, kept, fresh, n_steps)
        before, innovations, weights, gains = (mean, cov, move), [], [], []
        drawn = y  # where a value is not seen as a number, the one that was drawn
        for j, row in enumerate(rows):
            column = cov @ row
            f = row @ column + variance[j]
            v = combined(observation, mix, drawn)[j] - row @ mean
            log_p = -0.5 * (_LOG_2PI + jnp.log(f) + v**2 / f)
            if kinds:
                plain, sd = v, jnp.sqrt(f)
                found = [
                    kind.observe(plain, sd, normal[j], known[place][j], {n: c[j] for n, c in constants[place].items()})
                    for place, kind in enumerate(kinds)
                ]
                for place, (innovation, log_density) in enumerate(found):
                    here = number[j] == place + 1
                    v, log_p = jnp.where(here, innovation, v), jnp.where(here, log_density, log_p)
                drawn = drawn.at[j].add(v - plain)
            weight = jnp.where(is_seen[j], 1.0 / f, 0.0)
            density = density + jnp.where(is_seen[j], log_p, 0.0)
            mean, cov = mean + column * weight * v, cov - weight * jnp.outer(column, column)
            innovations.append(v)
            weights.append(weight)
            gains.append(column * weight)
        parts = (jnp.stack(innovations), jnp.stack(weights), jnp.stack(gains))
        return (mean + jnp.concatenate([push, none]), cov, density), Step(*before, *parts)

    start_cov = jax.scipy.linalg.block_diag(process.start_covariance, between @ between.T, common)
    start = (jnp.concatenate([process.start, none]), start_cov, jnp.zeros(()))
    data = (covariate, score, seen, own, weights, number, normals, given, pair, left, event @ process.jumps)
    # the way back computes each moment anew: less than half the time of keeping everything, measured with limits
    (_, _, density), taken = jax.lax.scan(jax.checkpoint(advance, prevent_cse=False), start, data)
    return Filtered(density, taken)
