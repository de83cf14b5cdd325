"""Units of time: the day is the base unit of every rate and duration.

Examples
--------
>>> days(50, "min")
0.034722222222222224
>>> per_day(1.0, "1/h")
24.0
"""

from dyadloop.errors import UnitError

DAYS_PER = {"s": 1 / 86400, "min": 1 / 1440, "h": 1 / 24, "d": 1.0, "wk": 7.0}
"""Length of each unit of time [d]."""


def days(value: float, unit: str) -> float:
    """Convert a duration to days.

    Raises
    ------
    UnitError
        If ``unit`` is not a unit of time.
    """
    if unit not in DAYS_PER:
        raise UnitError(f"unit {unit!r} is not a unit of time; expected one of {', '.join(DAYS_PER)}")
    return value * DAYS_PER[unit]


def per_day(value: float, unit: str) -> float:
    """Convert a rate such as ``1/h`` to a rate per day.

    Raises
    ------
    UnitError
        If ``unit`` is not ``1/`` followed by a unit of time.
    """
    if not unit.startswith("1/"):
        raise UnitError(f"unit {unit!r} is not a rate; expected 1/ followed by one of {', '.join(DAYS_PER)}")
    return value / days(1.0, unit[2:])


def behind(unit: str | None) -> str:
    """Return a unit as it stands behind a number, with a space before it: nothing for a pure number.

    Examples
    --------
    >>> behind("SD per SD"), behind("1")
    (' SD per SD', '')
    """
    return f" {unit}" if unit and unit != "1" else ""


def duration(text: str) -> float:
    """Return a duration written as a number and a unit, such as ``"50 min"``, in days.

    Raises
    ------
    UnitError
        If the text is not a number >= 0 and a unit of time.
    """
    parts = text.split()
    try:
        value = float(parts[0]) if len(parts) == 2 else float("nan")
    except ValueError:
        value = float("nan")
    if not 0 <= value < float("inf"):
        raise UnitError(f"duration {text!r} is not a number and a unit; write it like '7 d' or '50 min'")
    return days(value, parts[1])
