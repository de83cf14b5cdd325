"""Doors: from what a lab has to a study, and from a study to what other programs read."""

from dyadloop.exchange.formats.registry import FORMATS
from dyadloop.exchange.importing import Imported, Plan, carried_out, import_study, plan_import, settled, write_draft

__all__ = ["FORMATS", "Imported", "Plan", "carried_out", "import_study", "plan_import", "settled", "write_draft"]
