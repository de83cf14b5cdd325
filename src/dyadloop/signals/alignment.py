"""Two recordings on one clock: aligned by their starts, at one rate, with a word on all that was done.

One rule for every door: two files on the command line and a session of a study folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dyadloop.errors import Fault
from dyadloop.signals.doubts import doubts, same_doubt
from dyadloop.signals.faults import refuse
from dyadloop.signals.rates import same_rate
from dyadloop.signals.recording import Recording, described, places_of
from dyadloop.signals.series import Floats, resampled

_TOGETHER = 0.05  # of a sample: starts that are no farther apart are one

_RATE, _COMMON = "both were brought to", "compared: the common"


def is_routine(note: str) -> bool:
    """Say whether a note tells of what aligning does as a matter of course, and nothing that is doubtful."""
    return _RATE in note or _COMMON in note


@dataclass(frozen=True)
class Aligned:
    """Two series of one rate that begin at the same moment, and what was done and left out, in words."""

    first: Floats
    second: Floats
    fs: float
    notes: tuple[str, ...] = ()


def aligned(one: Recording, first: Floats, two: Recording, second: Floats, one_file: bool = False) -> Aligned:
    """Return two series on one clock: from the later start to the earlier end, at the slower rate.

    Parameters
    ----------
    one, two
        Recordings.
    first, second
        Their channels.
    one_file
        Whether one file holds both, on one clock.

    Raises
    ------
    MeasureError
        If only one of two starts is known, they count from different moments, or the recordings do not overlap.

    Notes
    -----
    Where neither start is known, or both are the same on clocks of their own, the recordings are taken to begin
    together, their lengths are left as they are, and a note says so.
    """
    notes = [note for who, r, v in (("first", one, first), ("second", two, second)) for note in _about(who, r, v)]
    notes += [text for text in [same_doubt(first, second)] if text]
    if one_file:
        return Aligned(first, second, one.fs, tuple(notes))
    alike = same_rate(one.fs, two.fs, min(len(first), len(second)))
    fs = _shared(one.fs, two.fs) if alike else min(one.fs, two.fs)
    if not alike:
        notes.append(f"{one.source} has {one.fs:g} Hz, {two.source} {two.fs:g}: {_RATE} {fs:g} Hz")
    offset, words = _offset(one, two)
    notes += words
    if alike and abs(offset) * fs < _TOGETHER:
        if one.zero == "unix":
            length = min(len(first), len(second))
            first, second = first[:length], second[:length]
        return Aligned(first, second, fs, tuple(notes))
    stop = min((len(first) - 1) / one.fs, offset + (len(second) - 1) / two.fs)
    start = max(0.0, offset)
    if stop <= start:
        got = f"{one.source} from {one.start:.10g} s, {two.source} from {two.start:.10g} s: they do not overlap"
        refuse([Fault(two.source, None, "start", got, "recordings of one session", "correct StartTime or the times")])
    if offset:
        later, earlier = (two, one) if offset > 0 else (one, two)
        notes.append(
            f"{later.source} starts {abs(offset):.6g} s after {earlier.source}; {_COMMON} {stop - start + 1 / fs:.1f} s"
        )
    series = [
        resampled(begin + np.arange(len(v)) / (fs if alike else r.fs), v, fs, start, stop, gap=1.5 / min(fs, r.fs))
        for r, v, begin in ((one, first, 0.0), (two, second, offset))
    ]
    length = min(map(len, series))
    return Aligned(series[0][:length], series[1][:length], fs, tuple(notes))


def _about(who: str, recording: Recording, values: Floats) -> list[str]:
    """Return what was left out of a person's series, its missing share, and what is doubtful about it."""
    length = len(values) / recording.fs
    notes = [f"{who} person, {text}" for text in [described(recording.left_out, length)] if text]
    gaps = np.isnan(values)
    if gaps.any():
        places = "" if recording.left_out else f": {places_of(gaps, recording.fs)}"
        notes.append(f"{who} person, {gaps.mean():.1%} of the samples are missing{places}")
    return notes if np.isnan(values).all() else [*notes, *doubts(values, recording.fs, f"{who} person")]


def _shared(one: float, two: float) -> float:
    """Return the rounder of two rates that are the same."""
    return one if float(one).is_integer() or not float(two).is_integer() else two


def _offset(one: Recording, two: Recording) -> tuple[float, Sequence[str]]:
    """Return by how many seconds the second recording starts later, and what has to be said of it."""
    known = [not np.isnan(r.start) for r in (one, two)]
    if not any(known):
        return 0.0, [f"no start is told by {one.source} or {two.source}: they are taken to begin together"]
    if not all(known):
        told, untold = (one, two) if known[0] else (two, one)
        if told.start == 0:
            return 0.0, [f"{untold.source} tells no start: it is taken to begin with {told.source}"]
        got, wanted = "no start", f"one, as {told.source} starts at {told.start:.10g} s"
        refuse([Fault(untold.source, None, "start", got, wanted, "give it StartTime in a sidecar, or a column time")])
    if one.zero != two.zero:
        got = f"a start in {_ZEROS[two.zero]}, where {one.source} has one in {_ZEROS[one.zero]}"
        remedy = "give both StartTime on one clock in sidecars"
        refuse([Fault(two.source, None, "start", got, "starts on one clock", remedy)])
    if one.start == two.start and one.zero == "file":
        return 0.0, [
            f"{one.source} and {two.source} start at {one.start:.6g} s of their clocks: taken to begin together"
        ]
    return two.start - one.start, []


_ZEROS = {"unix": "Unix time", "file": "seconds of its own clock"}
