"""What a linear field implies: gains, loop gain, session-to-session map, spill-over, mediated relief."""

from dataclasses import dataclass, replace

import jax.numpy as jnp
from jaxtyping import Array, Float

from dyadloop.field import Field, compile_theory, doublings, transitions
from dyadloop.theory import Theory
from dyadloop.units import days

_FASTEST_NORM = 5000.0  # [1/d]: time constants of minutes with couplings; finer steps cost next to nothing here


@dataclass(frozen=True)
class Rhythm:
    """Sessions at equal distances: interval and length [d]."""

    interval_days: float
    session_days: float


def gain_matrix(field: Field, gate: float = 1.0) -> Float[Array, "state state"]:
    """Return K = D^-1 N: the lasting change of each state per lasting unit of each other, own decay alone.

    With ``gate=1`` sessions are taken as if they never ended; see :func:`session_map` for real calendars.
    """
    return (field.always + gate * field.session) / field.decay[:, None]


def oxytocin_loop_gain(field: Field, gate: float = 1.0) -> Float[Array, ""]:
    """Return the oxytocin loop gain L = 1 - det(I - K) / det(I - K_CC), as if sessions never ended.

    A lasting push on oxytocin comes back amplified by 1 / (1 - L). This number overstates the loop of a real
    calendar, in which sessions are short: report :func:`weekly_loop_gain` beside it.

    References
    ----------
    .. [1] Eckert & Schandro (2025). doi:10.3389/fpsyt.2025.1659841 asserts the loop, not this number.
    """
    gains = gain_matrix(field, gate)
    rest = jnp.array([i for i, kind in enumerate(field.kinds) if kind != "oxytocin"])
    if len(rest) in (0, len(field.kinds)):
        return jnp.zeros(())
    cut = jnp.eye(len(rest)) - gains[jnp.ix_(rest, rest)]
    return 1.0 - jnp.linalg.det(jnp.eye(len(gains)) - gains) / jnp.linalg.det(cut)


def session_map(field: Field, rhythm: Rhythm) -> Float[Array, "state state"]:
    """Return the linear map of the state from one session start to the next."""
    gates = jnp.array([True, False])
    lengths = jnp.array([rhythm.session_days, rhythm.interval_days - rhythm.session_days])
    steps = transitions(field, gates, lengths, doublings(rhythm.interval_days, _FASTEST_NORM))
    return steps.matrix[1] @ steps.matrix[0]


def _is(field: Field, kind: str) -> Array:
    return jnp.array([1.0 if entry == kind else 0.0 for entry in field.kinds])


def _scaled_session(field: Field, mask: Array) -> Field:
    return replace(field, session=field.session * mask)


def without_oxytocin_effects(field: Field) -> Field:
    """Return the field with every arrow out of oxytocin cut."""
    return _scaled_session(field, 1.0 - _is(field, "oxytocin")[None, :])


def without_arrows_into_oxytocin(field: Field) -> Field:
    """Return the field with every arrow into oxytocin cut."""
    return _scaled_session(field, 1.0 - _is(field, "oxytocin")[:, None])


def weekly_loop_gain(field: Field, rhythm: Rhythm) -> Float[Array, ""]:
    """Return the session-to-session oxytocin loop gain L_W = 1 - det(I - M) / det(I - M without oxytocin's effects).

    M maps the state from one session to the next; for a hub M is diagonal + rank one and L_W is the closed form
    sum_k d_k / (1 - d_k) w_k L_eff a_k. At 1 the cycle sustains itself from session to session.
    """
    identity = jnp.eye(len(field.names))
    cut = session_map(without_oxytocin_effects(field), rhythm)
    return 1.0 - jnp.linalg.det(identity - session_map(field, rhythm)) / jnp.linalg.det(identity - cut)


def component_loop_gain(field: Field, rhythm: Rhythm, component: str) -> Float[Array, ""]:
    """Return the session-to-session loop gain through one component alone."""
    others = _is(field, "component") - jnp.array([1.0 if name == component else 0.0 for name in field.names])
    keep_into = 1.0 - _is(field, "oxytocin")[None, :] * jnp.maximum(others, _is(field, "symptom"))[:, None]
    keep_from = 1.0 - _is(field, "oxytocin")[:, None] * others[None, :]
    return weekly_loop_gain(_scaled_session(field, keep_into * keep_from), rhythm)


def long_run_response(field: Field, rhythm: Rhythm | None) -> Float[Array, "state state"]:
    """Return the lasting response of each state (row) to a lasting push on each state (column).

    A push is scaled so that a state without any coupling would change by 1. With a rhythm the pushes act from
    session to session; without one they act always, and the result is (I - K)^-1.
    """
    identity = jnp.eye(len(field.names))
    if rhythm is None:
        return jnp.linalg.inv(identity - gain_matrix(field, gate=0.0))
    alone = jnp.exp(-field.decay * rhythm.interval_days)
    return jnp.linalg.inv(identity - session_map(field, rhythm)) * (1.0 - alone)[None, :]


def spill_over(field: Field, rhythm: Rhythm | None) -> Float[Array, ""]:
    """Return the mean lasting response of the other components to a lasting unit push on one [SD per SD].

    Any stable positive network that is strongly connected has spill-over, so it is no evidence for other claims.
    """
    component = _is(field, "component")
    pairs = component[:, None] * component[None, :] * (1.0 - jnp.eye(len(field.names)))
    return jnp.sum(long_run_response(field, rhythm) * pairs) / jnp.maximum(jnp.sum(pairs), 1.0)


def relief(field: Field, rhythm: Rhythm | None, symptom: str) -> Float[Array, ""]:
    """Return by how much a symptom falls when all components are lastingly pushed by 1 SD [SD]."""
    row = field.names.index(symptom)
    return -jnp.sum(long_run_response(field, rhythm)[row] * _is(field, "component"))


def loop_gain(theory: Theory) -> dict[str, float]:
    """Return the loop gains of a theory at the values of its file and in its own rhythm.

    Returns
    -------
    dict[str, float]
        ``as_if_continuous``, the return ratio cut at oxytocin with sessions that never end, and
        ``session_to_session``, L_W of the theory's protocol [both dimensionless].
    """
    plan = compile_theory(theory)
    field = plan.field(plan.defaults())
    protocol = theory.protocol
    rhythm = Rhythm(protocol.every_days, days(protocol.length_minutes, "min"))
    return {
        "as_if_continuous": float(oxytocin_loop_gain(field)),
        "session_to_session": float(weekly_loop_gain(field, rhythm)),
    }
