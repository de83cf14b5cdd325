"""Oxytocin assays: standard curves, plates, detection limits as censoring, changes and areas under the curve."""

from dyadloop.measures.assays.censored import Change, LogNormal, area_under_curve, log_change, log_moments
from dyadloop.measures.assays.curve import Curve, standard_curve
from dyadloop.measures.assays.plates import (
    Parallelism,
    Plates,
    check_pooling,
    dilution_recovery,
    parallelism,
    read_plates,
)

__all__ = [
    "Change",
    "Curve",
    "LogNormal",
    "Parallelism",
    "Plates",
    "area_under_curve",
    "check_pooling",
    "dilution_recovery",
    "log_change",
    "log_moments",
    "parallelism",
    "read_plates",
    "standard_curve",
]
