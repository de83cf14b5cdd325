"""What a linear field implies, as a fit needs it: gains, loop gain, session-to-session map, spill-over, relief."""

from dataclasses import dataclass, replace

import jax.numpy as jnp
from jaxtyping import Array, Float

from dyadloop.model import ProcessModel, doublings, transitions

_FASTEST_NORM = 5000.0  # [1/d]: time constants of minutes with couplings; finer steps cost next to nothing here


@dataclass(frozen=True)
class SessionSchedule:
    """Sessions at equal distances: interval and length [d]."""

    interval_days: float
    session_days: float


def gain_matrix(process: ProcessModel, gate: float = 1.0) -> Float[Array, "state state"]:
    """Return K = D^-1 N: the lasting change of each state per lasting unit of each other, own decay alone.

    With ``gate=1`` sessions are taken as if they never ended; see :func:`session_map` for real calendars.
    """
    return (process.always + gate * process.session) / process.decay[:, None]


def continuous_loop_gain(process: ProcessModel, gate: float = 1.0) -> Float[Array, ""]:
    """Return the oxytocin loop gain L = 1 - det(I - K) / det(I - K_CC), as if sessions never ended.

    A lasting push on oxytocin comes back amplified by 1 / (1 - L). This number overstates the loop of a real
    calendar, in which sessions are short: report :func:`session_loop_gain` beside it.

    References
    ----------
    .. [1] Eckert & Schandro (2025). doi:10.3389/fpsyt.2025.1659841 asserts the loop, not this number.
    """
    gains = gain_matrix(process, gate)
    rest = jnp.array([i for i, kind in enumerate(process.kinds) if kind != "oxytocin"])
    if len(rest) in (0, len(process.kinds)):
        return jnp.zeros(())
    cut = jnp.eye(len(rest)) - gains[jnp.ix_(rest, rest)]
    return 1.0 - jnp.linalg.det(jnp.eye(len(gains)) - gains) / jnp.linalg.det(cut)


def session_map(process: ProcessModel, schedule: SessionSchedule) -> Float[Array, "state state"]:
    """Return the linear map of the state from one session start to the next."""
    gates = jnp.array([True, False])
    lengths = jnp.array([schedule.session_days, schedule.interval_days - schedule.session_days])
    steps = transitions(process, gates, lengths, doublings(schedule.interval_days, _FASTEST_NORM))
    return steps.matrix[1] @ steps.matrix[0]


def _is(process: ProcessModel, kind: str) -> Array:
    return jnp.array([1.0 if entry == kind else 0.0 for entry in process.kinds])


def _masked(process: ProcessModel, mask: Array) -> ProcessModel:
    return replace(process, session=process.session * mask, always=process.always * mask)


def without_oxytocin_effects(process: ProcessModel) -> ProcessModel:
    """Return the field with every arrow out of oxytocin cut."""
    return _masked(process, 1.0 - _is(process, "oxytocin")[None, :])


def without_arrows_into_oxytocin(process: ProcessModel) -> ProcessModel:
    """Return the field with every arrow into oxytocin cut."""
    return _masked(process, 1.0 - _is(process, "oxytocin")[:, None])


def session_loop_gain(process: ProcessModel, schedule: SessionSchedule) -> Float[Array, ""]:
    """Return the session-to-session oxytocin loop gain L_W = 1 - det(I - M) / det(I - M without oxytocin's effects).

    M maps the state from one session to the next; for a hub M is diagonal + rank one and L_W is the closed form
    sum_k d_k / (1 - d_k) w_k L_eff a_k. At 1 the cycle sustains itself from session to session. NaN where the rest
    of the field does not settle by itself, for then it is not oxytocin that sustains it.
    """
    identity = jnp.eye(len(process.names))
    cut = session_map(without_oxytocin_effects(process), schedule)
    gain = 1.0 - jnp.linalg.det(identity - session_map(process, schedule)) / jnp.linalg.det(identity - cut)
    return jnp.where(_radius(cut) < 1.0, gain, jnp.nan)


def _radius(matrix: Array) -> Array:
    """Return the spectral radius: below 1 the map settles."""
    return jnp.max(jnp.abs(jnp.linalg.eigvals(matrix)))


def component_loop_gain(process: ProcessModel, schedule: SessionSchedule, component: str) -> Float[Array, ""]:
    """Return the session-to-session loop gain through one component alone."""
    others = _is(process, "component") - jnp.array([1.0 if name == component else 0.0 for name in process.names])
    keep_into = 1.0 - _is(process, "oxytocin")[None, :] * jnp.maximum(others, _is(process, "symptom"))[:, None]
    keep_from = 1.0 - _is(process, "oxytocin")[:, None] * others[None, :]
    return session_loop_gain(_masked(process, keep_into * keep_from), schedule)


def long_run_response(process: ProcessModel, schedule: SessionSchedule | None) -> Float[Array, "state state"]:
    """Return the lasting response of each state (row) to a lasting push on each state (column).

    A push acts at every moment and is scaled so that a state without any coupling would change by 1. With a rhythm
    the response is taken at the start of a session; without one, or without couplings that act in session only, it
    is (I - K)^-1. NaN where the field does not settle, for then there is no lasting response.
    """
    n = len(process.names)
    if schedule is None:
        stable = jnp.max(jnp.linalg.eigvals(process.jacobian(0.0)).real) < 0.0
        return jnp.where(stable, jnp.linalg.inv(jnp.eye(n) - gain_matrix(process, gate=0.0)), jnp.nan)
    whole = session_map(_with_lasting_pushes(process), schedule)
    own, pushed = whole[:n, :n], whole[:n, n:]
    return jnp.where(_radius(own) < 1.0, jnp.linalg.solve(jnp.eye(n) - own, pushed), jnp.nan)


def _with_lasting_pushes(process: ProcessModel) -> ProcessModel:
    """Return the field with one constant state per state that pushes it at its own decay rate."""
    n = len(process.names)
    zero = jnp.zeros((n, n))
    return replace(
        process,
        names=(*process.names, *(f"push_{name}" for name in process.names)),
        kinds=(*process.kinds, *["push"] * n),
        decay=jnp.concatenate([process.decay, jnp.zeros(n)]),
        always=jnp.block([[process.always, jnp.diag(process.decay)], [zero, zero]]),
        session=jnp.block([[process.session, zero], [zero, zero]]),
        drive=jnp.zeros(2 * n),
        noise=jnp.zeros((2 * n, 2 * n)),
    )


def spill_over(
    process: ProcessModel, schedule: SessionSchedule | None, sources: frozenset[str] | None = None
) -> Float[Array, ""]:
    """Return the mean lasting response of the other components to a lasting unit push on one [SD per SD].

    Any stable positive network that is strongly connected has spill-over, so it is no evidence for other claims.
    ``sources`` are the ids of the components that are pushed; default: all.
    """
    component = _is(process, "component")
    pairs = component[:, None] * _pushed(process, sources)[None, :] * (1.0 - jnp.eye(len(process.names)))
    return jnp.sum(long_run_response(process, schedule) * pairs) / jnp.maximum(jnp.sum(pairs), 1.0)


def relief(
    process: ProcessModel, schedule: SessionSchedule | None, symptom: str, sources: frozenset[str] | None = None
) -> Float[Array, ""]:
    """Return by how much a symptom falls when components, by default all, are lastingly pushed by 1 SD [SD]."""
    row = process.names.index(symptom)
    return -jnp.sum(long_run_response(process, schedule)[row] * _pushed(process, sources))


def _pushed(process: ProcessModel, sources: frozenset[str] | None) -> Float[Array, " state"]:
    """Return 1 for the components that are pushed and 0 for other states."""
    component = _is(process, "component")
    if sources is None:
        return component
    return component * jnp.array([name in sources for name in process.names], dtype=float)


def event_effect(process: ProcessModel, schedule: SessionSchedule, event: int, states: frozenset[str]) -> Float[Array, ""]:
    """Return the effect of one unit of an event at the start of a session on some states, on average.

    It is taken when the session ends or when the next one begins, whichever is larger: states are fast or slow.
    """
    gates = jnp.array([True, False])
    lengths = jnp.array([schedule.session_days, schedule.interval_days - schedule.session_days])
    steps = transitions(process, gates, lengths, doublings(schedule.interval_days, _FASTEST_NORM))
    ended = steps.matrix[0] @ process.jumps[event]
    later = steps.matrix[1] @ ended
    share = jnp.array([name in states for name in process.names], dtype=float) / len(states)
    effects = jnp.stack([share @ ended, share @ later])
    return effects[jnp.argmax(jnp.abs(effects))]
