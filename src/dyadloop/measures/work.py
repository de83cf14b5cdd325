"""One source of raw files in progress: whose rows they are, which files were used, what went wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dyadloop.data import Study, read_records
from dyadloop.data.clock import Clock
from dyadloop.data.table import MISSING, told_number
from dyadloop.errors import DataError, Fault, MeasureError
from dyadloop.files import sha256_of
from dyadloop.signals.channels import Channels

_SHOWN = 4
_KEYS = ("participant_id", "dyad", "session", "time", "phase")


@dataclass
class Work:
    """One source in progress."""

    study: Study
    name: str
    source: Any
    tick: Callable[[int, int], None]
    rows: list[dict[str, Any]] = field(default_factory=list)
    status: list[dict[str, Any]] = field(default_factory=list)
    results: dict[str, Any] = field(default_factory=dict)
    traces: dict[str, Channels] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """Folder of the study."""
        return Path(self.study.path)

    @property
    def person(self) -> str:
        """Role that the indicator is about."""
        return self.study.info.indicators[self.name].person

    def path(self, relative: str) -> Path:
        """Return a file of the study, noting its digest; files outside the folder are refused."""
        path = (self.root / relative).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise MeasureError(f"{relative}: lies outside the study folder")
        if path.is_file():
            self.files[relative] = sha256_of(path)
        return path

    def participant(self, dyad: str) -> str:
        """Return the id of the person of a dyad who has that role."""
        people = self.study.participants
        mine = people[(people["dyad"] == dyad) & (people["role"] == self.person)]["participant_id"]
        if mine.empty:
            raise MeasureError(f"dyad {dyad!r} has no {self.person}")
        return str(mine.iloc[0])

    def add(self, key: dict[str, Any], value: float, error: float, limit: str = "", doubt: str = "") -> None:
        """Add one row; a value that is NaN is a status, not a row, and so is a doubt about it."""
        place = {"indicator": self.name, "dyad": key["dyad"], "session": key["session"]}
        if value != value:
            self.status.append(place | {"status": "no score: too little was answered or recorded"})
            return
        number = {"value": f"{value:.10g}", "limit": limit, "error": "" if error != error else f"{error:.6g}"}
        self.rows.append(
            {
                "time": "",
                "phase": getattr(self.source, "phase", ""),
                "plate": "",
                **key,
                "indicator": self.name,
                **number,
            }
        )
        self.status.append(place | {"status": f"doubtful: {doubt}" if doubt else "ok"})

    def note(self, place: str, text: str) -> None:
        """Keep in the record what is no fault but doubtful."""
        self.record.setdefault("notes", {}).setdefault(place, []).append(text)

    def account(self) -> None:
        """Say which sessions a raw table does not mention."""
        people, calendar = self.study.participants, self.study.sessions
        mine = set(people[people["role"] == self.person]["dyad"])
        known = {(row["dyad"], row["session"]) for row in self.status}
        for dyad, session in zip(calendar["dyad"], calendar["session"], strict=True):
            if dyad in mine and (dyad, session) not in known:
                self.bad(str(dyad), str(session), f"no row of the {self.person} in {self.source.file}")

    def bad(self, dyad: str, session: str, why: str) -> None:
        """Note why there is no row."""
        self.status.append({"indicator": self.name, "dyad": dyad, "session": session, "status": why})


def sessions_of(work: Work, pattern: str) -> list[tuple[str, str, str]]:
    """Return dyad, session and file of every session; no file at all is a fault."""
    found = [
        (str(dyad), str(session), filled(pattern, str(dyad), str(session)))
        for dyad, session in zip(work.study.sessions["dyad"], work.study.sessions["session"], strict=True)
    ]
    if not any((work.root / file).is_file() for *_, file in found):
        example = found[0][2] if found else pattern
        raise MeasureError(f"{work.name}: no file fits {pattern!r}; the first would be {example!r}")
    return found


def filled(pattern: str, dyad: str, session: str) -> str:
    """Return the file of a session."""
    return pattern.replace("{dyad}", dyad).replace("{session}", session)


def table_of(work: Work, file: str, needed: tuple[str, ...]) -> pd.DataFrame:
    """Return a raw table as text, with the columns that tell whose row it is: all rows, or all faults."""
    path = work.path(file)
    if not path.is_file():
        raise MeasureError(f"{work.name}: {file}: no such file in the study folder")
    table = read_records(path, needed, file)
    if not table.attrs["whole"]:
        work.note(file, "the last row has no line end; check that the file is whole")
    copies = table[table.duplicated() & ~table.get("kind", pd.Series("", table.index)).eq("blank")]
    if len(copies):
        rows = ", ".join(str(int(k) + 2) for k in copies.index[:_SHOWN])  # pyright: ignore[reportArgumentType]
        work.note(file, f"{len(copies)} rows are copies of others (rows {rows}); check that none was pasted twice")
    table = _without_codes(work, table, file, needed)
    for column in table.columns if len(table) > _SHOWN else ():
        gaps = np.flatnonzero(table[column].isin(MISSING))
        if len(gaps) == 1 and gaps[0] in (0, len(table) - 1):
            text = f"column {column!r} is empty in row {gaps[0] + 2} alone; check that it has not slipped by a row"
            work.note(file, text)
    return table


def _without_codes(work: Work, table: pd.DataFrame, file: str, needed: tuple[str, ...]) -> pd.DataFrame:
    """Empty the entries that the source declares as no answer, in all columns but those that tell whose a row is."""
    codes = getattr(work.source, "missing", ())
    if not codes:
        return table
    words = {str(code).casefold() for code in codes}
    numbers = {number for code in codes if (number := told_number(str(code))) == number}
    gone = table.map(lambda text: text.casefold() in words or told_number(text) in numbers)
    gone[[name for name in table.columns if name in (*needed, *_KEYS)]] = False
    work.note(file, f"{int(gone.to_numpy().sum())} entries stand for no answer, as `missing` says")
    emptied = table.mask(gone, "")
    emptied.attrs |= table.attrs
    return emptied


def keys_of(work: Work, table: pd.DataFrame, file: str) -> list[dict[str, Any]]:
    """Return dyad, participant, session, phase and time of each row; unknown persons and sessions are faults.

    The index of the table holds the place of each row in the file.
    """
    people = dict(zip(work.study.participants["participant_id"], work.study.participants["dyad"], strict=True))
    known = set(zip(work.study.sessions["dyad"], work.study.sessions["session"].astype(str), strict=True))
    faults, keys = [], []
    clock = Clock(faults, work.study.info.times.unit, work.study.trace.kind or None)
    lines = [int(place) + 2 for place in table.index]  # pyright: ignore[reportArgumentType]
    for row, record in zip(lines, table.to_dict("records"), strict=True):
        person, session = record["participant_id"], record["session"]
        if person not in people:
            faults.append(Fault(file, row, "participant_id", repr(person), "an id of participants.tsv", "correct it"))
        elif (people[person], session) not in known:
            got = f"{session!r} of dyad {people[person]!r}"
            faults.append(Fault(file, row, "session", got, "a session of sessions.tsv", "correct it"))
        if record.get("time", "") not in MISSING:
            clock.days(file, row, "time", record["time"])
        key = {"dyad": people.get(person), "participant_id": person, "session": session, "time": record.get("time", "")}
        keys.append(key | ({"phase": record["phase"]} if record.get("phase") else {}))
    if faults:
        raise DataError(work.study.path, faults)
    return keys


def people_of(work: Work) -> list[str]:
    """Return the persons who have the role that the indicator is about."""
    people = work.study.participants
    return people[people["role"] == work.person]["participant_id"].tolist()


def is_of_role(work: Work, person: str) -> bool:
    """Return whether a person has the role that the indicator is about."""
    return person in people_of(work)
