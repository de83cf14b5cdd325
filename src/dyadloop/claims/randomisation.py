"""What the randomised part of a study moved, and what a claim lacks of it."""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from dyadloop.inference.assignment import covariate_faults
from dyadloop.inference.problem import Problem
from dyadloop.inference.randomised import MIN_ARM, randomised_covariates

STRONG = 10.0  # first-stage F below which an event is a weak instrument (Staiger & Stock 1997, doi:10.2307/2171753)
INTERVAL = (0.055, 0.945)
RIVALS = ("network", "common_cause")
"""Hypotheses without an effect of oxytocin that may predict better than the one that was fitted."""


@dataclass(frozen=True)
class Randomisation:
    """What the randomised part of a study moved.

    ``moved`` holds the variables that an event moved; ``unmoved`` those that it was meant to move and did not, or too
    little to tell, in words; ``covariates`` the randomised covariates that make a contrast; ``rivals`` why a rival
    hypothesis stands in the way of support, empty where none does.
    """

    moved: frozenset[str]
    unmoved: dict[str, str]
    covariates: frozenset[str] = frozenset()
    rivals: str = ""


def randomisation_of(
    problem: Problem, groups: dict[str, xr.Dataset], comparison: xr.Dataset | None = None
) -> Randomisation:
    """Return which variables the randomised events of a study moved.

    What the data say of an event's own effect, its prior taken away, must lie as far from 0 as a strong instrument's.
    """
    moved: set[str] = set()
    unmoved = dict(problem.randomised.untold)
    for place, variable in zip(problem.randomised.events, problem.randomised.variables, strict=True):
        event = problem.plan.events[place]
        prior, posterior = (groups[name][event.id].values.ravel() for name in ("prior", "posterior"))
        strength = _first_stage(prior, posterior)
        if strength >= STRONG:
            moved.add(variable)
        else:
            low, middle, high = np.quantile(posterior, (INTERVAL[0], 0.5, INTERVAL[1]))
            unmoved[variable] = (
                f"{event.event} moved {variable} too little to tell ({middle:.2g} [{low:.2g}, {high:.2g}], "
                f"first-stage F {strength:.1f} below {STRONG:g})"
            )
    unmoved = {variable: why for variable, why in unmoved.items() if variable not in moved}
    unmoved |= covariate_faults(problem.scores, MIN_ARM)
    covariates = frozenset(randomised_covariates(problem.scores))
    return Randomisation(frozenset(moved), unmoved, covariates, _better_rival(problem, comparison))


def _first_stage(prior: np.ndarray, posterior: np.ndarray) -> float:
    """Return the square of mean over SD of what the data alone say of an effect, both taken as normal."""
    before, after = 1.0 / prior.var(), 1.0 / posterior.var()
    if after <= before:
        return 0.0
    mean = (posterior.mean() * after - prior.mean() * before) / (after - before)
    return float(mean**2 * (after - before))


def _better_rival(problem: Problem, comparison: xr.Dataset | None) -> str:
    """Return in words which passive rival predicts better than the fitted hypothesis, empty if none does."""
    if comparison is None:
        return ""
    scores = dict(zip(map(str, comparison["hypothesis"].values), comparison["elpd"].values.tolist(), strict=True))
    own = str(problem.plan.theory.hypothesis)
    if own not in scores:
        return f"the comparison does not hold the fitted hypothesis ({own})"
    better = [name for name in RIVALS if name != own and scores.get(name, -np.inf) > scores[own]]
    return " and ".join(f"{name} predicts better than {own}, by {scores[name] - scores[own]:.1f}" for name in better)


def lacking(problem: Problem, needed: list[str], randomisation: Randomisation) -> str:
    """Return which randomised event a claim lacks, in words; empty where it has all that it needs."""
    components = {variable.id for variable in problem.plan.theory.of_kind("component")}
    found = []
    for quantity in dict.fromkeys(needed):
        count = needed.count(quantity)
        if quantity == "component":
            moved = randomisation.moved & components
            why = [text for variable, text in randomisation.unmoved.items() if variable in components]
            if len(moved) < count:
                what = f"{count} components, each" if count > 1 else "any component"
                found.append("; ".join(why) or f"no randomised event on {what}")
        elif quantity not in randomisation.moved:
            found.append(randomisation.unmoved.get(quantity, f"no randomised event on {quantity}"))
    return "; ".join(found)
