"""Fit a theory to a study, check the fit and judge the claims."""

from dyadloop.inference.calibration import FAULTS, calibrate
from dyadloop.inference.call import TheoryChoice, call_of, recorded_call
from dyadloop.inference.checks import convergence_faults, prior_conflicts
from dyadloop.inference.choices import across, alternatives, choices
from dyadloop.inference.claims import claims
from dyadloop.inference.comparison import compare
from dyadloop.inference.criticism import checks
from dyadloop.inference.fit import fit
from dyadloop.inference.prior_sets import compare_priors
from dyadloop.inference.problem import coupling_priors, priors, priors_from_json
from dyadloop.inference.result import finished, load_result, problem_of, save_result, versions, write_manifest
from dyadloop.inference.sampling import Interrupted, Settings
from dyadloop.inference.smoother import smooth
from dyadloop.inference.whatif import calendars, whatif

__all__ = [
    "FAULTS",
    "Interrupted",
    "Settings",
    "TheoryChoice",
    "across",
    "alternatives",
    "calendars",
    "calibrate",
    "call_of",
    "checks",
    "choices",
    "claims",
    "compare",
    "compare_priors",
    "convergence_faults",
    "coupling_priors",
    "finished",
    "fit",
    "load_result",
    "prior_conflicts",
    "priors",
    "priors_from_json",
    "problem_of",
    "recorded_call",
    "save_result",
    "smooth",
    "versions",
    "whatif",
    "write_manifest",
]
