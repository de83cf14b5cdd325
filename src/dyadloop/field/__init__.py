"""The theory compiled: plan, equations, exact transitions."""

from dyadloop.field.field import Field
from dyadloop.field.plan import Plan, State, compile_theory
from dyadloop.field.transitions import Transition, doublings, transitions

__all__ = ["Field", "Plan", "State", "Transition", "compile_theory", "doublings", "transitions"]
