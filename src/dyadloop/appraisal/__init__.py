"""Doubt a fit: model checks, comparison, regressions beside it, calibration, smoothing, what-if."""

from dyadloop.appraisal.actor_partner import actor_partner_effects
from dyadloop.appraisal.comparison import compare
from dyadloop.appraisal.contraction import PracticalIdentifiability, practical_identifiability
from dyadloop.appraisal.faults import finding_faults
from dyadloop.appraisal.lagged import lagged_effects
from dyadloop.appraisal.misspecification import misspecified
from dyadloop.appraisal.model_criticism import checks
from dyadloop.appraisal.referee_agreement import compare_referees
from dyadloop.appraisal.regressions import referees
from dyadloop.appraisal.scenarios import calendars, whatif
from dyadloop.appraisal.simulation_based_calibration import FAULTS, calibrate
from dyadloop.appraisal.smoothing import smooth
from dyadloop.appraisal.stability import halves, without_each
from dyadloop.appraisal.violations import VIOLATIONS

__all__ = [
    "FAULTS",
    "VIOLATIONS",
    "PracticalIdentifiability",
    "actor_partner_effects",
    "calendars",
    "calibrate",
    "checks",
    "compare",
    "compare_referees",
    "finding_faults",
    "halves",
    "lagged_effects",
    "misspecified",
    "practical_identifiability",
    "referees",
    "smooth",
    "whatif",
    "without_each",
]
