"""Questionnaires: the registry of instruments, scoring and reliability."""

from dyadloop.measures.questionnaires.consistency import Reliability, reliability, within_reliability
from dyadloop.measures.questionnaires.instrument import Instrument, instruments, read_instrument
from dyadloop.measures.questionnaires.scoring import score_items

__all__ = [
    "Instrument",
    "Reliability",
    "instruments",
    "read_instrument",
    "reliability",
    "score_items",
    "within_reliability",
]
