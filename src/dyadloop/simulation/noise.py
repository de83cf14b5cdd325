"""Carry a noisy system through a segment: own decay and noise exact, the rest by an exponential predictor-corrector.

The increments are those of the Ornstein-Uhlenbeck process that each state would be by itself, so mean, variance and
autocorrelation do not depend on the step; what others add converges with strong order 1.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dyadloop.model import Modes, System
from dyadloop.simulation.phi import phi_functions


def mesh(n_steps: int, first_share: float) -> Float[np.ndarray, " step"]:
    """Return step sizes that grow geometrically from about ``first_share``, as shares of the whole."""
    if first_share * n_steps >= 1.0:
        return np.full(n_steps, 1.0 / n_steps)
    low, high = 1.0, 1e6
    for _ in range(200):  # bisect the ratio so that the geometric series sums to 1
        ratio = (low * high) ** 0.5
        total = first_share * np.sum(ratio ** np.arange(n_steps))
        low, high = (ratio, high) if total < 1.0 else (low, ratio)
    sizes = first_share * low ** np.arange(n_steps)
    return sizes / sizes.sum()


def increments(system: System, decay: Array, h: Array, shock: Array) -> Array:
    """Return Ornstein-Uhlenbeck increments over a step for standard normal shocks, state by dyad."""
    sd = jnp.stack([jnp.broadcast_to(s, h.shape) for s in system.fluctuation])
    if system.correlation is None:
        return sd * jnp.sqrt(-jnp.expm1(-2.0 * decay * h)) * shock
    rate = sd * jnp.sqrt(2.0 * decay)
    correlation = system.correlation @ system.correlation.T
    pace = decay[:, None] + decay[None, :]
    shared = jnp.where(pace > 0, -jnp.expm1(-pace * h) / jnp.where(pace > 0, pace, 1.0), h)
    covariance = rate[:, None] * rate[None, :] * correlation[:, :, None] * shared
    tiny = 1e-14 * jnp.eye(len(decay))  # lets an empty step and quiet states pass the factorisation
    factor = jnp.linalg.cholesky(jnp.moveaxis(covariance, -1, 0) + tiny)
    return jnp.einsum("bij,jb->ib", factor, shock)


def walk(
    system: System, modes: Modes, gate: bool, decay: Array, state: Array, steps: Array, shocks: Array
) -> Float[Array, "state dyad"]:
    """Return modes after the steps of one segment.

    Parameters
    ----------
    system, modes, gate, decay
        What moves, and how.
    state
        Modes at the start, state by dyad.
    steps
        Step sizes, step by dyad [d].
    shocks
        Standard normal numbers, step by state by dyad.
    """

    def move(state: Array, now: tuple[Array, Array]) -> tuple[Array, None]:
        h, shock = now
        growth, first, second, _ = phi_functions(-decay * h)
        push = modes.push(system, state, gate)
        rough = growth * state + h * first * push + increments(system, decay, h, shock)
        return rough + h * second * (modes.push(system, rough, gate) - push), None

    return jax.lax.scan(move, state, (steps, shocks))[0]
