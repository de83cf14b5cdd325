"""Whom, when: the dyad, person, role, session and time of every row; a row that does not tell is reported."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from dyadloop.data.clock import TimeUnit
from dyadloop.errors import DataError, Fault
from dyadloop.exchange.dates import iso_clock, iso_date
from dyadloop.exchange.ledger import Ledger
from dyadloop.exchange.mapping import Mapping, Table
from dyadloop.exchange.missing import is_missing
from dyadloop.exchange.numbers import told
from dyadloop.exchange.view import View

ORDER_WORDS = {"dmy": "day.month.year", "mdy": "month/day/year", "ymd": "year-month-day"}


@dataclass
class Part:
    """One table on its way into the study.

    ``keys`` has the columns dyad, person, role, session, start and alive, one row per row of ``view``; text is empty
    where nothing is told.
    """

    number: int
    table: Table
    ledger: Ledger
    view: View
    keys: pd.DataFrame = field(default_factory=pd.DataFrame)

    def place(self, name: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where cells of some rows of the view stand in the grid."""
        return self.view.rows[rows], self.view.places[name][rows]

    def kill(self, rows: np.ndarray, kind: str, why: str | list[str], dyad_known: bool = True) -> None:
        """Leave rows out of the study, and report their cells; what belongs to a known dyad may still be taken."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        for name in self.own():
            if not (dyad_known and name in self.of_persons()):
                self.ledger.report(*self.place(name, rows), kind, why)
        self.keys.loc[rows, "alive"] = False

    def entry(self, row: int, key: str) -> str:
        """Return what a row of the view tells of a key, such as ``dyad``."""
        return str(self.keys.at[row, key])

    def of_persons(self) -> set[str]:
        """Return the columns that tell the dyad, and what belongs to it whatever the session."""
        table = self.table
        covariates = [c.column for c in table.covariates.values() if c.of != "session"]
        return {table.dyad, *table.persons.values(), *covariates, *([table.therapist] if table.therapist else [])}

    def own(self) -> list[str]:
        """Return the mapped columns whose cells belong to one row of the view alone."""
        every = mapped(self.table)
        if self.view.sessions is None:
            return every
        return [name for name in every if len(np.unique(self.view.places[name])) > 1]

    def declared(self, name: str) -> tuple[str, ...]:
        """Return the codes that the file itself declares missing in a column of the view."""
        names, told = self.ledger.names, self.ledger.grid.missing
        columns = {names[k] for k in np.unique(self.view.places[name]) if k >= 0} if told else set()
        return tuple(dict.fromkeys(code for column in sorted(columns) for code in told.get(column, ())))

    def use(self, name: str | None, rows: np.ndarray) -> None:
        """Enter the cells of a column in some rows as used."""
        if name is not None:
            self.ledger.use(*self.place(name, rows))


def unit_of(parts: Sequence[Part]) -> TimeUnit:
    """Return what times that are numbers mean in a study: the unit of the first table that has such."""
    units: list[TimeUnit] = [part.table.unit for part in parts if part.table.day is not None]
    return units[0] if units else "days"


def mapped(table: Table) -> list[str]:
    """Return the columns that a mapping takes, each once."""
    keys = [
        table.dyad,
        table.person,
        table.role,
        table.therapist,
        table.session,
        table.session_else,
        table.date,
        table.clock,
        table.day,
    ]
    length = table.length_min if isinstance(table.length_min, str) else None
    scores = [column for score in table.scores.values() for column in score.columns]
    others = [*table.persons.values(), *(c.column for c in table.covariates.values()), *table.events.values()]
    return list(dict.fromkeys(name for name in [*keys, length, *scores, *others] if name))


def check_columns(table: Table, view: View) -> None:
    """Refuse a mapping that names columns that the table does not have.

    Raises
    ------
    DataError
        If there are any.
    """
    faults = [
        Fault(view.grid.name, 1, name, "no such column", "the columns that the mapping names", "correct the mapping")
        for name in mapped(table)
        if name not in view.places
    ]
    if faults:
        raise DataError(view.grid.file, faults)


def tell_keys(part: Part, mapping: Mapping) -> None:
    """Fill ``part.keys``; rows without a dyad, with an unknown role or an unreadable date are reported."""
    table, view = part.table, part.view
    n_rows = len(view.rows)
    part.keys = pd.DataFrame(
        {
            "dyad": _ids(part, table.dyad, mapping), "person": _ids(part, table.person, mapping), "role": "",
            "session": "", "start": "", "alive": True,
        },
        index=pd.RangeIndex(n_rows), dtype=object,
    )  # fmt: skip
    part.keys["alive"] = True
    part.kill((part.keys["dyad"] == "").to_numpy(), "no key", f"no entry in {table.dyad!r}: whose row is it?", False)
    if table.role is not None:
        _roles(part)
    if table.holds == "sessions":
        _sessions(part)
        _starts(part)


def _ids(part: Part, column: str | None, mapping: Mapping) -> np.ndarray:
    if column is None:
        return np.full(len(part.view.rows), "", dtype=object)
    texts = part.view.texts(column)
    known = {text: mapping.same_ids.get(plain(text), plain(text)) for text in dict.fromkeys(texts.tolist())}
    for row in np.flatnonzero([known[text] != text for text in texts]):
        if part.view.sessions is None:
            at, place = part.place(column, np.array([row]))
            part.ledger.change(int(at[0]), int(place[0]), f"taken as {known[texts[row]]!r}")
    return np.array([known[text] for text in texts], dtype=object)


def plain(text: str) -> str:
    """Return text that a field of a table can hold: without line ends, tabs and double quotes."""
    return " ".join(text.replace('"', "'").split())


def _roles(part: Part) -> None:
    table, texts = part.table, part.view.texts(str(part.table.role))
    alive = part.keys["alive"].to_numpy(dtype=bool)
    known = np.array([text in table.roles for text in texts])
    out = np.array([text in table.roles and table.roles[text] is None for text in texts])
    part.keys["role"] = [table.roles.get(text) or "" for text in texts]
    part.kill(alive & out, "not mapped", f"a row of a {table.role!r} that the mapping leaves out", False)
    part.kill(alive & ~known & ~out, "unreadable", f"a {table.role!r} that the mapping does not know", False)


def _sessions(part: Part) -> None:
    table, view = part.table, part.view
    if view.sessions is not None:
        part.keys["session"] = [str(number) for number in view.sessions.tolist()]
    elif table.session is not None:
        texts = view.texts(table.session)
        if table.session_else is not None:
            texts = np.where(texts == "", view.texts(table.session_else), texts)
        known = {text: _session(text) for text in dict.fromkeys(texts.tolist())}
        part.keys["session"] = [known[text] for text in texts]
    names = table.session_names
    alive = part.keys["alive"].to_numpy(dtype=bool)
    out = np.array([name in names and names[name] is None for name in part.keys["session"]], dtype=bool)
    part.keys["session"] = [names.get(name, name) or "" for name in part.keys["session"]]
    if table.session is not None or view.sessions is not None:
        empty = alive & ~out & (part.keys["session"] == "").to_numpy()
        part.kill(empty, "no key", f"no entry in {table.session!r}: which session is it?")
        part.kill(alive & out, "no key", "a row that the mapping counts to no session")


def _session(text: str) -> str:
    """Return the name of a session; a whole number is one however a program writes it, such as 01 or 1.0."""
    bare = plain(text)
    match = re.fullmatch(r"(\d+)([.,]0+)?", bare, re.ASCII)
    return str(int(match[1])) if match else bare


def _starts(part: Part) -> None:
    """Tell the start of each row's session from dates, days or its number."""
    table, alive = part.table, part.keys["alive"].to_numpy(dtype=bool)
    if table.date is not None:
        texts = part.view.texts(table.date)
        clocks = part.view.texts(table.clock) if table.clock is not None else np.full(len(texts), "", dtype=object)
        dates = {text: iso_date(text, table.dates) for text in dict.fromkeys(texts.tolist()) if text}
        starts = [_start(dates.get(text), clock) for text, clock in zip(texts, clocks, strict=True)]
        odd = alive & np.array([bool(text) and dates[text] is None for text in texts], dtype=bool)
        gone = odd & np.array([is_missing(text, table.missing, table.decimal) for text in texts], dtype=bool)
        rows = np.flatnonzero(odd)
        kinds = ["missing" if gone[row] else "unreadable" for row in rows]
        for row, kind in zip(rows, kinds, strict=True):
            why = "stands for no date" if kind == "missing" else f"no date of the order {ORDER_WORDS[table.dates]}"
            part.ledger.report(*part.place(table.date, np.array([row])), kind, why)
        part.keys["start"] = starts
    elif table.day is not None:
        numbers = [told(text, table.decimal) for text in part.view.texts(table.day)]
        part.keys["start"] = ["" if n is None else f"{n.value:.12g}" for n in numbers]
        texts = part.view.texts(table.day)
        odd = alive & np.array([n is None and bool(t) for n, t in zip(numbers, texts, strict=True)], dtype=bool)
        part.ledger.report(*part.place(table.day, np.flatnonzero(odd)), "unreadable", "not a number")
    elif isinstance(table.every_days, float | int):
        step = float(table.every_days)
        part.keys["start"] = [f"{(int(s) - 1) * step:g}" if s.isdigit() else "" for s in part.keys["session"]]


def _start(date: str | None, clock: str) -> str:
    if date is None:
        return ""
    time = iso_clock(clock) if clock and "T" not in date and " " not in date else None
    return f"{date}T{time}" if time else date
