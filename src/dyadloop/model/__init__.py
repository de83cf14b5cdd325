"""The theory compiled: plan, equations, exact transitions.

Importing this room switches JAX to 64-bit numbers, on which every result of dyadloop rests.
"""

import jax

jax.config.update("jax_enable_x64", True)

from dyadloop.model.build import system_of  # noqa: E402
from dyadloop.model.correlations import correlation_factor  # noqa: E402
from dyadloop.model.eigenmodes import Modes, modes_of  # noqa: E402
from dyadloop.model.exact_transitions import (  # noqa: E402
    Flow,
    Transition,
    doublings,
    flow,
    flows,
    moves,
    transitions,
)
from dyadloop.model.kinks import kinks_at  # noqa: E402
from dyadloop.model.linear_model import Field  # noqa: E402
from dyadloop.model.nonlinear_terms import Bends  # noqa: E402
from dyadloop.model.partners import exchangeable  # noqa: E402
from dyadloop.model.plan import Plan, State, compile_theory  # noqa: E402
from dyadloop.model.system import System  # noqa: E402

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
    "exchangeable",
    "flow",
    "flows",
    "kinks_at",
    "modes_of",
    "moves",
    "system_of",
    "transitions",
]
