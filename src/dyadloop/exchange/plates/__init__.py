"""Exports of plate readers, joined with a layout: the wells that an assay of a study is read from."""

from dyadloop.exchange.plates.readings import Reading, read_readings
from dyadloop.exchange.plates.wells import LAYOUT_COLUMNS, wells_of, write_wells

__all__ = ["LAYOUT_COLUMNS", "Reading", "read_readings", "wells_of", "write_wells"]
