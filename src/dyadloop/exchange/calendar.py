"""Sessions out of rows: one start each, one after the other; what contradicts is reported and not taken."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from dyadloop.data.clock import TimeFault, told_time
from dyadloop.exchange.keys import Part, unit_of
from dyadloop.exchange.numbers import told

_MIDNIGHT = "T00:00:00"
_SAME = 1e-9  # rounding of clock times to days


def number_sessions(parts: Sequence[Part]) -> None:
    """Number the sessions of tables without a column for them, in the order of their times, dyad by dyad."""
    free = [p for p in parts if p.table.holds == "sessions" and p.table.session is None and p.view.sessions is None]
    moments: dict[str, dict[float, str]] = {}
    for part in free:
        alive = part.keys["alive"].to_numpy(dtype=bool)
        part.kill(alive & (part.keys["start"] == "").to_numpy(), "no key", "no date, and no number of the session")
        for dyad, start in dict.fromkeys(_living(part, "dyad", "start")):
            moments.setdefault(dyad, {})[_days(part, start)] = start
    numbers = {dyad: {days: str(k) for k, days in enumerate(sorted(known), start=1)} for dyad, known in moments.items()}
    for part in free:
        alive = part.keys["alive"].to_numpy(dtype=bool)
        days = {start: _days(part, start) for start in part.keys["start"].unique()}
        told_rows = zip(part.keys["dyad"], part.keys["start"], part.keys["alive"], strict=True)
        part.keys["session"] = [numbers[dyad][days[start]] if on else "" for dyad, start, on in told_rows]


def _living(part: Part, *columns: str) -> list[tuple]:
    rows = part.keys[part.keys["alive"].astype(bool)]
    return list(zip(*(rows[name] for name in columns), strict=True))


def _days(part: Part, start: str) -> float:
    try:
        return told_time(start, part.table.unit)[0]
    except TimeFault:
        return math.nan


@dataclass(slots=True)
class Session:
    """When a session began, how long it was, and the row that told its start; empty text where it is not told."""

    start: str = ""
    length_min: str = ""
    part: int = 0
    row: int = 0


Sessions = Mapping[tuple[str, str], Session]


def calendar_of(parts: Sequence[Part]) -> dict[tuple[str, str], Session]:
    """Return the sessions by dyad and name; rows of sessions that cannot stand are left out."""
    sessions: dict[tuple[str, str], Session] = {}
    for number, part in enumerate(parts):
        if part.table.holds != "sessions":
            continue
        _impossible(part)
        keys = zip(part.keys["dyad"], part.keys["session"], part.keys["start"], part.keys["alive"], strict=True)
        for row, (dyad, session, start, alive) in enumerate(keys):
            if not alive:
                continue
            entry = sessions.setdefault((dyad, session), Session())
            if start and not entry.start:
                entry.start, entry.part, entry.row = start, number, row
            elif start and _further(entry.start, start):
                entry.start = start
            elif start and not _same(start, entry.start) and not _further(start, entry.start):
                _other_date(part, row, entry.start, _origin(parts[entry.part], entry.row))
            length = _length(part, row, session)
            entry.length_min = entry.length_min or length
    without = {key for key, entry in sessions.items() if not entry.start}
    _leave_out(parts, without, "no key", "no row tells the date of this session")
    bare = {key for key, entry in sessions.items() if entry.start and not entry.length_min}
    _leave_out(parts, bare, "no key", "no row tells how long this session was")
    _remove(sessions, (*without, *bare))
    overlapping = _overlapping(sessions, parts)
    for key, before in overlapping.items():
        _leave_out(parts, {key}, "overlap", f"begins before session {before!r} of the same dyad has ended")
    _remove(sessions, overlapping)
    return sessions


def _origin(part: Part, row: int) -> str:
    grid = part.ledger.grid
    return f"{grid.name} row {grid.rows[part.view.rows[row]]}"


def _remove(sessions: dict[tuple[str, str], Session], keys: Iterable[tuple[str, str]]) -> None:
    for key in keys:
        del sessions[key]


def _further(start: str, other: str) -> bool:
    """Return whether the other time is the same date with its time of day; midnight may stand for none."""
    return other.startswith(start) and len(other) > len(start) and not _same(start, other)


def _same(start: str, other: str) -> bool:
    return start == other or f"{start}{_MIDNIGHT}" == other or f"{other}{_MIDNIGHT}" == start


def _other_date(part: Part, row: int, start: str, where: str) -> None:
    why = f"another date than {start}, which {where} gives to this session; the first is taken"
    for column in (part.table.date, part.table.clock, part.table.day):
        if column is not None:
            part.ledger.report(*part.place(column, np.array([row])), "conflict", why)


def _impossible(part: Part) -> None:
    """Leave out rows whose time no study can have, such as days of an unknown zero."""
    for start in dict.fromkeys(start for (start,) in _living(part, "start") if start):
        try:
            told_time(start, part.table.unit)
        except TimeFault as fault:
            rows = (part.keys["start"] == start).to_numpy() & part.keys["alive"].to_numpy(dtype=bool)
            part.kill(rows, "unreadable", f"{start!r} is no time: {fault}; {fault.remedy}")


def _length(part: Part, row: int, name: str) -> str:
    """Return the minutes of a row's session, empty where they are not told."""
    declared = part.table.length_min
    if name in part.table.moments:
        return "0"
    if isinstance(declared, float | int):
        return f"{declared:g}"
    if declared is None:
        return ""
    text = part.view.texts(declared)[row]
    length = _minutes(text, part.table.decimal)
    if text and not length:
        why = "no length of 0 to 1440 minutes"
        part.ledger.report(*part.place(declared, np.array([row])), "unreadable", why)
    return length


@lru_cache(maxsize=10_000)
def _minutes(text: str, decimal: str) -> str:
    """Return the minutes that a text tells, empty where it tells none of 0 to 1440."""
    number = told(text, decimal)
    return f"{number.value:g}" if number is not None and 0 <= number.value <= 1440 else ""


def _leave_out(parts: Sequence[Part], keys: set[tuple[str, str]], kind: str, why: str) -> None:
    for part in parts if keys else ():
        if part.table.holds != "sessions":
            continue
        pairs = zip(part.keys["dyad"], part.keys["session"], strict=True)
        rows = np.array([pair in keys for pair in pairs], dtype=bool) & part.keys["alive"].to_numpy(dtype=bool)
        part.kill(rows, kind, why)


def _overlapping(sessions: Sessions, parts: Sequence[Part]) -> dict[tuple[str, str], str]:
    """Return sessions that begin before the one before of the dyad has ended, or with it, and which that is."""
    unit = unit_of(parts)
    days = {start: told_time(start, unit)[0] for start in dict.fromkeys(entry.start for entry in sessions.values())}
    timed = sorted(sessions, key=lambda key: (key[0], days[sessions[key].start], key[1]))
    found: dict[tuple[str, str], str] = {}
    last: tuple[str, float, float, str] | None = None
    for dyad, name in timed:
        start = days[sessions[dyad, name].start]
        end = start + float(sessions[dyad, name].length_min) / 1440
        if last is not None and last[0] == dyad and (start < last[2] - _SAME or start <= last[1] + _SAME):
            found[dyad, name] = last[3]
            continue
        last = (dyad, start, end, name)
    return found


def one_clock(parts: Sequence[Part]) -> None:
    """Leave out rows whose time has a zone where most have none, or the reverse, or is a day among dates."""
    kinds: dict[str, int] = {}
    for part in parts:
        part.keys["clock"] = [_clock(part, start) if start else "" for start in part.keys.get("start", [])]
        for clock in part.keys["clock"]:
            if clock:
                kinds[clock] = kinds.get(clock, 0) + 1
    if len(kinds) < 2:
        return
    usual = max(kinds, key=lambda kind: kinds[kind])
    for part in parts:
        odd = part.keys["clock"].ne("") & part.keys["clock"].ne(usual) & part.keys["alive"].astype(bool)
        part.kill(odd.to_numpy(), "unreadable", f"a time on another clock than the others, which are {usual}")


def _clock(part: Part, start: str) -> str:
    try:
        return told_time(start, part.table.unit)[1]
    except TimeFault:
        return ""


def ordered(sessions: Sessions) -> pd.DataFrame:
    """Return the sessions as a table in the order of dyad and start."""
    columns = {
        "dyad": [dyad for dyad, _ in sessions], "session": [name for _, name in sessions],
        "start": [entry.start for entry in sessions.values()],
        "length_min": [entry.length_min for entry in sessions.values()],
    }  # fmt: skip
    table = pd.DataFrame(columns, dtype=object)
    return table.sort_values(["dyad", "start"], ignore_index=True, kind="stable")
