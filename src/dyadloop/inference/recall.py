"""Whether answers are about a longer time than lies between them, so that neighbours are about the same days."""

import numpy as np

from dyadloop.data.carried_values import LONGER
from dyadloop.inference.problem import Problem


def overlapping(problem: Problem) -> dict[str, str]:
    """Return the states whose answers are about overlapping days, in words, by the name of the state.

    A fit takes an answer for one about its moment. One about the last two weeks that is asked every week lags behind
    what it measures, so that what moves two quantities at once looks like an effect of one on the other a week later.
    """
    scores = problem.scores.sel(indicator=list(problem.observed.indicators))
    seen, when = np.isfinite(scores["score"].values), scores["days"].values
    found: dict[str, str] = {}
    for place, (name, state) in enumerate(zip(problem.observed.indicators, problem.observed.states, strict=True)):
        asked = float(scores["recall_days"].values[place])
        gaps = np.concatenate([np.diff(row[here]) for row, here in zip(when, seen[..., place], strict=True)])
        gap = float(np.median(gaps)) if len(gaps) else np.inf
        if asked > LONGER * gap:
            found[problem.plan.names[state]] = (
                f"{name} asks about {asked:g} days and is given every {gap:.2g} days, so neighbouring answers are "
                "about the same days and what goes together looks like an effect a while later; if your form asks "
                f"about a shorter time, declare `recall_days` of {name} in study.yaml"
            )
    return found
