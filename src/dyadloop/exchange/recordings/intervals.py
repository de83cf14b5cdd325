"""Lists of RR intervals: Polar Sensor Logger (H10), and files of intervals alone (Polar Flow, Movesense, Kubios).

Intervals are in milliseconds or seconds.
The times that a phone writes are those of arrival, in packets; the intervals themselves are the heart's. So beats
follow each other by their intervals, and a pause is where the arrivals run ahead of them.
"""

import re
from datetime import datetime
from pathlib import Path

import numpy as np

from dyadloop.errors import MeasureError
from dyadloop.exchange.formats.delimited import decoded
from dyadloop.exchange.formats.format import refusal
from dyadloop.exchange.formats.headings import first_rows
from dyadloop.exchange.recordings.tables import Signals
from dyadloop.signals.beats import on_clock
from dyadloop.signals.series import Floats

_POLAR = ("Phone timestamp", "RR-interval [ms]")
_RATE = 4.0
_PAUSE = 5.0  # seconds by which arrivals must run ahead of the sum of intervals: packets are late by less
_SHORTEST, _LONGEST = 200.0, 5000.0  # ms
_HEADING = re.compile(r"(rr|r-r|rri|ibi|nn)([ _-]*intervals?)?([ _]*[\[(]?(ms|s|sec|seconds)[\])]?)?", re.IGNORECASE)


def is_intervals(path: Path) -> bool:
    """Return whether a file is a list of RR intervals."""
    rows = [[cell.strip() for cell in row] for row in first_rows(path, 2)]
    if not rows or not rows[0]:
        return False
    if tuple(rows[0][:2]) == _POLAR:
        return True
    first = rows[1] if _HEADING.fullmatch(rows[0][0]) and len(rows) > 1 else rows[0]
    return len(first) == len(rows[0]) == 1 and (_is_interval(first[0], 1.0) or _is_interval(first[0], 1000.0))


def _is_interval(cell: str, times: float) -> bool:
    try:
        return _SHORTEST <= float(cell) * times <= _LONGEST
    except ValueError:
        return False


def read_intervals(path: Path, fs: float | None = None) -> list[Signals]:
    """Return interbeat intervals [ms] on an even clock of 4 Hz; pauses and doubtful beats are gaps.

    Raises
    ------
    DataError
        If an entry is no interval, or no time.
    """
    text, _ = decoded(path, {})
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    polar = lines[0].startswith(_POLAR[0])
    headed = polar or _HEADING.fullmatch(lines[0]) is not None
    body = lines[1:] if headed else lines
    if len(body) < 3:
        raise refusal(path, f"{len(body)} intervals", "at least 3", "export the list again")
    cells = [line.split(";") for line in body] if polar else [[line] for line in body]
    intervals = np.array([_interval(path, row, k + 1 + headed) for k, row in enumerate(cells)])
    if np.median(intervals) >= _SHORTEST:  # milliseconds; no heart has intervals of so many seconds
        intervals = intervals / 1000.0
    ends = np.cumsum(intervals)
    told: dict[str, object] = {}
    if polar:
        arrivals = _arrivals(path, [row[0] for row in cells])
        ends += _pauses(arrivals - arrivals[0], ends - ends[0])
        told["FirstArrival"] = cells[0][0]
    begins = ends - intervals
    try:
        found = on_clock(begins, ends, intervals, _RATE, float(begins[0]), float(ends[-1]), path.name)
    except MeasureError as error:
        raise refusal(path, str(error), "intervals of a heart", "check the file") from None
    return [Signals("", ["ibi_ms"], found.channels.to_numpy(dtype=float), _RATE, 0.0, None, {"ibi_ms": "ms"}, told)]


def _interval(path: Path, row: list[str], line: int) -> float:
    cell = row[-1].strip() if len(row) <= 2 else row[1].strip()
    if not cell.replace(".", "", 1).isdigit():
        raise refusal(path, repr(cell), "an interval in milliseconds or seconds", "remove what is none", line)
    return float(cell)


def _arrivals(path: Path, cells: list[str]) -> Floats:
    """Return times of arrival [s]; a clock without a date goes on after midnight."""
    found = []
    for k, cell in enumerate(cells):
        try:
            moment = datetime.fromisoformat(cell if "T" in cell or "-" in cell else f"1970-01-01T{cell}")
        except ValueError:
            raise refusal(path, repr(cell), "a time such as 2024-04-24T14:10:16.752", "correct it", k + 2) from None
        found.append(moment.timestamp() if moment.tzinfo else (moment - datetime(1970, 1, 1)).total_seconds())
    times = np.array(found)
    days = np.cumsum(np.concatenate([[0], np.diff(times) < -43_200]))
    return times + 86_400.0 * days if times[0] < 86_400 else times


def _pauses(arrivals: Floats, sums: Floats) -> Floats:
    """Return by how much each beat comes later than the sum of the intervals before it."""
    ahead = arrivals - sums
    found, known = np.zeros(len(ahead)), 0.0
    for k in range(1, len(ahead)):
        jump = ahead[k] - ahead[k - 1]
        if jump > _PAUSE:
            known += jump
        found[k] = known
    return found
