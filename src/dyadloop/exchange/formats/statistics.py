"""Files of SPSS and Stata: labels, codes declared missing, and dates, which both count in units of their own."""

import datetime as dt
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dyadloop.exchange.formats.format import Format, Settings, library, refusal, sound_file
from dyadloop.exchange.grid import Grid, Remark, text_table, unique_headings

_SPSS_DATES = re.compile(r"(?:DATE|ADATE|EDATE|SDATE|JDATE|DATETIME|YMDHMS)\d", re.IGNORECASE)
_SPSS_TIMES = re.compile(r"(?:TIME|DTIME|MTIME)\d", re.IGNORECASE)
_SPSS_ZERO, _STATA_ZERO = dt.datetime(1582, 10, 14), dt.datetime(1960, 1, 1)
_LEAPS = (  # days that begin after a leap second
    "1972-07-01", "1973-01-01", "1974-01-01", "1975-01-01", "1976-01-01", "1977-01-01", "1978-01-01", "1979-01-01",
    "1980-01-01", "1981-07-01", "1982-07-01", "1983-07-01", "1985-07-01", "1988-01-01", "1990-01-01", "1991-01-01",
    "1992-07-01", "1993-07-01", "1994-07-01", "1996-01-01", "1997-07-01", "1999-01-01", "2006-01-01", "2009-01-01",
    "2012-07-01", "2015-07-01", "2017-01-01",
)  # fmt: skip
_MOST_SECONDS = 86400 * 365.25 * 1000


def read_spss(path: Path, settings: Settings) -> list[Grid]:
    """Return the table of a .sav, .zsav or .por file; codes declared missing stay, and are declared in the grid.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    frame, meta = _opened(path, "read_por" if path.suffix.lower() == ".por" else "read_sav", "an SPSS file", settings)
    grid = _grid(path, frame, meta, _spss_time)
    missing = {name: tuple(_range(part) for part in ranges) for name, ranges in (meta.missing_ranges or {}).items()}
    return [Grid(**{**vars(grid), "missing": missing})]


def read_stata(path: Path, settings: Settings) -> list[Grid]:
    """Return the table of a .dta file; letters of missing values (``.a``) stay, and are declared in the grid.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    frame, meta = _opened(path, "read_dta", "a Stata file", settings)
    grid = _grid(path, frame, meta, _stata_time)
    missing = {name: tuple(map(str, codes)) for name, codes in (meta.missing_user_values or {}).items()}
    return [Grid(**{**vars(grid), "missing": missing})]


def _opened(path: Path, function: str, what: str, settings: Settings) -> tuple[pd.DataFrame, Any]:
    pyreadstat = library("pyreadstat", sound_file(path), what)
    options = {} if function == "read_por" else {"user_missing": True, "disable_datetime_conversion": True}
    if settings.get("encoding"):
        options["encoding"] = settings["encoding"]
    if _breaks_down(function, path, options):
        raise refusal(path, f"{what} on which its reader breaks down", "a whole file", "save or copy it again")
    try:
        return getattr(pyreadstat, function)(str(path), **options)
    except Exception as error:  # the library raises kinds of its own
        got = f"{what} that cannot be read ({' '.join(str(error).split())[:120]})"
        raise refusal(path, got, "a whole file", "save it again, or say `settings: {encoding: ...}`") from None


_TRIAL = """import json, sys, pyreadstat
getattr(pyreadstat, sys.argv[1])(sys.argv[2], output_format="dict", **json.loads(sys.argv[3]))"""


def _breaks_down(function: str, path: Path, options: dict[str, Any]) -> bool:
    """Return whether reading a file ends a process, as the library does on some damaged ones, which none can catch."""
    if not sys.executable:
        return False
    call = [sys.executable, "-c", _TRIAL, function, str(path), json.dumps(options)]
    return subprocess.run(call, capture_output=True, check=False).returncode < 0


def _range(part: Any) -> str:  # noqa: ANN401 - a number, a text or a range
    """Return declared missing values as a code or as ``low..high``."""
    if not isinstance(part, dict):
        return str(part)
    low, high = (text_of(part[end]) for end in ("lo", "hi"))
    return low if low == high else f"{low}..{high}"


def _grid(path: Path, frame: pd.DataFrame, meta: Any, time_of: Callable[[float, str], str | None]) -> Grid:  # noqa: ANN401
    header, renamed = unique_headings([str(name) for name in frame.columns])
    formats = meta.original_variable_types or {}
    columns, kinds, remarks = [], {}, []
    for name, source in zip(header, frame.columns, strict=True):
        told = str(formats.get(source, ""))
        texts = [text_of(value) for value in frame[source]]
        if time_of(0.0, told) is not None:
            kinds[name] = "date"
            texts, odd = _times(frame[source], texts, told, time_of)
            why = "no date that can be: beyond the year 2582"
            remarks += [Remark(path.name, "", row + 1, name, texts[row], "changed", why, 0) for row in odd]
        columns.append(texts)
    body = [list(row) for row in zip(*columns, strict=True)]
    labels = {
        n: str(t) for n, s in zip(header, frame.columns, strict=True) if (t := meta.column_names_to_labels.get(s))
    }
    choices = {
        name: {text_of(code): str(word) for code, word in meta.variable_value_labels[source].items()}
        for name, source in zip(header, frame.columns, strict=True)
        if source in meta.variable_value_labels
    }
    told = {f"heading {name!r}": why for name, why in renamed.items()}
    told["encoding"] = f"{meta.file_encoding}: as the file says"
    rows = np.arange(1, len(frame) + 1)
    return Grid(
        path.name, "", text_table(header, body), rows, labels, choices, kinds=kinds, remarks=tuple(remarks), told=told
    )


def text_of(value: object) -> str:
    """Return a value as text: whole numbers without a point, nothing where there is none."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, float | np.floating):
        return f"{float(value):.15g}"
    if isinstance(value, dt.datetime | pd.Timestamp):
        return "" if value is pd.NaT else value.isoformat()
    return str(value)


def _times(
    column: pd.Series, texts: list[str], told: str, time_of: Callable[[float, str], str | None]
) -> tuple[list[str], list[int]]:
    """Return numbers of a format of dates as ISO 8601, and the rows of those that are none."""
    found, odd = [], []
    for row, (value, text) in enumerate(zip(column, texts, strict=True)):
        if not isinstance(value, float | int | np.number) or value != value:
            found.append(text)
            continue
        moment = time_of(float(value), told) or text
        odd += [row] if moment == text else []
        found.append(moment)
    return found, odd


def _spss_time(value: float, told: str) -> str | None:
    """Return a moment that SPSS counts in seconds since 1582, or a time of day; None where the format is no time."""
    if _SPSS_TIMES.match(told):
        return _clock(value)
    return _moment(value, _SPSS_ZERO) if _SPSS_DATES.match(told) else None


def _stata_time(value: float, told: str) -> str | None:
    """Return a moment that Stata counts from 1960 in milliseconds (%tc) or days (%td); None for other formats."""
    if told.startswith(("%tc", "%tC")):
        seconds = _without_leaps(value / 1000) if told.startswith("%tC") else value / 1000
        of_day = "HH" in told and "D" not in told
        return _clock(seconds) if of_day else _moment(seconds, _STATA_ZERO)
    if told.startswith(("%td", "%d")):
        return _moment(value * 86400, _STATA_ZERO)
    return None


def _moment(seconds: float, zero: dt.datetime) -> str | None:
    if abs(seconds) > _MOST_SECONDS:
        return ""
    moment = zero + dt.timedelta(seconds=round(seconds))
    plain = moment.time() == dt.time(0)
    return moment.date().isoformat() if plain else moment.isoformat()


def _clock(seconds: float) -> str:
    """Return seconds as hours, minutes and seconds; durations may have more than 24 hours, or be negative."""
    sign, whole = "-" if seconds < 0 else "", abs(round(seconds))
    return f"{sign}{whole // 3600:02d}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def _without_leaps(seconds: float) -> float:
    """Return seconds since 1960 without the leap seconds before them, which %tC counts."""
    for leaps, day in enumerate(_LEAPS, start=1):
        if seconds < (dt.datetime.fromisoformat(day) - _STATA_ZERO).total_seconds() + leaps:
            return seconds - (leaps - 1)
    return seconds - len(_LEAPS)


FORMAT = Format(
    id="spss",
    title="SPSS",
    endings=(".sav", ".zsav", ".por"),
    reads="labels of variables and values; codes and ranges declared missing, kept apart; dates and times",
    leaves="multiple-response sets, notes; a date beyond the year 2582 stays a number",
    library="pyreadstat",
    truth="files written by pyreadstat with known cells",
    read=read_spss,
)
STATA = Format(
    id="stata",
    title="Stata",
    endings=(".dta",),
    reads="labels of variables and values; extended missing values (.a to .z), kept apart; days and milliseconds",
    leaves="notes; dates by week, month, quarter or half-year, which stay numbers",
    library="pyreadstat",
    truth="files written by pyreadstat with known cells",
    read=read_stata,
)
