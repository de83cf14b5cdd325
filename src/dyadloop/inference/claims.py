"""The claims table: each claim of the paper with its estimand, its estimate and a verdict.

Finding: where the posterior lies relative to the region of practical equivalence (ROPE), with 95 % probability.
Verdict: what that means for the claim. A claim predicts an association, so an association that is practically zero
or reversed contradicts it; an association that is there supports it only if an experiment pushed what the claim says
acts, because a common cause (M6) leaves the same trace in passive data.
"""

import json
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from dyadloop.inference.checks import convergence_faults
from dyadloop.inference.estimands import Untestable, draws_of, estimand
from dyadloop.inference.problem import Problem
from dyadloop.inference.result import problem_of
from dyadloop.theory import Claim

UNTESTABLE = "not testable here"
"""Verdict on a claim that the study or the theory cannot tell."""
SURE = 0.95
LEARNED = 0.8  # a posterior interval wider than this share of the prior's has learned too little to be a finding
MIN_PUSHED = 5  # sessions with and sessions without the event, below which a push is an anecdote
INTERVAL = (0.055, 0.945)

COLUMNS: tuple[str, ...] = (
    "claim", "statement", "estimand", "unit", "rope_low", "rope_high",
    "prior_median", "prior_low", "prior_high", "median", "low", "high",
    "p_direction", "p_beyond_rope", "finding", "verdict", "reason",
)  # fmt: skip
"""Columns of the claims table; low and high bound the 89 % interval."""


def claims(post: xr.DataTree) -> pd.DataFrame:
    """Judge every claim of the theory by a posterior.

    Returns
    -------
    pandas.DataFrame
        One row per claim with the columns of ``COLUMNS``; numbers are missing where a claim is not testable.

    Raises
    ------
    ResultError
        If the posterior was not made by :func:`dyadloop.fit`.
    """
    problem = problem_of(post)
    info = json.loads(post.attrs["study_info"])
    pushed = pushed_variables(problem, set(info.get("randomised", ())))
    faults = convergence_faults(post)
    groups = {name: post[name].to_dataset() for name in ("prior", "posterior")}
    rows = [
        _judge(problem, claim, subject, groups, pushed, faults)
        for claim in problem.plan.theory.claims
        for subject in _subjects(problem, claim)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _subjects(problem: Problem, claim: Claim) -> list[str]:
    theory = problem.plan.theory
    return [variable.id for variable in theory.of_kind(claim.for_each)] if claim.for_each else [""]


def pushed_variables(problem: Problem, randomised: set[str]) -> set[str]:
    """Return the variables that randomised events of the study moved, in enough sessions but not in all."""
    sessions = int(problem.scores["session"].max("time").sum())
    counts = [int((np.asarray(problem.panel.event)[..., i] != 0).sum()) for i in range(len(problem.plan.events))]
    moved = {
        entry.target
        for entry, given in zip(problem.plan.events, counts, strict=True)
        if entry.event in randomised and min(given, sessions - given) >= MIN_PUSHED
    }
    return moved | _varied(problem, randomised)


def _varied(problem: Problem, randomised: set[str]) -> set[str]:
    """Return the randomised covariates that take each of their values in enough dyads."""
    values = np.where(np.isfinite(problem.scores["days"].values)[..., None], problem.scores["shift"].values, np.nan)
    found = set()
    for layer, name in enumerate(problem.scores["covariate"].values.tolist()):
        highest = np.nanmax(values[..., layer], axis=1)
        apart = (highest > np.nanmean(values[..., layer])).sum()
        if name in randomised and min(apart, len(highest) - apart) >= MIN_PUSHED:
            found.add(name)
    return found


def _judge(
    problem: Problem,
    claim: Claim,
    subject: str,
    groups: dict[str, xr.Dataset],
    pushed: set[str],
    faults: list[str],
) -> dict[str, Any]:
    labels = {variable.id: variable.label for variable in problem.plan.theory.variables}
    words = {"id": subject, "label": labels.get(subject, "").lower()}
    statement = claim.statement.format(**words)
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {
        "claim": claim.id.format(**words),
        "statement": statement[0].upper() + statement[1:],
        "estimand": claim.formula.format(**words),
        "unit": claim.unit,
        "rope_low": claim.rope.low,
        "rope_high": claim.rope.high,
    }
    function = estimand(problem, claim, subject)
    if isinstance(function, Untestable):
        return row | {"finding": "none", "verdict": UNTESTABLE, "reason": function.reason}
    prior, posterior = draws_of(function, groups["prior"], groups["posterior"])
    if np.isnan(prior).all() or np.nanmax(prior) == np.nanmin(prior):
        reason = f"the fitted hypothesis ({problem.plan.theory.hypothesis}) has no arrow that could show it"
        return row | {"finding": "none", "verdict": UNTESTABLE, "reason": reason}
    row |= _numbers(prior, posterior, claim)
    finding, why = _finding(prior, posterior, claim)
    if faults:
        return row | {"finding": "none", "verdict": "undecided", "reason": "the sampling has not converged"}
    needed = {push.format(**words) for push in claim.pushes}
    verdict, reason = _verdict(problem, finding, why, needed, pushed)
    return row | {"finding": finding, "verdict": verdict, "reason": reason}


def _numbers(prior: np.ndarray, posterior: np.ndarray, claim: Claim) -> dict[str, float]:
    if np.isnan(posterior).all():
        return {}
    before, after = (np.nanquantile(draws, (0.5, *INTERVAL)) for draws in (prior, posterior))
    defined = posterior[np.isfinite(posterior)]
    return {
        "prior_median": before[0],
        "prior_low": before[1],
        "prior_high": before[2],
        "median": after[0],
        "low": after[1],
        "high": after[2],
        "p_direction": float(np.mean(defined > 0)),
        "p_beyond_rope": float(np.mean(defined > claim.rope.high)),
    }


def _finding(prior: np.ndarray, posterior: np.ndarray, claim: Claim) -> tuple[str, str]:
    """Return where the posterior lies, in a word, and why nothing can be said where that is so."""
    undefined = float(np.isnan(posterior).mean())
    if undefined > 1 - SURE:
        return (
            "unclear",
            f"the estimand has no value at {undefined:.0%} of the draws (nothing settles or is relieved)",
        )
    widths = [float(np.subtract(*np.nanquantile(draws, INTERVAL[::-1]))) for draws in (prior, posterior)]
    if widths[1] > LEARNED * widths[0]:
        return "unclear", "the data hardly narrowed the prior"
    for word, share in (
        ("positive", posterior > claim.rope.high),
        ("negative", posterior < _low(claim)),
        ("below" if claim.rope.low is None else "practically zero", _inside(posterior, claim)),
    ):
        if np.mean(share) >= SURE:
            return word, ""
    return "unclear", "the posterior reaches across the border of the ROPE"


def _low(claim: Claim) -> float:
    return -np.inf if claim.rope.low is None else claim.rope.low


def _inside(draws: np.ndarray, claim: Claim) -> np.ndarray:
    return (draws >= _low(claim)) & (draws <= claim.rope.high)


def _verdict(problem: Problem, finding: str, why: str, needed: set[str], pushed: set[str]) -> tuple[str, str]:
    components = {variable.id for variable in problem.plan.theory.of_kind("component")}
    missing = {push for push in needed if not (pushed & components if push == "component" else push in pushed)}
    if finding == "unclear":
        return "undecided", why
    if finding != "positive":
        return (
            "contradicted",
            f"the association it predicts is {finding} ({problem.plan.theory.hypothesis or 'whole'} theory)",
        )
    if missing:
        names = " or ".join("any component" if push == "component" else push for push in sorted(missing))
        return "undecided", (
            f"the association is there, but no randomised push on {names}: a common cause (M6) leaves the same trace"
        )
    return "supported", "the association is there in a study with a randomised push (taken to be one and the same)"
