"""Fit a theory to a study: problem, priors, mode, sampling, convergence, result."""

from dyadloop.inference.call import TheoryChoice, call_of, recorded_call
from dyadloop.inference.convergence import convergence_faults, prior_conflicts
from dyadloop.inference.fitting import fit
from dyadloop.inference.problem import coupling_priors, priors, priors_from_json
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

__all__ = [
    "Interrupted",
    "Settings",
    "TheoryChoice",
    "call_of",
    "convergence_faults",
    "coupling_priors",
    "finished",
    "fit",
    "load_result",
    "load_rivals",
    "prior_conflicts",
    "priors",
    "priors_from_json",
    "problem_of",
    "recorded_call",
    "save_result",
    "save_rivals",
    "versions",
    "write_manifest",
]
