"""What the entries of a column look like: numbers, dates, times of day, roles, or words."""

import math
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dyadloop.exchange.dates import iso_clock, iso_date
from dyadloop.exchange.grid import Grid
from dyadloop.exchange.missing import WORDS
from dyadloop.exchange.numbers import decimal_mark, told
from dyadloop.exchange.vocabulary import ROLES

_MOSTLY = 0.8
_LONE, _FEWEST_OTHERS, _FEWEST_ENTRIES = 3, 3, 8  # different numbers apart, and how many others tell that they are
_CODES = (-999, -998, -99, -98, -97, -9, -8, -7, -1, 9, 66, 77, 88, 97, 98, 99, 666, 777, 888, 997, 998, 999, 9999)


@dataclass(frozen=True)
class Profile:
    """Counts of one column: how many entries there are, and how many can be read as what."""

    name: str
    filled: int
    distinct: int
    numbers: float
    dates: float
    clocks: float
    roles: float
    values: tuple[float, ...]
    """Different numbers in their order."""
    weights: tuple[int, ...]
    """How often each occurs."""
    texts: tuple[str, ...]
    """Different entries in the order in which they occur, without words for missing."""

    @property
    def is_number(self) -> bool:
        """Whether most entries are numbers."""
        return self.filled > 0 and self.numbers >= _MOSTLY

    @property
    def is_date(self) -> bool:
        """Whether most entries are dates."""
        return self.filled > 0 and self.dates >= _MOSTLY

    @property
    def is_clock(self) -> bool:
        """Whether most entries are times of day."""
        return self.filled > 0 and self.clocks >= _MOSTLY

    @property
    def is_role(self) -> bool:
        """Whether nearly all entries name a role, and more than one does."""
        return self.filled > 0 and self.roles >= 0.95 and 1 < len({ROLES[t.casefold()] for t in self._known}) <= 3

    @property
    def _known(self) -> list[str]:
        return [text for text in self.texts if text.casefold() in ROLES]


def profile(grid: Grid, name: str, decimal: str, order: str) -> Profile:
    """Return what the entries of a column look like."""
    texts = pd.Series(grid.column(name))
    counts = texts[texts != ""].value_counts(sort=False)
    counts = counts[[text.casefold() not in WORDS for text in counts.index]]
    total = int(counts.sum())
    share = lambda kept: float(counts[kept].sum() / total) if total else 0.0  # noqa: E731 - a word for one line
    numbers = [told(text, "." if decimal == "?" else decimal) for text in counts.index]
    known = [n is not None for n in numbers]
    orders = ("dmy", "mdy") if order == "?" else (order,)
    dates = [any(iso_date(text, o) is not None for o in orders) for text in counts.index]
    clocks = [iso_clock(text) is not None and ":" in text for text in counts.index]
    roles = [text.casefold() in ROLES for text in counts.index]
    values: dict[float, int] = {}
    for number, count in zip(numbers, counts, strict=True):
        if number is not None:
            values[number.value] = values.get(number.value, 0) + int(count)
    ends = sorted(values)
    return Profile(
        name, total, len(counts), share(known), share(dates), share(clocks), share(roles),
        tuple(ends), tuple(values[v] for v in ends), tuple(map(str, counts.index)),
    )  # fmt: skip


def decimal_of(grid: Grid) -> tuple[str, str]:
    """Return the decimal mark of a table and the reason."""
    return decimal_mark(Counter(text for name in grid.table.columns for text in grid.column(name)))


def missing_codes(column: Profile, scale: tuple[float, float] | None) -> list[tuple[str, str]]:
    """Return numbers of a column that look like codes for missing answers, each with the reason.

    A known code beyond the scale is one; without a scale, one that lies far from all other numbers.
    """
    found = []
    for value in column.values:
        if value not in _CODES:
            continue
        others = [other for other in column.values if other not in _CODES or other == abs(other) < min(abs(value), 10)]
        others = [other for other in others if other != value]
        if len(others) < 2:
            continue
        low, high = (min(others), max(others)) if scale is None else scale
        width = max(high - low, 1.0)
        far = value > high + (width if scale is None else 0) or value < low - (width / 2 if scale is None else 0)
        if value < 0 <= low or far:
            count = column.weights[column.values.index(value)]
            found.append((f"{value:g}", f"{count} times {value:g}; all others lie from {low:g} to {high:g}"))
    return found


def lone_values(column: Profile, codes: list[str], *, is_log: bool = False) -> list[tuple[float, str]]:
    """Return whole numbers that stand apart from all others of a column, each in words, for nobody knows what they are.

    Up to three different ones beyond an end of the others, farther from it than these are wide; or below 0 where no
    other number is. Those known as codes are left aside; ``is_log`` compares logarithms, as of concentrations.
    """
    counts = {v: n for v, n in zip(column.values, column.weights, strict=True) if f"{v:g}" not in codes}
    values, found = list(counts), {}
    for number in range(1, min(_LONE, len(values) - _FEWEST_OTHERS) + 1):
        for outer, main in ((values[:number], values[number:]), (values[-number:], values[:-number])):
            rest = sum(counts[v] for v in main)
            whole = all(v == round(v) for v in outer) and sum(counts[v] for v in outer) < rest
            below = outer[-1] < 0 <= main[0]
            if whole and (below or (rest >= _FEWEST_ENTRIES and _apart(outer, main, is_log))):
                others = f"all others lie from {main[0]:g} to {main[-1]:g}"
                found |= {v: f"{counts[v]} times {v:g}, where {others}" for v in outer}
    return sorted(found.items())


def _apart(outer: list[float], main: list[float], is_log: bool) -> bool:
    """Return whether numbers lie farther from others than these are wide."""
    if is_log and min(*outer, *main) > 0:
        outer, main = ([math.log(v) for v in part] for part in (outer, main))
    return max(main[0] - outer[-1], outer[0] - main[-1]) > main[-1] - main[0]


def constant_within(grid: Grid, name: str, dyads: np.ndarray) -> bool:
    """Return whether a column has one entry per dyad, of dyads that have several rows each."""
    frame = pd.DataFrame({"dyad": dyads, "text": grid.column(name)})
    frame = frame[(frame["text"] != "") & (frame["dyad"] != "")]
    if frame.empty:
        return False
    grouped = frame.groupby("dyad")["text"]
    known = dyads[dyads != ""]
    several = len(known) > len(set(known.tolist()))
    return bool(several and (grouped.nunique() == 1).all() and grouped.ngroups > 1)
