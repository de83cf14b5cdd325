"""From dates as people and programs write them to ISO 8601, in the order that a table declares."""

import datetime as dt
import re
from collections.abc import Iterable

from dyadloop.data.clock import TimeFault, told_time

ORDERS = {"dmy": "day, month, year", "mdy": "month, day, year", "ymd": "year, month, day"}
"""Orders of day, month and year."""

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar jän jänner janvier",
            "feb february februar février fevrier", "mar march mär märz mrz mars",
            "apr april avril", "may mai", "jun june juni juin", "jul july juli juillet", "aug august août aout",
            "sep sept september septembre", "oct october okt oktober octobre", "nov november novembre",
            "dec december dez dezember décembre decembre",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_NUMBERS = re.compile(r"(\d{1,4})\s*([./-])\s*(\d{1,2})\s*\2\s*(\d{1,4})(?:(?:,|T|\s)\s*(.+))?")
_WORDS = re.compile(r"(\d{1,2})[.\s-]*([A-Za-zäéû]{3,10})\.?[\s,-]*(\d{2,4})(?:,?\s+(.+))?")
_WORDS_FIRST = re.compile(r"([A-Za-z]{3,10})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?:,?\s+(.+))?")
_CLOCK = re.compile(r"(\d{1,2})(?::|\.|h)(\d{2})(?:[:.](\d{2})(?:[.,]\d+)?)?\s*(uhr|h|[ap]\.?m\.?)?", re.IGNORECASE)
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?)?")
_PSYCHOPY = re.compile(r"(\d{4})-(\d{2})-(\d{2})_(\d{2})h(\d{2})\.(\d{2})(?:\.\d+)?")
_PSYCHOPY_OLD = re.compile(r"(\d{4})_([A-Z][a-z]{2})_(\d{2})_(\d{2})(\d{2})")
_CENTURY = 100
_NOON = 12


def iso_clock(text: str) -> str | None:
    """Return a time of day as HH:MM:SS, None where the text is none."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    half = (match[4] or "").lower().replace(".", "")
    if half in ("am", "pm"):
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if half == "pm" else 0)
    return f"{hour:02d}:{minute:02d}:{second:02d}" if hour < 24 and minute < 60 and second < 60 else None


def iso_date(text: str, order: str) -> str | None:
    """Return a date, with its time of day where it has one, as ISO 8601; None where it is none in this order.

    Two digits of a year are of this century.
    """
    try:
        told_time(text)
    except TimeFault:
        pass
    else:
        return text if re.match(r"\d{4}-", text) else None
    if match := _PSYCHOPY.fullmatch(text):
        return _joined(int(match[1]), int(match[2]), int(match[3]), f"{match[4]}:{match[5]}:{match[6]}")
    if (match := _PSYCHOPY_OLD.fullmatch(text)) and match[2].lower() in _MONTHS:
        return _joined(int(match[1]), _MONTHS[match[2].lower()], int(match[3]), f"{match[4]}:{match[5]}")
    if match := _COMPACT.fullmatch(text):
        clock = f"{match[4]}:{match[5]}:{match[6] or '00'}" if match[4] else None
        return _joined(int(match[1]), int(match[2]), int(match[3]), clock)
    if match := _NUMBERS.fullmatch(text):
        parts = [int(match[1]), int(match[3]), int(match[4])]
        if len(match[1]) > 2:
            year, month, day = parts
        elif order == "ymd":
            return None
        else:
            year = parts[2]
            day, month = (parts[0], parts[1]) if order == "dmy" else (parts[1], parts[0])
        return _joined(year, month, day, match[5])
    for pattern, places in ((_WORDS, (3, 2, 1)), (_WORDS_FIRST, (3, 1, 2))):
        if match := pattern.fullmatch(text):
            year, month, day = (match[k] for k in places)
            number = _MONTHS.get(month.lower())
            return None if number is None else _joined(int(year), number, int(day), match[4])
    return None


def _joined(year: int, month: int, day: int, clock: str | None) -> str | None:
    year += 2000 if year < _CENTURY else 0
    try:
        date = dt.date(year, month, day)
    except ValueError:
        return None
    if date.year < 1900:
        return None
    if not clock:
        return date.isoformat()
    time = iso_clock(re.sub(r"(?i)\s*(z|utc)$", "", clock))
    zone = "Z" if re.search(r"(?i)(z|utc)$", clock) else ""
    return None if time is None else f"{date.isoformat()}T{time}{zone}"


def date_order(texts: Iterable[str]) -> tuple[str, str]:
    """Return the order of day, month and year that dates have, and the reason; ``?`` where it cannot be told."""
    days = months = years = others = dots = 0
    for text in texts:
        match = _NUMBERS.fullmatch(text)
        if match is None:
            others += bool(iso_date(text, "ymd"))
            continue
        if len(match[1]) > 2:
            years += 1
            continue
        dots += match[2] == "."
        days += int(match[1]) > _NOON >= int(match[3])
        months += int(match[3]) > _NOON >= int(match[1])
        others += 1
    if days and months:
        return "?", f"{days} different dates with the day first and {months} with the month first"
    if days:
        return "dmy", f"{days} different dates whose first number is above 12"
    if months:
        return "mdy", f"{months} different dates whose second number is above 12"
    if dots:
        return "dmy", "dots between the numbers, as in German dates; no number above 12 tells"
    if years or not others:
        return "ymd", "the year stands first"
    return ("ymd", "months are words") if not _slashed(texts) else ("?", "no number above 12 tells day from month")


def _slashed(texts: Iterable[str]) -> bool:
    return any((m := _NUMBERS.fullmatch(text)) is not None and len(m[1]) <= 2 for text in texts)
