"""Checks of a study folder that need more than one field: keys, references, ranges, times."""

import math
from array import array
from dataclasses import dataclass, field

from dyadloop.data.clock import Clock
from dyadloop.data.collected import Collected
from dyadloop.data.schema import LINE, ROLES, StudyInfo
from dyadloop.data.table import MISSING, Table, number
from dyadloop.errors import Fault

_NO_EVENTS = ("na", "nan", "null", "none", "missing", "no")  # words for an empty field
OVERLAP_DAYS = 1e-9
"""Rounding of clock times to days must not look like an overlap."""


@dataclass
class Folder:
    """The raw tables of one study folder, its clock, the faults found so far, and rows that leave something out.

    ``empty`` are rows without a value; ``unplaced``, by indicator, rows of sessions that last, with neither a phase nor
    a time.
    """

    participants: Table
    sessions: Table
    measurements: Table
    info: StudyInfo | None
    clock: Clock
    faults: list[Fault]
    empty: list[int] = field(default_factory=list)
    unplaced: dict[str, array] = field(default_factory=dict)

    def note(self, table: Table, row: int, column: str | None, got: str, expected: str, remedy: str) -> None:
        """Add one fault."""
        self.faults.append(Fault(table.file, row, column, got, expected, remedy))


def check_participants(folder: Folder) -> list[dict]:
    """Return the participants with sound ids and roles; further columns are covariates."""
    table, seen, pairs, kept = folder.participants, {}, {}, []
    for row, record in table.rows:
        person, dyad, role = record["participant_id"], record["dyad"], record["role"]
        if not _ids_given(folder, table, row, record, ("participant_id", "dyad")):
            continue
        if person in seen:
            got = f"{person!r}, already in row {seen[person]}"
            folder.note(table, row, "participant_id", got, "each participant once", "remove or rename one")
        if role not in ROLES:
            folder.note(table, row, "role", repr(role), f"one of {', '.join(ROLES)}", "correct the role")
        elif role in ("patient", "therapist") and (dyad, role) in pairs:
            got = f"a second {role} in dyad {dyad!r} (first in row {pairs[dyad, role]})"
            folder.note(table, row, "role", got, f"one {role} per dyad", "give each pair its own dyad id")
        seen.setdefault(person, row)
        pairs.setdefault((dyad, role), row)
        therapist = record.get("therapist", "")
        kept.append(
            record
            | {"therapist": "" if therapist in MISSING else therapist, LINE: row}
            | _covariates(folder, table, row, record, role)
        )
    _lookalikes(folder, table, seen)
    _one_therapist(folder, kept)
    for name in folder.info.covariates_of(*ROLES) if folder.info is not None else ():
        role = folder.info.covariates[name].of if folder.info is not None else ""
        for dyad in sorted({record["dyad"] for record in kept} - {d for d, known in pairs if known == role}):
            got = f"dyad {dyad!r} without a {role}"
            folder.note(table, 1, name, got, f"a {role} in every dyad", "add the person or remove the covariate")
    if table.readable and not table.rows:
        folder.faults.append(Fault(table.file, None, None, "no participants", "one row per person", "add them"))
    return kept


def _covariates(folder: Folder, table: Table, row: int, record: dict[str, str], kind: str) -> dict[str, float]:
    """Return the covariates of a session or person as numbers."""
    found = {}
    for name in folder.info.covariates_of(kind) if folder.info is not None else ():
        if name not in record:
            if row == table.rows.first_line or kind != "session":
                folder.note(table, 1, name, "no such column", f"a column {name!r}, as in study.yaml", "add it")
            continue
        value = number(table, row, record, name, folder.faults)
        if record[name] in MISSING:
            remedy = "fill it in, or leave out the covariate or the row"
            folder.note(table, row, name, "an empty field", "a number: a covariate has no missing values", remedy)
        found[name] = math.nan if value is None else value
    return found


def _ids_given(folder: Folder, table: Table, row: int, record: dict[str, str], columns: tuple[str, ...]) -> bool:
    empty = [column for column in columns if not record[column]]
    for column in empty:
        folder.note(table, row, column, "an empty field", "an id", "fill it in")
    return not empty


def _lookalikes(folder: Folder, table: Table, seen: dict[str, int]) -> None:
    bare: dict[str, str] = {}
    for person, row in seen.items():
        other = bare.setdefault(person.lstrip("0").casefold(), person)
        if other != person:
            got = f"{person!r} beside {other!r}"
            folder.note(table, row, "participant_id", got, "ids that differ by more than zeros or case", "rename one")


def _one_therapist(folder: Folder, people: list[dict]) -> None:
    """Refuse a dyad for which two therapists are named."""
    named: dict[str, set[str]] = {}
    for record in people:
        named.setdefault(record["dyad"], set()).update({record["therapist"]} - {""})
    for dyad, names in named.items():
        if len(names) > 1:
            got, remedy = f"{', '.join(sorted(names))} for dyad {dyad!r}", "name the one who saw the patient"
            folder.note(folder.participants, 1, "therapist", got, "one therapist per dyad", remedy)


class Calendar:
    """The sessions of a study: their table, and where each stands in it; -1 where its time cannot be told."""

    def __init__(self, covariates: tuple[str, ...]) -> None:
        self.places: dict[tuple[str, str], int] = {}
        self.untimed: dict[tuple[str, str], int] = {}
        self.found = Collected(("dyad", "session", "events"), ("start", "end", *covariates), (LINE,))

    def times(self, dyad: str, session: str) -> tuple[float, float] | None:
        """Return start and end of a session [d], None where it is not known."""
        place = self.places.get((dyad, session), -1)
        return None if place < 0 else (self.found.numbers["start"][place], self.found.numbers["end"][place])

    def row(self, key: tuple[str, str]) -> int:
        """Return the row of the file in which a session stands."""
        place = self.places[key]
        return self.untimed[key] if place < 0 else self.found.whole[LINE][place]


def check_sessions(folder: Folder) -> Calendar:
    """Return the sessions with start and end [d] and parsed events."""
    table, info = folder.sessions, folder.info
    calendar = Calendar(() if info is None else tuple(info.covariates_of("session")))
    dyads = {record["dyad"] for _, record in folder.participants.rows}
    for row, record in table.rows:
        key = (calendar.found.same(record["dyad"]), calendar.found.same(record["session"]))
        if not _ids_given(folder, table, row, record, ("dyad", "session")):
            continue
        if key in calendar.places:
            got = f"dyad {key[0]!r} session {key[1]!r}, already in row {calendar.row(key)}"
            folder.note(table, row, "session", got, "each session once", "remove or renumber one")
            continue
        if key[0] not in dyads and folder.participants.readable:
            remedy = "add it there or correct the id"
            folder.note(table, row, "dyad", repr(key[0]), "a dyad of participants.tsv", remedy)
        start = folder.clock.days(table.file, row, "start", record["start"])
        length = _length(folder, row, record)
        events = _events(folder, row, record.get("events", ""))
        if start is None or length is None:
            calendar.places[key], calendar.untimed[key] = -1, row
            continue
        own = {name: math.nan for name in calendar.found.numbers} | _covariates(folder, table, row, record, "session")
        times = {"start": start, "end": start + length / 1440}
        calendar.places[key] = len(calendar.places) - len(calendar.untimed)
        calendar.found.add({**own, "dyad": key[0], "session": key[1], "events": events, **times, LINE: row})
    _overlaps(folder, calendar)
    return calendar


def _length(folder: Folder, row: int, record: dict[str, str]) -> float | None:
    length = number(folder.sessions, row, record, "length_min", folder.faults)
    if record["length_min"] in MISSING:
        got, remedy = "an empty field", "write 0 for a moment without a session"
        folder.note(folder.sessions, row, "length_min", got, "minutes", remedy)
    elif length is not None and not 0 <= length <= 1440:
        got = f"{length:g}"
        folder.note(folder.sessions, row, "length_min", got, "0 to 1440 minutes", "correct the length")
        return None
    return length


def _events(folder: Folder, row: int, text: str) -> dict[str, float]:
    events: dict[str, float] = {}
    for part in () if text in MISSING else text.split(";"):
        name, sign, text_amount = (piece.strip() for piece in part.partition("="))
        try:
            amount = float(text_amount) if sign else 1.0
        except ValueError:
            amount = math.nan
        known = name.isidentifier() and name.casefold() not in _NO_EVENTS
        if not known or not math.isfinite(amount) or name in events:
            got, expected = repr(part), "different events as name or name=number, such as dose=24; rupture"
            folder.note(folder.sessions, row, "events", got, expected, "correct the event")
            continue
        events[name] = amount
    return events


def _overlaps(folder: Folder, calendar: Calendar) -> None:
    table = calendar.found.some(("dyad", "session", "start", "end", LINE)).sort_values(["dyad", "start"], kind="stable")
    same = table["dyad"].eq(table["dyad"].shift())
    early = same & (table["start"] < table["end"].shift() - OVERLAP_DAYS)
    for row, before in zip(table[LINE][early], table["session"].shift()[early], strict=True):
        got = f"a session that begins before session {before!r} of the same dyad has ended"
        remedy = "correct start or length_min"
        folder.note(folder.sessions, int(row), "start", got, "sessions one after the other", remedy)
