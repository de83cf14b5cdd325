"""Figures, tables and the report: the only room that draws."""

from dyadloop.reporting.report import report
from dyadloop.reporting.tables import claims_json, print_claims, write_claims

__all__ = ["claims_json", "print_claims", "report", "write_claims"]
