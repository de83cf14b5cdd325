"""Sampling rates: a rate is a rational number within the rounding of the times or digits that tell it.

Times rounded to milliseconds tell 29.998 to 30.002 Hz; that is 30. Two rates that lie within each other's rounding, or
drift apart by less than half a sample over a recording, are one rate.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from dyadloop.signals.series import Floats, as_rate

_TELEVISION = (24, 30, 48, 60, 90, 120, 240)  # times 1000 / 1001: 23.976, 29.97, 59.94 ...
_LARGEST_DENOMINATOR = 100
_DRIFT = 0.5  # samples over the shorter recording


@dataclass(frozen=True)
class Rate:
    """A sampling rate with what its rounding leaves open: ``low`` to ``high`` [Hz]."""

    value: float
    low: float
    high: float

    def holds(self, other: float, n_samples: int = 0) -> bool:
        """Return whether another rate [Hz] is this one within rounding, or within half a sample of the recording."""
        return self.low <= other <= self.high or drift(self.value, other, n_samples) <= _DRIFT


def drift(one: float, two: float, n_samples: int) -> float:
    """Return the samples by which two clocks part over a recording of so many; infinite where none is given."""
    if one == two:
        return 0.0
    return abs(one / two - 1) * n_samples if n_samples else math.inf


def same_rate(one: float, two: float, n_samples: int) -> bool:
    """Return whether two rates [Hz] keep within half a sample over a recording of so many samples."""
    return drift(one, two, n_samples) <= _DRIFT


def told_rate(fs: float | str) -> Rate:
    """Return a rate that somebody wrote: 29.97 stands for 29.965 to 29.975 and is 30000/1001; a whole number is exact.

    Raises
    ------
    MeasureError
        If it is no positive number.
    """
    value = as_rate(fs)
    text = repr(value)
    digits = len(text.partition(".")[2]) if "e" not in text and not value.is_integer() else 0
    half = 0.5 * 10.0**-digits if digits else value * 1e-9
    low, high = value - half, value + half
    return Rate(_television(low, high, value) if digits >= 2 else value, low, high)


def rate_of(times: Floats, rounding: float) -> Rate:
    """Return the rate of even times [s] that were rounded to ``rounding`` [s].

    The simplest rational number that the rounding allows; where only a long fraction fits, the rate as it was measured.
    """
    steps, span = len(times) - 1, float(times[-1] - times[0])
    slack = min(max(rounding, 4 * float(np.spacing(np.abs(times).max()))), 0.4 * span)
    low, high = steps / (span + slack), steps / (span - slack)
    return Rate(simplest(low, high, steps / span), low, high)


def simplest(low: float, high: float, otherwise: float) -> float:
    """Return the simplest rate in an interval: whole, of television, or a fraction or period of few digits [Hz]."""
    exact = 1e-9 * otherwise
    for bounds in ((otherwise - exact, otherwise + exact), (low, high)):
        if bounds[0] <= round(otherwise) <= bounds[1] and round(otherwise) > 0:
            return float(round(otherwise))
        found = _television(*bounds, 0.0) or _short(*bounds, otherwise)
        if found:
            return found
    return otherwise


def _short(low: float, high: float, middle: float) -> float:
    """Return the rate, or the inverse of the period, of the smallest denominator in an interval; 0 if there is none."""
    for denominator in range(2, _LARGEST_DENOMINATOR + 1):
        rate, period = (
            Fraction(round(middle * denominator), denominator),
            Fraction(round(denominator / middle), denominator),
        )
        if period > 0 and low <= float(1 / period) <= high:
            return float(1 / period)
        if low <= float(rate) <= high:
            return float(rate)
    return 0.0


def _television(low: float, high: float, otherwise: float) -> float:
    fits = [whole * 1000 / 1001 for whole in _TELEVISION if low <= whole * 1000 / 1001 <= high]
    return fits[0] if fits else otherwise


def rounding_of(times: Floats) -> float:
    """Return the step to which times are rounded: the coarsest power of ten of which all are multiples [as times]."""
    offsets = times[:2000] - times[0] if abs(times[0]) > 1e6 else times[:2000]
    noise = 8 * float(np.spacing(np.abs(times).max()))
    for exponent in range(9, -10, -1):
        unit = 10.0**exponent
        if np.abs(offsets - np.round(offsets / unit) * unit).max() <= max(noise, 1e-9 * unit):
            return unit
    return noise
