"""Series of two persons made ready for a measure: checked, on one clock, without spikes, smoothed, whitened.

A gap is NaN and stays one: nothing here fills a gap, and no sample is moved to another time.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dyadloop.errors import MeasureError
from dyadloop.signals.numbers import LARGEST
from dyadloop.signals.pauses import common_pauses

Floats = NDArray[np.float64]
Missing = Literal["pairwise", "mask", "refuse"]

_MOST_NAMED = 6
_FORETOLD = 1e-9  # of the SD
_ROUNDING = 256 * np.finfo(np.float64).eps
_LARGEST = 1e100  # beyond it products of squares overflow, and below its inverse they vanish
_MOST_SAMPLES = 100_000_000  # a day at 1157 Hz; longer arrays would fill the memory
SIGN = "positive lag: the first person leads"
"""The sign convention of every table, figure and export."""


@dataclass(frozen=True)
class Pair:
    """Two series of one dyad on one clock: ``first`` and ``second`` have the same length; ``fs`` in [Hz].

    ``common`` holds the stretches (from, to) [s] in which both stand still but for noise, longer than persons do: a
    film that stopped, or a device that wrote nothing new. ``kept`` tells whether their samples are still there.
    """

    first: Floats
    second: Floats
    fs: float
    common: tuple[tuple[float, float], ...] = ()
    kept: bool = False

    def swapped(self, first: Floats | None = None, second: Floats | None = None) -> "Pair":
        """Return the pair with one or both series replaced, cut to the shorter."""
        one = self.first if first is None else first
        two = self.second if second is None else second
        n = min(len(one), len(two))
        return replace(self, first=one[:n], second=two[:n])

    def common_words(self) -> str:
        """Return in words where both stand still, and whether that is left out; ``none`` where nowhere."""
        if not self.common:
            return "none"
        share = sum(stop - start for start, stop in self.common) * self.fs / len(self.first)
        places = ", ".join(f"{start:.1f} to {stop:.1f} s" for start, stop in self.common[:_MOST_NAMED])
        more = f" and {len(self.common) - _MOST_NAMED} more" if len(self.common) > _MOST_NAMED else ""
        done = "kept, as the method has it" if self.kept else "left out"
        return f"{places}{more}: both stand still at once (a stopped film?), {share:.1%} of the recording, {done}"


def as_series(values: ArrayLike, name: str = "series") -> Floats:
    """Return a series as float64, or say what is wrong with it.

    Raises
    ------
    MeasureError
        If the values are not numbers of one dimension, are infinite, all missing, or do not vary.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise MeasureError(f"{name}: got values that are not numbers ({error}); expected numbers") from None
    array = array.astype(np.float64)
    if array.ndim != 1 or array.size < 2:
        raise MeasureError(f"{name}: got an array of shape {array.shape}; expected one row of at least 2 samples")
    seen = array[~np.isnan(array)]
    if np.isinf(seen).any():
        place = int(np.flatnonzero(np.isinf(array))[0])
        raise MeasureError(f"{name}, sample {place}: got {array[place]}; expected finite numbers; write gaps as NaN")
    if not seen.size:
        raise MeasureError(f"{name}: all {array.size} samples are missing; expected at least some values")
    if np.ptp(seen) == 0:
        raise MeasureError(
            f"{name}: all {seen.size} values are {seen[0]:g}; a series that never varies has no synchrony"
        )
    if np.abs(seen).max() > LARGEST or np.ptp(seen) < 1 / LARGEST:
        raise MeasureError(
            f"{name}: got values from {seen.min():g} to {seen.max():g}, whose squares are no numbers; "
            f"expected sizes up to {LARGEST:g} and a range of at least {1 / LARGEST:g}; use another unit"
        )
    return array


def as_rate(fs: Any) -> float:  # noqa: ANN401 - whatever a user gives
    """Return a sampling rate [Hz].

    Raises
    ------
    MeasureError
        If it is missing or not a positive number.
    """
    try:
        rate = float(fs)
    except (TypeError, ValueError):
        rate = float("nan")
    if not 0 < rate < float("inf"):
        raise MeasureError(f"sampling rate: got {fs!r}; expected samples per second > 0, such as 25 or 29.97")
    return rate


def make_pair(
    first: ArrayLike,
    second: ArrayLike,
    fs: float,
    missing: Missing = "pairwise",
    cut: bool = False,
    pauses: Literal["missing", "named", "unseen"] = "unseen",
) -> Pair:
    """Return two checked series as a pair.

    Parameters
    ----------
    first, second
        Samples of the two persons; NaN where missing.
    fs
        Sampling rate of both [Hz].
    missing
        ``pairwise`` and ``mask`` keep gaps (a measure leaves gaps out pair by pair; ``mask`` first makes a sample
        missing in both persons where it is missing in one); ``refuse`` raises.
    cut
        Cut the longer series to the shorter instead of refusing.
    pauses
        What to do with stretches of 10 s and more in which both series stand still at once: make them ``missing``,
        keep them ``named``, or do not look for them.

    Raises
    ------
    MeasureError
        If a series is unusable, the lengths differ and ``cut`` is false, or gaps are refused.
    """
    one, two, rate = as_series(first, "first series"), as_series(second, "second series"), as_rate(fs)
    if len(one) != len(two):
        if not cut:
            raise MeasureError(
                f"the first series has {len(one)} samples, the second {len(two)}; expected the same length; "
                "resample them onto one clock, or cut to the shorter (cut=True)"
            )
        length = min(len(one), len(two))
        one, two = as_series(one[:length], "first series"), as_series(two[:length], "second series")
    common = () if pauses == "unseen" else common_pauses(one, two, rate)
    if pauses == "missing":
        for start, stop in common:
            within = slice(round(start * rate), round(stop * rate))
            one[within], two[within] = np.nan, np.nan
        if common:
            one, two = (as_series(v, f"{n} series without common pauses") for v, n in ((one, "first"), (two, "second")))
    gaps = np.isnan(one) | np.isnan(two)
    if missing == "refuse" and gaps.any():
        raise MeasureError(f"{int(gaps.sum())} samples are missing, the first at {int(np.argmax(gaps))}; none expected")
    if missing == "mask":
        one, two = np.where(gaps, np.nan, one), np.where(gaps, np.nan, two)
        one, two = as_series(one, "first series, masked"), as_series(two, "second series, masked")
    elif missing not in ("pairwise", "refuse"):
        raise MeasureError(f"missing={missing!r}; expected pairwise, mask or refuse")
    return Pair(one, two, rate, common, kept=pauses == "named")


def samples(seconds: float, fs: float, what: str, least: int = 1) -> int:
    """Return a duration as the nearest whole number of samples.

    Raises
    ------
    MeasureError
        If fewer than ``least`` samples remain.
    """
    count = round(seconds * fs) if np.isfinite(seconds) else -1
    if count > _MOST_SAMPLES:
        raise MeasureError(
            f"{what} of {seconds:g} s is {count} samples at {fs:g} Hz; expected at most "
            f"{_MOST_SAMPLES}; make it shorter"
        )
    if count < least:
        raise MeasureError(
            f"{what} of {seconds:g} s is {max(count, 0)} samples at {fs:g} Hz; expected at least {least}; "
            "make it longer"
        )
    return count


def without_spikes(values: Floats, sd: float = 10.0) -> tuple[Floats, int]:
    """Return the series with samples beyond ``sd`` robust SDs of the median made missing, and their number.

    The SD is that of the values not above it, found by repetition, so that a spike does not widen its own bound.
    Motion energy is skewed: 10 SD is the bound at which the field warns.
    """
    if not (np.isfinite(sd) and sd > 0):
        raise MeasureError(f"spikes: got {sd:g} SD; expected a number above 0, such as 10")
    kept = values.copy()
    while True:
        bound = np.nanmedian(kept) + sd * np.nanstd(kept)
        low = np.nanmedian(kept) - sd * np.nanstd(kept)
        bad = (kept > bound) | (kept < low)
        if not bad.any():
            return kept, int(np.isnan(kept).sum() - np.isnan(values).sum())
        kept[bad] = np.nan


def smoothed(values: Floats, fs: float, seconds: float) -> Floats:
    """Return a centred moving average over an odd number of samples; gaps stay gaps and weigh nothing."""
    width = 2 * (max(round(seconds * fs), 1) // 2) + 1
    if width == 1:
        return values.copy()
    from scipy.ndimage import convolve1d

    known = ~np.isnan(values)
    weights = np.ones(width)
    centre = np.nanmean(values)
    total = convolve1d(np.where(known, values - centre, 0.0), weights, mode="constant")
    count = convolve1d(known.astype(np.float64), weights, mode="constant")
    found = np.clip(centre + total / np.maximum(count, 1.0), np.nanmin(values), np.nanmax(values))  # rounding
    return np.where(known, found, np.nan)


def resampled(times: ArrayLike, values: ArrayLike, fs: float, start: float, stop: float, gap: float) -> Floats:
    """Return a series on the clock start, start + 1/fs, ...: linear between samples, NaN inside gaps.

    Where the new clock is slower, samples are first averaged in bins of one new sample, against aliasing.

    Parameters
    ----------
    times
        Seconds of the samples, increasing [s].
    values
        Samples.
    fs
        New rate [Hz].
    start, stop
        First and last moment of the new clock [s].
    gap
        Longest distance of two known samples that is bridged [s].

    Raises
    ------
    MeasureError
        If the times do not increase or nothing lies in the span.
    """
    moments, found = np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if moments.shape != found.shape or moments.ndim != 1:
        raise MeasureError(f"{moments.shape} times for {found.shape} samples; expected one time per sample")
    known = ~np.isnan(found) & ~np.isnan(moments)
    moments, found = moments[known], found[known]
    if (np.diff(moments) <= 0).any():
        place = int(np.argmax(np.diff(moments) <= 0)) + 1
        raise MeasureError(f"sample {place}: its time {moments[place]:g} s is not after the one before")
    if moments.size < 2 or moments[-1] < start or moments[0] > stop:
        raise MeasureError(f"no two samples between {start:g} and {stop:g} s")
    close = 1e-3 / fs  # Unix seconds in double precision are off by 1e-7
    grid = np.arange(int(np.floor((stop - start) * fs + 1e-3)) + 1) / fs
    moments = moments - start
    if fs * np.median(np.diff(moments)) < 0.5 - 1e-9:
        moments, found = _binned(moments, found, fs, 0.0)
    after = np.clip(np.searchsorted(moments, grid, side="left"), 1, len(moments) - 1)
    bridged = moments[after] - moments[after - 1] <= gap + close
    nearest = after - (np.abs(moments[after - 1] - grid) < np.abs(moments[after] - grid))
    exact = np.abs(moments[nearest] - grid) <= close
    inside = (grid >= moments[0] - close) & (grid <= moments[-1] + close)
    level = np.where(exact, found[nearest], np.interp(grid, moments, found))
    return np.where(inside & (bridged | exact), level, np.nan)


def _binned(times: Floats, values: Floats, fs: float, start: float) -> tuple[Floats, Floats]:
    """Return the mean time and mean value of the samples around each moment of a slower clock."""
    cells = np.floor((times - start) * fs + 0.5).astype(np.int64)
    _, where, counts = np.unique(cells, return_inverse=True, return_counts=True)
    return np.bincount(where, weights=times) / counts, np.bincount(where, weights=values) / counts


def whitened(values: Floats, order: int | None = None, longest: int = 25) -> Floats:
    """Return the residuals of an autoregression, so that a series' own inertia cannot pass for synchrony.

    Parameters
    ----------
    values
        Series; residuals that would need a missing sample are NaN.
    order
        Order of the autoregression; default: the AIC's choice up to ``longest``.

    References
    ----------
    .. [1] Dean & Dunsmuir (2016). doi:10.3758/s13428-015-0611-2

    Raises
    ------
    MeasureError
        If there are too few values, or an autoregression foretells them to rounding.
    """
    centred = values - np.nanmean(values)
    orders = range(1, longest + 1) if order is None else (order,)
    best: tuple[float, Floats] | None = None
    for p in orders:
        rows = np.lib.stride_tricks.sliding_window_view(centred, p + 1)
        known = ~np.isnan(rows).any(axis=1)
        if known.sum() < 3 * p + 10:
            break
        past, now = rows[:, -2::-1], rows[:, -1]
        weights = np.linalg.lstsq(past[known], now[known], rcond=None)[0]
        residual = np.concatenate([np.full(p, np.nan), now - past @ weights])
        if np.nanstd(residual) <= max(_FORETOLD * np.nanstd(values), _ROUNDING * np.nanmax(np.abs(values))):
            raise MeasureError(
                f"each value is foretold by the {p} before it to rounding, as a pure wave or a repeated pattern is: "
                "whitening would leave rounding alone; expected a series with noise; choose another transform"
            )
        score = len(now) * np.log(np.nanvar(residual)) + 2 * p
        if best is None or score < best[0]:
            best = score, residual
    if best is None:
        raise MeasureError(f"{int((~np.isnan(values)).sum())} values are too few to estimate an autoregression")
    return best[1]
