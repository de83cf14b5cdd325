"""Integrate a system through segments of constant gate, whatever its stiffness, for all dyads at once.

Exponential time differencing: the own decay of each state is solved exactly, the rest by a fourth-order scheme
(Krogstad 2005) with an embedded third-order error estimate (Whalen, Brio & Moloney 2015) and a probe of the push.
Oxytocin lasts minutes and a gap lasts days; since its decay is exact, steps grow to the pace of what is slow as soon
as it is gone.
"""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from dyadloop.model import Modes, System, modes_of
from dyadloop.model.system import Gate, differs
from dyadloop.simulation.chances import Chances, Fate
from dyadloop.simulation.noise import walk
from dyadloop.simulation.phi import doubled, phi_functions

Phis = tuple[Array, Array, Array, Array]
Step = Callable[..., tuple[Array, Array, Array]]

_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 5.0
_ORDER = 4.0
_UNSEEN = 0.1  # weight of what only a fourth point of the push shows; an error of the tolerance or less results
MAX_STEPS = 20_000
OK, NOT_FINITE, TOO_MANY_STEPS = 0, 1, 2
STATUS = {OK: "ok", NOT_FINITE: "not finite", TOO_MANY_STEPS: "too many steps"}
"""What became of a dyad, by code."""


class Segments(NamedTuple):
    """Stretches of constant gate that all dyads go through in order, each at its own length.

    Attributes
    ----------
    in_session
        Whether a session runs, per segment.
    durations
        Lengths, 0 where a dyad has no such segment [d].
    jumps
        What is added to the state at the start of each segment [state unit].
    opens, first
        Whether a segment begins a session, and whether that is the first one, per segment.
    """

    in_session: Bool[Array, " segment"]
    durations: Float[Array, "segment dyad"]
    jumps: Float[Array, "segment state dyad"]
    opens: Bool[Array, " segment"]
    first: Bool[Array, " segment"]


class Adaptive(eqx.Module):
    """Steps as the tolerance asks, relative to 1 + |state|; no noise."""

    tolerance: float


class Noisy(eqx.Module):
    """Fixed steps with noise: step sizes in a session and in a gap, as shares of the segment."""

    session: Float[Array, " session_step"]
    gap: Float[Array, " gap_step"]


class Course(NamedTuple):
    """States at the end of each segment, what chance did until then, and how each dyad fared."""

    states: Float[Array, "segment state dyad"]
    fates: Fate
    status: Int[Array, " dyad"]
    steps: Int[Array, " dyad"]


def _step(
    system: System, modes: Modes, gate: Gate, decay: Array, state: Array, push: Array, h: Array, pinned: Array | None
) -> tuple[Array, Array, Array]:
    """Return the state after a step, its push, and the error estimate.

    a, b, c are the stages and b1, b23, b4 the weights of Krogstad's scheme.
    """
    quarter, half, (e, f1, f2, f3) = _exponentials(decay, h)
    e_half, f1_half, f2_half, _ = half
    rough = e_half * state + (h / 2) * f1_half * push
    push_a = modes.push(system, rough, gate, pinned)
    push_b = modes.push(system, rough + h * f2_half * (push_a - push), gate, pinned)
    push_c = modes.push(system, e * state + h * (f1 * push + 2 * f2 * (push_b - push)), gate, pinned)
    b1, b23, b4 = f1 - 3 * f2 + 4 * f3, 2 * f2 - 4 * f3, 4 * f3 - f2
    new = e * state + h * (b1 * push + b23 * (push_a + push_b) + b4 * push_c)
    push_new = modes.push(system, new, gate, pinned)
    middle = (push_a + push_b) / 2
    probe, expected = _probe(quarter, state, h, push, middle, push_c)
    unseen = modes.push(system, probe, gate, pinned) - expected
    return new, push_new, jnp.maximum(jnp.abs(h * b4 * (push_new - push_c)), _UNSEEN * h * f1 * jnp.abs(unseen))


def _exponentials(decay: Array, h: Array) -> tuple[Phis, Phis, Phis]:
    """Return the exponential functions of a quarter of a step, half of it, and all of it."""
    quarter = phi_functions(-decay * h / 4)
    half = doubled(quarter)
    return quarter, half, doubled(half)


def _probe(quarter: Phis, state: Array, h: Array, push: Array, middle: Array, end: Array) -> tuple[Array, Array]:
    """Return the state a quarter into a step and the push that the step takes to act there.

    The scheme takes the push to be a parabola through start, middle and end. What it misses where a state is driven by
    one that is solved exactly shows only at a fourth point.
    """
    slope, bend = -3 * push + 4 * middle - end, 2 * push - 4 * middle + 2 * end
    e, f1, f2, f3 = quarter
    probe = e * state + h * (f1 * push / 4 + f2 * slope / 16 + f3 * bend / 32)
    return probe, push + slope / 4 + bend / 16


def _compact_step(
    system: System, modes: Modes, gate: Gate, decay: Array, state: Array, push: Array, h: Array, pinned: Array | None
) -> tuple[Array, Array, Array]:
    """Do as :func:`_step` with the equations written once, in a loop over stages.

    Compiles several times faster and runs slower: right where a derivative through the steps is compiled as well.
    """
    quarter, (e_half, f1_half, f2_half, _), (e, f1, f2, f3) = _exponentials(decay, h)
    zero = jnp.zeros_like(f1)
    b1, b23, b4 = f1 - 3 * f2 + 4 * f3, 2 * f2 - 4 * f3, 4 * f3 - f2
    bases = jnp.stack([e_half, e_half, e, e, quarter[0]])
    # the quarter's state is a combination of the same pushes, the middle one being the mean of the second and third
    f1q, f2q, f3q = quarter[1] / 4, quarter[2] / 16, quarter[3] / 32
    rows = (
        (f1_half / 2, zero, zero, zero),
        (f1_half / 2 - f2_half, f2_half, zero, zero),
        (f1 - 2 * f2, zero, 2 * f2, zero),
        (b1, b23, b23, b4),
        (f1q - 3 * f2q + 2 * f3q, 2 * f2q - 2 * f3q, 2 * f2q - 2 * f3q, 2 * f3q - f2q),
    )
    weights = jnp.stack([jnp.stack(row) for row in rows])

    def stage(index: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
        pushes, reached = carry
        here = bases[index] * state + h * jnp.sum(weights[index] * pushes[:4], axis=0)
        return pushes.at[index + 1].set(modes.push(system, here, gate, pinned)), jnp.where(index < 4, here, reached)

    pushes = jnp.concatenate([push[None], jnp.zeros((5, *push.shape))])
    pushes, new = jax.lax.fori_loop(0, 5, stage, (pushes, state))
    _, expected = _probe(quarter, state, h, push, (pushes[1] + pushes[2]) / 2, pushes[3])
    unseen = _UNSEEN * h * f1 * jnp.abs(pushes[5] - expected)
    return new, pushes[4], jnp.maximum(jnp.abs(h * b4 * (pushes[4] - pushes[3])), unseen)


def _advance(
    system: System,
    modes: Modes,
    gate: Gate,
    decay: Array,
    state: Array,
    duration: Array,
    guess: Array,
    tolerance: float | Array,
    step: Step = _step,
) -> tuple[Array, Array, Array]:
    """Return the states after one segment, the steps taken, and the last step size that was not cut short [d]."""

    def busy(carry: tuple) -> Array:
        _, _, left, _, steps = carry
        return jnp.any((left > 0) & (steps < MAX_STEPS))

    def move(carry: tuple) -> tuple:
        state, push, left, size, steps = carry
        going = (left > 0) & (steps < MAX_STEPS)
        cut = size >= left
        h = jnp.where(going, jnp.where(cut, left, size), 0.0)
        pinned = None
        if system.has_floors:  # what stays at its floor is decided once per step, so that each step is smooth
            pinned = system.at_floor(modes.to_states(state), gate)
            push = modes.push(system, state, gate, pinned)
        new, push_new, error = step(system, modes, gate, decay, state, push, h, pinned)
        if pinned is not None:
            missed = system.missed_floor(modes.to_states(new), gate, pinned, h)
            error = jnp.maximum(jnp.abs(error), jnp.where(going, missed, 0.0))
        ratio = jnp.max(jnp.abs(error) / (tolerance * (1.0 + jnp.abs(new))), axis=0)
        failed = ~jnp.isfinite(ratio)
        taken = going & ((ratio <= 1.0) | failed)  # what is no longer finite goes through as NaN, to be reported
        factor = jnp.clip(
            _SAFETY * jnp.where(failed, 1.0, jnp.maximum(ratio, 1e-10)) ** (-1.0 / _ORDER), _SHRINK, _GROW
        )
        grown = jnp.where(cut & taken, jnp.maximum(size, h * factor), h * factor)
        size = jnp.where(going, jnp.where(failed, left, grown), size)
        left = jnp.where(taken, jnp.where(cut | failed, 0.0, left - h), left)
        return (
            jnp.where(taken, jnp.where(failed, jnp.nan, new), state),
            jnp.where(taken, push_new, push),
            left,
            jax.lax.stop_gradient(size),
            steps + going,
        )

    first = (state, modes.push(system, state, gate), duration, guess, jnp.zeros(duration.shape, dtype=int))
    state, _, _, size, steps = jax.lax.while_loop(busy, move, first)
    return state, steps, size


@eqx.filter_jit
def carried(
    system: System, gate: bool, state: Float[Array, "state case"], span_days: Array, tolerance: float
) -> Float[Array, "state case"]:
    """Return states after a stretch of constant gate."""
    modes = modes_of(system)
    cases = state.shape[1]
    decay = jnp.stack([jnp.broadcast_to(d, (cases,)) for d in modes.decay])
    guess = 0.1 / jnp.maximum(jnp.max(decay, axis=0), 1e-6)
    span = jnp.broadcast_to(span_days, (cases,))
    moved, *_ = _advance(system, modes, gate, decay, modes.to_modes(state), span, guess, tolerance, _compact_step)
    return modes.to_states(moved)


def interval_map(
    system: System, state: Float[Array, "state case"], session_days: Array, gap_days: Array, tolerance: float | Array
) -> Float[Array, "state case"]:
    """Return states after a session and the gap that follows it; can be differentiated forward."""
    modes = modes_of(system)
    cases = state.shape[1]
    decay = jnp.stack([jnp.broadcast_to(d, (cases,)) for d in modes.decay])
    guess = 0.1 / jnp.maximum(jnp.max(decay, axis=0), 1e-6)

    def through(inner: Array, segment: tuple[Array, Array]) -> tuple[Array, None]:
        gate, duration = segment
        span = jnp.broadcast_to(duration, (cases,))
        moved, *_ = _advance(system, modes, gate, decay, inner, span, guess, tolerance, _compact_step)
        return moved, None

    segments = (jnp.array([1.0, 0.0]), jnp.stack([session_days, gap_days]))
    return modes.to_states(jax.lax.scan(through, modes.to_modes(state), segments)[0])


def integrate(
    system: System,
    start: Float[Array, "state dyad"],
    segments: Segments,
    chances: Chances,
    method: Adaptive | Noisy,
    key: Array,
) -> Course:
    """Return the states of all dyads at the end of each segment.

    Parameters
    ----------
    system
        Theory with numbers; a number may be an array over dyads.
    start
        States, state by dyad.
    segments
        Gates, durations, jumps and starts of sessions [d].
    chances
        What is left to chance at the start of a session.
    method
        Adaptive steps without noise, or fixed steps with it.
    key
        JAX random key.
    """
    n_dyads = start.shape[1]
    modes = modes_of(system)
    decay = jnp.stack([jnp.broadcast_to(d, (n_dyads,)) for d in modes.decay])
    if not any(differs(d) for d in modes.decay):
        decay = decay[:, :1]  # one set of exponentials serves all dyads
    quickest = 0.1 / jnp.maximum(jnp.max(decay, axis=0), 1e-6) + jnp.zeros(n_dyads)

    def move(gate: bool, state: Array, duration: Array, guess: Array, key: Array) -> tuple[Array, Array, Array]:
        inner = modes.to_modes(state)
        if isinstance(method, Adaptive):
            inner, steps, guess = _advance(system, modes, gate, decay, inner, duration, guess, method.tolerance)
        else:
            shares = method.session if gate else method.gap
            shocks = jax.random.normal(key, (len(shares), *state.shape))
            inner = walk(system, modes, gate, decay, inner, shares[:, None] * duration, shocks)
            steps = jnp.full(n_dyads, len(shares))
        return modes.to_states(inner), steps, guess

    def through(carry: tuple, segment: tuple) -> tuple[tuple, tuple]:
        state, sizes, before, status, steps, fate = carry
        (in_session, duration, jump, opens, first), key = segment
        key_chance, key_noise = jax.random.split(key)
        state = state + jump
        if chances.any:
            struck = chances.strike(system, key_chance, state, fate, first)
            state, fate = jax.tree.map(lambda new, old: jnp.where(opens, new, old), struck, (state, fate))
        index = in_session.astype(int)
        # where the gate or an event has changed something, what is fast may begin again
        smooth = (index == before) & ~jnp.any(jump != 0.0) & ~(opens & chances.any)
        sizes = jnp.where(smooth, sizes, jnp.minimum(sizes, quickest))
        moved, used, size = jax.lax.switch(
            jnp.where(jnp.any(duration > 0), index, 2),
            (
                lambda: move(False, state, duration, sizes[0], key_noise),
                lambda: move(True, state, duration, sizes[1], key_noise),
                lambda: (state, zero, sizes[index]),  # an empty segment
            ),
        )
        sizes = sizes.at[index].set(size)
        finite = jnp.all(jnp.isfinite(moved), axis=0)
        status = jnp.where((status == OK) & ~finite, NOT_FINITE, status)
        status = jnp.where((status == OK) & (used >= MAX_STEPS), TOO_MANY_STEPS, status)
        return (moved, sizes, index, status, steps + used, fate), (moved, fate)

    zero = jnp.zeros(n_dyads, dtype=int)
    begin = (start, jnp.stack([quickest, quickest]), jnp.asarray(2), zero, zero, chances.begin(n_dyads))
    keys = jax.random.split(key, len(segments.in_session))
    (*_, status, steps, _), (states, fates) = jax.lax.scan(through, begin, (segments, keys))
    return Course(states, fates, status, steps)
