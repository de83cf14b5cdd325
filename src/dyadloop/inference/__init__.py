"""Fit a theory to a study, check the fit and judge the claims."""

from dyadloop.inference.calibration import FAULTS, calibrate
from dyadloop.inference.checks import convergence_faults, prior_conflicts
from dyadloop.inference.choices import across, alternatives, choices
from dyadloop.inference.claims import claims
from dyadloop.inference.comparison import compare
from dyadloop.inference.criticism import checks
from dyadloop.inference.fit import fit
from dyadloop.inference.prior_sets import compare_priors
from dyadloop.inference.problem import coupling_priors, priors
from dyadloop.inference.result import load_result, problem_of, save_result, write_manifest
from dyadloop.inference.sampling import Interrupted, Settings
from dyadloop.inference.smoother import smooth
from dyadloop.inference.whatif import calendars, whatif

__all__ = [
    "FAULTS",
    "Interrupted",
    "Settings",
    "across",
    "alternatives",
    "calendars",
    "calibrate",
    "checks",
    "choices",
    "claims",
    "compare",
    "compare_priors",
    "convergence_faults",
    "coupling_priors",
    "fit",
    "load_result",
    "prior_conflicts",
    "priors",
    "problem_of",
    "save_result",
    "smooth",
    "whatif",
    "write_manifest",
]
