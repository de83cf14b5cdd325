"""The log-likelihood of a panel: a Kalman filter with the person means integrated out.

Observations enter one at a time, so nothing is inverted and a missing value is a mask. The state mean is carried as
an affine function of the person means (de Jong 1991, doi:10.1214/aos/1176348139), which are integrated out at the end.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from dyadloop.likelihood.correlated_errors import combined, uncorrelated
from dyadloop.likelihood.kalman import Given, Readings, Swept, sweep
from dyadloop.likelihood.panel import Panel
from dyadloop.likelihood.propagation import axis_of, motion
from dyadloop.model import ProcessModel, Transition
from dyadloop.observation.plan import Observation, pairs_of

_LOG_2PI = 1.8378770664093453


def log_likelihood(process: ProcessModel, observation: Observation, panel: Panel) -> Float[Array, " dyad"]:
    """Return the log-likelihood of each dyad.

    Parameters
    ----------
    field, observation
        Linear theory, one for all dyads or one for each, and observation model with numbers.
    panel
        Observations and intervals.

    References
    ----------
    .. [1] de Jong (1991), The diffuse Kalman filter. doi:10.1214/aos/1176348139
    .. [2] Durbin & Koopman (2012), Time Series Analysis by State Space Methods, section 6.4 (univariate treatment).
    """
    steps, axis, pair = motion(process, panel)
    if not isinstance(steps, Transition):
        raise ValueError("a field that is not linear has no exact filter")
    if axis is None:
        steps = jax.tree.map(lambda part: part[None], steps)
    found = sweep(readings_of(observation), _given(process, observation, panel, steps, pair))
    between = jax.vmap(lambda own: observation.between(own.between), in_axes=axis_of(process), axis_size=len(pair))(process)
    return _integrated(found, panel.seen, between)


def readings_of(observation: Observation) -> Readings:
    """Return which states each score reads, alone and combined with earlier ones whose errors it shares."""
    pairs = pairs_of(observation.raters)
    others = tuple(
        tuple(observation.states[earlier] for later, earlier in pairs if later == j)
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
    apart = uncorrelated(observation, panel)
    if apart.weights.shape[-1]:
        slopes = combined(observation, apart.weights, jnp.broadcast_to(slopes, (*moments, *slopes.shape[2:])))
    earlier = jnp.array([earlier for _, earlier in pairs_of(observation.raters)], dtype=int)
    alone = axis_of(process) is None
    return Given(
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
        mix=apart.weights * observation.loading[earlier],
        mean=process.start[None] if alone else process.start,
        cov=process.start_covariance[None] if alone else process.start_covariance,
    )


def _integrated(found: Swept, seen: Array, between: Array) -> Array:
    """Integrate over the effects with covariance L L', L = ``between``: M = I + L' B L."""
    gram = found.gram
    log_density = -0.5 * (_LOG_2PI * seen.sum(axis=(1, 2)) + jnp.log(found.variances).sum(axis=(1, 2)) + gram[:, 0, 0])

    def over_effects(gram: Array, between: Array) -> Array:
        factor = jnp.linalg.cholesky(jnp.eye(len(between)) + between.T @ gram[1:, 1:] @ between)
        scaled = jax.scipy.linalg.solve_triangular(factor, between.T @ gram[0, 1:], lower=True)
        return 0.5 * scaled @ scaled - jnp.sum(jnp.log(jnp.diagonal(factor)))

    return log_density + jax.vmap(over_effects)(gram, between)
