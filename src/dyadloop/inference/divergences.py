"""Where divergent transitions lie among the draws of an estimand: scattered like the others, or gathered.

NUTS diverges where the posterior bends more than its step can follow. Such places are then visited too little and what
rests on them is biased; divergences that are scattered like all other draws are false alarms (Betancourt 2017,
section 6.2). The share of divergent transitions says nothing of either, so every estimand is asked.

References
----------
.. [1] Betancourt (2017), a conceptual introduction to Hamiltonian Monte Carlo. arXiv:1701.02434
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import rankdata

FEWEST = 3
"""Divergent transitions below which nothing can gather."""
GATHERED = 3.29
"""Standard errors between where divergent draws lie and where others do, from which they count as gathered (.1 %)."""


def divergence_fault(draws: Float[np.ndarray, " draw"], diverging: Bool[np.ndarray, " draw"]) -> str:
    """Return where divergent transitions gather among the draws of an estimand, in words; empty where they do not.

    Under no relation the ranks of divergent draws among all are uniform. Looked at are their mean, which moves where
    they gather at one end, and the mean of their distance from the nearer end, which falls where they gather at both.

    Parameters
    ----------
    draws
        Draws of the estimand; those without a value are not looked at.
    diverging
        Which of them came from a transition that diverged.
    """
    finite = np.isfinite(draws)
    here = diverging[finite] > 0
    count = int(here.sum())
    if count < FEWEST or np.ptp(draws[finite]) == 0.0:
        return ""
    place = ((rankdata(draws[finite]) - 0.5) / finite.sum())[here]
    error = 1.0 / np.sqrt(12.0 * count)
    low = (0.5 - place.mean()) / error
    ends = (0.5 - 2.0 * np.minimum(place, 1.0 - place).mean()) / error
    if max(abs(low), ends) < GATHERED:
        return ""
    where = "both ends" if ends > abs(low) else "the lower end" if low > 0 else "the upper end"
    return (
        f"{count} divergent transitions gather at {where} of its draws, which the sampler may not have explored: "
        "more draws do not help; look at the priors and the data of what it rests on"
    )
