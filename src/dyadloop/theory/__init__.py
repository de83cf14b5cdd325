"""The paper and its rivals as data: schema, forms, presets, listing, export."""

from dyadloop.theory.calendar import Event, Protocol, protocol
from dyadloop.theory.elements import Coupling, Dropout, Input, Ruptures, Switch, Term, Variable
from dyadloop.theory.forms import FORMS, JOINTS
from dyadloop.theory.judgement import Claim, Hypothesis
from dyadloop.theory.numbers import Prior, Quantity
from dyadloop.theory.presets import (
    PRESETS,
    clamp,
    cut,
    framework,
    hypothesis,
    keep,
    linear_form,
    patient_only,
    read_theory,
    switch_on,
    vary,
)
from dyadloop.theory.schema import Theory

__all__ = [
    "FORMS",
    "JOINTS",
    "PRESETS",
    "Claim",
    "Coupling",
    "Dropout",
    "Event",
    "Hypothesis",
    "Input",
    "Prior",
    "Protocol",
    "Quantity",
    "Ruptures",
    "Switch",
    "Term",
    "Theory",
    "Variable",
    "clamp",
    "cut",
    "framework",
    "hypothesis",
    "keep",
    "linear_form",
    "patient_only",
    "protocol",
    "read_theory",
    "switch_on",
    "vary",
]
