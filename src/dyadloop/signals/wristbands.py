"""Exports of wristbands: the Empatica E4's two rows above the samples, its intervals between beats, its tags.

E4: the first row is the start in Unix seconds, the second the rate in samples per second, once per column; in IBI.csv
the first row is start and name, then come seconds since the start and the interval that ended there. EmbracePlus
exports name their columns and carry a Unix time in every row (:mod:`dyadloop.signals.clocks`).

References
----------
.. [1] Empatica: Data export and formatting from E4 connect.
   https://support.empatica.com/hc/en-us/articles/201608896-Data-export-and-formatting-from-E4-connect
.. [2] info.txt, which Empatica puts into every E4 archive: start, rate and unit of each file.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dyadloop.errors import Fault
from dyadloop.signals.faults import refuse
from dyadloop.signals.series import Floats
from dyadloop.signals.text import delimiter, is_number, split, text_of

_UNIX = (9.4e8, 4.2e9)  # the years 2000 to 2103
_AXES = ("x", "y", "z")
_KNOWN = ("EDA", "BVP", "HR", "TEMP", "ACC")
_FASTEST = 4096.0


@dataclass(frozen=True)
class Export:
    """Samples of a wristband with its rate [Hz] and start [Unix seconds]."""

    table: pd.DataFrame
    fs: float
    start: float


@dataclass(frozen=True)
class Beats:
    """Ends of intervals between beats [s since the start], the intervals [s], and the start [Unix seconds]."""

    ends: Floats
    intervals: Floats
    start: float


def is_export(text: str) -> bool:
    """Return whether a text begins with the E4's two rows: a Unix time and a rate, the same in every column."""
    lines = text.split("\n", 2)
    if len(lines) < 2:
        return False
    first, second = (split(line, delimiter(lines[0])) for line in lines[:2])
    if not first or len(first) != len(second) or not all(map(is_number, [*first, *second])):
        return False
    start, rate = float(first[0]), float(second[0])
    alike = len(set(first)) == 1 and len(set(second)) == 1
    return alike and _UNIX[0] < start < _UNIX[1] and 0 < rate <= _FASTEST


def is_intervals(text: str) -> bool:
    """Return whether a text is the E4's IBI.csv."""
    first = split(text.partition("\n")[0], ",")
    return (
        len(first) == 2 and first[1].upper() == "IBI" and is_number(first[0]) and _UNIX[0] < float(first[0]) < _UNIX[1]
    )


def is_tags(text: str) -> bool:
    """Return whether a text holds nothing but Unix times, one a row: marks that somebody pressed."""
    first = text.partition("\n")[0]
    if not (is_number(first) and _UNIX[0] < float(first) < _UNIX[1]):
        return False
    lines = [line for line in text.split("\n") if line.strip()]
    if not all(is_number(line) for line in lines):
        return False
    values = np.array([float(line) for line in lines])
    return bool(((values > _UNIX[0]) & (values < _UNIX[1])).all())


def export_of(file: str, text: str, columns: list[str] | None) -> Export:
    """Return the samples below the two rows.

    Raises
    ------
    MeasureError
        If a sample is no number or a row has another width.
    """
    lines = text.split("\n")
    mark = delimiter(lines[0])
    first, second = split(lines[0], mark), split(lines[1], mark)
    rows = [split(line, mark) for line in lines[2:]]
    faults = [
        Fault(file, row, None, repr(line), f"{len(first)} numbers", "export it again from the wristband")
        for row, (line, fields) in enumerate(zip(lines[2:], rows, strict=True), start=3)
        if len(fields) != len(first) or not all(map(is_number, fields))
    ]
    if len(rows) < 2:
        faults.append(Fault(file, None, None, f"{len(rows)} samples", "at least 2", "export it again"))
    refuse(faults)
    names = columns if columns is not None and len(columns) == len(first) else _names(file, len(first))
    return Export(pd.DataFrame(np.array(rows, dtype=np.float64), columns=names), float(second[0]), float(first[0]))


def _names(file: str, width: int) -> list[str]:
    if width == 3:
        return list(_AXES)
    known = next((kind for kind in _KNOWN if kind in file.upper().replace("-", "_").replace(".", "_").split("_")), None)
    return [known.lower()] if known and width == 1 else [str(k + 1) for k in range(width)]


def intervals_of(file: str, text: str) -> Beats:
    """Return the intervals of IBI.csv.

    Raises
    ------
    MeasureError
        If a row does not hold two numbers, or the times do not go on.
    """
    lines = text.split("\n")
    rows = [split(line, ",") for line in lines[1:]]
    faults = [
        Fault(file, row, None, repr(line), "time and interval [s]", "export it again from the wristband")
        for row, (line, fields) in enumerate(zip(lines[1:], rows, strict=True), start=2)
        if len(fields) != 2 or not all(map(is_number, fields))
    ]
    if len(rows) < 3:
        faults.append(Fault(file, None, None, f"{len(rows)} intervals", "at least 3", "use a longer recording"))
    refuse(faults)
    values = np.array(rows, dtype=np.float64)
    for place in np.flatnonzero(np.diff(values[:, 0]) <= 0)[:1]:
        got = f"{values[place + 1, 0]:g} after {values[place, 0]:g}"
        refuse([Fault(file, int(place) + 3, None, got, "times that go on", "export it again from the wristband")])
    return Beats(values[:, 0], values[:, 1], float(split(lines[0], ",")[0]))


def read_tags(path: str | Path) -> Floats:
    """Return the moments that were marked on a wristband (tags.csv) [Unix seconds].

    Raises
    ------
    MeasureError
        If the file holds anything but Unix times.
    """
    text = text_of(Path(path))
    if not is_tags(text):
        refuse(
            [Fault(Path(path).name, None, None, "rows that are no Unix times", "tags.csv of an E4", "give that file")]
        )
    return np.array([float(line) for line in text.split("\n") if line.strip()])
