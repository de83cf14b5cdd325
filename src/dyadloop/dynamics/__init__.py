"""What a theory implies: equilibria, gains, loop gain, continuation, synergy, sensitivity, phenomena."""

from dyadloop.dynamics.branches import continuation
from dyadloop.dynamics.characteristic_curve import characteristic
from dyadloop.dynamics.fixed_points import equilibria
from dyadloop.dynamics.linear import (
    SessionSchedule,
    component_loop_gain,
    continuous_loop_gain,
    event_effect,
    gain_matrix,
    long_run_response,
    relief,
    session_loop_gain,
    spill_over,
    without_arrows_into_oxytocin,
    without_oxytocin_effects,
)
from dyadloop.dynamics.loop import gains, gains_of_calendar, loop_gain
from dyadloop.dynamics.phenomenon_catalogue import PHENOMENA, phenomena
from dyadloop.dynamics.session_loop import session_map
from dyadloop.dynamics.sobol_indices import sensitivity
from dyadloop.dynamics.super_additivity import synergy

__all__ = [
    "PHENOMENA",
    "SessionSchedule",
    "characteristic",
    "component_loop_gain",
    "continuation",
    "continuous_loop_gain",
    "equilibria",
    "event_effect",
    "gain_matrix",
    "gains",
    "gains_of_calendar",
    "long_run_response",
    "loop_gain",
    "phenomena",
    "relief",
    "sensitivity",
    "session_loop_gain",
    "session_map",
    "spill_over",
    "synergy",
    "without_arrows_into_oxytocin",
    "without_oxytocin_effects",
]
