"""Doubts about values that repeat the one before far more often than what changes does: carried forward, or copied."""

import numpy as np
import pandas as pd
from scipy.stats import poisson

from dyadloop.data.doubts import Doubt, doubt, lines_of
from dyadloop.data.schema import Study

_LEVELS = 12
"""Different values of an indicator below which repeats are no surprise."""
_LATER = (3, 4, 5)
"""How many values later a repeat is taken for chance: what is carried forward has been answered anew by then."""
_MORE = 2.5
"""How many times more often than by chance, and than one step up or down, values must repeat the one before."""
_CHANCE = 1e-6


def carried_values(study: Study) -> list[Doubt]:
    """Return doubts about indicators whose values repeat the value before within persons.

    Repeats of the value before are compared with repeats of values three to five before, which what persons prefer to
    answer makes as often, and with changes by one step, which are as likely as none where a scale is fine.
    """
    found, lines = [], lines_of(study, "measurements.tsv")
    for name, part in study.measurements.groupby("indicator", sort=False):
        values = part["value"].to_numpy(dtype=float)
        levels = np.unique(values[np.isfinite(values)])
        if len(levels) < _LEVELS:
            continue
        one = part.assign(place=np.flatnonzero(study.measurements["indicator"].eq(name)))
        series = [rows.sort_values("time", kind="stable") for _, rows in one.groupby("participant_id", sort=False)]
        repeats, pairs = _repeats(series, 1)
        later = [_repeats(series, lag) for lag in _LATER]
        chance = sum(count for count, _ in later) / max(sum(total for _, total in later), 1)
        expected = max(pairs * chance, _steps(series, float(np.diff(levels).min())), 1.0)
        if repeats > _MORE * expected and float(poisson.sf(repeats - 1, expected)) < _CHANCE:
            rows = np.concatenate([rows["place"].to_numpy()[1:][np.diff(rows["value"]) == 0] for rows in series])
            got = f"{repeats} of {pairs} values of {name!r} that repeat the value before; chance makes {expected:.0f}"
            remedy = "leave empty what was carried forward or copied: it is no answer, and makes effects where none are"
            found.append(doubt("measurements.tsv", lines[rows].tolist(), "value", got, "answers given anew", remedy))
    return found


def _repeats(series: list[pd.DataFrame], lag: int) -> tuple[int, int]:
    """Return how many values are those of some values before, and of how many."""
    found = [rows["value"].to_numpy()[lag:] == rows["value"].to_numpy()[:-lag] for rows in series]
    return int(sum(part.sum() for part in found)), sum(len(part) for part in found)


def _steps(series: list[pd.DataFrame], step: float) -> float:
    """Return how many values differ from the one before by one step, per direction."""
    moves = np.concatenate([np.abs(np.diff(rows["value"])) for rows in series])
    return float(np.isclose(moves, step, rtol=0.01).sum()) / 2
