"""What a design can say of each claim before any data: nothing, an association, or what randomised events do."""

import pandas as pd

from dyadloop.claims.claims_table import UNTESTABLE, subjects
from dyadloop.design.planned_study import Skeleton
from dyadloop.estimands.catalogue import Untestable, estimand
from dyadloop.inference.problem import Problem
from dyadloop.inference.randomised import randomised_covariates

ASSOCIATION, EFFECT = "association only", "effect"


def prospects(plan: Skeleton) -> pd.DataFrame:
    """Return what a planned study can say of each claim.

    Returns
    -------
    pandas.DataFrame
        ``claim``, ``statement``, ``can_tell`` (``not testable here``, ``association only`` or ``effect``) and ``why``.
    """
    table = prospects_of(plan.fitted)
    return table.assign(why=table["why"].map(of_design))


def of_design(reason: str) -> str:
    """Return a reason of the claims table in words that speak of a design, which is no study yet."""
    return reason.replace("this study", "this design")


def prospects_of(problem: Problem) -> pd.DataFrame:
    """Return the same of the problem of a study, real or planned."""
    theory, rows = problem.plan.theory, []
    labels = {variable.id: variable.label for variable in theory.variables}
    for claim in theory.claims:
        for subject in subjects(problem, claim):
            words = {"id": subject, "label": labels.get(subject, "").lower()}
            needed = [push.format(**words) for push in claim.randomised_on]
            found = estimand(problem, claim, subject)
            can_tell, why = EFFECT, "rests on randomised events, if they move what they act on"
            if not needed:
                can_tell, why = ASSOCIATION, "is about an association"
            if isinstance(found, Untestable):
                can_tell, why = UNTESTABLE, found.reason
            elif lacking := _lacking(problem, needed):
                can_tell, why = ASSOCIATION, f"no randomised event on {' and '.join(lacking)}"
            statement = claim.statement.format(**words)
            rows.append(
                {
                    "claim": claim.id.format(**words),
                    "statement": statement[0].upper() + statement[1:],
                    "can_tell": can_tell,
                    "why": why,
                }
            )
    return pd.DataFrame(rows)


def _lacking(problem: Problem, needed: list[str]) -> list[str]:
    """Return the pushes that a claim needs and that no randomised event makes."""
    theory = problem.plan.theory
    pushed = set(problem.randomised.variables) | randomised_covariates(problem.scores)
    components = {variable.id for variable in theory.of_kind("component")}
    found = [push for push in needed if push != "component" and push not in pushed]
    short = needed.count("component") > len(pushed & components)
    return list(dict.fromkeys([*found, *(["a component"] if short else [])]))
