"""Whether a study samples a quantity at a rhythm that the prior of its time constant suits."""

import numpy as np

from dyadloop.inference.problem import Problem

SLOWER, FASTER = 30.0, 10.0
"""How many times slower than the interval between values, or faster, the whole prior of a time constant may be."""
_REACH = 1.96


def unsuited(problem: Problem) -> dict[str, str]:
    """Return the measured variables whose prior of the time constant the study's rhythm does not suit, in words.

    Where the prior expects change to take far longer than the interval between values, what changes faster counts as
    error; where it expects far shorter, nothing is left from one value to the next. Compared are the ends of its
    central 95 % and the median interval between values of a dyad.
    """
    found = {}
    scores = problem.scores.sel(indicator=list(problem.observed.indicators))
    seen, days = np.isfinite(scores["score"].values), scores["days"].values
    for place, state in enumerate(problem.observed.states):
        name = problem.plan.states[state].variable.id
        tau = f"tau_{name}"
        if tau not in problem.priors.index or problem.priors.loc[tau, "family"] != "lognormal":
            continue
        gaps = [np.diff(when[here]) for when, here in zip(days, seen[..., place], strict=True)]
        steps = np.concatenate([gap[gap > 0] for gap in gaps] or [np.array([])])
        if not len(steps):
            continue
        middle, scale = problem.priors.loc[tau, ["location", "scale"]].to_numpy(dtype=float)
        gap, reach = float(np.median(steps)), float(np.exp(_REACH * scale))
        if middle / reach > SLOWER * gap:
            found[name] = (
                f"the prior of {tau} ({middle:.3g} d) expects change far slower than the {gap:.2g} d between values, "
                f"so what changes faster counts as error: declare `priors: {{{tau}: ...}}` in study.yaml"
            )
        elif middle * reach < gap / FASTER:
            found[name] = (
                f"the prior of {tau} ({middle:.3g} d) expects that nothing is left after the {gap:.2g} d between "
                "values, so this study cannot show what acts on it or what it acts on"
            )
    return found
