"""The theory compiled: plan, equations, exact transitions.

Importing this room switches JAX to 64-bit numbers, on which every result of dyadloop rests.
"""

import jax

jax.config.update("jax_enable_x64", True)

from dyadloop.field.bends import Bends  # noqa: E402
from dyadloop.field.build import system_of  # noqa: E402
from dyadloop.field.field import Field  # noqa: E402
from dyadloop.field.kinks import kinks_at  # noqa: E402
from dyadloop.field.modes import Modes, modes_of  # noqa: E402
from dyadloop.field.plan import Plan, State, compile_theory, correlation_factor  # noqa: E402
from dyadloop.field.system import System  # noqa: E402
from dyadloop.field.transitions import Flow, Transition, doublings, flow, flows, moves, transitions  # noqa: E402

__all__ = [
    "Bends",
    "Field",
    "Flow",
    "Modes",
    "Plan",
    "State",
    "System",
    "Transition",
    "compile_theory",
    "correlation_factor",
    "doublings",
    "flow",
    "flows",
    "kinks_at",
    "modes_of",
    "moves",
    "system_of",
    "transitions",
]
