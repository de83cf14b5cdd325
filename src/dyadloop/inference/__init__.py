"""Fit a theory to a study, check the fit and judge the claims."""

from dyadloop.inference.agreement import compare_referees
from dyadloop.inference.answerable import answerable
from dyadloop.inference.calibration import FAULTS, calibrate
from dyadloop.inference.call import TheoryChoice, call_of, recorded_call
from dyadloop.inference.checks import convergence_faults, prior_conflicts
from dyadloop.inference.choices import across, alternatives, choices
from dyadloop.inference.claims import claims
from dyadloop.inference.comparison import compare
from dyadloop.inference.criticism import checks
from dyadloop.inference.faults import finding_faults
from dyadloop.inference.fit import fit
from dyadloop.inference.lagged import lagged_effects
from dyadloop.inference.misspecification import misspecified
from dyadloop.inference.next_study import what_next
from dyadloop.inference.prior_sets import compare_priors
from dyadloop.inference.problem import coupling_priors, priors, priors_from_json
from dyadloop.inference.referees import referees
from dyadloop.inference.result import (
    finished,
    load_result,
    load_rivals,
    problem_of,
    save_result,
    save_rivals,
    versions,
    write_manifest,
)
from dyadloop.inference.sampling import Interrupted, Settings
from dyadloop.inference.smoother import smooth
from dyadloop.inference.stability import halves, without_each
from dyadloop.inference.support import TRUTHS, support_rates
from dyadloop.inference.violations import VIOLATIONS
from dyadloop.inference.whatif import calendars, whatif

__all__ = [
    "FAULTS",
    "TRUTHS",
    "VIOLATIONS",
    "Interrupted",
    "Settings",
    "TheoryChoice",
    "across",
    "alternatives",
    "answerable",
    "calendars",
    "calibrate",
    "call_of",
    "checks",
    "choices",
    "claims",
    "compare",
    "compare_priors",
    "compare_referees",
    "convergence_faults",
    "coupling_priors",
    "finding_faults",
    "finished",
    "fit",
    "halves",
    "lagged_effects",
    "load_result",
    "load_rivals",
    "misspecified",
    "prior_conflicts",
    "priors",
    "priors_from_json",
    "problem_of",
    "recorded_call",
    "referees",
    "save_result",
    "save_rivals",
    "smooth",
    "support_rates",
    "versions",
    "what_next",
    "whatif",
    "without_each",
    "write_manifest",
]
