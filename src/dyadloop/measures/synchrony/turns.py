"""Synchrony of talk and of events: who takes the turn when, who follows whom."""

import math

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import result
from dyadloop.measures.synchrony.floor import Spurts, exchanges, nested_sounds, speech, without_short_sounds
from dyadloop.signals.series import Floats

_EVENTS = "Quian Quiroga, Kreuz & Grassberger 2002, doi:10.1103/PhysRevE.66.041904"
_GAPS = "Heldner & Edlund 2010, doi:10.1016/j.wocn.2010.08.002"
_TURN_COLUMNS = ("speaker", "start", "end")
_LONGEST_SECONDS = 600.0
_FEWEST_EXCHANGES = 6


def two_speakers(turns: pd.DataFrame, needed: tuple[str, ...]) -> tuple[str, str]:
    """Return the names of the two speakers, in order of first appearance.

    Raises
    ------
    MeasureError
        If a column is missing, or there are not exactly two speakers.
    """
    absent = [column for column in needed if column not in turns.columns]
    if absent:
        raise MeasureError(f"turns: no column {', '.join(absent)}; expected {', '.join(needed)}")
    speakers = [str(name) for name in turns["speaker"].unique()]
    if len(speakers) != 2:
        raise MeasureError(
            f"turns: got {len(speakers)} speakers ({', '.join(speakers[:5])}); expected two, each with one name"
        )
    return speakers[0], speakers[1]


def check_turns(turns: pd.DataFrame) -> tuple[pd.DataFrame, str, str]:
    """Return turns in time with the names of the two speakers, who speaks first before.

    Raises
    ------
    MeasureError
        If a column is missing, a time is no number or runs backwards, a sound lasts longer than ten minutes, or there
        are not exactly two speakers; all rows at once.
    """
    two_speakers(turns, _TURN_COLUMNS)
    found = turns.reset_index(drop=True)
    for column in ("start", "end"):
        found[column] = pd.to_numeric(found[column], errors="coerce").astype(float)
    length = found["end"] - found["start"]
    bad = np.flatnonzero(~(np.isfinite(length) & (length > 0)))
    if len(bad):
        told = [
            f"row {row + 2} (start {turns['start'].iloc[row]!r}, end {turns['end'].iloc[row]!r})" for row in bad[:5]
        ]
        more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
        raise MeasureError(f"turns {', '.join(told)}{more}: expected seconds with end after start")
    longest = int(length.to_numpy().argmax())
    if length[longest] > _LONGEST_SECONDS:
        raise MeasureError(
            f"turns row {longest + 2}: a turn of {length[longest]:g} s; expected seconds; are the times milliseconds?"
        )
    found = found.sort_values("start", ignore_index=True, kind="stable")
    return found, *two_speakers(found, _TURN_COLUMNS)


def turn_taking(turns: pd.DataFrame, first: str | None = None, shortest: float = 0.0) -> xr.Dataset:
    """Return whether two speakers adapt the pauses at which they take the turn.

    Parameters
    ----------
    turns
        Stretches of speech: columns ``speaker``, ``start``, ``end`` [s].
    first
        Name of the first person; default: who speaks first.
    shortest
        A sound that is shorter than this and stands alone in a pause of the other takes no turn either [s]; 0 keeps to
        the definition, by which only sounds inside the other's speech take none.

    Returns
    -------
    xarray.Dataset
        ``gap`` (exchange): silence, or minus the overlap, at which the turn passes [s]; ``share_overlap``;
        ``median_gap`` (direction) [s]; ``nested`` (person): sounds of a person inside the other's speech, which take no
        turn; ``set_aside`` (person): short sounds in the other's pauses; ``score``: Fisher z of the correlation of each
        gap with the next one, which the other person makes; ``error``: 1 / sqrt(n - 3), for independent exchanges;
        ``lead``: median gap of the second minus of the first person [s], positive where the first takes the turn
        sooner.

    Raises
    ------
    MeasureError
        If fewer than 6 exchanges remain, or all gaps are the same.

    Notes
    -----
    The turn is with the person who spoke alone last. It passes when the other begins to speak alone: after a silence (a
    gap) or out of speech of both (an overlap between speakers). Silence or speech of both after which the same person
    goes on is a pause, or an overlap within a turn.

    References
    ----------
    .. [1] Heldner & Edlund (2010). doi:10.1016/j.wocn.2010.08.002
    """
    found, one, two = check_turns(turns)
    one, two = (one, two) if first in (None, one) else (two, one)
    if first is not None and first != one:
        raise MeasureError(f"turns: {first!r} is no speaker; known: {one}, {two}")
    spoken = tuple(speech(found, name) for name in (one, two))
    kept = tuple(without_short_sounds(spoken[k], spoken[1 - k], shortest) for k in (0, 1))
    gap, taker = exchanges(*kept)
    if len(gap) < _FEWEST_EXCHANGES:
        raise MeasureError(f"{len(gap)} exchanges of turns; expected at least {_FEWEST_EXCHANGES}")
    if np.ptp(gap) < 1e-9:
        raise MeasureError(f"all {len(gap)} gaps last {gap[0]:g} s; how they follow each other cannot be told")
    return _adapted(gap, taker, (one, two), spoken, kept, shortest)


def _adapted(
    gap: Floats,
    taker: NDArray[np.int64],
    names: tuple[str, str],
    spoken: tuple[Spurts, ...],
    kept: tuple[Spurts, ...],
    shortest: float,
) -> xr.Dataset:
    before, after = gap[:-1], gap[1:]
    if np.ptp(before) < 1e-9 or np.ptp(after) < 1e-9:
        raise MeasureError("all gaps but one are the same; how they follow each other cannot be told")
    r = float(np.corrcoef(before, after)[0, 1])
    medians = [float(np.median(gap[taker == k])) for k in (1, 0)]
    return result(
        "turns",
        math.atanh(min(max(r, -1 + 1e-12), 1 - 1e-12)),
        1 / math.sqrt(len(gap) - 4),
        "Fisher z of successive gaps",
        _GAPS,
        {"first": names[0], "shortest": shortest},
        lead=medians[0] - medians[1],
        variables={
            "gap": ("exchange", gap, {"units": "s"}),
            "share_overlap": ((), float((gap < 0).mean())),
            "median_gap": ("direction", np.array(medians), {"units": "s"}),
            "nested": ("person", np.array([nested_sounds(kept[k], kept[1 - k]) for k in (0, 1)])),
            "set_aside": ("person", np.array([len(spoken[k]) - len(kept[k]) for k in (0, 1)])),
        },
        coords={
            "taker": ("exchange", np.array(names)[taker]),
            "direction": ["first_to_second", "second_to_first"],
            "person": list(names),
        },
        lead_units="s",
    )


def event_synchrony(first: ArrayLike, second: ArrayLike, within: float = 2.0) -> xr.Dataset:
    """Return how many events of two persons (nods, smiles, skin conductance responses) come close after each other.

    Parameters
    ----------
    first, second
        Times of the events [s], increasing.
    within
        Largest distance of two events that belong together [s].

    Returns
    -------
    xarray.Dataset
        ``score``: matched events over the geometric mean of the counts; ``error``: binomial; ``lead``: share of
        matches in which the first person is earlier, minus the share in which the second is; ``matches``.
    """
    times = []
    for name, values in (("first", first), ("second", second)):
        array = np.asarray(values, dtype=np.float64)
        if array.ndim != 1 or array.size < 1 or not np.isfinite(array).all() or (np.diff(array) <= 0).any():
            raise MeasureError(f"events of the {name} person: expected increasing times in seconds, at least one")
        times.append(array)
    after, before = _followed(times[0], times[1], within), _followed(times[1], times[0], within)
    equal = float(np.isin(times[0], times[1]).sum())
    total, n = after + before + equal, math.sqrt(len(times[0]) * len(times[1]))
    share = min(total / n, 1.0)
    return result(
        "events",
        share,
        math.sqrt(max(share * (1 - share), 0.0) / n),
        "matched events over the geometric mean of the counts",
        _EVENTS,
        {"within": within},
        lead=(after - before) / total if total else 0.0,
        variables={"matches": ((), total)},
    )


def _followed(leader: Floats, follower: Floats, within: float) -> float:
    """Return how many events of the leader have an event of the follower after them, each event used once."""
    count, place = 0, 0
    for moment in leader:
        while place < len(follower) and follower[place] <= moment:
            place += 1
        if place < len(follower) and follower[place] - moment <= within:
            count, place = count + 1, place + 1
    return float(count)
