"""Simulated dyads: courses under any theory and protocol, and whole study folders with known truth."""

from dyadloop.simulation.alliance_study import simulate_alliance
from dyadloop.simulation.average_dyad import AverageCourse, AverageDyad
from dyadloop.simulation.beginning import refuse_unknown
from dyadloop.simulation.cohort import simulate
from dyadloop.simulation.study import DESIGNS, Design, sample_paths, simulate_study

__all__ = [
    "DESIGNS",
    "AverageCourse",
    "AverageDyad",
    "Design",
    "refuse_unknown",
    "sample_paths",
    "simulate",
    "simulate_alliance",
    "simulate_study",
]
