"""Actor and partner effects: what a person's own state, and what the partner's, now means for the next occasion."""

import json

import numpy as np
import pandas as pd
import xarray as xr

from dyadloop.appraisal.lagged import N_DRAWS, implied, points_of, quantiles_of
from dyadloop.appraisal.occasions import Occasions, occasions
from dyadloop.appraisal.regressions import Route
from dyadloop.appraisal.replication import thinned
from dyadloop.inference.problem import Problem
from dyadloop.inference.result import problem_of

COLUMNS = (
    "kind", "source", "target", "gap_days", "effect", "effect_low", "effect_high", "points", "points_low",
    "points_high", "points_unit", "source_points",
)  # fmt: skip
"""Columns of the table of actor and partner effects."""


def actor_partner_effects(post: xr.DataTree, gap_days: float | None = None, n_draws: int = N_DRAWS) -> pd.DataFrame:
    """Return actor and partner effects as the actor-partner interdependence model names them.

    Parameters
    ----------
    post
        Result of :func:`dyadloop.fit`.
    gap_days
        Distance of occasions [d]; default: the median distance of an occasion and the next.
    n_draws
        Posterior draws used.

    Returns
    -------
    pandas.DataFrame
        One row per pair of measured states whose persons are known. ``kind`` is actor (both of one person, a state on
        itself included) or partner (of two persons). ``effect`` of a source one SD above the person's usual level on
        the target at the next occasion [SD within persons of the target's score]; ``points`` the same on the target's
        scale, for ``source_points`` on the source's. Medians with 89 % intervals. Partners who cannot be told apart
        have one row per effect. Empty where the indicators are not those of two persons.

    Notes
    -----
    Whole effects over one interval, all paths included; an arrow that the theory does not have is not estimated, so its
    row shows what other paths carry. As in any passive study, association is not yet cause.

    References
    ----------
    .. [1] Kenny, Kashy & Cook (2006), Dyadic Data Analysis. Guilford.

    Examples
    --------
    >>> table = dl.actor_partner_effects(dl.load_result("results/example"), gap_days=7.0)
    >>> table["kind"].value_counts().to_dict()
    {'actor': 10, 'partner': 6}
    """
    problem = problem_of(post)
    return effects_of_persons(problem, post, occasions(problem, gap_days), n_draws)


def effects_of_persons(problem: Problem, post: xr.DataTree, seen: Occasions, n_draws: int = N_DRAWS) -> pd.DataFrame:
    """Return the table of actor and partner effects for occasions at hand."""
    whose = _givers(problem)
    measured = [state for state in seen.states if state in whose]
    if len({whose[state] for state in measured}) != 2 or problem.plan.has_kink:
        return pd.DataFrame(columns=list(COLUMNS))
    places = [(source, target) for source in measured for target in measured]
    places = [pair for pair in places if not _is_mirrored(pair, places, problem.plan.partners)]
    found = [Route("", *(seen.states.index(state) for state in pair)) for pair in places]
    told = implied(problem, seen, found, thinned(post, n_draws))
    info = json.loads(post.attrs["study_info"])["indicators"]
    rows = []
    for place, (source, target) in enumerate(places):
        sd = np.sqrt(told.covariance[:, source, source])
        effect = told.passed[:, place, target, source] * sd
        (source_scale, _), (target_scale, unit) = (points_of(problem, state, info) for state in (source, target))
        row = {
            "kind": "actor" if whose[source] == whose[target] else "partner",
            "source": problem.plan.names[source],
            "target": problem.plan.names[target],
            "gap_days": seen.gap,
            "points_unit": unit,
            "source_points": quantiles_of(sd)[1] * source_scale,
        }
        for name, values in (("effect", effect), ("points", effect * target_scale)):
            row |= dict(zip((f"{name}_low", name, f"{name}_high"), quantiles_of(values), strict=True))
        rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _givers(problem: Problem) -> dict[int, str]:
    """Return who gives the indicators of each state; a state that several persons rate has nobody."""
    if "given_by" not in problem.scores.coords:
        return {}
    given = dict(
        zip(problem.scores["indicator"].values.tolist(), problem.scores["given_by"].values.tolist(), strict=True)
    )
    found: dict[int, set[str]] = {}
    for name, state in zip(problem.observed.indicators, problem.observed.states, strict=True):
        found.setdefault(state, set()).add(given[name])
    return {state: next(iter(who)) for state, who in found.items() if len(who) == 1}


def _is_mirrored(pair: tuple[int, int], pairs: list[tuple[int, int]], partners: tuple[tuple[int, int], ...]) -> bool:
    """Return whether an earlier row shows the same effect with the partners swapped."""
    swap = {state: other for first, second in partners for state, other in ((first, second), (second, first))}
    mirror = (swap.get(pair[0], -1), swap.get(pair[1], -1))
    return mirror in pairs and pairs.index(mirror) < pairs.index(pair)
