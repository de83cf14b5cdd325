"""Synchrony of talk and of events: who follows whom and when, and how alike two persons use function words."""

import math
import re
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony.scoring import error_of_mean, mean, result
from dyadloop.measures.synchrony.series import Floats
from dyadloop.yaml_files import load_yaml

_EVENTS = "Quian Quiroga, Kreuz & Grassberger 2002, doi:10.1103/PhysRevE.66.041904"
_GAPS = "Heldner & Edlund 2010, doi:10.1016/j.wocn.2010.08.002"
_LSM = "Ireland et al. 2011, doi:10.1177/0956797610392928; word lists of dyadloop, not LIWC's"
_TURN_COLUMNS = ("speaker", "start", "end")


def check_turns(turns: pd.DataFrame, text: bool = False) -> tuple[pd.DataFrame, str, str]:
    """Return turns in time with the names of the two speakers, in order of first appearance.

    Raises
    ------
    MeasureError
        If a column is missing, a time is no number or runs backwards, or there are not exactly two speakers.
    """
    needed = ("speaker", "text") if text else _TURN_COLUMNS
    absent = [column for column in needed if column not in turns.columns]
    if absent:
        raise MeasureError(f"turns: no column {', '.join(absent)}; expected {', '.join(needed)}")
    speakers = [str(name) for name in turns["speaker"].unique()]
    if len(speakers) != 2:
        raise MeasureError(f"turns: got {len(speakers)} speakers ({', '.join(speakers[:5])}); expected two")
    if text:
        return turns.reset_index(drop=True), speakers[0], speakers[1]
    found = turns.copy()
    for column in ("start", "end"):
        found[column] = pd.to_numeric(found[column], errors="coerce").astype(float)
    bad = found["start"].isna() | found["end"].isna() | (found["end"] <= found["start"])
    if bad.any():
        row = int(np.argmax(bad.to_numpy()))
        got = f"start {turns['start'].iloc[row]!r}, end {turns['end'].iloc[row]!r}"
        raise MeasureError(f"turns row {row + 1}: got {got}; expected seconds with end after start")
    return found.sort_values("start", ignore_index=True), speakers[0], speakers[1]


def turn_taking(turns: pd.DataFrame, first: str | None = None) -> xr.Dataset:
    """Return whether two speakers adapt the pauses at which they take the turn.

    Parameters
    ----------
    turns
        Columns ``speaker``, ``start``, ``end`` [s]; runs of one speaker are joined.
    first
        Name of the first person; default: who speaks first.

    Returns
    -------
    xarray.Dataset
        ``gap`` (exchange): from the end of one's turn to the start of the other's, negative in overlap [s];
        ``share_overlap``; ``median_gap`` (direction) [s]; ``score``: Fisher z of the correlation of each gap with the
        next one, which the other person makes; ``error``: 1 / sqrt(n - 3), for independent exchanges; ``lead``: median
        gap of the second minus of the first person [s], positive where the first takes the turn sooner.

    Raises
    ------
    MeasureError
        If fewer than 6 exchanges remain.
    """
    found, one, two = check_turns(turns)
    one, two = (one, two) if first in (None, one) else (two, one)
    if first is not None and first != one:
        raise MeasureError(f"turns: {first!r} is no speaker; known: {one}, {two}")
    who = found["speaker"].astype(str).to_numpy()
    run = np.concatenate([[0], np.cumsum(who[1:] != who[:-1])])
    joined = (
        found.assign(run=run)
        .groupby("run")
        .agg(speaker=("speaker", "first"), start=("start", "min"), end=("end", "max"))
    )
    gap = joined["start"].to_numpy()[1:] - joined["end"].to_numpy()[:-1]
    taker = joined["speaker"].astype(str).to_numpy()[1:]
    if len(gap) < 6:
        raise MeasureError(f"{len(gap)} exchanges of turns; expected at least 6")
    r = float(np.corrcoef(gap[:-1], gap[1:])[0, 1]) if np.ptp(gap) > 0 else math.nan
    medians = [float(np.median(gap[taker == name])) for name in (two, one)]
    return result(
        "turns",
        math.atanh(min(max(r, -1 + 1e-12), 1 - 1e-12)),
        1 / math.sqrt(len(gap) - 4),
        "Fisher z of successive gaps",
        _GAPS,
        {"first": one},
        lead=medians[0] - medians[1],
        variables={
            "gap": ("exchange", gap, {"units": "s"}),
            "share_overlap": ((), float((gap < 0).mean())),
            "median_gap": ("direction", np.array(medians), {"units": "s"}),
        },
        coords={"taker": ("exchange", taker), "direction": ["first_to_second", "second_to_first"]},
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


@cache
def function_words() -> dict[str, frozenset[str]]:
    """Return the shipped English function words by category."""
    text = (files("dyadloop.measures.synchrony") / "function_words.yaml").read_text(encoding="utf-8")
    return {category: frozenset(words) for category, words in load_yaml(text).items()}


def language_style(
    turns: pd.DataFrame, by: str = "session", words: dict[str, frozenset[str]] | None = None, least: int = 10
) -> xr.Dataset:
    """Return language style matching: how alike two persons use function words.

    Parameters
    ----------
    turns
        Columns ``speaker`` and ``text``.
    by
        ``session``: all words of each person; ``turn``: each turn with the next turn of the other person, averaged.
    words
        Words by category; default: the shipped English lists.
    least
        Fewest words of a person that are compared.

    Returns
    -------
    xarray.Dataset
        ``category_match`` (category): 1 - |p1 - p2| / (p1 + p2 + 0.0001), p in percent of words; ``score``: their
        mean; ``error``: over turns, NaN by session.

    Raises
    ------
    MeasureError
        If there is too little text, or ``by`` is neither session nor turn.
    """
    found, one, two = check_turns(turns, text=True)
    lists = function_words() if words is None else words
    if by == "session":
        texts = [[" ".join(found.loc[found["speaker"].astype(str) == name, "text"].astype(str)) for name in (one, two)]]
    elif by == "turn":
        who, said = found["speaker"].astype(str).to_numpy(), found["text"].astype(str).to_numpy()
        texts = [[said[k], said[k + 1]] for k in range(len(said) - 1) if who[k] != who[k + 1]]
    else:
        raise MeasureError(f"by={by!r}; expected session or turn")
    matches = np.array([_matches(pair, lists) for pair in texts if min(len(_tokens(t)) for t in pair) >= least])
    if not len(matches):
        raise MeasureError(f"no {by} in which both persons say {least} words; expected at least one")
    per_text = matches.mean(axis=1)
    return result(
        "language",
        mean(per_text),
        error_of_mean(per_text),
        "mean match of the categories",
        _LSM,
        {"by": by, "least": least},
        variables={"category_match": ("category", matches.mean(axis=0)), "texts": ((), len(matches))},
        coords={"category": list(lists)},
    )


def _tokens(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower().replace("\u2019", "'"))


def _matches(pair: list[str], lists: dict[str, frozenset[str]]) -> list[float]:
    tokens = [_tokens(text) for text in pair]
    rows = []
    for members in lists.values():
        p, q = (100 * sum(word in members for word in said) / len(said) for said in tokens)
        rows.append(1 - abs(p - q) / (p + q + 0.0001))
    return rows
