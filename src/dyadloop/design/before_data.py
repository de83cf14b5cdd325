"""What a plan can tell before any data: of each parameter, of each claim, and of rival hypotheses."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from dyadloop.claims.claims_table import UNTESTABLE, subjects
from dyadloop.design.information import Planned, information
from dyadloop.design.losses import lose
from dyadloop.design.planned_study import Skeleton, skeleton
from dyadloop.design.reader import read_design
from dyadloop.design.rivals import smallest_change, told_apart
from dyadloop.design.schema import Design
from dyadloop.design.testability import prospects
from dyadloop.design.worlds import FIXED, fitted_values, world_of
from dyadloop.estimands.catalogue import Estimand, Untestable, draws_of, estimand
from dyadloop.inference.prior_scale import HARDLY, Scale
from dyadloop.inference.problem import Problem
from dyadloop.theory import Theory

_STEP = 1e-4  # of a parameter, on the scale of its prior
_STEPS = (-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Identifiability:
    """What a plan can tell.

    Attributes
    ----------
    parameters
        One row per parameter: SD of the prior, expected SD of the posterior, and ``contraction``, 1 minus their ratio.
    claims
        One row per claim: ``can_tell`` and ``why``, and the same numbers for what the claim is about, as an association
        and, with ``randomised_``, by randomised events.
    directions
        Combinations of parameters of which data tell less than a tenth of what priors tell, the least told first:
        ``told`` (information of the data over that of the prior) and ``words``.
    profile
        Expected loss of log-likelihood along the least told direction, by steps in SD of the prior.
    rivals
        Rival hypotheses: ``nats``, ``apart``, ``dyads_needed``, the ``change`` of the design that would tell best, and
        ``nats_changed``.
    rank
        Number of directions that are told, and of parameters.
    """

    parameters: pd.DataFrame
    claims: pd.DataFrame
    directions: pd.DataFrame
    profile: pd.DataFrame
    rivals: pd.DataFrame
    rank: tuple[int, int]


def identifiability(
    design: Design | str | Path,
    theory: Theory | None = None,
    *,
    rivals: Sequence[str] = (),
    truth: str = "",
    remedies: bool = True,
) -> Identifiability:
    """Say what a plan can tell before any data, near the numbers of the theory file.

    Parameters
    ----------
    design
        A design, its name, or the path of its file.
    theory
        Theory to fit; default: that of the design's analysis.
    rivals
        Hypotheses that are held against ``truth``; default: none, for each takes half a minute.
    truth
        Hypothesis that is imagined to be true beside the rivals; default: the fitted one.
    remedies
        Whether to look for the change that tells best a rival that is not told apart.

    Returns
    -------
    Identifiability
        Tables.

    Raises
    ------
    DataError
        If the design has faults.
    FitError
        If the theory is not linear, or a hypothesis does not exist.

    Examples
    --------
    >>> found = dl.identifiability("haifa", remedies=False)
    >>> tells = found.claims.set_index("claim")["can_tell"]
    >>> tells["C1.trust"], tells["C1.empathy"]
    ('association only', 'not testable here')
    """
    plan = skeleton(design if isinstance(design, Design) else read_design(design), theory)
    world = world_of(plan, FIXED)
    values = fitted_values(plan.fitted, world.truth(0))
    planned = Planned(plan.fitted)
    scale = planned.scale
    point = scale.place(values)
    found = information(planned, point, _typical_loss(plan, planned))
    posterior = np.linalg.inv(found + np.diag(1 / scale.sd**2))
    weak, rank = _directions(scale, point, found)
    compared = _rivals(plan, truth or str(plan.fitted.plan.theory.hypothesis), rivals, remedies)
    return Identifiability(
        _parameters(plan.fitted, scale, posterior),
        _claims(plan, scale, point, posterior),
        weak,
        _profile(scale, point, found),
        compared,
        rank,
    )


def _typical_loss(plan: Skeleton, planned: Planned) -> np.ndarray:
    """Return which planned values of each dyad are there after one draw of what a study loses."""
    rng = np.random.default_rng(0)
    zero = np.where(np.asarray(plan.fitted.panel.seen), 0.0, np.nan)
    return lose(rng, plan, zero, np.asarray(plan.fitted.panel.event)).seen[:, planned.seen]


def _parameters(problem: Problem, scale: Scale, posterior: np.ndarray) -> pd.DataFrame:
    expected = np.sqrt(np.diag(posterior))
    return pd.DataFrame(
        {
            "parameter": scale.names,
            "unit": ["log" if own else problem.priors.loc[name, "unit"] for name, own in
                     zip(scale.names, scale.positive, strict=True)],
            "prior_sd": scale.sd,
            "expected_sd": expected,
            "contraction": 1 - expected / scale.sd,
        }
    )  # fmt: skip


def _claims(plan: Skeleton, scale: Scale, point: np.ndarray, posterior: np.ndarray) -> pd.DataFrame:
    """Return prior and expected posterior SD of what each claim is about, by its slope in the parameters."""
    table, problem = prospects(plan).set_index("claim"), plan.fitted
    by_events = frozenset(problem.randomised.variables)
    components = by_events & {variable.id for variable in problem.plan.theory.of_kind("component")}
    rows = []
    for claim in problem.plan.theory.claims:
        for subject in subjects(problem, claim):
            name = claim.id.format(id=subject)
            row = {"claim": name, **table.loc[name].to_dict()}
            if row["can_tell"] != UNTESTABLE:
                row |= _told(estimand(problem, claim, subject), scale, point, posterior, "")
            if row["can_tell"] == "effect":
                found = estimand(problem, claim, subject, components or None, by_events=True)
                row |= _told(found, scale, point, posterior, "randomised_")
            rows.append(row)
    columns = ["claim", "statement", "can_tell", "why"]
    columns += [f"{kind}{key}" for kind in ("", "randomised_") for key in ("prior_sd", "expected_sd", "contraction")]
    return pd.DataFrame(rows).reindex(columns=columns)


def _told(
    function: Estimand | Untestable, scale: Scale, point: np.ndarray, posterior: np.ndarray, prefix: str
) -> dict[str, float]:
    """Return prior and expected posterior SD of an estimand."""
    if isinstance(function, Untestable):
        return {}
    slope = slope_of(function, scale, point)
    before, after = float(np.sqrt(slope @ (scale.sd**2 * slope))), float(np.sqrt(slope @ posterior @ slope))
    share = 1 - after / before if before > 0 else float("nan")
    return {f"{prefix}prior_sd": before, f"{prefix}expected_sd": after, f"{prefix}contraction": share}


def slope_of(function: Estimand, scale: Scale, point: np.ndarray) -> np.ndarray:
    """Return the slope of an estimand in the parameters at a point, from central differences."""
    steps = _STEP * np.concatenate([np.eye(len(point)), -np.eye(len(point))])
    values = {name: np.asarray(value) for name, value in scale.values(point + steps).items()}
    there = xr.Dataset({name: (("chain", "draw"), value[None]) for name, value in values.items()})
    high, low = np.split(np.nan_to_num(draws_of(function, there)[0]), 2)
    return (high - low) / (2 * _STEP)


def _directions(scale: Scale, point: np.ndarray, found: np.ndarray) -> tuple[pd.DataFrame, tuple[int, int]]:
    """Return what is hardly told, in words, and how many directions are told."""
    told, vectors = np.linalg.eigh(scale.sd[:, None] * found * scale.sd)
    rows = []
    for share, vector in zip(told, vectors.T, strict=True):
        if share >= HARDLY:
            break
        rows.append({"told": max(float(share), 0.0), "words": scale.in_words(point, vector)})
    weak = pd.DataFrame(rows, columns=["told", "words"])
    return weak, (len(told) - len(weak), len(told))


def _profile(scale: Scale, point: np.ndarray, found: np.ndarray) -> pd.DataFrame:
    """Return the expected loss of log-likelihood along the least told direction, to second order."""
    told, vectors = np.linalg.eigh(scale.sd[:, None] * found * scale.sd)
    loss = [0.5 * max(float(told[0]), 0.0) * step**2 for step in _STEPS]
    return pd.DataFrame({"direction": scale.in_words(point, vectors[:, 0]), "steps": _STEPS, "loss": loss})


def _rivals(plan: Skeleton, truth: str, rivals: Sequence[str], remedies: bool) -> pd.DataFrame:
    columns = ["truth", "rival", "nats", "apart", "dyads_needed", "change", "nats_changed"]
    if not rivals:
        return pd.DataFrame(columns=columns)
    table = told_apart(plan, truth, rivals)
    found = [
        smallest_change(plan.design, truth, row["rival"]) if remedies and not row["apart"] else ("", float("nan"))
        for row in table.to_dict("records")
    ]
    words, nats = zip(*found, strict=True)
    return table.assign(change=words, nats_changed=nats)[columns]
