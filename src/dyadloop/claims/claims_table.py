"""The claims table: each claim of the paper with its estimand, its estimate and a verdict.

Finding: where the posterior lies relative to the region of practical equivalence (ROPE), with 95 % probability.
Verdict: what that means for the claim. A claim that says that something acts rests on randomised events alone: what
goes together in passive data may have a common cause, whichever way it points. A claim about an association in time
rests on all data.
"""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from dyadloop import dynamics
from dyadloop.appraisal.faults import faults_of_own, finding_faults
from dyadloop.claims.randomisation import INTERVAL, Randomisation, lacking, randomisation_of
from dyadloop.estimands.catalogue import OXYTOCIN, ROUNDING, Estimand, Untestable, draws_of, estimand
from dyadloop.estimands.findings import Judged
from dyadloop.inference.convergence import estimand_fault, sampling_fault
from dyadloop.inference.divergences import divergence_fault
from dyadloop.inference.problem import Problem
from dyadloop.inference.result import problem_of
from dyadloop.theory import Claim

UNTESTABLE = "not testable here"
"""Verdict on a claim that the study or the theory cannot tell."""
SURE = 0.95
LEARNED = 0.8  # a posterior interval wider than this share of the prior's has learned too little to be a finding
_SHOWN = ("median", "low", "high", "p_beyond_rope")

COLUMNS: tuple[str, ...] = (
    "claim", "statement", "estimand", "unit", "rope_low", "rope_high",
    "prior_median", "prior_low", "prior_high", "median", "low", "high",
    "p_direction", "p_beyond_rope",
    "randomised_median", "randomised_low", "randomised_high", "randomised_p_beyond_rope",
    "rests_on", "finding", "verdict", "reason", "misfit",
)  # fmt: skip
"""Columns of the claims table; low and high bound the 89 % interval.

``median`` to ``p_beyond_rope`` describe the association in all data; those with ``randomised_`` rest on randomised
events alone and are missing where none acted on what the claim says acts. ``rests_on`` says what the verdict rests on:
``association``, ``randomised events`` or ``randomised arms``. ``misfit`` says what speaks against the association, see
:func:`dyadloop.finding_faults`, and against a finding that rests on randomised events; a verdict that would rest on
what is doubted is withheld.
"""
ASSOCIATION, EVENTS, ARMS = "association", "randomised events", "randomised arms"
"""What a verdict may rest on."""


def judge_claims(post: xr.DataTree, comparison: xr.Dataset | None = None) -> pd.DataFrame:
    """Judge every claim of the theory by a posterior.

    Parameters
    ----------
    post
        Result of :func:`dyadloop.fit`.
    comparison
        Result of :func:`dyadloop.compare` for the same study, with M5 or M6 among its hypotheses. Where one of these
        predicts better than what was fitted, no claim about oxytocin or components is supported.

    Returns
    -------
    pandas.DataFrame
        One row per claim; numbers are missing where a claim is not testable. ``claim``, ``statement``, ``estimand``,
        ``unit``, ``rope_low``, ``rope_high``: what is claimed. ``prior_median``, ``prior_low``, ``prior_high``;
        ``median``, ``low``, ``high``, ``p_direction`` (above 0), ``p_beyond_rope``: the association in all data, with
        89 % interval. ``randomised_median``, ``randomised_low``, ``randomised_high``, ``randomised_p_beyond_rope``:
        the effect of randomised events. ``rests_on``, ``finding``, ``verdict``, ``reason``, ``misfit``. A larger number
        speaks for the claim.

    Raises
    ------
    ResultError
        If the posterior was not made by :func:`dyadloop.fit`.

    Examples
    --------
    >>> table = dl.judge_claims(dl.load_result("results/example"))
    >>> tested = table[table["verdict"] != "not testable here"]
    >>> print(tested[["claim", "verdict", "finding"]].head(5).to_string(index=False))
        claim   verdict  finding
     C1.trust undecided positive
     C2.trust undecided  unclear
     C3.trust undecided  unclear
      C5.weak undecided  unclear
    C5.strong undecided    below
    """
    groups = {name: post[name].to_dataset() for name in ("prior", "posterior", "sample_stats")}
    fault = sampling_fault(post)
    problem = problem_of(post)
    rows = judge(problem, groups, comparison, fault)
    misfit = {} if fault or all(row["verdict"] == UNTESTABLE for row in rows) else finding_faults(post)
    own = faults_of_own(problem, post, _randomised_findings(problem, groups, rows))
    told = [_trusted(row, misfit.get(row["claim"], []), own.get(row["claim"], [])) for row in rows]
    return pd.DataFrame(told, columns=list(COLUMNS))


def judge(
    problem: Problem, groups: dict[str, xr.Dataset], comparison: xr.Dataset | None = None, fault: str = ""
) -> list[dict[str, Any]]:
    """Return one row per claim, judged by draws of ``prior`` and ``posterior``, before the fit itself is doubted.

    ``sample_stats``, where it is there, says which draws came from divergent transitions. ``fault`` says why the draws
    are not to be used; empty where they are.
    """
    randomisation = randomisation_of(problem, groups, comparison)
    return [
        _judge(problem, claim, subject, groups, randomisation, fault)
        for claim in problem.plan.theory.claims
        for subject in subjects(problem, claim)
    ]


def _trusted(row: dict[str, Any], misfit: list[str], own: list[str]) -> dict[str, Any]:
    """Return a row with what speaks against its numbers, and without a verdict that would rest on it.

    What speaks against an association does not reach what randomised events or arms do; ``own`` speaks against that.
    """
    found = row | {"misfit": "; ".join(dict.fromkeys([*own, *misfit]))}
    doubts = misfit if row["rests_on"] == ASSOCIATION else own
    if doubts and row["verdict"] in ("supported", "contradicted"):
        return found | {"verdict": "undecided", "reason": f"not trustworthy here: {doubts[0]}"}
    return found


def _randomised_findings(problem: Problem, groups: dict[str, xr.Dataset], rows: list[dict[str, Any]]) -> list[Judged]:
    """Return the draws of what randomised events or arms do, for the claims that they decide."""
    decided = {row["claim"]: row for row in rows if row["verdict"] in ("supported", "contradicted")}
    components = {variable.id for variable in problem.plan.theory.of_kind("component")}
    moved, found = randomisation_of(problem, groups).moved & components, []
    for claim in problem.plan.theory.claims:
        for subject in subjects(problem, claim):
            row = decided.get(claim.id.format(id=subject, label=subject))
            if row is None or row["rests_on"] == ASSOCIATION:
                continue
            by_events = row["rests_on"] == EVENTS
            function = estimand(problem, claim, subject, moved if by_events else None, by_events=by_events)
            if not isinstance(function, Untestable):
                (draws,) = draws_of(function, groups["posterior"])
                low = -np.inf if claim.rope.low is None else claim.rope.low
                found.append(Judged(row["claim"], draws, low, claim.rope.high, ()))
    return found


def rests_on_events(table: pd.DataFrame) -> bool:
    """Return whether a claims table supports a claim by randomised events, so that rivals must be compared."""
    return bool(((table["verdict"] == "supported") & (table["rests_on"] == EVENTS)).any())


def subjects(problem: Problem, claim: Claim) -> list[str]:
    """Return the components or symptoms of which a claim speaks in turn; one empty name where it names none."""
    theory = problem.plan.theory
    return [variable.id for variable in theory.of_kind(claim.for_each)] if claim.for_each else [""]


def _judge(
    problem: Problem,
    claim: Claim,
    subject: str,
    groups: dict[str, xr.Dataset],
    randomisation: Randomisation,
    fault: str,
) -> dict[str, Any]:
    labels = {variable.id: variable.label for variable in problem.plan.theory.variables}
    words = {"id": subject, "label": labels.get(subject, "").lower()}
    statement = claim.statement.format(**words)
    row: dict[str, Any] = dict.fromkeys(COLUMNS) | {"rests_on": ASSOCIATION, "misfit": ""}
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
    if np.isnan(prior).all() or np.nanmax(prior) - np.nanmin(prior) < ROUNDING:
        reason = f"the fitted hypothesis ({problem.plan.theory.hypothesis}) has no arrow that could show it"
        return row | {"finding": "none", "verdict": UNTESTABLE, "reason": reason}
    row |= _numbers(prior, posterior, claim)
    if fault := fault or _unsound(posterior, groups):
        return row | {"finding": "none", "verdict": "undecided", "reason": fault}
    finding, why = _finding(prior, posterior, claim)
    needed = [quantity.format(**words) for quantity in claim.randomised_on]
    if all(
        quantity in randomisation.covariates and quantity not in labels for quantity in needed
    ):  # none, or arms of a trial
        support = "the difference between randomised arms is there" if needed else "the association is there"
        verdict, reason = _verdict(finding, why, randomisation.rivals if needed else "", support)
        basis = ARMS if needed else ASSOCIATION
        return row | {"rests_on": basis, "finding": finding, "verdict": verdict, "reason": reason}
    if missing := lacking(problem, needed, randomisation):
        reason = (
            why
            if finding == "unclear"
            else f"the association is {finding}, but {missing}: a common cause (M6) leaves the same trace"
        )
        return row | {"finding": finding, "verdict": "undecided", "reason": reason}
    return row | _by_randomised(problem, claim, subject, groups, randomisation, needed)


def _unsound(draws: np.ndarray, groups: dict[str, xr.Dataset]) -> str:
    """Return why the draws of an estimand are not to be used, in words; empty where they are."""
    fault = estimand_fault(draws, groups["posterior"].sizes["chain"])
    if fault or "sample_stats" not in groups:
        return fault
    return divergence_fault(draws, groups["sample_stats"]["diverging"].values.ravel() > 0)


def _by_randomised(
    problem: Problem,
    claim: Claim,
    subject: str,
    groups: dict[str, xr.Dataset],
    randomisation: Randomisation,
    needed: list[str],
) -> dict[str, Any]:
    """Return numbers, finding and verdict that rest on randomised events alone."""
    components = {variable.id for variable in problem.plan.theory.of_kind("component")}
    sources = randomisation.moved & components
    function = estimand(problem, claim, subject, sources, by_events=True)
    if isinstance(function, Untestable):
        return {"finding": "none", "verdict": "undecided", "reason": function.reason}
    prior, posterior = draws_of(function, groups["prior"], groups["posterior"])
    if fault := _unsound(posterior, groups):
        return {"finding": "none", "verdict": "undecided", "reason": fault}
    numbers = {f"randomised_{key}": value for key, value in _numbers(prior, posterior, claim).items() if key in _SHOWN}
    finding, why = _finding(prior, posterior, claim)
    notes = []
    measured = {state.variable.id for state in problem.plan.states} & components
    if "component" in needed and sources < measured:
        notes.append(f"for {', '.join(sorted(sources))} alone")
    notes.append(_agreement(estimand(problem, claim, subject, sources), posterior, groups))
    if finding in ("positive", "negative"):
        notes.append(_exclusion(problem, needed, subject, groups["posterior"]))
    verdict, reason = _verdict(finding, why, randomisation.rivals, "the effect of randomised events is there")
    whole = "; ".join([reason, *(note for note in notes if note)])
    return numbers | {"rests_on": EVENTS, "finding": finding, "verdict": verdict, "reason": whole}


def _exclusion(problem: Problem, needed: list[str], subject: str, posterior: xr.Dataset) -> str:
    """Say how large a direct effect of the event on the outcome would explain a finding (sensitivity to exclusion)."""
    outcome = subject if needed == [OXYTOCIN] else OXYTOCIN if needed == [subject] else ""
    places = [p for p, v in zip(problem.randomised.events, problem.randomised.variables, strict=True) if v in needed]
    states = [state.id for state in problem.plan.states if state.variable.id == outcome]
    if not states or not places or problem.schedule is None:
        return ""
    middle = {str(name): float(np.median(posterior[name].values)) for name in posterior.data_vars}
    view = problem.of_randomised()
    size = dynamics.event_effect(
        view.at_mean(problem.randomised.values(middle)), problem.schedule, places[0], frozenset(states)
    )
    name = problem.plan.events[places[0]].event
    return f"a direct effect of {name} on {outcome} of {abs(float(size)):.2g} by the next session would explain it"


def _agreement(passive: Estimand | Untestable, by_events: np.ndarray, groups: dict[str, xr.Dataset]) -> str:
    """Say whether what goes together by itself agrees with what randomised events do."""
    if isinstance(passive, Untestable):
        return ""
    (draws,) = draws_of(passive, groups["posterior"])
    gap = by_events - draws
    gap = gap[np.isfinite(gap)]
    if not len(gap):
        return ""
    low, high = np.quantile(gap, (0.025, 0.975))
    if low > 0 or high < 0:
        return f"passive data differ from it (passive {np.nanmedian(draws):.2g}): they are confounded"
    return ""


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
    before, after = (np.nanquantile(draws, INTERVAL) for draws in (prior, posterior))
    overlap = after[0] <= before[1] and before[0] <= after[1]
    if overlap and after[1] - after[0] > LEARNED * (before[1] - before[0]):
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


def _verdict(finding: str, why: str, rival: str, support: str) -> tuple[str, str]:
    """Return verdict and reason where the finding bears on the claim."""
    if finding == "unclear":
        return "undecided", why
    if finding != "positive":
        return "contradicted", f"what it predicts is {finding}"
    if rival:
        return "undecided", f"{support}, but {rival}"
    return "supported", support
