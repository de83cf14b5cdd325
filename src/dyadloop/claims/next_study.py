"""What a next study would have to add, so that more claims can be told."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd
import xarray as xr

from dyadloop.appraisal.misspecification import INSIDE
from dyadloop.claims.claims_table import SURE, UNTESTABLE, judge_claims, subjects
from dyadloop.errors import number_of
from dyadloop.estimands.catalogue import Untestable, estimand
from dyadloop.inference.problem import Problem
from dyadloop.inference.randomised import MIN_DYADS, MIN_SESSIONS, randomised_covariates
from dyadloop.inference.result import problem_of

MOST_TIMES = 20  # an estimate that would take more times the dyads than this is as good as on the border
_ONE_SIDED = 1.645  # quantile of the normal that 95 % lie below


def what_next(post: xr.DataTree, table: pd.DataFrame | None = None) -> list[str]:
    """Say what would let more claims of the theory be told than this study could.

    Parameters
    ----------
    post
        Result of :func:`dyadloop.fit`.
    table
        Result of :func:`dyadloop.judge_claims` for the same posterior; default: judged anew.

    Returns
    -------
    list of str
        Up to three sentences: what to randomise, how many dyads more, what to measure. How many dyads more is rough: it
        takes the estimate to stay where it is and its standard error to fall with the square root of the dyads.

    Raises
    ------
    ResultError
        If the posterior was not made by :func:`dyadloop.fit`.

    Examples
    --------
    >>> sentences = dl.what_next(dl.load_result("results/example"))
    >>> print(sentences[0][:59])
    Randomise an event that acts on trust and cooperation, in a
    """
    problem = problem_of(post)
    return next_steps(problem, judge_claims(post) if table is None else table)


def next_steps(problem: Problem, table: pd.DataFrame) -> list[str]:
    """Return the sentences of :func:`what_next` for a fitting problem and its claims table."""
    rows: dict[str, dict[Any, Any]] = {row["claim"]: row for row in table.to_dict("records")}
    lacking: dict[str, list[str]] = {}
    missing: Counter[str] = Counter()
    more: dict[str, float] = {}
    for claim in problem.plan.theory.claims:
        for subject in subjects(problem, claim):
            name = claim.id.format(id=subject, label=subject)
            row = rows[name]
            if row["verdict"] == UNTESTABLE:
                found = estimand(problem, claim, subject)
                if isinstance(found, Untestable) and len(found.missing) == 1:
                    missing[found.missing[0]] += 1
                continue
            needed = sorted({quantity.format(id=subject, label=subject) for quantity in claim.randomised_on})
            if row["verdict"] == "undecided" and pd.isna(row["randomised_median"]) and _not_randomised(problem, needed):
                lacking.setdefault(" and ".join(_acted_on(problem, quantity) for quantity in needed), []).append(name)
            elif row["verdict"] == "undecided" and math.isfinite(times := _times(row)):
                more[name] = times
    steps = [
        f"Randomise an event that acts on {what}, in at least {MIN_SESSIONS} sessions with and {MIN_SESSIONS} without "
        f"it, in {MIN_DYADS} dyads or more. The verdict on {', '.join(names)} rests on that. Fewer count as no "
        "contrast; a small effect takes more."
        for what, names in lacking.items()
    ]
    steps += [_dyads(more)] if more else []
    steps += [_measure(problem, missing)] if missing else []
    return steps


def _not_randomised(problem: Problem, needed: list[str]) -> bool:
    """Return whether a claim needs a randomised event, rather than the arms of a trial that the study has."""
    arms = set(randomised_covariates(problem.scores))
    return any(quantity not in arms for quantity in needed)


def _acted_on(problem: Problem, quantity: str) -> str:
    labels = {variable.id: variable.label.lower() for variable in problem.plan.theory.variables}
    if quantity != "component":
        return labels.get(quantity, quantity)
    measured = [state.variable for state in problem.plan.states if state.variable.kind == "component"]
    return " or ".join(dict.fromkeys(variable.label.lower() for variable in measured))


def _times(row: Mapping[Any, Any]) -> float:
    """Return how many times the dyads would tell a claim whose interval reaches across the border of its ROPE.

    Not a number where the claim is undecided for another reason.
    """
    prefix = "" if pd.isna(row["randomised_median"]) else "randomised_"
    median, low, high = (row[f"{prefix}{name}"] for name in ("median", "low", "high"))
    if row["finding"] != "unclear" or pd.isna(median):
        return math.nan
    borders = [float(row[name]) for name in ("rope_low", "rope_high") if not pd.isna(row[name])]
    distance = min(abs(median - border) for border in borders)
    error = (high - low) / (2 * INSIDE)
    return (_ONE_SIDED * error / distance) ** 2 if distance > 0 else math.inf


def _dyads(more: dict[str, float]) -> str:
    """Say how many times the dyads would tell the claims that only more data can."""
    told = {name: times for name, times in more.items() if times <= MOST_TIMES}
    if not told:
        return (
            f"More dyads of this kind would hardly tell {', '.join(more)}: the estimate is too close to the border of "
            f"its ROPE (more than {MOST_TIMES} times as many for {SURE:.0%})."
        )
    parts = [f"{name} {max(times, 1.1):.2g} times" for name, times in sorted(told.items(), key=lambda item: item[1])]
    return f"More dyads, if the estimate stays where it is (rough): {', '.join(parts)} as many."


def _measure(problem: Problem, missing: Counter[str]) -> str:
    labels = {variable.id: variable.label.lower() for variable in problem.plan.theory.variables}
    ((name, count),) = missing.most_common(1)
    return f"Measure {labels[name]}: {number_of(count, 'more claim')} of the theory could then be tested."
