"""The clock of a recording from its column of times: seconds, milliseconds, microseconds or Unix time, never guessed.

A unit follows from the heading (``time_ms``), from the size of Unix times, or from the declared rate. Where none of
them tells, and seconds would mean fewer than one sample a second, the column is refused.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from dyadloop.errors import Fault
from dyadloop.signals.rates import Rate, rate_of, rounding_of, told_rate
from dyadloop.signals.series import Floats

UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_WORDS = {"sec": "s", "secs": "s", "second": "s", "seconds": "s", "msec": "ms", "milliseconds": "ms", "millis": "ms"}
_WORDS |= {"usec": "us", "microseconds": "us", "micros": "us", "µs": "us", "nsec": "ns", "nanoseconds": "ns"}
_NAMES = ("timestamp", "time", "unix_timestamp", "timestamp_unix", "unixtime", "unix_time", "seconds")
_UNIX_SECONDS = (9.4e8, 4.2e9)  # the years 2000 to 2103
_LONGEST = 86_400.0  # seconds that a recording of a session may last where only its times say so
_FASTEST = 1e5  # samples per second; faster ones are days or hours
_UNEVEN = 0.5  # of a step, by which a time may stray from an even clock


@dataclass(frozen=True)
class Clock:
    """An even clock: its rate, its first moment [s], and what that moment counts from: the file, or ``unix``."""

    rate: Rate
    start: float
    zero: str


def time_column(names: list[str]) -> str | None:
    """Return the column that holds the times, by its name, or None."""
    for wanted in _NAMES:
        for name in names:
            if _bare(name)[0] == wanted:
                return name
    return None


def _bare(name: str) -> tuple[str, str | None]:
    """Return a heading without its unit, and the unit."""
    text = name.strip().casefold().replace("[", " ").replace("]", " ").replace("(", " ").replace(")", " ")
    words = [word for word in re.split(r"[\s_.]+", text) if word]
    if len(words) > 1:
        unit = _WORDS.get(words[-1], words[-1])
        if unit in UNITS:
            return "_".join(words[:-1]), unit
    return "_".join(words), None


def clock_of(values: Floats, file: str, column: str, first_row: int, fs: float | None) -> Clock | Fault:
    """Return the clock of a column of times, or what is wrong with it.

    Parameters
    ----------
    values
        The column as it stands in the file.
    file, column, first_row
        For messages: its name and the row of its first value.
    fs
        Rate that a sidecar or the user tells [Hz].
    """
    steps = np.diff(values)
    if np.isnan(values).any() or not (steps > 0).all():
        place = int(np.argmax(np.isnan(values))) if np.isnan(values).any() else int(np.argmax(~(steps > 0))) + 1
        got = f"{values[place]:.10g} after {values[place - 1]:.10g}" if place else f"{values[0]:.10g}"
        return Fault(file, first_row + place, column, got, "times that go on", "correct the times, or drop the column")
    middle = float(np.median(steps))
    place = int(np.argmax(np.abs(steps - middle)))
    rounding = rounding_of(values)
    if abs(steps[place] - middle) > _UNEVEN * middle + (rounding if rounding < 0.6 * middle else 0.0):
        got = f"a step of {steps[place]:.6g} among steps of {middle:.6g}"
        return Fault(file, first_row + place + 1, column, got, "even steps", _RESAMPLE)
    even = np.linspace(values[0], values[-1], len(values))
    place = int(np.argmax(np.abs(values - even)))
    if abs(values[place] - even[place]) > max(1.0, _UNEVEN) * middle:
        got = f"a time {abs(values[place] - even[place]) / middle:.1f} steps off an even clock: the rate changes"
        return Fault(file, first_row + place, column, got, "one rate throughout", _RESAMPLE)
    unit = _unit(values, middle, column, fs)
    if unit is None or 1 / (middle * UNITS[unit]) > _FASTEST:
        return _doubt(file, column, first_row, middle, fs)
    scale = UNITS[unit]
    zero = "unix" if is_unix(float(values[0]) * scale) else "file"
    return Clock(rate_of((values - values[0]) * scale, rounding * scale), float(values[0]) * scale, zero)


_RESAMPLE = "resample it onto an even clock first (dyadloop.signals.series.resampled)"


def is_unix(seconds: float) -> bool:
    """Return whether a number of seconds is a moment of this century, counted from 1970."""
    return _UNIX_SECONDS[0] < seconds < _UNIX_SECONDS[1]


def _unit(values: Floats, step: float, column: str, fs: float | None) -> str | None:
    """Return the unit of the times: that of the heading, of Unix time, of the declared rate, or seconds."""
    told = _bare(column)[1]
    if told is not None:
        return told
    for unit, scale in UNITS.items():
        if is_unix(float(values[0]) * scale):
            return unit
    if fs is not None:
        rounding = rounding_of(values)
        for unit, scale in UNITS.items():
            rate = rate_of((values - values[0]) * scale, rounding * scale)
            if rate.holds(told_rate(fs).value, len(values)) or told_rate(fs).holds(rate.value):
                return unit
    return "s" if step < 1 and values[-1] - values[0] < _LONGEST else None


def written_times(texts: Sequence[str]) -> Floats | None:
    """Return dates of ISO 8601 as Unix seconds, hours such as 14:03:04.25 as seconds of the day; None for others.

    A date without a zone is taken in one unknown zone, the same for all files.
    """
    try:
        if all(re.fullmatch(r"\d{1,2}:\d{2}:\d{2}([.,]\d+)?", text) for text in texts):
            parts = [text.replace(",", ".").split(":") for text in texts]
            return np.array([3600 * int(h) + 60 * int(m) + float(s) for h, m, s in parts])
        moments = [datetime.fromisoformat(text) for text in texts]
    except ValueError:
        return None
    return np.array([(m if m.tzinfo else m.replace(tzinfo=UTC)).timestamp() for m in moments])


def _doubt(file: str, column: str, row: int, step: float, fs: float | None) -> Fault:
    rates = ", ".join(f"{1 / (step * scale):.4g} Hz if {unit}" for unit, scale in UNITS.items())
    got = f"steps of {step:.6g} without a unit ({rates})"
    wanted = "a unit, or a rate that tells it" if fs is None else f"steps that fit {fs:g} Hz"
    remedy = f"name the column {column}_ms (or _s, _us), or give the rate (--fs, fs, SamplingFrequency)"
    return Fault(file, row, column, got, wanted, remedy)
