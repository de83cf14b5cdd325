"""Why a finding is not to be trusted here: every check that matters for it and fails, in words."""

import jax.numpy as jnp
import pandas as pd
import xarray as xr

from dyadloop.appraisal.referee_agreement import DOUBTFUL, OPPOSITE, compared
from dyadloop.appraisal.replication import sampled
from dyadloop.appraisal.residuals import cross_residuals, unlike_dyads
from dyadloop.appraisal.smoothing import residual_at
from dyadloop.appraisal.stability import halves_of, without_each_of
from dyadloop.appraisal.trends import trends
from dyadloop.estimands.findings import Judged, judged
from dyadloop.inference.problem import Problem
from dyadloop.inference.recall import overlapping
from dyadloop.inference.result import problem_of
from dyadloop.inference.sampling_interval import unsuited


def finding_faults(post: xr.DataTree) -> dict[str, list[str]]:
    """Return what speaks against each arrow and each claim of a fit, in words.

    An arrow has the faults of its two quantities: signs that referees turn round, regressions that the fit does not
    reproduce, residuals that still go together, courses over the study that both follow, a dyad that is unlike the
    others, a prior of a time constant, or a time that is asked about, that does not suit how often it is measured. An
    arrow or a claim that is a finding has its own: halves that say the opposite of each other, an sd that is too small
    for how dyads differ, one dyad that carries it. A claim has those of the arrows that it rests on, too.

    Parameters
    ----------
    post
        Result of :func:`dyadloop.fit`.

    Returns
    -------
    dict
        Sentences by id of the arrow, or of the row of the claims table; what has no fault is absent.

    Examples
    --------
    >>> faults = dl.finding_faults(dl.load_result("results/example"))
    >>> sorted(faults)
    []
    """
    return faults_of(problem_of(post), post)


def faults_of(problem: Problem, post: xr.DataTree) -> dict[str, list[str]]:
    """Return what :func:`finding_faults` does, for the problem that a posterior answers."""
    found = judged(problem, post)
    faults: dict[str, list[str]] = {}
    for name, sentence in [*_of_arrows(problem, post)]:
        faults.setdefault(name, []).append(sentence)
    of_arrows = {name: list(sentences) for name, sentences in faults.items()}
    for name, sentences in faults_of_own(problem, post, found).items():
        faults.setdefault(name, []).extend(sentences)
    arrows = {coupling.id for coupling in problem.plan.couplings}
    for entry in found:
        if entry.name not in arrows:
            inherited = [f"{arrow}: {text}" for arrow in entry.arrows for text in of_arrows.get(arrow, ())]
            if inherited:
                faults[entry.name] = [*faults.get(entry.name, []), *inherited]
    return {name: list(dict.fromkeys(sentences)) for name, sentences in faults.items()}


def faults_of_own(problem: Problem, post: xr.DataTree, found: list[Judged]) -> dict[str, list[str]]:
    """Return what speaks against findings by themselves: halves that say the opposite, one dyad that carries it."""
    faults: dict[str, list[str]] = {}
    if not found:
        return faults
    for table in (halves_of(problem, post, found), without_each_of(problem, post, found)):
        for name, sentence in zip(table["finding_of"], table["flag"], strict=True):
            if sentence:
                faults.setdefault(name, []).append(sentence)
    return faults


def _of_arrows(problem: Problem, post: xr.DataTree) -> list[tuple[str, str]]:
    """Return arrows with what speaks against them."""
    table = compared(problem, post)
    found = [
        (str(row["arrow"]), f"fit and regressions point in opposite directions: {row['explanation']}")
        if row["agree"] == OPPOSITE
        else (str(row["arrow"]), str(row["explanation"]))
        for _, row in table.iterrows()
        if row["agree"] in DOUBTFUL or not row["reproduced"]
    ]
    group = sampled(post)
    values = {str(name): jnp.asarray(group[name].median(("chain", "draw")).values) for name in group.data_vars}
    residual = residual_at(problem, values)
    told = _by_residuals(problem, table, cross_residuals(problem, residual))
    unlike = unlike_dyads(problem, residual)
    told += [(str(name), text) for name in table["arrow"].unique() for text in unlike]
    return found + told + _by_trends(problem, table, trends(problem, post)) + _by_rhythm(problem, table)


def _by_rhythm(problem: Problem, arrows: pd.DataFrame) -> list[tuple[str, str]]:
    """Return arrows one of whose quantities is sampled at a rhythm that its prior, or what is asked, does not suit."""
    unfit, overlap = unsuited(problem), overlapping(problem)
    texts = {state.id: unfit[state.variable.id] for state in problem.plan.states if state.variable.id in unfit}
    ends = [(str(row["arrow"]), end) for _, row in arrows.iterrows() for end in (row["source"], row["target"])]
    return [(arrow, told[end]) for arrow, end in ends for told in (texts, overlap) if end in told]


def _by_trends(problem: Problem, arrows: pd.DataFrame, table: pd.DataFrame) -> list[tuple[str, str]]:
    """Return arrows both of whose quantities change over the study as the fit does not reproduce."""
    state = dict(zip(problem.observed.indicators, problem.observed.states, strict=True))
    flags = {
        problem.plan.names[state[str(row["indicator"])]]: str(row["flag"]) for _, row in table.iterrows() if row["flag"]
    }
    return [
        (str(row["arrow"]), flags[str(row["source"])])
        for _, row in arrows.iterrows()
        if row["source"] in flags and row["target"] in flags
    ]


def _by_residuals(problem: Problem, arrows: pd.DataFrame, table: pd.DataFrame) -> list[tuple[str, str]]:
    """Return arrows whose source and target have residuals that still go together."""
    state = dict(zip(problem.observed.indicators, problem.observed.states, strict=True))
    found = []
    for _, flagged in table[table["flag"] != ""].iterrows():
        ends = [problem.plan.names[state[str(flagged[name])]] for name in ("first", "then")]
        for _, row in arrows.iterrows():
            both = [row["source"], row["target"]]
            if both == ends or (not flagged["lag"] and both == ends[::-1]):
                found.append((str(row["arrow"]), str(flagged["flag"])))
    return found
