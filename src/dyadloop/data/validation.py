"""Checks of a study folder that need more than one field: keys, references, ranges, times."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from dyadloop.data.clock import Clock
from dyadloop.data.schema import LIMITS, LINE, PHASES, ROLES, Indicator, StudyInfo
from dyadloop.data.table import MISSING, Table, number
from dyadloop.errors import Fault
from dyadloop.observation.kinds import Row, kinds

_NO_EVENTS = ("na", "nan", "null", "none", "missing", "no")  # words for an empty field
_OVERLAP_DAYS = 1e-9  # rounding of clock times to days must not look like an overlap


@dataclass
class Folder:
    """The raw tables of one study folder, its clock, the faults found so far and the rows without a value."""

    participants: Table
    sessions: Table
    measurements: Table
    info: StudyInfo | None
    clock: Clock
    faults: list[Fault]
    empty: list[int] = field(default_factory=list)

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
            if row == table.rows[0][0] or kind != "session":
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


def check_sessions(folder: Folder) -> list[dict]:
    """Return the sessions with start and end [d] and parsed events."""
    table, seen, kept = folder.sessions, {}, []
    dyads = {record["dyad"] for _, record in folder.participants.rows}
    for row, record in table.rows:
        key = (record["dyad"], record["session"])
        if not _ids_given(folder, table, row, record, ("dyad", "session")):
            continue
        if key in seen:
            got = f"dyad {key[0]!r} session {key[1]!r}, already in row {seen[key]}"
            folder.note(table, row, "session", got, "each session once", "remove or renumber one")
            continue
        seen[key] = row
        if record["dyad"] not in dyads and folder.participants.readable:
            folder.note(
                table, row, "dyad", repr(key[0]), "a dyad of participants.tsv", "add it there or correct the id"
            )
        start = folder.clock.days(table.file, row, "start", record["start"])
        length = _length(folder, row, record)
        events = _events(folder, row, record.get("events", ""))
        if start is not None and length is not None:
            own = _covariates(folder, table, row, record, "session")
            kept.append(
                {"dyad": key[0], "session": key[1], "start": start, "end": start + length / 1440, "events": events}
                | own
                | {LINE: row}
            )
    _overlaps(folder, kept, seen)
    return kept


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


def _overlaps(folder: Folder, sessions: list[dict], rows: dict[tuple[str, str], int]) -> None:
    last: dict[str, dict] = {}
    for session in sorted(sessions, key=lambda s: (s["dyad"], s["start"])):
        before = last.get(session["dyad"])
        if before is not None and session["start"] < before["end"] - _OVERLAP_DAYS:
            row = rows[session["dyad"], session["session"]]
            got = f"a session that begins before session {before['session']!r} of the same dyad has ended"
            folder.note(
                folder.sessions, row, "start", got, "sessions one after the other", "correct start or length_min"
            )
        last[session["dyad"]] = session


def check_measurements(folder: Folder, sessions: list[dict]) -> list[dict]:
    """Return the measurements with their time [d], all references resolved and ranges kept."""
    people = {record["participant_id"]: record for _, record in folder.participants.rows}
    calendar = {(session["dyad"], session["session"]): session for session in sessions}
    numbers = {(record["dyad"], record["session"]) for _, record in folder.sessions.rows}
    seen: dict[tuple, int] = {}
    kept = []
    for row, record in folder.measurements.rows:
        sound = _references(folder, row, record, people, numbers)
        value = _value(folder, row, record)
        time = _time(folder, row, record, calendar)
        key = (record["participant_id"], record["indicator"], time)
        if sound and time is not None and seen.setdefault(key, row) != row:
            got = f"{key[1]!r} of {key[0]!r} at the same time as in row {seen[key]}"
            folder.note(
                folder.measurements, row, "indicator", got, "one value per moment", "remove one or give its time"
            )
        error = _error(folder, row, record)
        if sound and value is not None and time is not None:
            role = people[record["participant_id"]]["role"]
            plate = "" if record.get("plate", "") in MISSING else record["plate"]
            own = {"error": error, "plate": plate, **_of_kinds(folder, row, record, value), LINE: row}
            kept.append({**record, "role": role, "time": time, "value": value, **own})
    _plates(folder)
    return kept


def _plates(folder: Folder) -> None:
    """Refuse an indicator some of whose values have a plate and some none."""
    table = folder.measurements
    known = {record["indicator"] for _, record in table.rows if record.get("plate", "") not in MISSING}
    for row, record in table.rows:
        if record["indicator"] in known and record.get("plate", "") in MISSING:
            got, expected = "an empty field", f"a plate for each value of {record['indicator']!r}, or for none"
            folder.note(table, row, "plate", got, expected, "fill it in")


def _references(folder: Folder, row: int, record: dict[str, str], people: dict, numbers: set) -> bool:
    table, before = folder.measurements, len(folder.faults)
    person = people.get(record["participant_id"])
    if person is None and folder.participants.readable:
        got = repr(record["participant_id"])
        folder.note(table, row, "participant_id", got, "an id of participants.tsv", "add it there or correct the id")
    elif person is not None and person["dyad"] != record["dyad"]:
        got = f"{record['dyad']!r}, but {record['participant_id']!r} belongs to {person['dyad']!r}"
        folder.note(table, row, "dyad", got, "the participant's dyad", "correct one of them")
    known = record["session"] in MISSING or (record["dyad"], record["session"]) in numbers
    if not known and folder.sessions.readable:
        got = f"dyad {record['dyad']!r} session {record['session']!r}"
        folder.note(table, row, "session", got, "a session of sessions.tsv", "add it there or correct it")
    for column, allowed in (("phase", PHASES), ("limit", LIMITS)):
        if record[column] not in (*MISSING, *allowed):
            got = repr(record[column])
            folder.note(table, row, column, got, f"empty or one of {', '.join(allowed)}", f"correct the {column}")
    indicator = _indicator(folder, record)
    if indicator is None and folder.info is not None:
        known = ", ".join(folder.info.indicators)
        folder.note(table, row, "indicator", repr(record["indicator"]), f"one of {known}", "declare it in study.yaml")
    elif indicator is not None and person is not None and person["role"] != indicator.person:
        got = f"{record['indicator']!r} of a {person['role']}"
        folder.note(table, row, "indicator", got, f"a {indicator.person}, as in study.yaml", "correct one of them")
    return len(folder.faults) == before and person is not None


def _indicator(folder: Folder, record: dict[str, str]) -> Indicator | None:
    return None if folder.info is None else folder.info.indicators.get(record["indicator"])


def _value(folder: Folder, row: int, record: dict[str, str]) -> float | None:
    value, indicator = number(folder.measurements, row, record, "value", folder.faults), _indicator(folder, record)
    if record["value"] in MISSING:
        folder.empty.append(row)
    if record["value"] in MISSING and record["limit"] in LIMITS:
        got = f"limit {record['limit']!r} without a value"
        folder.note(folder.measurements, row, "value", got, "the limit itself", "write the detection limit as value")
    if value is None or indicator is None:
        return value
    where = f"dyad {record['dyad']} session {record['session'] or '-'}"
    note: Callable = folder.note
    if indicator.scale is not None and not indicator.scale[0] <= value <= indicator.scale[1]:
        expected = f"{indicator.scale[0]:g} to {indicator.scale[1]:g} {indicator.unit}"
        note(
            folder.measurements,
            row,
            "value",
            f"{value:g} for {record['indicator']!r} ({where})",
            expected,
            "correct it",
        )
        return None
    if indicator.transform == "log" and value <= 0:
        got = f"{value:g} {indicator.unit} for {record['indicator']!r} ({where})"
        remedy = "write non-detects as value = limit with limit = 'below'"
        note(folder.measurements, row, "value", got, "a concentration above 0", remedy)
        return None
    return value


def _error(folder: Folder, row: int, record: dict[str, str]) -> float:
    """Return the standard error of a value, NaN where none is given."""
    if record.get("error", "") in MISSING:
        return math.nan
    error = number(folder.measurements, row, record, "error", folder.faults)
    if error is not None and error < 0:
        folder.note(folder.measurements, row, "error", f"{error:g}", "a standard error >= 0", "correct it")
    return math.nan if error is None else error


def _of_kinds(folder: Folder, row: int, record: dict[str, str], value: float) -> dict[str, float]:
    """Return the numbers that kinds of observation read from a row beside its value."""

    def note(column: str, got: str, expected: str, remedy: str) -> None:
        folder.note(folder.measurements, row, column, got, expected, remedy)

    found: dict[str, float] = {}
    fields = Row(
        record,
        value,
        note,
        number=lambda column: number(folder.measurements, row, record, column, folder.faults),
        given=lambda column: record.get(column, "") not in MISSING,
    )
    for kind in kinds():
        found |= kind.check_row(_indicator(folder, record), fields)
    return found


def _fits(time: float, phase: str, session: dict) -> bool:
    """Return whether a time lies on the side of the session that its phase says."""
    if phase == "before":
        return time <= session["start"] + _OVERLAP_DAYS
    if phase == "after":
        return time >= session["end"] - _OVERLAP_DAYS
    return phase != "within" or session["start"] - _OVERLAP_DAYS <= time <= session["end"] + _OVERLAP_DAYS


def _time(folder: Folder, row: int, record: dict[str, str], calendar: dict) -> float | None:
    table = folder.measurements
    session = calendar.get((record["dyad"], record["session"]))
    if record["time"] not in MISSING:
        time = folder.clock.days(table.file, row, "time", record["time"])
        if time is not None and session is not None and not _fits(time, record["phase"], session):
            got = f"{record['time']!r} as {record['phase']!r} session {record['session']!r}"
            folder.note(table, row, "time", got, "a time that fits the phase", "correct the time, phase or session")
            return None
        return time
    if record["session"] in MISSING or record["phase"] in ("within", "between"):
        expected = "a time, or a session with phase before, after or empty"
        folder.note(table, row, "time", "an empty field", expected, "fill in the time")
        return None
    if session is None:
        return None
    return session["end"] if record["phase"] == "after" else session["start"]
