"""Which answers share error: those of one rater at one moment, and those before and after one session.

Mood of the day, halo and style of response reach all answers of a visit. What is rated before a session and what is
rated after it lie an hour apart; the next visit is days away. The error of the earlier answer therefore lasts for a
time between the two, and the later answer may share in it.
"""

from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

FEWEST_TOGETHER = 20
"""Moments or visits at which two indicators must both be answered for their errors to be given a correlation."""
SAME_VISIT_DAYS = 0.25
"""Longest time between two answers of one visit [d] (assumption)."""
MUCH_LONGER = 10.0
"""How many times longer the next answer to the same indicator must be away for an error to be told from a state."""
FEW = 0.05  # share of answers that may follow the one before sooner than that


class Raters(NamedTuple):
    """Indicators whose errors may correlate, a group for each rater, and the errors that last over a visit.

    ``lasting`` are the indicators whose error is still there when a later answer of the same visit is given, and
    ``lasting_days`` is the time constant with which it goes [d].
    """

    groups: tuple[tuple[int, ...], ...] = ()
    lasting: tuple[int, ...] = ()
    lasting_days: float = 1.0


class _Visits(NamedTuple):
    """How often one indicator is answered some time after another within a visit, and the usual time between [d]."""

    number: int
    days: float


def raters_of(scores: xr.Dataset) -> Raters:
    """Return which indicators of a study share error.

    Parameters
    ----------
    scores
        Scaled scores; ``shared_error`` holds the number of the rater of each indicator, -1 where errors are its own.
    """
    numbers, seen = scores["shared_error"].values, np.isfinite(scores["score"].values)
    days = scores["days"].values
    groups, lasting, between, within = [], set(), [np.inf], [0.0]
    for number in np.unique(numbers[numbers >= 0]):
        group: list[int] = []
        visits: dict[tuple[int, int], _Visits] = {}
        for j in np.flatnonzero(numbers == number).tolist():
            visits |= _visits(days, seen, group, j)
            if all(_together(seen, j, k) or (j, k) in visits or (k, j) in visits for k in group):
                group.append(j)
        if len(group) > 1:
            groups.append(tuple(group))
            kept = {pair: found for pair, found in visits.items() if set(pair) <= set(group)}
            lasting |= {earlier for earlier, _ in kept}
            within += [found.days for found in kept.values()]
            between += [float(np.median(_gaps(days, seen[..., earlier]))) for earlier, _ in kept]
    return Raters(tuple(groups), tuple(sorted(lasting)), (max(within) * min(between)) ** 0.5 if lasting else 1.0)


def _together(seen: Bool[np.ndarray, "dyad time indicator"], j: int, k: int) -> bool:
    return bool((seen[..., j] & seen[..., k]).sum() >= FEWEST_TOGETHER)


def _visits(
    days: Float[np.ndarray, "dyad time"], seen: Bool[np.ndarray, "dyad time indicator"], group: list[int], j: int
) -> dict[tuple[int, int], _Visits]:
    """Return, for an indicator and each of a group, the pairs (earlier, later) that visits hold often enough."""
    found = {}
    for k in group:
        if _together(seen, j, k):
            continue
        for earlier, later in ((k, j), (j, k)):
            visits = _of_one_visit(days, seen[..., earlier], seen[..., later])
            gaps = _gaps(days, seen[..., earlier])
            if visits.number >= FEWEST_TOGETHER and len(gaps) and (gaps < MUCH_LONGER * visits.days).mean() <= FEW:
                found[earlier, later] = visits
    return found


def _of_one_visit(
    days: Float[np.ndarray, "dyad time"], earlier: Bool[np.ndarray, "dyad time"], later: Bool[np.ndarray, "dyad time"]
) -> _Visits:
    """Return how often the later answer follows the earlier one within a visit."""
    last = np.maximum.accumulate(np.where(earlier, days, -np.inf), axis=1)
    away = (days - last)[later & ~earlier & np.isfinite(last)]
    away = away[away <= SAME_VISIT_DAYS]
    return _Visits(len(away), float(np.median(away)) if len(away) else 0.0)


def _gaps(days: Float[np.ndarray, "dyad time"], seen: Bool[np.ndarray, "dyad time"]) -> Float[np.ndarray, " gap"]:
    """Return the times between successive answers of each dyad [d]."""
    return np.concatenate([np.diff(row[here]) for row, here in zip(days, seen, strict=True)] or [np.zeros(0)])
