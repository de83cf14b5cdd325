"""Fit a theory to a study, check the fit and judge the claims."""

from dyadloop.inference.checks import convergence_faults, prior_conflicts
from dyadloop.inference.claims import claims
from dyadloop.inference.fit import fit
from dyadloop.inference.prior_sets import compare_priors
from dyadloop.inference.problem import coupling_priors, priors
from dyadloop.inference.result import load_result, problem_of, save_result, write_manifest
from dyadloop.inference.sampling import Interrupted, Settings

__all__ = [
    "Interrupted",
    "Settings",
    "claims",
    "compare_priors",
    "convergence_faults",
    "coupling_priors",
    "fit",
    "load_result",
    "prior_conflicts",
    "priors",
    "problem_of",
    "save_result",
    "write_manifest",
]
