"""Exact transitions of a linear field over an interval: mean, transition matrix, process noise.

A Taylor step over a tiny interval is doubled until it covers the whole one. Unlike an eigen-decomposition this is
safe for equal time constants, and unlike a Lyapunov equation for a drift that is not stable.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from dyadloop.field.field import Field

_ORDER = 10  # with a drift norm of at most 0.5 per base step the remainder is below 0.5**11 / 11! = 1e-11
_LARGEST_STEP = 0.5
_AIMED_STEP = 0.05


class Transition(NamedTuple):
    """x(t) = matrix @ x(0) + shift + noise with covariance ``noise``, one per interval."""

    matrix: Float[Array, "*batch state state"]
    noise: Float[Array, "*batch state state"]
    shift: Float[Array, "*batch state"]


def doublings(longest_days: float, fastest_per_day: float) -> int:
    """Return how often to double so that the base step stays small [count].

    Parameters
    ----------
    longest_days
        Longest interval [d].
    fastest_per_day
        A norm of the drift matrix that will hardly be exceeded [1/d].
    """
    return max(0, math.ceil(math.log2(max(longest_days * fastest_per_day / _AIMED_STEP, 1.0))))


def transitions(
    field: Field, gates: Bool[Array, " pair"], durations: Float[Array, " pair"], n_doublings: int
) -> Transition:
    """Return the transitions of a field over several (gate, duration) pairs.

    Parameters
    ----------
    field
        Compiled theory with numbers.
    gates
        Whether each interval lies in a session.
    durations
        Lengths of the intervals [d]; 0 gives the identity.
    n_doublings
        See :func:`doublings`. Where the base step is still too coarse the result is NaN, never inexact.
    """
    gate = gates.astype(float)
    drift = field.always + gate[:, None, None] * field.session - jnp.diag(field.decay)
    scaled = drift * (durations / 2**n_doublings)[:, None, None]
    variance = field.noise * (durations / 2**n_doublings)[:, None, None]
    push = gate[:, None] * field.drive * (durations / 2**n_doublings)[:, None]
    too_coarse = jnp.max(jnp.sum(jnp.abs(scaled), axis=-1), axis=-1) > _LARGEST_STEP
    base = _taylor(scaled, variance, push)
    matrix, noise, shift = jax.lax.fori_loop(0, n_doublings, lambda _, step: _double(step), base)
    return Transition(matrix + jnp.where(too_coarse, jnp.nan, 0.0)[:, None, None], noise, shift)


def _taylor(scaled: Array, variance: Array, push: Array) -> Transition:
    """Return the transition of one base step; A, S, b are already multiplied by its length."""
    matrix = jnp.broadcast_to(jnp.eye(scaled.shape[-1]), scaled.shape)
    power, noise_term, shift_term = matrix, variance, push
    noise, shift = variance, push
    for k in range(1, _ORDER + 1):
        power = scaled @ power / k
        matrix = matrix + power
        moved = scaled @ noise_term
        noise_term = (moved + moved.swapaxes(-1, -2)) / (k + 1)
        noise = noise + noise_term
        shift_term = jnp.einsum("...ij,...j->...i", scaled, shift_term) / (k + 1)
        shift = shift + shift_term
    return Transition(matrix, noise, shift)


def _double(step: Transition) -> Transition:
    matrix, noise, shift = step
    carried = matrix @ noise @ matrix.swapaxes(-1, -2)
    return Transition(
        matrix @ matrix,
        noise + (carried + carried.swapaxes(-1, -2)) / 2,
        shift + jnp.einsum("...ij,...j->...i", matrix, shift),
    )
