"""Recordings of other programs as tables that `dyadloop measure` reads: one file per format."""

from dyadloop.exchange.recordings.edf import EdfSignals, read_edf, unpack_edf
from dyadloop.exchange.recordings.xdf import read_xdf, unpack_xdf

__all__ = ["EdfSignals", "read_edf", "read_xdf", "unpack_edf", "unpack_xdf"]
