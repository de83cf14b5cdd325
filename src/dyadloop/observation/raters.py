"""Which answers share error: those of one rater at one moment, before and after one session, and of both persons.

Mood of the day, halo and style of response reach all answers of a visit. What is rated before a session and what is
rated after it lie an hour apart; the next visit is days away. The error of the earlier answer therefore lasts for a
time between the two, and the later answer may share in it. A session also colours what both persons answer about it.
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
MANY = 6
"""Indicators of a dyad above which errors correlate between persons only for answers to the same quantity."""


class Raters(NamedTuple):
    """Indicators whose errors may correlate, and the errors that last over a visit.

    ``groups`` are the indicators that are tied to each other, in rising order; ``pairs`` (later, earlier) those whose
    errors have a correlation of their own: every two of one rater, and two of different persons who answer about the
    same session. ``lasting`` are the indicators whose error is still there when a later answer of the same visit is
    given, and ``lasting_days`` is the time constant with which it goes [d].
    """

    groups: tuple[tuple[int, ...], ...] = ()
    pairs: tuple[tuple[int, int], ...] = ()
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
        Scaled scores; ``shared_error`` holds the number of the rater of each indicator, -1 where errors are its own,
        and ``shared_session`` the number of its quantity, -1 where errors are those of its rater alone.
    """
    numbers, seen = scores["shared_error"].values, np.isfinite(scores["score"].values)
    days = scores["days"].values
    members = [np.flatnonzero(numbers == number).tolist() for number in np.unique(numbers[numbers >= 0])]
    visits = _Visiting.of(days, seen, sorted(j for group in members for j in group))
    pairs: set[tuple[int, int]] = set()
    for group in members:
        kept: list[int] = []
        for j in group:
            if all(visits.joined(j, k) for k in kept):
                kept.append(j)
        pairs |= {(later, earlier) for place, later in enumerate(kept) for earlier in kept[:place]}
    pairs |= _between_persons(scores, visits)
    found = {pair: visit for pair, visit in visits.found.items() if (max(pair), min(pair)) in pairs}
    if not found:
        return Raters(_tied(pairs), tuple(sorted(pairs)))
    within = max(visit.days for visit in found.values())
    between = min(float(np.median(_gaps(days, seen[..., earlier]))) for earlier, _ in found)
    return Raters(
        _tied(pairs), tuple(sorted(pairs)), tuple(sorted({earlier for earlier, _ in found})), (within * between) ** 0.5
    )


def _between_persons(scores: xr.Dataset, visits: "_Visiting") -> set[tuple[int, int]]:
    """Return the pairs (later, earlier) of answers that different persons give about the same sessions."""
    numbers, quantities = scores["shared_error"].values, scores["shared_session"].values
    rated = np.flatnonzero((numbers >= 0) & (quantities >= 0)).tolist()
    return {
        (j, k)
        for place, j in enumerate(rated)
        for k in rated[:place]
        if numbers[j] != numbers[k] and (len(rated) <= MANY or quantities[j] == quantities[k]) and visits.joined(j, k)
    }


def _tied(pairs: set[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    """Return the indicators that pairs tie to each other, directly or through others."""
    groups: list[set[int]] = []
    for pair in pairs:
        touched = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if group not in touched] + [set(pair).union(*touched)]
    return tuple(sorted(tuple(sorted(group)) for group in groups))


class _Visiting(NamedTuple):
    """Which indicators are answered together, and which pairs (earlier, later) within one visit."""

    together: frozenset[tuple[int, int]]
    found: dict[tuple[int, int], "_Visits"]

    @classmethod
    def of(
        cls, days: Float[np.ndarray, "dyad time"], seen: Bool[np.ndarray, "dyad time indicator"], rated: list[int]
    ) -> "_Visiting":
        together: set[tuple[int, int]] = set()
        found: dict[tuple[int, int], _Visits] = {}
        for place, j in enumerate(rated):
            for k in rated[:place]:
                if _together(seen, j, k):
                    together |= {(j, k), (k, j)}
                else:
                    found |= _visits(days, seen, j, k)
        return cls(frozenset(together), found)

    def joined(self, j: int, k: int) -> bool:
        """Return whether two indicators are answered together, or one after the other within a visit."""
        return (j, k) in self.together or (j, k) in self.found or (k, j) in self.found


def _together(seen: Bool[np.ndarray, "dyad time indicator"], j: int, k: int) -> bool:
    return bool((seen[..., j] & seen[..., k]).sum() >= FEWEST_TOGETHER)


def _visits(
    days: Float[np.ndarray, "dyad time"], seen: Bool[np.ndarray, "dyad time indicator"], j: int, k: int
) -> dict[tuple[int, int], _Visits]:
    """Return the orders (earlier, later) in which visits hold answers to two indicators often enough."""
    found = {}
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
