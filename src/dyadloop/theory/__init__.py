"""The paper and its rivals as data: schema, presets, listing."""

from dyadloop.theory.presets import PRESETS, framework, hypothesis, keep, read_theory
from dyadloop.theory.schema import Claim, Coupling, Hypothesis, Input, Prior, Quantity, Theory, Variable

__all__ = [
    "PRESETS",
    "Claim",
    "Coupling",
    "Hypothesis",
    "Input",
    "Prior",
    "Quantity",
    "Theory",
    "Variable",
    "framework",
    "hypothesis",
    "keep",
    "read_theory",
]
