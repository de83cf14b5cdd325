"""The log-likelihood of a panel: a Kalman filter with the person means integrated out.

Observations enter one at a time, so nothing is inverted and a missing value is a mask. The state mean is carried as
an affine function of the person means (de Jong 1991, doi:10.1214/aos/1176348139), which are integrated out at the end.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from dyadloop.field import Field, Transition
from dyadloop.inference.motion import axis_of, motion
from dyadloop.inference.panel import Panel
from dyadloop.observation import Observation

_LOG_2PI = 1.8378770664093453


class _Belief(NamedTuple):
    """State mean = mean + slope @ effects, with covariance cov; and the sums over innovations so far.

    The effects are what differs between dyads: person means, and shifts by covariates where these vary.
    """

    mean: Float[Array, " state"]
    slope: Float[Array, "state effect"]
    cov: Float[Array, "state state"]
    log_density: Float[Array, ""]
    score: Float[Array, " effect"]
    information: Float[Array, "effect effect"]


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

    def one_dyad(field: Field, steps: Transition, covariate: Array | None, *data: Array) -> Array:
        return _dyad(field, observation, steps, covariate, *data)

    beside = panel.score - observation.expected(panel.covariate)
    over_dyads = jax.vmap(one_dyad, in_axes=(axis_of(field), axis, *[0] * 6))
    return over_dyads(field, steps, panel.covariate, beside, panel.seen, panel.known_variance, pair, panel.event)


def _dyad(
    field: Field,
    observation: Observation,
    steps: Transition,
    covariate: Float[Array, "time covariate"] | None,
    score: Float[Array, "time indicator"],
    seen: Bool[Array, "time indicator"],
    variance: Float[Array, "time indicator"],
    pair: Int[Array, " time"],
    event: Float[Array, "time event"],
) -> Float[Array, ""]:
    n = len(field.names)
    between = observation.between(field.between)
    r = len(between)
    start, nothing = (field.start, jnp.zeros((n, r)), field.start_covariance), jnp.zeros(())
    belief = _Belief(*start, nothing, jnp.zeros(r), jnp.zeros((r, r)))

    def advance(belief: _Belief, now: tuple) -> tuple[_Belief, None]:
        beside, y, is_seen, own_error, index, push = now
        design = observation.design(n, beside)
        belief = _predict(belief, steps.matrix[index], steps.noise[index], steps.shift[index])
        for j, state in enumerate(observation.states):
            belief = _update(belief, observation, j, state, design[state], y[j], is_seen[j], own_error[j])
        # an event of a session acts after what was measured at its start
        return belief._replace(mean=belief.mean + push), None

    belief, _ = jax.lax.scan(advance, belief, (covariate, score, seen, variance, pair, event @ field.jumps))
    return _integrate(belief, between)


def _predict(belief: _Belief, matrix: Array, noise: Array, shift: Array) -> _Belief:
    return belief._replace(
        mean=matrix @ belief.mean + shift,
        slope=matrix @ belief.slope,
        cov=matrix @ belief.cov @ matrix.T + noise,
    )


def _update(
    b: _Belief, observation: Observation, j: int, state: int, design: Array, y: Array, seen: Array, own: Array
) -> _Belief:
    h, r = observation.loading[j], observation.error_sd[j] ** 2 + own
    v = y - h * b.mean[state]
    x = h * (b.slope[state] + design)
    column = h * b.cov[:, state]
    f = h * column[state] + r
    weight = jnp.where(seen, 1.0 / f, 0.0)
    gain = column * weight
    return _Belief(
        mean=b.mean + gain * v,
        slope=b.slope - gain[:, None] * x[None, :],
        cov=b.cov - gain[:, None] * column[None, :],
        log_density=b.log_density - 0.5 * jnp.where(seen, _LOG_2PI + jnp.log(f) + v**2 / f, 0.0),
        score=b.score + weight * v * x,
        information=b.information + weight * x[:, None] * x[None, :],
    )


def _integrate(belief: _Belief, between: Array) -> Array:
    """Integrate over the effects with covariance L L', L = ``between``: M = I + L' B L."""
    factor = jnp.linalg.cholesky(jnp.eye(len(between)) + between.T @ belief.information @ between)
    scaled = jax.scipy.linalg.solve_triangular(factor, between.T @ belief.score, lower=True)
    return belief.log_density - jnp.sum(jnp.log(jnp.diagonal(factor))) + 0.5 * scaled @ scaled
