"""The paper and its rivals as data: schema, forms, presets, listing, export."""

from dyadloop.theory.calendar import Event, Protocol, protocol
from dyadloop.theory.elements import Composite, Coupling, Dropout, Input, Ruptures, Switch, Term, Variable
from dyadloop.theory.forms import FORMS, JOINTS
from dyadloop.theory.judgement import Claim, Hypothesis
from dyadloop.theory.lumping import as_measured, composite_remarks, lump, lumped_coefficients
from dyadloop.theory.numbers import Prior, Quantity
from dyadloop.theory.presets import (
    PRESETS,
    clamp,
    cut,
    framework,
    hypothesis,
    keep,
    linear_form,
    parse_theory,
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
    "Composite",
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
    "as_measured",
    "clamp",
    "composite_remarks",
    "cut",
    "framework",
    "hypothesis",
    "keep",
    "linear_form",
    "lump",
    "lumped_coefficients",
    "parse_theory",
    "patient_only",
    "protocol",
    "read_theory",
    "switch_on",
    "vary",
]
