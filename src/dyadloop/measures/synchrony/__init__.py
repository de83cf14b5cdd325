"""Synchrony of two persons: methods, surrogates, tests between dyads, and the settings_multiverse of settings."""

from dyadloop.measures.synchrony.application import group_synchrony, synchrony
from dyadloop.measures.synchrony.changes import change_synchrony
from dyadloop.measures.synchrony.contrast import rmea_contrast
from dyadloop.measures.synchrony.crqa import mdcrqa
from dyadloop.measures.synchrony.group_courses import kuramoto_test
from dyadloop.measures.synchrony.language import language_style
from dyadloop.measures.synchrony.method import UNITS, Method
from dyadloop.measures.synchrony.methods import METHODS
from dyadloop.measures.synchrony.pseudo import group_test
from dyadloop.measures.synchrony.settings_multiverse import conclusions, default_grid, synchrony_multiverse
from dyadloop.measures.synchrony.still import still_time
from dyadloop.measures.synchrony.surrogates import SURROGATES, Surrogate
from dyadloop.measures.synchrony.testing import synchrony_test
from dyadloop.measures.synchrony.turns import event_synchrony, turn_taking
from dyadloop.signals.series import SIGN

__all__ = [
    "METHODS",
    "SIGN",
    "SURROGATES",
    "UNITS",
    "Method",
    "Surrogate",
    "change_synchrony",
    "conclusions",
    "default_grid",
    "event_synchrony",
    "group_synchrony",
    "group_test",
    "kuramoto_test",
    "language_style",
    "mdcrqa",
    "rmea_contrast",
    "still_time",
    "synchrony",
    "synchrony_multiverse",
    "synchrony_test",
    "turn_taking",
]
