"""Transitions over an interval: exact where the field is linear, in steps where it is not.

A Taylor step over a short time is doubled until it covers the interval. Unlike an eigen-decomposition this is safe for
equal time constants, and unlike a Lyapunov equation for a drift that is not stable. A compiled kernel does it,
:mod:`dyadloop.kernels.transition_forward`, which also bounds the error.
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from dyadloop.kernels.targets import doubles, kernel
from dyadloop.model.process_model import ProcessModel

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
    process: ProcessModel, gates: Bool[Array, " pair"], durations: Float[Array, " pair"], n_doublings: int
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
    push = jnp.stack([jnp.zeros(process.drive.shape), process.drive])
    step = _moved(process, gates, durations, n_doublings, push[..., None])
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
    process: ProcessModel, gates: Bool[Array, " pair"], durations: Float[Array, " pair"], n_doublings: int, n_steps: int
) -> Flow:
    """Return the flows of a field over several (gate, duration) pairs, each in ``n_steps`` steps."""
    gate, own = gates.astype(float), jnp.eye(len(process.names))
    push = jnp.stack([jnp.column_stack([open_ * process.drive, own]) for open_ in (0.0, 1.0)])
    step, whole = (_moved(process, gates, part, n_doublings, push) for part in (durations / n_steps, durations))
    cut, cut_whole = (moved._replace(shift=moved.shift[..., 0]) for moved in (step, whole))
    return Flow(cut, step.shift[..., 1:], cut_whole, whole.shift[..., 1:], gate)


def moves(
    process: ProcessModel, gates: Bool[Array, " pair"], durations: Float[Array, " pair"], n_doublings: int, n_steps: int
) -> Transition | Flow:
    """Return the transitions of a linear field, or the flows of one that is not, over (gate, duration) pairs."""
    if process.nonlinear is None:
        return transitions(process, gates, durations, n_doublings)
    return flows(process, gates, durations, n_doublings, n_steps)


def flow(
    process: ProcessModel, steps: Flow, state: Float[Array, "state ..."], shocks: Float[Array, "step state ..."]
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
    if process.nonlinear is None:
        raise ValueError("a linear field has exact transitions and needs no steps")
    nonlinear, shift = process.nonlinear, steps.step.shift.reshape(-1, *[1] * (state.ndim - 1))

    def apply(matrix: Array, values: Array) -> Array:
        return jnp.tensordot(matrix, values, 1)

    def move(state: Array, shock: Array) -> tuple[Array, None]:
        before = nonlinear.drift(state, steps.gate)
        rough = apply(steps.step.matrix, state) + shift + apply(steps.response, before)
        after = nonlinear.drift(rough, steps.gate)
        return rough + apply(steps.response, after - before) / 2 + shock, None

    return jax.lax.scan(move, state, shocks)[0]


def _moved(process: ProcessModel, gates: Array, durations: Array, n_doublings: int, push: Array) -> Transition:
    """Return transitions whose ``shift`` has a column for each column of constant pushes, which differ by gate."""
    drifts = process.always + jnp.array([0.0, 1.0])[:, None, None] * process.session - jnp.diag(process.decay)
    found: Any = _exact(drifts, process.noise, push, gates, durations, jnp.array([n_doublings]))
    return Transition(*found)  # custom_vjp forgets the types


@jax.custom_vjp
def _exact(drifts: Array, noise: Array, push: Array, gates: Array, durations: Array, most: Array) -> Any:  # noqa: ANN401
    """Return matrices, noise and shifts; they are differentiated by drift, noise and push, not by the durations."""
    count, (n, columns) = len(durations), push.shape[1:]
    results = doubles(count, n, n), doubles(count, n, n), doubles(count, n, columns)
    return kernel("transitions", results, drifts, noise, push, gates, durations, most)


def _forth(*given: Array) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    return _exact(*given), given


def _back(given: tuple[Array, ...], slopes: tuple[Array, ...]) -> tuple[Array, ...]:
    results = tuple(doubles(*part.shape) for part in given[:3])
    nothing: Any = [np.zeros(part.shape, jax.dtypes.float0) for part in (given[3], given[5])]
    found = kernel("transitions_back", results, *given, *slopes)
    return (*found, nothing[0], jnp.zeros(given[4].shape), nothing[1])


_exact.defvjp(_forth, _back)
