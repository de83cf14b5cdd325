"""Doors: from what a lab has to a study, and from a study to what other programs read."""

from dyadloop.exchange.exports.crate import write_crate
from dyadloop.exchange.exports.registry import EXPORTS, export_study
from dyadloop.exchange.formats.registry import FORMATS
from dyadloop.exchange.importing import carried_out, import_study, plan_import, settled, write_draft
from dyadloop.exchange.plan import Imported, Phase, Plan, phases_of
from dyadloop.exchange.template import new_study

__all__ = [
    "EXPORTS",
    "FORMATS",
    "Imported",
    "Phase",
    "Plan",
    "carried_out",
    "export_study",
    "import_study",
    "new_study",
    "phases_of",
    "plan_import",
    "settled",
    "write_crate",
    "write_draft",
]
