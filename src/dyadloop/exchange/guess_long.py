"""Guess scores of a long table: one column says what was measured, another holds the values."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from dyadloop.data.schema import LIMITS
from dyadloop.exchange.grid import Grid
from dyadloop.exchange.guess_keys import Guess
from dyadloop.exchange.profile import constant_within, profile

_WHAT = re.compile(
    r"indicator|measure|variable|scale|questionnaire|instrument|skala|fragebogen|variablenname", re.IGNORECASE
)
_VALUE = re.compile(r"value|score|wert|result|sum_?score|messwert|ergebnis", re.IGNORECASE)
_MOST = 200  # different things that a table measures


@dataclass(frozen=True)
class LongScore:
    """One thing that a long table measures: its part of the table, and what tells its rows."""

    name: str
    guess: Guess
    column: str
    only: dict[str, str]
    companions: dict[str, str]


def long_columns(guess: Guess) -> tuple[str, str] | None:
    """Return the columns of what was measured and of its values, None where the table is not long."""
    free = {} if guess.stems else {p.name: p for p in guess.free() if p.filled}
    what = [name for name, p in free.items() if _WHAT.fullmatch(name) and not p.is_number and 1 < p.distinct <= _MOST]
    values = [name for name, p in free.items() if _VALUE.fullmatch(name) and p.is_number]
    if not len(what) == len(values) == 1 or guess.fields.get("dyad") not in guess.profiles:
        return None
    groups = guess.grid.column(guess.fields["dyad"])
    return None if constant_within(guess.grid, what[0], groups) else (what[0], values[0])


def long_scores(guess: Guess, what: str, value: str) -> Iterator[LongScore]:
    """Yield what a long table measures."""
    names = guess.grid.column(what)
    for name in dict.fromkeys(text for text in names.tolist() if text):
        part = _part(guess.grid, names == name, value, name)
        own = replace(guess, grid=part, profiles=dict(guess.profiles))
        own.profiles[name] = profile(part, name, guess.fields["decimal"], guess.fields["dates"])
        yield LongScore(name, own, value, {what: name}, _companions(part))


def _part(grid: Grid, rows: np.ndarray, value: str, name: str) -> Grid:
    """Return some rows of a table, with the column of values under the name of what was measured."""
    table = grid.table[rows].reset_index(drop=True)
    table.columns = pd.Index([name if column == value else column for column in table.columns], dtype=object)
    return replace(grid, table=table, rows=grid.rows[rows], repeated={})


def _companions(part: Grid) -> dict[str, str]:
    """Return the columns of limits and of standard errors, where these rows have any."""
    texts = {key: {t for t in part.column(key).tolist() if t} for key in ("limit", "error") if key in part.table}
    found = {key: key for key, own in texts.items() if own}
    if "limit" in found and not {text.casefold() for text in texts["limit"]} <= set(LIMITS):
        del found["limit"]
    return found


def constant(part: Grid, column: str) -> str:
    """Return the one entry of a column in these rows, empty where there are none or several."""
    entries = {text for text in part.column(column).tolist() if text} if column in part.table else set()
    return entries.pop() if len(entries) == 1 else ""
