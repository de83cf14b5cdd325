"""From session to session: the map over one interval, its fixed point, its multipliers and its loop gain."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from dyadloop.dynamics.compiled import Compiled, compiled
from dyadloop.dynamics.linear import SessionSchedule
from dyadloop.dynamics.mode_gains import gain_matrix_at
from dyadloop.errors import StateError
from dyadloop.model import System
from dyadloop.simulation.integrate import interval_map
from dyadloop.theory import Theory
from dyadloop.units import duration

_TOLERANCE, _SOLVED = 1e-10, 1e-9
_ROUGH_TOLERANCE, _NEARLY = 1e-5, 1e-4  # to come near costs a tenth of a step at the full tolerance
_ITERATIONS = 30


def interval(
    system: System, schedule: SessionSchedule, state: Float[Array, "state case"]
) -> Float[Array, "state case"]:
    """Return states at the next session start, given those at this one."""
    lengths = jnp.asarray(schedule.session_days), jnp.asarray(schedule.interval_days - schedule.session_days)
    return interval_map(system, state, *lengths, _TOLERANCE)


@eqx.filter_jit
def _mapped(
    system: System, session_days: Array, gap_days: Array, state: Array, tolerance: Array
) -> tuple[Array, Array]:
    def moved(push: Array) -> tuple[Array, Array]:
        after = interval_map(system, state + push[:, None], session_days, gap_days, tolerance)
        return after, after

    matrix, after = jax.jacfwd(moved, has_aux=True)(jnp.zeros(state.shape[0]))
    return after, jnp.moveaxis(matrix, 1, 0)


def linearised(
    system: System, schedule: SessionSchedule, state: Float[Array, "state case"], tolerance: float = _TOLERANCE
) -> tuple[Float[np.ndarray, "state case"], Float[np.ndarray, "case state state"]]:
    """Return the states at the next session start and the derivative of the map, for each case."""
    lengths = jnp.asarray(schedule.session_days), jnp.asarray(schedule.interval_days - schedule.session_days)
    after, matrix = _mapped(system, *lengths, jnp.asarray(state), jnp.asarray(tolerance))
    return np.asarray(after), np.asarray(matrix)


def fixed_points(
    system: System, schedule: SessionSchedule, start: Float[Array, "state case"]
) -> tuple[Float[np.ndarray, "state case"], Float[np.ndarray, "case state state"]]:
    """Return the state at session starts to which each case would settle, and the derivative of the map there.

    Newton's method from ``start``, first with rough steps; NaN where it has not settled.
    """
    begin = np.asarray(start)
    near, _, wrong = _newton(system, schedule, begin, _ROUGH_TOLERANCE, _NEARLY)
    near = np.where(wrong <= _NEARLY, near, begin)
    state, matrix, wrong = _newton(system, schedule, near, _TOLERANCE, _SOLVED)
    return np.where(wrong <= _SOLVED, state, np.nan), matrix


def _newton(
    system: System, schedule: SessionSchedule, start: np.ndarray, tolerance: float, enough: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return states, the derivative of the map one step before, and the size of the last step, for each case."""
    state, n = start, len(start)
    wrong, matrix = np.full(start.shape[1], np.inf), np.full((start.shape[1], n, n), np.nan)
    for _ in range(_ITERATIONS):
        after, matrix = linearised(system, schedule, jnp.asarray(state), tolerance)
        step = np.linalg.solve(matrix - np.eye(n), (after - state).T[..., None])[..., 0].T
        reach = 2.0 * (1.0 + np.abs(state))
        state = state - np.clip(step, -reach, reach)
        wrong = np.max(np.abs(step) / (1.0 + np.abs(state)), axis=0)
        if not np.nanmax(wrong, initial=0.0) > enough:
            break
    return state, matrix, wrong


def session_loop_gains(
    system: System,
    schedule: SessionSchedule,
    state: Float[np.ndarray, "state case"],
    whole: Float[np.ndarray, "case state state"],
) -> Float[np.ndarray, " case"]:
    """Return L_W = 1 - det(I - M) / det(I - M_cut) at states, with the effects of oxytocin cut in M_cut.

    Oxytocin acts on in M_cut as it does at the fixed point, only its changes do not: the point itself stays. NaN
    where the rest does not settle by itself, for then it is not oxytocin that sustains it.
    """
    eye = np.eye(system.n_states)
    _, rest = linearised(system.freeze_oxytocin(), schedule, jnp.asarray(state))
    gain = 1.0 - np.linalg.det(eye - whole) / np.linalg.det(eye - rest)
    settles = np.abs(np.linalg.eigvals(rest)).max(axis=-1) < 1.0
    return np.where(settles, gain, np.nan)


def calendar_point(
    model: Compiled, system: System, schedule: SessionSchedule
) -> tuple[Float[np.ndarray, "state 1"], Float[np.ndarray, "1 state state"]]:
    """Return the fixed point of a calendar that the levels lead to, and the derivative of the map there.

    Raises
    ------
    StateError
        If none is found, or the sessions do not fit.
    """
    if not 0 < schedule.session_days < schedule.interval_days:
        raise StateError(f"sessions of {schedule.session_days:g} d every {schedule.interval_days:g} d do not fit")
    point, matrices = fixed_points(system, schedule, model.start()[:, None])
    if not np.isfinite(point).all():
        raise StateError(f"theory {model.plan.theory.id!r}: no fixed point of its calendar was found from its levels")
    return point, matrices


def session_map(
    theory: Theory,
    *,
    every: str | None = None,
    length: str | None = None,
    values: Mapping[str, float] | None = None,
) -> xr.Dataset:
    """Return the map from one session start to the next at its fixed point, and its loop gain.

    Oxytocin is gone minutes after a session, so the loop closes only through what lasts: this is the loop gain of a
    real calendar.

    Parameters
    ----------
    theory
        A theory with sessions.
    every, length
        Distance and length of the sessions, such as ``"3.5 d"`` and ``"50 min"``; default: the theory's protocol.
    values
        Parameter values that replace those of the theory file.

    Returns
    -------
    xarray.Dataset
        ``state`` (variable), the fixed point at session starts [state unit]; ``map`` (target, source), M;
        ``multiplier_real`` and ``multiplier_imaginary`` (mode), its Floquet multipliers; ``session_loop_gain``, L_W by
        integration; ``closed_form`` with the build-up of oxytocin and ``closed_form_no_build_up`` without, the sums
        over k of d / (1 - d) w L_eff phi' dF/dz; ``term`` (target), the summands of the first; ``stable``.

    Raises
    ------
    StateError
        If no fixed point is found.
    UnitError
        If a duration is not a number and a unit of time.

    Examples
    --------
    >>> weekly, daily = (dl.session_map(dl.read_theory("framework_linear"), every=days) for days in ("7 d", "1 d"))
    >>> round(float(weekly["session_loop_gain"]), 2), round(float(daily["session_loop_gain"]), 2)
    (0.72, 5.44)
    """
    model = compiled(theory, values)
    usual = model.schedule
    schedule = SessionSchedule(
        usual.interval_days if every is None else duration(every),
        usual.session_days if length is None else duration(length),
    )
    system = model.system()
    return map_at(model, system, schedule, *calendar_point(model, system, schedule))


def map_at(
    model: Compiled,
    system: System,
    schedule: SessionSchedule,
    point: Float[np.ndarray, "state 1"],
    matrices: Float[np.ndarray, "1 state state"],
) -> xr.Dataset:
    """Return what :func:`session_map` tells, from the fixed point of a calendar and the derivative of its map there."""
    matrix = matrices[0]
    multipliers = np.linalg.eigvals(matrix)
    multipliers = multipliers[np.argsort(-np.abs(multipliers), kind="stable")]
    has_oxytocin = "oxytocin" in system.kinds
    gain = float(session_loop_gains(system, schedule, point, matrices)[0]) if has_oxytocin else np.nan
    terms, plain = closed_form(model, system, schedule, point[:, 0])
    names = list(model.plan.names)
    return xr.Dataset(
        {
            "state": ("target", point[:, 0]),
            "map": (("target", "source"), matrix),
            "multiplier_real": ("mode", multipliers.real),
            "multiplier_imaginary": ("mode", multipliers.imag),
            "session_loop_gain": gain,
            "closed_form": terms.sum(),
            "closed_form_no_build_up": plain.sum(),
            "term": ("target", terms),
            "stable": bool(np.abs(multipliers).max() < 1.0),
        },
        coords={"target": names, "source": names},
        attrs={
            "theory": model.plan.theory.id,
            "every_days": schedule.interval_days,
            "length_minutes": schedule.session_days * 1440.0,
        },
    )


def in_session_state(model: Compiled, system: System, point: np.ndarray) -> Float[Array, " state"]:
    """Return a session state: everything as at the start of a session, oxytocin settled on its drive."""
    state = jnp.asarray(point)
    if "oxytocin" not in system.kinds:
        return state
    return _on_its_drive(system, state, tuple(model.states_of(("oxytocin",))))


@eqx.filter_jit
def _on_its_drive(system: System, state: Array, states: tuple[int, ...]) -> Array:
    places = jnp.array(states)
    decay = jnp.stack([jnp.asarray(value) for value in system.decay])
    return state.at[places].set((system.push(state.at[places].set(0.0), True) / decay)[places])


def closed_form(
    model: Compiled, system: System, schedule: SessionSchedule, point: np.ndarray
) -> tuple[Float[np.ndarray, " state"], Float[np.ndarray, " state"]]:
    """Return the summands of the closed form per state, with and without the build-up of oxytocin.

    Slopes are taken where oxytocin has settled on its drive at the fixed point of everything else.
    """
    zero = np.zeros(len(point))
    if "oxytocin" not in system.kinds:
        return zero, zero
    places = model.states_of(("oxytocin",))
    state = in_session_state(model, system, point)
    decay = [float(value) for value in system.decay]
    gains = np.asarray(gain_matrix_at(system, state, True))
    rates = gains * np.array(decay)[:, None]  # but on the diagonal, which is not read
    built, full = zero.copy(), zero.copy()
    for index in range(len(point)):
        if index in places or decay[index] <= 0:
            continue
        kept = np.exp(-schedule.interval_days * decay[index])
        for place in places:
            slope = kept / (1.0 - kept) * rates[index, place] * gains[place, index]
            lag = 1.0 / decay[place]
            effective = schedule.session_days - lag * (1.0 - np.exp(-schedule.session_days / lag))
            built[index] += slope * effective
            full[index] += slope * schedule.session_days
    return built, full
