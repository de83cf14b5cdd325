"""What a theory implies: equilibria, gains, loop gain, continuation, synergy, sensitivity, phenomena."""

from dyadloop.dynamics.characteristic import characteristic
from dyadloop.dynamics.continuation import continuation
from dyadloop.dynamics.equilibria import equilibria
from dyadloop.dynamics.linear import (
    Rhythm,
    component_loop_gain,
    event_effect,
    gain_matrix,
    long_run_response,
    oxytocin_loop_gain,
    relief,
    spill_over,
    weekly_loop_gain,
    without_arrows_into_oxytocin,
    without_oxytocin_effects,
)
from dyadloop.dynamics.loop import gains, loop_gain
from dyadloop.dynamics.phenomena import PHENOMENA, phenomena
from dyadloop.dynamics.sensitivity import sensitivity
from dyadloop.dynamics.synergy import synergy
from dyadloop.dynamics.weekly import session_map

__all__ = [
    "PHENOMENA",
    "Rhythm",
    "characteristic",
    "component_loop_gain",
    "continuation",
    "equilibria",
    "event_effect",
    "gain_matrix",
    "gains",
    "long_run_response",
    "loop_gain",
    "oxytocin_loop_gain",
    "phenomena",
    "relief",
    "sensitivity",
    "session_map",
    "spill_over",
    "synergy",
    "weekly_loop_gain",
    "without_arrows_into_oxytocin",
    "without_oxytocin_effects",
]
