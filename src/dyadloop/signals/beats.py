"""From beats to interbeat intervals: missed, premature and invented beats are gaps, not heart rates."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from dyadloop.errors import Fault, MeasureError
from dyadloop.signals.faults import refuse
from dyadloop.signals.numbers import usable
from dyadloop.signals.recording import Recording, Stretch
from dyadloop.signals.series import Floats, as_rate, samples
from dyadloop.signals.text import read_text, text_of

_LONGEST_BEAT = 2.0  # seconds; a longer interval is a missed beat, not a heart at 30 per minute
_MILLISECONDS = 100.0  # a median interval beyond it is one in milliseconds
_NEIGHBOURS = 11  # intervals whose median is what an interval is held against
_FEWEST = 12  # intervals from which quartiles tell a spread


def interbeat_intervals(beats: ArrayLike, fs: float = 4.0, start: float = 0.0, stop: float | None = None) -> Recording:
    """Return interbeat intervals [ms] on an even clock, NaN where a beat was missed, premature or invented.

    Parameters
    ----------
    beats
        Times of beats, increasing [s].
    fs
        Rate of the clock [Hz].
    start, stop
        First and last moment [s]; default: 0 and the last beat.

    Raises
    ------
    MeasureError
        If there are fewer than 3 beats, or their times do not increase.

    Notes
    -----
    Which intervals count: :func:`doubtful_intervals`, and none above 2 s. ``left_out`` names the others.
    """
    times, fs = usable(beats, "beats"), as_rate(fs)
    if times.ndim != 1 or times.size < 3 or not (np.diff(times) > 0).all():
        raise MeasureError(f"beats: got {times.size} times; expected at least 3, increasing; correct or sort them")
    end = float(times[-1]) if stop is None else stop
    if not (np.isfinite([start, end]).all() and start < end):
        raise MeasureError(f"beats from {start:g} to {end:g} s; expected a start before the stop")
    samples(end - start, fs, "the recording", 2)
    return on_clock(times[:-1], times[1:], np.diff(times), fs, start, end, "beats")


def read_beats(path: Path, column: str | None = None, fs: float = 4.0) -> Recording:
    """Return the interbeat intervals [ms] of a file of beat times [s], one row per beat, on an even clock.

    Parameters
    ----------
    path
        Table of one person; times on the clock of the session, from its first beat on.
    column
        Column of the times, where the file has several.
    fs
        Rate of the clock [Hz].

    Raises
    ------
    MeasureError
        If the column is not there, or holds anything but increasing times in seconds.
    """
    text = read_text(path, text_of(path))
    names = [str(name) for name in text.names]
    if column is None and len(names) == 1:
        column = names[0]
    if column not in names:
        raise MeasureError(f"{path.name}: column {column!r}: not there; expected one of {', '.join(names)}")
    refuse(text.faults.get(column, []))
    times = text.table[column].to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(~(np.diff(times) > 0))
    if len(wrong):
        place = int(wrong[0]) + 1
        got = f"{times[place]:.10g} after {times[place - 1]:.10g}"
        remedy = "write the times of beats in seconds, not intervals, in their order and without gaps"
        refuse([Fault(path.name, text.first_row + place, column, got, "times that increase", remedy)])
    if np.median(np.diff(times)) > _MILLISECONDS:
        got = f"a median of {np.median(np.diff(times)):.4g} s between beats"
        refuse([Fault(path.name, None, column, got, "about 1 s", "write the times in seconds, not milliseconds")])
    found = interbeat_intervals(times, fs, float(times[0]))
    return replace(found, source=path.name)


def on_clock(
    begins: Floats, ends: Floats, intervals: Floats, fs: float, start: float, stop: float, source: str
) -> Recording:
    """Return intervals that need not follow each other on an even clock, NaN between them and where one is doubtful."""
    long = intervals > _LONGEST_BEAT
    doubtful = np.zeros(len(intervals), dtype=bool)
    doubtful[~long] = doubtful_intervals(intervals[~long])
    sound = ~(long | doubtful)
    if sound.sum() < 2:
        raise MeasureError(
            f"{source}: {int(sound.sum())} of {len(sound)} intervals are those of a heart; check the beats"
        )
    grid = start + np.arange(int((stop - start) * fs + 1e-9) + 1) / fs
    place = np.clip(np.searchsorted(begins, grid, side="right") - 1, 0, len(intervals) - 1)
    inside = (grid >= begins[place] - 1e-9) & (grid <= ends[place] + 1e-9) & sound[place]
    level = np.interp(grid, ends[sound], intervals[sound] * 1000)
    left_out = tuple(
        Stretch(float(begins[k]) - start, float(ends[k]) - start, "a gap" if long[k] else "a missed or premature beat")
        for k in np.flatnonzero(~sound)
    )
    return Recording(pd.DataFrame({"ibi_ms": np.where(inside, level, np.nan)}), fs, start, source, left_out=left_out)


def doubtful_intervals(intervals: Floats) -> NDArray[np.bool_]:
    """Return which interbeat intervals come from a beat that was missed, premature or invented.

    Parameters
    ----------
    intervals
        Consecutive intervals [s].

    Returns
    -------
    NDArray[np.bool_]
        True where an interval is farther from the median of its eleven neighbours than Berntson's criterion, or one of
        a pair, short then long, that both stray beyond the largest expected difference and differ by the criterion.

    Notes
    -----
    The criterion is the mean of the largest expected difference of sound beats, 3.32 quartile deviations of successive
    differences, and the smallest of artefacts, (median - 2.9 quartile deviations) / 3. The published rule compares
    neighbours; the median keeps two artefacts in a row from vouching for each other, and the pair finds beats that come
    15 to 30 % too early (ours). Fewer than 12 intervals are not judged. Error rates: docs/measures.md.

    References
    ----------
    .. [1] Berntson, Quigley, Jang & Boysen (1990). doi:10.1111/j.1469-8986.1990.tb01982.x
    """
    if len(intervals) < _FEWEST:
        return np.zeros(len(intervals), dtype=bool)
    steps = np.diff(intervals)
    low, high = np.percentile(steps, [25, 75])
    deviation = (high - low) / 2
    expected = 3.32 * deviation
    criterion = (expected + (np.median(intervals) - 2.9 * deviation) / 3) / 2
    middle = np.median(sliding_window_view(np.pad(intervals, _NEIGHBOURS // 2, mode="reflect"), _NEIGHBOURS), axis=1)
    stray = intervals - middle
    found = np.abs(stray) > criterion
    pairs = (stray[:-1] < -expected) & (stray[1:] > expected) & (steps > criterion)
    found[:-1] |= pairs
    found[1:] |= pairs
    return found
