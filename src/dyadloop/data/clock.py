"""The one parser of times: ISO 8601 or numbers of a declared unit; everything else is refused by its name."""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from dyadloop.data.table import told_number
from dyadloop.errors import Fault

TimeUnit = Literal[
    "days", "weeks", "hours", "minutes", "seconds",
    "unix_seconds", "unix_milliseconds", "unix_days", "excel_days", "excel_days_1904",
]  # fmt: skip
"""Units of times that are numbers: from the study's own zero, or dates counted from a zero of the calendar."""

LOCAL, ZONED, DAYS = "a local date and time", "a date and time with a zone", "days"
"""Kinds of clocks; a study has one."""

_DAYS_PER = {"days": 1, "weeks": 7, "hours": 1 / 24, "minutes": 1 / 1440, "seconds": 1 / 86400}
_DATES = {  # factor to days, and the zero in days from 1970
    "unix_seconds": (1 / 86400, 0),
    "unix_milliseconds": (1 / 86400e3, 0),
    "unix_days": (1, 0),
    "excel_days": (1, -25569),
    "excel_days_1904": (1, -24107),
}
_MOST_DAYS = 20_000  # 55 years: no study counts so far from its own zero
_FIRST_DATE, _LAST_DATE = -25567, 120_000  # 1900 and 2298, in days from 1970: before and beyond it is no date
_FIRST_YEAR, _LAST_YEAR = 1900, 2100
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d(:\d\d(:\d\d([.,]\d+)?)?)?(Z|[+-]\d\d(:?\d\d)?)?)?")
_EXPECTED = "ISO 8601 such as 2024-03-01T14:00:00, or days such as 7.5"

# what a number is likely to be that is no number of days: from, to, its name, the factor to days and the zero
_NUMBERS = (
    (10_957, 25_000, "days since 1970", "unix_days", 1, 0),
    (25_000, 80_000, "an Excel serial", "excel_days", 1, -25569),
    (693_000, 800_000, "a MATLAB or ordinal day number", None, 1, -719529),
    (2_400_000, 2_500_000, "a Julian day", None, 1, -2440587.5),
    (1e8, 5e9, "seconds since 1970", "unix_seconds", 1 / 86400, 0),
    (1.2e10, 1.6e10, "seconds since 1582, as SPSS counts", None, 1 / 86400, -141428),
    (1e11, 5e12, "milliseconds since 1970", "unix_milliseconds", 1 / 86400e3, 0),
    (1e14, 5e15, "microseconds since 1970", None, 1 / 86400e6, 0),
    (1e17, 5e18, "nanoseconds since 1970", None, 1 / 86400e9, 0),
)
_TEXTS = (
    (r"\d{1,2}:\d\d(:\d\d)?(\s*[ap]\.?m\.?)?", "a time of day without its date"),
    (r".*\d\s*[ap]\.?m\.?", "a 12-hour clock"),
    (r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b.*", "a date whose day and month cannot be told apart"),
    (r"\d{4}[/.]\d{1,2}[/.]\d{1,2}.*", "a date with slashes or dots"),
    (r"\d{4}-\d{1,2}", "a month without its day"),
    (r"\d{4}-?w\d\d.*", "a week of a year"),
    (r"\d{8}t\d+.*", "a date without dashes"),
    (r"\d{4}-\d\d-\d\d.*\d\s*\[?[a-z][a-z/_]{1,}\]?.*", "a time zone by its name"),
    (r"\d{4}-\d{1,2}-\d{1,2}.*", "a date without its zeros"),
    (r"[+-]?\d+,\d+", "a decimal comma"),
    (r".*[a-z]{3,}.*", "a date in words"),
)


@dataclass
class Clock:
    """Turns the times of one study into days and notes what does not fit together.

    ``unit`` is what numbers mean, ``kind`` the clock in use so far; ``first`` and ``span`` are the first time that is a
    number of days, with its place, and the ends of all such.
    """

    faults: list[Fault]
    unit: TimeUnit = "days"
    kind: str | None = None
    first: tuple[float, str, int, str] | None = None
    span: tuple[float, float] = (math.inf, -math.inf)

    def days(self, file: str, row: int, column: str, text: str) -> float | None:
        """Return a time in days [d] since 1970 or since the study's own zero, or None after noting the fault."""
        try:
            value, kind = told_time(text, self.unit)
        except TimeFault as error:
            self.faults.append(Fault(file, row, column, f"{text!r} ({error})", error.expected, error.remedy))
            return None
        if self.kind not in (None, kind):
            remedy = "use one clock in the whole study"
            self.faults.append(Fault(file, row, column, f"{text!r} ({kind})", f"{self.kind} as before", remedy))
            return None
        self.kind = kind
        if kind == DAYS:
            self.first = self.first or (value, file, row, column)
            self.span = (min(self.span[0], value), max(self.span[1], value))
        return value

    def close(self) -> None:
        """Note a fault where all days of the study are years of the calendar."""
        if self.unit == "days" and self.first is not None and _FIRST_YEAR <= self.span[0] <= self.span[1] <= _LAST_YEAR:
            value, file, row, column = self.first
            got = f"{value:g} (a year of the calendar, as all times of the study)"
            self.faults.append(Fault(file, row, column, got, _EXPECTED, "write the dates"))


class TimeFault(ValueError):
    """A text that is no time, with what was expected and what to do."""

    def __init__(self, why: str, remedy: str = "correct the time", expected: str = _EXPECTED) -> None:
        self.remedy, self.expected = remedy, expected
        super().__init__(why)


def told_time(text: str, unit: TimeUnit = "days") -> tuple[float, str]:
    """Return a time in days and the kind of its clock: every time of a study, a raw table or an export is read here.

    Parameters
    ----------
    text
        ISO 8601, or a number.
    unit
        What numbers mean.

    Returns
    -------
    tuple
        Days since 1970 for dates, since the study's own zero for ``days``; and LOCAL, ZONED, DAYS or the unit of dates.

    Raises
    ------
    TimeFault
        If it is neither; the message names what it looks like.
    """
    if _ISO.fullmatch(text):
        return _told_date(text)
    if unit == "days" and text.isdigit() and len(text) in (8, 12, 14) and text[:2] in ("19", "20"):
        raise TimeFault(
            "must be 2024-03-01, not 20240301, which could be a number of days", "write the time with dashes"
        )
    value = told_number(text)
    if math.isnan(value):
        raise TimeFault(_named(text))
    return (_number_of_days(value), DAYS) if unit == "days" else _declared(value, unit)


def _told_date(text: str) -> tuple[float, str]:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise TimeFault(str(error)) from None
    if moment.year < _FIRST_YEAR:
        raise TimeFault(f"the year {moment.year}", "correct the year")
    instant = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return instant.timestamp() / 86400, ZONED if moment.tzinfo else LOCAL


def _number_of_days(value: float) -> float:
    if abs(value) < _MOST_DAYS:
        return value
    for low, high, name, unit, factor, zero in _NUMBERS:
        if low <= value < high:
            remedy = "write the dates" if unit is None else f"declare `times: {{unit: {unit}}}` in study.yaml"
            raise TimeFault(f"{name}? It would be {date_text(value * factor + zero)}", remedy)
    remedy = "declare their unit in study.yaml, such as `times: {unit: seconds}`, or write days"
    raise TimeFault(f"{abs(value) / 365.25:.3g} years if it is days: another unit?", remedy)


def _declared(value: float, unit: str) -> tuple[float, str]:
    """Return a time in days whose unit study.yaml declares."""
    remedy = "correct the time, or the unit in study.yaml"
    if unit in _DATES:
        factor, zero = _DATES[unit]
        days = value * factor + zero
        if not _FIRST_DATE <= days <= _LAST_DATE:
            raise TimeFault(f"no date between 1900 and 2298 in {unit}", remedy, f"a date in {unit}")
        return days, unit.replace("_", " ")
    days = value * _DAYS_PER[unit]
    if abs(days) >= _MOST_DAYS:
        raise TimeFault(f"{abs(days) / 365.25:.3g} years in {unit}", remedy, f"{unit} from the study's own zero")
    return days, DAYS


def _named(text: str) -> str:
    for pattern, name in _TEXTS:
        if re.fullmatch(pattern, text.strip(), re.IGNORECASE):
            return name
    return "not a time"


def date_text(days: float) -> str:
    """Return the date of a number of days since 1970, in words where there is none."""
    try:
        return (datetime(1970, 1, 1) + timedelta(days=days)).strftime("%Y-%m-%d")
    except OverflowError:
        return "no date"


def moment_text(days: float, kind: str) -> str:
    """Return a time of a study as people read it: its date, or its day."""
    return f"day {round(days, 2):g}" if kind == DAYS else date_text(days)
