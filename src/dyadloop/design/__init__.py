"""Design: which study could decide, what it could tell of each claim, and what it costs."""

from dyadloop.design.assurance import Assurance, assurance
from dyadloop.design.costs import Effort, effort
from dyadloop.design.draft import draft
from dyadloop.design.identifiability import Identifiability, identifiability
from dyadloop.design.prospects import prospects
from dyadloop.design.reader import DESIGNS, design_text, read_design
from dyadloop.design.registration import Section, as_markdown, deviations, registration, write_docx
from dyadloop.design.schedule import Schedule, frontier, schedule
from dyadloop.design.schema import Design
from dyadloop.design.skeleton import skeleton

__all__ = [
    "DESIGNS",
    "Assurance",
    "Design",
    "Effort",
    "Identifiability",
    "Schedule",
    "Section",
    "as_markdown",
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
