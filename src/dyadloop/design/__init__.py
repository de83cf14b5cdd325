"""Design: which study could decide, what it could tell of each claim, and what it costs."""

from dyadloop.design.before_data import Identifiability, identifiability
from dyadloop.design.budgets import Schedule, frontier, schedule
from dyadloop.design.costs import Effort, effort
from dyadloop.design.drafting import draft
from dyadloop.design.planned_study import skeleton
from dyadloop.design.questions import asked
from dyadloop.design.reader import DESIGNS, design_text, read_design
from dyadloop.design.registration_draft import Section, as_markdown, deviations, registration, write_docx
from dyadloop.design.schema import Design
from dyadloop.design.simulated_studies import Assurance, assurance
from dyadloop.design.testability import prospects

__all__ = [
    "DESIGNS",
    "Assurance",
    "Design",
    "Effort",
    "Identifiability",
    "Schedule",
    "Section",
    "as_markdown",
    "asked",
    "assurance",
    "design_text",
    "deviations",
    "draft",
    "effort",
    "frontier",
    "identifiability",
    "prospects",
    "read_design",
    "registration",
    "schedule",
    "skeleton",
    "write_docx",
]
