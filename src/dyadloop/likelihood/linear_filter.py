"""The log-likelihood of a panel: a Kalman filter with the person means integrated out.

Observations enter one at a time, so nothing is inverted and a missing value is a mask. The state mean is carried as
an affine function of the person means (de Jong 1991, doi:10.1214/aos/1176348139), which are integrated out at the end.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from dyadloop.likelihood.correlated_errors import combined, uncorrelated
from dyadloop.likelihood.kalman import Given, Readings, sweep
from dyadloop.likelihood.panel import Panel
from dyadloop.likelihood.propagation import axis_of, motion
from dyadloop.model import Field, Transition
from dyadloop.observation.plan import Observation, pairs_of

_LOG_2PI = 1.8378770664093453


def log_likelihood(field: Field, observation: Observation, panel: Panel) -> Float[Array, " dyad"]:
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
    steps, axis, pair = motion(field, panel)
    if not isinstance(steps, Transition):
        raise ValueError("a field that is not linear has no exact filter")
    whose = pair if axis is None else (jnp.arange(len(pair))[:, None], pair)
    here = jax.tree.map(lambda part: part[whose], steps)
    between = jax.vmap(lambda own: observation.between(own.between), in_axes=axis_of(field), axis_size=len(pair))(field)
    found: Any = sweep(
        readings_of(observation), _given(field, observation, panel, here)
    )  # custom_vjp forgets the types
    innovations, spreads = found
    return _integrated(innovations, spreads, panel.seen, between)


def readings_of(observation: Observation) -> Readings:
    """Return which states each score reads, alone and combined with earlier ones whose errors it shares."""
    pairs = pairs_of(observation.raters)
    others = tuple(
        tuple(observation.states[earlier] for later, earlier in pairs if later == j)
        for j in range(len(observation.states))
    )
    return Readings(observation.states, others)


def _given(field: Field, observation: Observation, panel: Panel, steps: Transition) -> Given:
    """Return what the sweep needs, from arrays of dyads and moments; the belief starts at no slope in the effects."""
    n, (n_dyads, n_times) = len(field.names), panel.pair.shape
    design = observation.design(n, panel.covariate)[..., jnp.array(observation.states), :]
    design = jnp.broadcast_to(observation.loading[:, None] * design, (n_dyads, n_times, *design.shape[-2:]))
    score = panel.score - observation.expected(panel.covariate)
    apart = uncorrelated(observation, panel)
    reading = combined(observation, apart.weights, jnp.concatenate([score[..., None], design], axis=-1))
    earlier = jnp.array([earlier for _, earlier in pairs_of(observation.raters)], dtype=int)

    def start(own: Field) -> Array:
        return jnp.concatenate([-own.start[:, None], jnp.zeros((n, design.shape[-1])), own.start_covariance], axis=1)

    own = axis_of(field)
    return Given(
        matrix=_dyads_last(steps.matrix),
        noise=_dyads_last(steps.noise),
        shift=_dyads_last(steps.shift),
        reading=_dyads_last(reading),
        loading=observation.loading,
        variance=_dyads_last(apart.variance),
        seen=_dyads_last(panel.seen.astype(float)),
        push=_dyads_last(panel.event @ field.jumps),
        mix=_dyads_last(apart.weights * observation.loading[earlier]),
        start=jax.vmap(start, in_axes=own, out_axes=-1, axis_size=n_dyads)(field),
    )


def _dyads_last(values: Array) -> Array:
    return jnp.moveaxis(values, 0, -1)


def _integrated(innovations: Array, spreads: Array, seen: Array, between: Array) -> Array:
    """Integrate over the effects with covariance L L', L = ``between``: M = I + L' B L."""
    n_dyads, lead = innovations.shape[-1], innovations.shape[2]
    parts = jnp.moveaxis(innovations, -1, 0).reshape(n_dyads, -1, lead)
    spread, here = (part.reshape(n_dyads, -1) for part in (jnp.moveaxis(spreads, -1, 0), seen))
    weight = jnp.where(here, 1.0 / spread, 0.0)
    moments = (parts * weight[..., None]).swapaxes(1, 2) @ parts
    log_density = -0.5 * (jnp.where(here, _LOG_2PI + jnp.log(spread), 0.0).sum(axis=1) + moments[:, 0, 0])

    def over_effects(moments: Array, between: Array) -> Array:
        factor = jnp.linalg.cholesky(jnp.eye(len(between)) + between.T @ moments[1:, 1:] @ between)
        scaled = jax.scipy.linalg.solve_triangular(factor, between.T @ moments[0, 1:], lower=True)
        return 0.5 * scaled @ scaled - jnp.sum(jnp.log(jnp.diagonal(factor)))

    return log_density + jax.vmap(over_effects)(moments, between)
