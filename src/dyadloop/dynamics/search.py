"""Search for where systems stand still: many starts at once, with one compiled program for residual and slope."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dyadloop.model import System

Evaluate = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""From states (case, state) to residuals (case, state) and their derivatives (case, state, state)."""

_ITERATIONS = 400
_DAMPING, _LESS, _MORE = 1e-2, 0.2, 5.0  # of Levenberg and Marquardt: at first, after a success, after a failure
_LEAST, _MOST = 1e-14, 1e12
_STILL = 1e-14
_POLISHES = 2
_COURSE_STEPS = 160
_FIRST_STEP = 0.02  # of a course, relative to the fastest time constant


def residual(system: System, state: Float[Array, " state"], gate: bool, scale: Array) -> Float[Array, " state"]:
    """Return how far each state is from standing still [state unit].

    A state at its floor stands still where everything pushes it down.
    """
    lower = jnp.array([-jnp.inf if node.lower is None else node.lower for node in system.nodes[: system.n_states]])
    held = jnp.array([jnp.nan if node.clamped is None else node.clamped for node in system.nodes[: system.n_states]])
    moved = jnp.maximum(state + system.drift(state, gate, floors=False) * scale, lower) - state
    return jnp.where(jnp.isnan(held), moved, held - state)


def _with_slope(system: System, state: Array, gate: bool, scale: Array) -> tuple[Array, Array]:
    def both(at: Array) -> tuple[Array, Array]:
        wrong = residual(system, at, gate, scale)
        return wrong, wrong

    slope, wrong = jax.jacfwd(both, has_aux=True)(state)
    return wrong, slope


@eqx.filter_jit
def _one_system(system: System, states: Array, gate: bool, scale: Array) -> tuple[Array, Array]:
    return jax.vmap(lambda state: _with_slope(system, state, gate, scale))(states)


@eqx.filter_jit
def _own_systems(systems: System, states: Array, gate: bool, scale: Array) -> tuple[Array, Array]:
    return jax.vmap(lambda system, state: _with_slope(system, state, gate, scale))(systems, states)


def evaluator(systems: System, gate: bool, scale: Array, *, own: bool = False, size: int = 1) -> Evaluate:
    """Return what gives residuals and slopes of states: all under one system, or each under its ``own``.

    States are filled up to ``size``, so that one program does for fewer.
    """
    program = _own_systems if own else _one_system

    def evaluate(states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        filled = states if own else states[np.resize(np.arange(len(states)), max(size, len(states)))]
        wrong, slope = program(systems, jnp.asarray(filled), gate, scale)
        return np.asarray(wrong)[: len(states)], np.asarray(slope)[: len(states)]

    return evaluate


def solved(
    evaluate: Evaluate, begin: Float[np.ndarray, "case state"]
) -> tuple[Float[np.ndarray, "case state"], Float[np.ndarray, " case"]]:
    """Return where the search of Levenberg and Marquardt ends from each start, and how far that is from standing still.

    Full Newton steps polish what is already close.
    """
    state = np.array(begin, dtype=float)
    wrong, slope = evaluate(state)
    damping = np.full(len(state), _DAMPING)
    for _ in range(_ITERATIONS):
        trial = state - _damped(wrong, slope, damping)
        trial_wrong, trial_slope = evaluate(trial)
        better = _size(trial_wrong) < _size(wrong)
        moved = np.max(np.abs(trial - state) / (1.0 + np.abs(state)), axis=1, initial=0.0)
        state = np.where(better[:, None], trial, state)
        wrong = np.where(better[:, None], trial_wrong, wrong)
        slope = np.where(better[:, None, None], trial_slope, slope)
        damping = np.clip(damping * np.where(better, _LESS, _MORE), _LEAST, _MOST)
        if not np.any((_size(wrong) > _STILL) & (damping < _MOST) & (moved > _STILL)):
            break
    for _ in range(_POLISHES):
        step = np.stack([_newton(one, two) for one, two in zip(wrong, slope, strict=True)])
        trial_wrong, trial_slope = evaluate(state - step)
        better = _size(trial_wrong) < _size(wrong)
        state = np.where(better[:, None], state - step, state)
        wrong = np.where(better[:, None], trial_wrong, wrong)
        slope = np.where(better[:, None, None], trial_slope, slope)
    return state, np.max(np.abs(wrong) / (1.0 + np.abs(state)), axis=1, initial=0.0)


def _size(wrong: np.ndarray) -> np.ndarray:
    size = np.linalg.norm(wrong, axis=1)
    return np.where(np.isfinite(size), size, np.inf)


def _damped(wrong: np.ndarray, slope: np.ndarray, damping: np.ndarray) -> np.ndarray:
    """Return the damped Gauss-Newton steps, 0 where a slope is not finite."""
    fine = np.asarray(np.isfinite(wrong).all(axis=1) & np.isfinite(slope).all(axis=(1, 2)))
    safe = np.where(fine[:, None, None], slope, np.eye(slope.shape[1]))
    square = np.swapaxes(safe, 1, 2) @ safe
    own = np.einsum("cii->ci", square)
    own = np.maximum(own, 1e-12 * np.maximum(own.max(axis=1, keepdims=True), 1e-12))
    square = square + damping[:, None, None] * own[:, :, None] * np.eye(slope.shape[1])
    aim = np.swapaxes(safe, 1, 2) @ np.where(fine[:, None], wrong, 0.0)[..., None]
    return np.linalg.solve(square, aim)[..., 0]


def _newton(wrong: np.ndarray, slope: np.ndarray) -> np.ndarray:
    if not (np.isfinite(wrong).all() and np.isfinite(slope).all()):
        return np.zeros_like(wrong)
    return np.linalg.lstsq(slope, wrong, rcond=None)[0]


def gone(
    evaluate: Evaluate, begin: Float[np.ndarray, "case state"], scale: Float[np.ndarray, " state"], span_days: float
) -> Float[np.ndarray, "case state"]:
    """Return roughly where courses from some states have gone after a time [d], in growing linearly implicit steps.

    Good enough to find what attracts; cycles are damped.
    """
    first = _FIRST_STEP * float(scale.min())
    growth = _growth(span_days / first)
    state, step = np.array(begin, dtype=float), first
    for _ in range(_COURSE_STEPS):
        wrong, slope = evaluate(state)
        share = (step / scale)[:, None]
        matrix = np.eye(len(scale)) - share * np.nan_to_num(slope)
        state = state + np.linalg.solve(matrix, (share[:, 0] * np.nan_to_num(wrong))[..., None])[..., 0]
        step *= growth
    return state


def _growth(ratio: float) -> float:
    """Return by how much each step is longer than the last, so that all together are ``ratio`` first ones."""
    low, high = 1.0 + 1e-9, 10.0
    for _ in range(80):
        middle = (low + high) / 2
        # compared by logarithms: ten to the number of steps is no number
        more = _COURSE_STEPS * np.log(middle) + np.log1p(-(middle**-_COURSE_STEPS)) > np.log(ratio * (middle - 1.0))
        low, high = (low, middle) if more else (middle, high)
    return high


def spread_out(n_points: int, n_axes: int, seed: int) -> Float[np.ndarray, "point axis"]:
    """Return points that fill the unit cube evenly: multiples of the generalised golden ratio, shifted at random.

    Even enough for starts, and without the second that a package with better sequences takes to import.

    References
    ----------
    .. [1] Marohnic & Strmecki (2013), plastic number: construction and applications. Niederreiter (1992), Random
       Number Generation and Quasi-Monte Carlo Methods, chapter 3 (Kronecker sequences).
    """
    ratio = 2.0
    for _ in range(64):  # the root of ratio^(n_axes + 1) = ratio + 1
        ratio = (1.0 + ratio) ** (1.0 / (n_axes + 1))
    steps = ratio ** -np.arange(1.0, n_axes + 1)
    shift = np.random.default_rng(seed).random(n_axes)
    return (shift + np.arange(1, n_points + 1)[:, None] * steps) % 1.0
