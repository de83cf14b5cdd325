"""Doubts about answers that are no answers of their own: carried forward, copied, or about the same days as others."""

import numpy as np
import pandas as pd
from scipy.stats import binom, poisson

from dyadloop.data.doubts import Doubt, doubt, lines_of
from dyadloop.data.schema import Study

_LEVELS = 12
"""Different values of an indicator below which repeats are no surprise."""
_LATER = (3, 4, 5)
"""How many values later a repeat is taken for chance: what is carried forward has been answered anew by then."""
_MORE = 2.5
"""How many times more often than by chance, and than one step up or down, values must repeat the one before."""
_CHANCE = 1e-6
_RUN, _ONE_SIDED = 4, 0.01
"""Values that a course must end with, all alike, to count; chance of so many more ends than beginnings of that kind."""
LONGER = 1.25
"""How many times the usual interval between answers the days that they are about may be (assumption)."""


def overlapping_answers(study: Study) -> list[Doubt]:
    """Return doubts about indicators that are declared to ask about more days than lie between their answers."""
    found = []
    for name, part in study.measurements.groupby("indicator", sort=False):
        asked = study.info.indicators[str(name)].recall_days
        gaps = [np.diff(np.unique(rows["time"])) for _, rows in part.groupby("participant_id", sort=False)]
        gap = float(np.median(np.concatenate(gaps))) if sum(map(len, gaps)) else np.inf
        if asked is not None and asked > LONGER * gap:
            got = f"{name!r} asks about {asked:g} days and is given every {gap:.2g}"
            remedy = (
                "neighbouring answers are about the same days, so verdicts on their associations are withheld; correct "
                "`recall_days` in study.yaml if your form asks about a shorter time"
            )
            found.append(doubt("measurements.tsv", [], "time", got, "answers about days of their own", remedy))
    return found


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
        else:
            found += _same_ends(str(name), series, levels, lines)
    return found


def _same_ends(name: str, series: list[pd.DataFrame], levels: np.ndarray, lines: np.ndarray) -> list[Doubt]:
    """Doubt last values that are alike, where hardly anybody's first values are; ends of the scale are left aside."""
    inside = levels[1:-1]
    ends = [_run(rows["value"].to_numpy()[::-1], inside) for rows in series]
    begins = [_run(rows["value"].to_numpy(), inside) for rows in series]
    late, early = sum(n >= _RUN for n in ends), sum(n >= _RUN for n in begins)
    if not late or float(binom.sf(late - 1, late + early, 0.5)) >= _ONE_SIDED:
        return []
    rows = np.concatenate(
        [rows["place"].to_numpy()[-n + 1 :] for rows, n in zip(series, ends, strict=True) if n >= _RUN]
    )
    got = f"{name!r} that ends with {_RUN} or more values alike in {late} persons, and begins so in {early}"
    remedy = "leave empty what was carried forward to the end: it is no answer, and makes effects where none are"
    return [doubt("measurements.tsv", lines[rows].tolist(), "value", got, "answers given anew", remedy)]


def _run(values: np.ndarray, inside: np.ndarray) -> int:
    """Return how many values at the beginning are the same, 0 where they lie at an end of the scale."""
    if not len(values) or values[0] not in inside:
        return 0
    differ = np.flatnonzero(values != values[0])
    return int(differ[0]) if len(differ) else len(values)


def _repeats(series: list[pd.DataFrame], lag: int) -> tuple[int, int]:
    """Return how many values are those of some values before, and of how many."""
    found = [rows["value"].to_numpy()[lag:] == rows["value"].to_numpy()[:-lag] for rows in series]
    return int(sum(part.sum() for part in found)), sum(len(part) for part in found)


def _steps(series: list[pd.DataFrame], step: float) -> float:
    """Return how many values differ from the one before by one step, per direction."""
    moves = np.concatenate([np.abs(np.diff(rows["value"])) for rows in series])
    return float(np.isclose(moves, step, rtol=0.01).sum()) / 2
