"""Checks of measurements.tsv: references, values, times, and one value per moment."""

import math
from array import array
from collections.abc import Callable

import numpy as np
import pandas as pd

from dyadloop.data.collected import Collected
from dyadloop.data.schema import LIMITS, LINE, PHASES, Indicator, measurement_extras
from dyadloop.data.table import MISSING, number
from dyadloop.data.validation import OVERLAP_DAYS, Calendar, Folder
from dyadloop.observation.kinds import Row, kinds

_TEXTS = ("dyad", "participant_id", "role", "session", "indicator", "limit", "plate")
_MOMENT = ["participant_id", "indicator", "time"]


def check_measurements(folder: Folder, calendar: Calendar) -> pd.DataFrame:
    """Return the measurements with their time [d], all references resolved and ranges kept."""
    people = {record["participant_id"]: record for _, record in folder.participants.rows}
    others = [name for name in measurement_extras() if name != "plate"]
    found = Collected(_TEXTS, ("time", "value", *others), (LINE,))
    for row, record in folder.measurements.rows:
        sound = _references(folder, row, record, people, calendar)
        value = _value(folder, row, record)
        time = _time(folder, row, record, calendar)
        error = _error(folder, row, record)
        if not sound or time is None:
            continue
        role = people[record["participant_id"]]["role"]
        plate = "" if record.get("plate", "") in MISSING else record["plate"]
        own = dict.fromkeys(others, math.nan) if value is None else _of_kinds(folder, row, record, value)
        value = math.nan if value is None else value
        found.add(
            {**record, "role": role, "time": time, "value": value, "plate": plate, **own, "error": error, LINE: row}
        )
    _plates(folder)
    table = found.emptied()
    _one_per_moment(folder, table)
    return table[table["value"].notna()].reset_index(drop=True) if table["value"].isna().any() else table


def _one_per_moment(folder: Folder, table: pd.DataFrame) -> None:
    """Refuse a second value of the same person, indicator and time."""
    again = table.duplicated(_MOMENT).to_numpy()
    if not again.any():
        return
    alike = table[table.duplicated(_MOMENT, keep=False)]
    firsts = alike.groupby(_MOMENT, sort=False)[LINE].transform("first")
    rows = table[LINE].to_numpy(dtype=int)
    for place in np.flatnonzero(again):
        person, indicator = (table.at[place, name] for name in ("participant_id", "indicator"))
        got = f"{indicator!r} of {person!r} at the same time as in row {firsts[place]}"
        remedy = "remove one or give its time"
        folder.note(folder.measurements, int(rows[place]), "indicator", got, "one value per moment", remedy)


def _plates(folder: Folder) -> None:
    """Refuse an indicator some of whose values have a plate and some none."""
    table = folder.measurements
    known = {record["indicator"] for _, record in table.rows if record.get("plate", "") not in MISSING}
    for row, record in table.rows:
        if record["indicator"] in known and record.get("plate", "") in MISSING:
            got, expected = "an empty field", f"a plate for each value of {record['indicator']!r}, or for none"
            folder.note(table, row, "plate", got, expected, "fill it in")


def _references(folder: Folder, row: int, record: dict[str, str], people: dict, calendar: Calendar) -> bool:
    table, before = folder.measurements, len(folder.faults)
    person = people.get(record["participant_id"])
    if person is None and folder.participants.readable:
        got = repr(record["participant_id"])
        folder.note(table, row, "participant_id", got, "an id of participants.tsv", "add it there or correct the id")
    elif person is not None and person["dyad"] != record["dyad"]:
        got = f"{record['dyad']!r}, but {record['participant_id']!r} belongs to {person['dyad']!r}"
        folder.note(table, row, "dyad", got, "the participant's dyad", "correct one of them")
    known = record["session"] in MISSING or (record["dyad"], record["session"]) in calendar.places
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


def _fits(time: float, phase: str, session: tuple[float, float]) -> bool:
    """Return whether a time lies on the side of the session that its phase says."""
    start, end = session
    if phase == "before":
        return time <= start + OVERLAP_DAYS
    if phase == "after":
        return time >= end - OVERLAP_DAYS
    return phase != "within" or start - OVERLAP_DAYS <= time <= end + OVERLAP_DAYS


def _time(folder: Folder, row: int, record: dict[str, str], calendar: Calendar) -> float | None:
    table = folder.measurements
    session = calendar.times(record["dyad"], record["session"])
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
    if record["phase"] in MISSING and session[1] > session[0] and record["value"] not in MISSING:
        folder.unplaced.setdefault(record["indicator"], array("q")).append(row)
    return session[1] if record["phase"] == "after" else session[0]
