"""Recordings of other programs as tables that `dyadloop measure` reads: one file per format."""

from dyadloop.exchange.recordings.edf import EdfSignals, read_edf, unpack_edf

__all__ = ["EdfSignals", "read_edf", "unpack_edf"]
