"""Design: which study could decide, what it could tell of each claim, and what it costs."""

from dyadloop.design.assurance import Assurance, assurance
from dyadloop.design.costs import Effort, effort
from dyadloop.design.draft import draft
from dyadloop.design.prospects import prospects
from dyadloop.design.reader import DESIGNS, design_text, read_design
from dyadloop.design.schema import Design
from dyadloop.design.skeleton import skeleton

__all__ = [
    "DESIGNS",
    "Assurance",
    "Design",
    "Effort",
    "assurance",
    "design_text",
    "draft",
    "effort",
    "prospects",
    "read_design",
    "skeleton",
]
