"""Recordings of other programs as tables that `dyadloop measure` reads: one file per format, and one registry."""

from dyadloop.exchange.recordings.edf import EdfSignals, read_edf, unpack_edf
from dyadloop.exchange.recordings.registry import RECORDINGS, unpack
from dyadloop.exchange.recordings.xdf import read_xdf, unpack_xdf

__all__ = ["RECORDINGS", "EdfSignals", "read_edf", "read_xdf", "unpack", "unpack_edf", "unpack_xdf"]
