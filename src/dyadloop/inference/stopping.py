"""How long to sample: a fixed number of draws, or until the posterior has what a fit promises."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from dyadloop.inference.convergence import MIN_ESS, convergence_faults
from dyadloop.inference.problem import Problem

FIRST_DRAWS = 600
"""Draws of a chain after which convergence is looked at for the first time."""
MOST_DRAWS = 6000
"""Draws of a chain after which sampling ends, converged or not."""
_MARGIN = 1.1  # effective sample sizes grow with the draws, a little unevenly
_BLOCK = 50

Promise = Callable[[Problem, xr.DataTree], list[str]]
"""Says what a posterior with its diagnostics still lacks, in words; nothing where sampling may end."""


def converged(problem: Problem, post: xr.DataTree) -> list[str]:
    """Return what the parameters of a posterior lack, in words."""
    return convergence_faults(post)


@dataclass(frozen=True)
class Outlook:
    """What the draws lack, and how many a chain should have next."""

    lacking: tuple[str, ...]
    next_draws: int

    def told(self, draws: int, seconds_per_draw: float | None) -> str:
        """Return this in words, with the time that is left where it is known."""
        more, left = self.next_draws - draws, ""
        if seconds_per_draw is not None:
            seconds = seconds_per_draw * more
            left = f", about {seconds / 60:.0f} min" if seconds >= 90 else f", about {seconds:.0f} s"
        return f"{draws} draws a chain: {'; '.join(self.lacking)}; {more} more a chain{left}; safe to stop"


def outlook(problem: Problem, post: xr.DataTree, draws: int, promise: Promise) -> Outlook | None:
    """Return what draws lack and how many to take next; None where nothing is lacking or no more may be taken.

    Parameters
    ----------
    problem, post
        A fitting problem and its posterior with ``diagnostics``.
    draws
        Draws of a chain.
    promise
        Says what is lacking.
    """
    table = post["diagnostics"].to_dataset()
    # no number of draws lets one chain show that it has converged
    if draws >= MOST_DRAWS or np.isnan(table["rhat"]).all() or not (lacking := promise(problem, post)):
        return None
    least = float(np.nanmin([table["ess_bulk"].min(), table["ess_tail"].min()]))
    factor = _MARGIN * MIN_ESS / least if least > 0.0 else 2.0
    wanted = draws * min(max(factor, 1.25), 2.0)  # R-hat does not say how many, and an early ESS errs
    return Outlook(tuple(lacking), min(math.ceil(wanted / _BLOCK) * _BLOCK, MOST_DRAWS))
