"""Whether the draws of a fit settle the estimand of every claim."""

import numpy as np
import xarray as xr

from dyadloop.claims.claims_table import subjects
from dyadloop.estimands.catalogue import Untestable, draws_of, estimand
from dyadloop.inference.convergence import convergence_faults, estimand_fault
from dyadloop.inference.problem import Problem


def unsettled(problem: Problem, post: xr.DataTree) -> list[str]:
    """Return what the draws of a fit lack, in words: first of its parameters, then of what each claim is about.

    Parameters
    ----------
    problem
        What is fitted.
    post
        Its posterior with ``prior``, ``sample_stats`` and ``diagnostics``.
    """
    found = convergence_faults(post)
    prior, posterior = post["prior"].to_dataset(), post["posterior"].to_dataset()
    for claim in problem.plan.theory.claims:
        for subject in subjects(problem, claim):
            function = estimand(problem, claim, subject)
            if isinstance(function, Untestable):
                continue
            draws = draws_of(function, prior, posterior)[1]
            if not np.isnan(draws).all() and (fault := estimand_fault(draws, posterior.sizes["chain"])):
                found.append(f"{claim.id.format(id=subject, label=subject)}: {fault}")
    return found
