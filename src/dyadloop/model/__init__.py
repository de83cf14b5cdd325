"""The theory compiled: plan, equations, exact transitions.

Importing changes nothing in the process. The first theory that is compiled switches JAX to 64-bit numbers, see
:func:`compile_theory`; every computation begins there.
"""

from dyadloop.model.build import system_of
from dyadloop.model.correlations import correlation_factor
from dyadloop.model.eigenmodes import Modes, modes_of
from dyadloop.model.exact_transitions import (
    Flow,
    Transition,
    doublings,
    flow,
    flows,
    moves,
    transitions,
)
from dyadloop.model.kinks import kinks_at
from dyadloop.model.process_model import ProcessModel
from dyadloop.model.nonlinear_terms import NonlinearTerms
from dyadloop.model.partners import exchangeable
from dyadloop.model.plan import Plan, compile_theory
from dyadloop.model.system import System

__all__ = [
    "ProcessModel",
    "Flow",
    "Modes",
    "NonlinearTerms",
    "Plan",
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
