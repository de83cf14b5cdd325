"""Guess scores of a long table: one column says what was measured, another holds the values."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from dyadloop.data.schema import LIMITS
from dyadloop.exchange.grid import Grid
from dyadloop.exchange.guess_keys import Guess
from dyadloop.exchange.profile import profile

_WHAT = re.compile(
    r"indicator|measure|variable|scale|questionnaire|instrument|skala|fragebogen|variablenname", re.IGNORECASE
)
_VALUE = re.compile(r"value|score|wert|result|sum_?score|messwert|ergebnis", re.IGNORECASE)
_MOST = 200  # different things that a table measures
_PHASES = ("before", "after")


@dataclass(frozen=True)
class LongScore:
    """One thing that a long table measures: its part of the table, and what tells its rows."""

    name: str
    guess: Guess
    column: str
    only: dict[str, str]
    companions: dict[str, str]
    phase: str
    indicator: str


def long_columns(guess: Guess) -> tuple[str, str] | None:
    """Return the columns of what was measured and of its values, None where the table is not long."""
    free = {} if guess.stems else {p.name: p for p in guess.free() if p.filled}
    what = [name for name, p in free.items() if _WHAT.fullmatch(name) and not p.is_number and 1 < p.distinct <= _MOST]
    values = [name for name, p in free.items() if _VALUE.fullmatch(name) and p.is_number]
    return (what[0], values[0]) if len(what) == len(values) == 1 else None


def long_scores(guess: Guess, what: str, value: str) -> Iterator[LongScore]:
    """Yield what a long table measures, before and after sessions apart where a column ``phase`` says so."""
    grid = guess.grid
    names, phases = grid.column(what), grid.column("phase") if "phase" in grid.table else None
    for name in dict.fromkeys(text for text in names.tolist() if text):
        rows = names == name
        told = [""] if phases is None else list(dict.fromkeys(phases[rows].tolist()))
        for phase in told:
            mine = rows if phases is None else rows & (phases == phase)
            heading = f"{name}_{phase or 'start'}" if len(told) > 1 else name
            part = _part(grid, mine, value, heading)
            own = replace(guess, grid=part, profiles=dict(guess.profiles))
            own.profiles[heading] = profile(part, heading, guess.fields["decimal"], guess.fields["dates"])
            only = {what: name} | ({"phase": phase} if phase else {})
            beside, shared = _companions(part), name if len(told) > 1 else ""
            yield LongScore(heading, own, value, only, beside, phase if phase in _PHASES else "", shared)


def _part(grid: Grid, rows: object, value: str, name: str) -> Grid:
    """Return some rows of a table, with the column of values under the name of what was measured."""
    table = grid.table[rows].reset_index(drop=True).rename(columns={value: name})
    return replace(grid, table=table, rows=grid.rows[rows], repeated={})  # pyright: ignore[reportArgumentType]


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
