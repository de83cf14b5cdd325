"""The log-likelihood of a panel: a Kalman filter with the person means integrated out.

Observations enter one at a time, so nothing is inverted and a missing value is a mask. The state mean is carried as
an affine function of the person means (de Jong 1991, doi:10.1214/aos/1176348139), which are integrated out at the end.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from dyadloop.likelihood.correlated_errors import combined, uncorrelated
from dyadloop.likelihood.kalman import Given, Readings, Swept, sweep
from dyadloop.likelihood.lasting_errors import Errors, errors_of, lasts
from dyadloop.likelihood.panel import Panel
from dyadloop.likelihood.propagation import panel_transitions
from dyadloop.model import ProcessModel, Transition
from dyadloop.observation.plan import Observation, pairs_of

_LOG_2PI = 1.8378770664093453


def log_likelihood(process: ProcessModel, observation: Observation, panel: Panel) -> Float[Array, " dyad"]:
    """Return the log-likelihood of each dyad.

    Parameters
    ----------
    process, observation
        Linear theory, one for all dyads or one for each, and observation model with numbers.
    panel
        Observations and intervals.

    References
    ----------
    .. [1] de Jong (1991), The diffuse Kalman filter. doi:10.1214/aos/1176348139
    .. [2] Durbin & Koopman (2012), Time Series Analysis by State Space Methods, section 6.4 (univariate treatment).
    """
    steps, axis, pair = panel_transitions(process, panel)
    if not isinstance(steps, Transition):
        raise ValueError("a process model that is not linear has no exact filter")
    if axis is None:
        steps = jax.tree.map(lambda part: part[None], steps)
    found = sweep(readings_of(observation, len(process.names)), _given(process, observation, panel, steps, pair))
    between = jax.vmap(lambda own: observation.between(own.between), in_axes=process.dyad_axis, axis_size=len(pair))(
        process
    )
    return _integrated(found, panel.seen, between)


def readings_of(observation: Observation, n_states: int) -> Readings:
    """Return which states each score reads, alone and combined with earlier ones whose errors it shares.

    Lasting errors stand behind the states; every score reads them, if only by 0.
    """
    pairs, lasting = pairs_of(observation.raters), tuple(n_states + k for k in range(len(observation.lasting)))
    others = tuple(
        (*(observation.states[earlier] for later, earlier in pairs if later == j), *lasting)
        for j in range(len(observation.states))
    )
    return Readings(observation.states, others)


def _given(process: ProcessModel, observation: Observation, panel: Panel, steps: Transition, pair: Array) -> Given:
    """Return what the sweep needs."""
    n, moments = len(process.names), panel.pair.shape
    design = observation.design(n, panel.covariate)[..., jnp.array(observation.states), :]
    slopes = observation.loading[:, None] * design
    slopes = slopes.reshape(*[1] * (4 - slopes.ndim), *slopes.shape)
    score = panel.score - observation.expected(panel.covariate)
    apart, errors = uncorrelated(observation, panel), errors_of(observation)
    if apart.weights.shape[-1]:
        slopes = combined(observation, apart.weights, jnp.broadcast_to(slopes, (*moments, *slopes.shape[2:])))
    alone = process.dyad_axis is None
    mean = process.start[None] if alone else process.start
    cov = process.start_covariance[None] if alone else process.start_covariance
    given = Given(
        matrix=steps.matrix,
        noise=steps.noise,
        shift=steps.shift,
        pair=pair,
        score=combined(observation, apart.weights, score),
        slopes=slopes,
        loading=observation.loading,
        variance=apart.variance,
        seen=panel.seen,
        push=panel.event @ process.jumps,
        mix=_mix(observation, apart.weights, errors),
        mean=mean,
        cov=cov,
    )
    return _with_lasting(given, errors, lasts(observation, panel.durations)) if observation.lasting else given


def _mix(observation: Observation, weights: Array, errors: Errors) -> Float[Array, "dyad time reading"]:
    """Return how each score reads the states of earlier scores that it is combined with, then the lasting errors."""
    pairs = pairs_of(observation.raters)
    earlier = jnp.array([earlier for _, earlier in pairs], dtype=int)
    mix = weights * observation.loading[earlier]
    if not observation.lasting:
        return mix
    moments = weights.shape[:2]
    reads = combined(observation, weights, jnp.broadcast_to(errors.reads, (*moments, *errors.reads.shape)))
    parts = []
    for j in range(len(observation.states)):
        own = [place for place, (later, _) in enumerate(pairs) if later == j]
        parts += [mix[..., own[0] : own[-1] + 1]] if own else []
        parts.append(reads[..., j, :])
    return jnp.concatenate(parts, axis=-1)


def _with_lasting(given: Given, errors: Errors, left: Float[Array, " interval"]) -> Given:
    """Return what the sweep needs with the lasting errors behind the states; ``left`` of them is kept."""
    k = len(errors.common)
    kept = jnp.broadcast_to(left[:, None, None] * jnp.eye(k), (*given.matrix.shape[:2], k, k))
    fresh = jnp.broadcast_to((1.0 - left**2)[:, None, None] * errors.common, kept.shape)
    return given._replace(
        matrix=_blocks(given.matrix, kept),
        noise=_blocks(given.noise, fresh),
        shift=_padded(given.shift, k),
        push=_padded(given.push, k),
        mean=_padded(given.mean, k),
        cov=_blocks(given.cov, jnp.broadcast_to(errors.common, (len(given.cov), k, k))),
    )


def _padded(values: Float[Array, "... state"], k: int) -> Float[Array, "... longer"]:
    return jnp.concatenate([values, jnp.zeros((*values.shape[:-1], k))], axis=-1)


def _blocks(
    first: Float[Array, "... state state"], second: Float[Array, "... k k"]
) -> Float[Array, "... longer longer"]:
    """Return both matrices along the diagonal of a larger one."""
    n, k = first.shape[-1], second.shape[-1]
    above = jnp.concatenate([first, jnp.zeros((*first.shape[:-2], n, k))], axis=-1)
    below = jnp.concatenate([jnp.zeros((*second.shape[:-2], k, n)), second], axis=-1)
    return jnp.concatenate([above, below], axis=-2)


def _integrated(found: Swept, seen: Array, between: Array) -> Array:
    """Integrate over the effects with covariance L L', L = ``between``: M = I + L' B L."""
    gram = found.gram
    log_density = -0.5 * (_LOG_2PI * seen.sum(axis=(1, 2)) + jnp.log(found.variances).sum(axis=(1, 2)) + gram[:, 0, 0])

    def over_effects(gram: Array, between: Array) -> Array:
        factor = jnp.linalg.cholesky(jnp.eye(len(between)) + between.T @ gram[1:, 1:] @ between)
        scaled = jax.scipy.linalg.solve_triangular(factor, between.T @ gram[0, 1:], lower=True)
        return 0.5 * scaled @ scaled - jnp.sum(jnp.log(jnp.diagonal(factor)))

    return log_density + jax.vmap(over_effects)(gram, between)
