"""Before any fit: which claims of a theory a study can tell, which not, and why."""

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from dyadloop.claims.claims_table import subjects
from dyadloop.data import Study, read_study
from dyadloop.estimands.catalogue import Untestable, estimand
from dyadloop.inference.assignment import covariate_faults
from dyadloop.inference.problem import Problem, build_problem
from dyadloop.inference.randomised import MIN_ARM, randomised_covariates
from dyadloop.inference.recall import overlapping
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import Theory, read_theory

COLUMNS = ("claim", "statement", "answerable", "reason")
ASSOCIATION, ACTS, NOT = "as an association", "yes", "no"


def answerable(study: Study | str | Path, theory: Theory | str | None = None) -> pd.DataFrame:
    """Say of each claim whether a study can tell it, without fitting anything.

    Parameters
    ----------
    study
        Study, or its folder.
    theory
        Theory; default: the study's own.

    Returns
    -------
    pandas.DataFrame
        One row per claim: ``answerable`` is ``yes``, ``as an association`` (what goes together in time; whether it
        acts would need randomised events) or ``no``; ``reason`` says why. A claim that can be told may still remain
        undecided.

    Raises
    ------
    DataError
        If the study has faults.
    FitError
        If it measures nothing of the theory.

    Examples
    --------
    >>> theory = dl.keep(dl.read_theory("framework_linear"), ["oxytocin", "trust"])
    >>> table = dl.answerable("results/example-study", theory)
    >>> table["answerable"].value_counts().to_dict()
    {'as an association': 5, 'no': 2}
    """
    found = study if isinstance(study, Study) else read_study(study)
    chosen = theory if isinstance(theory, Theory) else read_theory(theory or found.info.theory, found.path)
    problem = build_problem(scale_scores(found), chosen, None, found.info.priors)
    randomised, untold = problem.randomised.plan is not None, dict(problem.randomised.untold)
    untold |= covariate_faults(problem.scores, MIN_ARM)
    arms = randomised_covariates(problem.scores)
    rows = []
    for claim in problem.plan.theory.claims:
        for subject in subjects(problem, claim):
            labels = {variable.id: variable.label for variable in problem.plan.theory.variables}
            words = {"id": subject, "label": labels.get(subject, "").lower()}
            statement = claim.statement.format(**words)
            told = estimand(problem, claim, subject)
            if isinstance(told, Untestable):
                verdict, reason = NOT, told.reason
            elif not randomised and not (needed := {name.format(**words) for name in claim.randomised_on}) <= arms:
                lacking = (
                    f"whether it acts needs randomised events that move {' or '.join(map(_named, sorted(needed)))}"
                )
                verdict, reason = (
                    ASSOCIATION,
                    next((untold[name] for name in sorted(needed) if name in untold), lacking),
                )
            else:
                verdict, reason = ACTS, "the study measures what it speaks of"
            if verdict == ASSOCIATION or (verdict == ACTS and not claim.randomised_on):
                reason = next(_overlaps(problem, claim.formula.format(**words)), reason)
            rows.append((claim.id.format(**words), statement[0].upper() + statement[1:], verdict, reason))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _overlaps(problem: Problem, formula: str) -> Iterator[str]:
    """Yield, for the arrows that a formula names, why answers about overlapping days leave the claim undecided."""
    overlap, named = overlapping(problem), set(re.findall(r"\w+", formula))
    for coupling in problem.plan.couplings:
        if coupling.id in named:
            yield from (overlap[end] for end in (*coupling.sources, coupling.target) if end in overlap)


def _named(quantity: str) -> str:
    return f"a {quantity}" if quantity in ("component", "symptom") else quantity
