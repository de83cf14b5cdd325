"""The loops of a theory for its users: gains, reciprocity, spill-over, loop gain."""

from collections.abc import Mapping

import jax.numpy as jnp
import numpy as np
import xarray as xr
from scipy.linalg import expm

from dyadloop.dynamics.compiled import Compiled, compiled
from dyadloop.dynamics.fixed_points import settled
from dyadloop.dynamics.linear import SessionSchedule
from dyadloop.dynamics.mode_gains import gain_matrix_at, return_ratio
from dyadloop.dynamics.session_loop import calendar_point, closed_form, in_session_state, map_at, session_loop_gains
from dyadloop.errors import StateError
from dyadloop.model import System, kinks_at
from dyadloop.theory import Theory


def gains(
    theory: Theory,
    *,
    at: Mapping[str, float] | None = None,
    in_session: bool = True,
    cut: tuple[str, ...] = ("oxytocin",),
    values: Mapping[str, float] | None = None,
) -> xr.Dataset:
    """Return the gain matrix of a theory at a state and what follows from it.

    Gains are those of a session that never ends, which overstates the loop of a real calendar: read them beside
    :func:`dyadloop.session_map`.

    Parameters
    ----------
    theory
        Any theory.
    at
        State by id [state unit]. States not named are where the theory settles: at the equilibrium found from the
        levels or, where something acts in session only, at the start of a session of the calendar it has settled
        into, with oxytocin at its drive. (A session that really never ended would saturate everything.)
    in_session
        Whether a session runs.
    cut
        Kinds or variables at which the loop is cut.
    values
        Parameter values that replace those of the theory file.

    Returns
    -------
    xarray.Dataset
        ``gain`` (target, source); ``spill_over`` (target, source), (I - K)^-1, the lasting response to a lasting
        unit push; ``continuous_loop_gain`` and ``root``, its square root; ``radius``, the spectral radius of K (equal
        to the root in a pure hub); per state ``reciprocity`` k_o<-k k_k<-o with its ``share`` of the loop gain and
        ``antisymmetry``; ``amplification`` 1 / (1 - loop gain), infinite from a loop gain of 1 on. No units. The
        attribute ``kinks`` names forms with a kink just at this state: their gains are those on its right.

    Raises
    ------
    StateError
        If the state is not finite or not known, or the theory has nothing to cut.

    Examples
    --------
    >>> found = dl.gains(dl.read_theory("hub"))
    >>> round(float(found["continuous_loop_gain"]), 3)
    0.394
    """
    model = compiled(theory, values)
    system = model.system()
    return _gains_at(model, system, _state(model, system, at, in_session), in_session, cut)


def gains_of_calendar(theory: Theory, *, values: Mapping[str, float] | None = None) -> tuple[xr.Dataset, xr.Dataset]:
    """Return what :func:`gains` and :func:`dyadloop.session_map` tell, from one search for the fixed point.

    Parameters
    ----------
    theory
        A theory with a protocol.
    values
        Parameter values that replace those of the theory file.

    Raises
    ------
    StateError
        If no fixed point is found, or the theory has no oxytocin.
    """
    model = compiled(theory, values)
    system, schedule = model.system(), model.schedule
    point, matrices = calendar_point(model, system, schedule)
    state = in_session_state(model, system, point[:, 0]) if model.is_gated else settled(model, system, True)
    found = _gains_at(model, system, np.asarray(state), True, ("oxytocin",))
    return found, map_at(model, system, schedule, point, matrices)


def _gains_at(model: Compiled, system: System, state: np.ndarray, in_session: bool, cut: tuple[str, ...]) -> xr.Dataset:
    """Return what :func:`gains` tells, at a state."""
    matrix = np.asarray(gain_matrix_at(system, jnp.asarray(state), in_session))
    places = model.states_of(cut)
    with np.errstate(invalid="ignore", divide="ignore"):
        loop = return_ratio(matrix, places)
        into, out = matrix[places, :], matrix[:, places].T
        reciprocity = np.where(np.isin(np.arange(len(matrix)), places), np.nan, (into * out).sum(axis=0))
        asymmetry = (into.sum(axis=0) - out.sum(axis=0)) / (into.sum(axis=0) + out.sum(axis=0))
        spill = (
            np.linalg.inv(np.eye(len(matrix)) - matrix) if np.isfinite(matrix).all() else np.full_like(matrix, np.nan)
        )
        radius = np.abs(np.linalg.eigvals(matrix)).max() if np.isfinite(matrix).all() else np.nan
        share = reciprocity / loop if loop != 0 else np.full_like(reciprocity, np.nan)
    names = list(model.plan.names)
    return xr.Dataset(
        {
            "gain": (("target", "source"), matrix),
            "spill_over": (("target", "source"), spill),
            "reciprocity": ("target", reciprocity),
            "share": ("target", share),
            "antisymmetry": ("target", np.where(np.isnan(reciprocity), np.nan, asymmetry)),
            "continuous_loop_gain": loop,
            "root": np.sqrt(loop) if loop >= 0 else np.nan,
            "radius": radius,
            "amplification": 1.0 / (1.0 - loop) if loop < 1.0 else np.inf,
            "state": ("target", state),
        },
        coords={"target": names, "source": names},
        attrs={
            "theory": model.plan.theory.id,
            "in_session": int(in_session),
            "cut": ", ".join(cut),
            "kinks": "; ".join(kinks_at(system, jnp.asarray(state), in_session)),
        },
    )


def _state(model: Compiled, system: System, at: Mapping[str, float] | None, in_session: bool) -> np.ndarray:
    named = dict(at or {})
    if set(named) >= set(model.plan.names):
        state = np.array([named[name] for name in model.plan.names], dtype=float)
    else:
        state = np.array(_usual(model, system, in_session))
        for name, value in named.items():
            state[model.states_of((name,))] = value
    bad = [name for name, value in zip(model.plan.names, state, strict=True) if not np.isfinite(value)]
    if bad:
        raise StateError(f"{', '.join(bad)}: the state is not finite; give numbers")
    return state


def _usual(model: Compiled, system: System, in_session: bool) -> np.ndarray:
    if not (in_session and model.is_gated and model.plan.theory.protocol is not None):
        return settled(model, system, in_session)
    point, _ = calendar_point(model, system, model.schedule)
    return np.array(in_session_state(model, system, point[:, 0]))


def loop_gain(
    theory: Theory, *, values: Mapping[str, float] | None = None, cut: tuple[str, ...] = ("oxytocin",)
) -> dict[str, float]:
    """Return the loop gains of a theory at the values of its file.

    A push on oxytocin comes back amplified by 1 / (1 - gain); at 1 the cycle sustains itself.

    Parameters
    ----------
    theory
        Any theory.
    values
        Parameter values that replace those of the theory file.
    cut
        Kinds or variables at which the loop is cut.

    Returns
    -------
    dict[str, float]
        ``continuous_loop_gain``, the return ratio cut at oxytocin with the gains of a session that never ends, and its
        ``root``, which equals the spectral radius of the gain matrix in a pure hub; with a protocol also
        ``session_loop_gain``, L_W at the fixed point of the calendar, and its ``closed_form``. No units.

    Raises
    ------
    StateError
        If there is no equilibrium or fixed point, or nothing to cut.

    References
    ----------
    .. [1] Eckert & Schandro (2025). doi:10.3389/fpsyt.2025.1659841 asserts the loop, not these numbers.

    Examples
    --------
    >>> gain = dl.loop_gain(dl.read_theory("framework_linear"))
    >>> {name: round(value, 3) for name, value in gain.items()}
    {'continuous_loop_gain': 240.518, 'root': 15.509, 'session_loop_gain': 0.717, 'closed_form': 0.328}
    """
    if cut == ("oxytocin",) and theory.protocol is not None and not theory.active().nonlinear:
        return _exact(compiled(theory, values))
    if cut != ("oxytocin",) or theory.protocol is None:
        found = gains(theory, values=values, cut=cut)
        return {name: float(found[name]) for name in ("continuous_loop_gain", "root")}
    return _calendar(compiled(theory, values))


def _calendar(model: Compiled) -> dict[str, float]:
    """Return the loop gains of a theory with a protocol, whose fixed point is found once."""
    system, schedule, places = model.system(), model.schedule, model.states_of(("oxytocin",))
    point, matrices = calendar_point(model, system, schedule)
    state = in_session_state(model, system, point[:, 0]) if model.is_gated else settled(model, system)
    matrix = np.asarray(gain_matrix_at(system, jnp.asarray(state), True))
    built, _ = closed_form(model, system, schedule, point[:, 0])
    with np.errstate(invalid="ignore", divide="ignore"):
        gain = return_ratio(matrix, places)
    return {
        "continuous_loop_gain": gain,
        "root": float(np.sqrt(gain)) if gain >= 0 else float("nan"),
        "session_loop_gain": float(session_loop_gains(system, schedule, point, matrices)[0]),
        "closed_form": float(built.sum()),
    }


def _exact(model: Compiled) -> dict[str, float]:
    """Return the loop gains of a linear theory, which need no search and no integration."""
    system, schedule = model.system(), model.schedule
    decay = np.array([float(value) for value in system.decay])
    always, session = (np.asarray(matrix)[:, : len(decay)] for matrix in (system.always, system.session))
    oxytocin = [index for index, kind in enumerate(system.kinds) if kind == "oxytocin"]
    has_loop = 0 < len(oxytocin) < len(decay)
    gain = return_ratio((always + session) / decay[:, None], oxytocin) if has_loop else 0.0
    kept = np.where(np.isin(np.arange(len(decay)), oxytocin), 0.0, 1.0)
    whole, rest = (_linear_map(decay, always * mask, session * mask, schedule) for mask in (1.0, kept))
    eye = np.eye(len(decay))
    settles = np.abs(np.linalg.eigvals(rest)).max() < 1.0
    real = 1.0 - np.linalg.det(eye - whole) / np.linalg.det(eye - rest) if settles else np.nan
    built, _ = closed_form(model, system, schedule, np.zeros(len(decay)))
    return {
        "continuous_loop_gain": gain,
        "root": float(np.sqrt(gain)) if gain >= 0 else float("nan"),
        "session_loop_gain": float(real),
        "closed_form": float(built.sum()),
    }


def _linear_map(decay: np.ndarray, always: np.ndarray, session: np.ndarray, schedule: SessionSchedule) -> np.ndarray:
    """Return the map of deviations from one session start to the next."""
    gap = expm((always - np.diag(decay)) * (schedule.interval_days - schedule.session_days))
    return gap @ expm((always + session - np.diag(decay)) * schedule.session_days)
