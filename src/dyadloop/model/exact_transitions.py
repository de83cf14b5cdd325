"""Transitions over an interval: exact where the field is linear, in steps where it is not.

A Taylor step over a tiny interval is doubled until it covers the whole one. Unlike an eigen-decomposition this is
safe for equal time constants, and unlike a Lyapunov equation for a drift that is not stable.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from dyadloop.model.linear_model import Field

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
    step = _moved(field, gates, durations, n_doublings, (gates.astype(float)[:, None] * field.drive)[..., None])
    return step._replace(shift=step.shift[..., 0])


class Flow(NamedTuple):
    """How a field that is not linear moves a state through each of several intervals, in equal steps.

    ``step`` is the linear part of one step and ``response`` what a constant push leaves after it; ``whole`` and
    ``whole_response`` are the same for the whole interval, ``gate`` says whether it lies in a session.
    """

    step: Transition
    response: Float[Array, "*batch state state"]
    whole: Transition
    whole_response: Float[Array, "*batch state state"]
    gate: Float[Array, " *batch"]


def flows(
    field: Field, gates: Bool[Array, " pair"], durations: Float[Array, " pair"], n_doublings: int, n_steps: int
) -> Flow:
    """Return the flows of a field over several (gate, duration) pairs, each in ``n_steps`` steps."""
    n, gate = len(field.names), gates.astype(float)
    eye = jnp.broadcast_to(jnp.eye(n), (len(durations), n, n))
    push = jnp.concatenate([(gate[:, None] * field.drive)[..., None], eye], axis=-1)
    step, whole = (_moved(field, gates, part, n_doublings, push) for part in (durations / n_steps, durations))
    cut, cut_whole = (moved._replace(shift=moved.shift[..., 0]) for moved in (step, whole))
    return Flow(cut, step.shift[..., 1:], cut_whole, whole.shift[..., 1:], gate)


def moves(
    field: Field, gates: Bool[Array, " pair"], durations: Float[Array, " pair"], n_doublings: int, n_steps: int
) -> Transition | Flow:
    """Return the transitions of a linear field, or the flows of one that is not, over (gate, duration) pairs."""
    if field.nonlinear is None:
        return transitions(field, gates, durations, n_doublings)
    return flows(field, gates, durations, n_doublings, n_steps)


def flow(
    field: Field, steps: Flow, state: Float[Array, "state ..."], shocks: Float[Array, "step state ..."]
) -> Float[Array, "state ..."]:
    """Carry states through one interval: the linear part exactly, the bent arrows by an exponential Heun scheme.

    Parameters
    ----------
    field
        Theory with numbers.
    steps
        One interval of :func:`flows`.
    state
        States at its start, with any trailing axes.
    shocks
        What noise adds in each step; their number is that of the steps.
    """
    if field.nonlinear is None:
        raise ValueError("a linear field has exact transitions and needs no steps")
    nonlinear, shift = field.nonlinear, steps.step.shift.reshape(-1, *[1] * (state.ndim - 1))

    def apply(matrix: Array, values: Array) -> Array:
        return jnp.tensordot(matrix, values, 1)

    def move(state: Array, shock: Array) -> tuple[Array, None]:
        before = nonlinear.drift(state, steps.gate)
        rough = apply(steps.step.matrix, state) + shift + apply(steps.response, before)
        after = nonlinear.drift(rough, steps.gate)
        return rough + apply(steps.response, after - before) / 2 + shock, None

    return jax.lax.scan(move, state, shocks)[0]


def _moved(field: Field, gates: Array, durations: Array, n_doublings: int, push: Array) -> Transition:
    """Return transitions whose ``shift`` has a column for each column of constant pushes."""
    drift = field.always + gates.astype(float)[:, None, None] * field.session - jnp.diag(field.decay)
    length = (durations / 2**n_doublings)[:, None, None]
    scaled = drift * length
    too_coarse = jnp.max(jnp.sum(jnp.abs(scaled), axis=-1), axis=-1) > _LARGEST_STEP
    base = _taylor(scaled, field.noise * length, push * length)
    matrix, noise, shift = jax.lax.fori_loop(0, n_doublings, lambda _, step: _double(step), base)
    return Transition(matrix + jnp.where(too_coarse, jnp.nan, 0.0)[:, None, None], noise, shift)


def _taylor(scaled: Array, variance: Array, push: Array) -> Transition:
    """Return the transition of one base step; A, S, B are already multiplied by its length."""
    matrix = jnp.broadcast_to(jnp.eye(scaled.shape[-1]), scaled.shape)
    power, noise_term, shift_term = matrix, variance, push
    noise, shift = variance, push
    for k in range(1, _ORDER + 1):
        power = scaled @ power / k
        matrix = matrix + power
        moved = scaled @ noise_term
        noise_term = (moved + moved.swapaxes(-1, -2)) / (k + 1)
        noise = noise + noise_term
        shift_term = scaled @ shift_term / (k + 1)
        shift = shift + shift_term
    return Transition(matrix, noise, shift)


def _double(step: Transition) -> Transition:
    matrix, noise, shift = step
    carried = matrix @ noise @ matrix.swapaxes(-1, -2)
    return Transition(
        matrix @ matrix,
        noise + (carried + carried.swapaxes(-1, -2)) / 2,
        shift + matrix @ shift,
    )
