"""Read recordings from text: CSV and TSV, BIDS physio and motion, MEA and rMEA, OpenFace, wristbands of Empatica.

Nothing is guessed: a rate that the file does not tell must be given, two that contradict each other are refused, text
among numbers is an error with its row, a gap stays NaN, and a start that nothing tells is unknown.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from dyadloop.errors import Fault
from dyadloop.signals.beats import on_clock
from dyadloop.signals.clocks import Clock, clock_of, is_unix, time_column, written_times
from dyadloop.signals.faults import refuse
from dyadloop.signals.rates import Rate, told_rate
from dyadloop.signals.recording import UNKNOWN, Recording
from dyadloop.signals.sidecars import Sidecar, sidecar_of
from dyadloop.signals.text import Text, is_number, read_text, text_of
from dyadloop.signals.wristbands import export_of, intervals_of, is_export, is_intervals, is_tags

_LEAST_CONFIDENCE = 0.8  # OpenFace's own rule of thumb for a tracked face
_FACE = ("timestamp", "frame", "face_id")
_PULSES = "systolic_peak_timestamp"  # EmbracePlus: moments of pulses [ns since 1970]
_IBI_RATE = 4.0
_NOMINAL = 1e-3  # by which a rate told for a device may miss that of its times; the times then hold
Progress = Callable[[int, int], None]


def read_recording(
    path: str | Path,
    fs: float | None = None,
    progress: Progress | None = None,
    *,
    columns: Sequence[str] | None = None,
    gap_values: Sequence[float] = (),
) -> Recording:
    """Read a text recording of any supported layout.

    Parameters
    ----------
    path
        ``.csv``, ``.tsv`` or ``.txt``, also with ``.gz``. JSON sidecars of the same name, or of BIDS in the folders
        above, give columns, rate and start; a column ``time`` or ``timestamp`` gives rate and start, in seconds,
        milliseconds, microseconds or Unix time; the first two rows of an Empatica E4 do so too. OpenFace rows without a
        tracked face are gaps.
    fs
        Rate [Hz], where the file does not tell; where it does, the two must agree within rounding.
    progress
        Called with rows read and their number.
    columns
        Columns that will be used; only they must hold numbers. Default: all that are mostly numbers.
    gap_values
        Numbers that stand for a gap, such as the zeros of programs that know no missing value; a sidecar may name them
        as ``GapValues``.

    Returns
    -------
    Recording
        Channels, rate, start (NaN where nothing tells it), and what was left out.

    Raises
    ------
    MeasureError
        If the file is missing, damaged, not numeric, contradicts its sidecar, or its rate is unknown.

    Examples
    --------
    >>> recording = dl.read_recording("examples/survival/recordings/dyad_0016.csv.gz", fs=25)
    >>> list(recording.channels.columns), len(recording.channels)
    (['participant2', 'participant1'], 18016)
    """
    file = Path(path)
    text = text_of(file)
    if is_intervals(text):
        return _intervals(file.name, text)
    faults: list[Fault] = []
    sidecar = sidecar_of(file)
    values = [*gap_values, *sidecar.gap_values(faults)]
    if is_tags(text):
        got, remedy = "moments that somebody marked, no samples", "read it with dyadloop.signals.read_tags"
        refuse([Fault(file.name, None, None, got, "samples", remedy)])
    if is_export(text):
        found = _export(file.name, text, sidecar, fs, faults)
    else:
        table = read_text(file, text, sidecar.columns, progress)
        if table.names == [_PULSES]:
            return _pulses(file.name, table)
        found = _table(table, sidecar, fs, faults, columns)
    refuse(faults)
    return _without_values(found, values)


def _export(file: str, text: str, sidecar: Sidecar, fs: float | None, faults: list[Fault]) -> Recording:
    """Return the samples of an E4; a sidecar or a user that tells another rate is a fault."""
    export = export_of(file, text, sidecar.columns)
    told = sidecar.number("SamplingFrequency", True, faults)
    exact = told_rate(export.fs)
    rate = _agreed(file, {"the file": exact, "its sidecar": told, "fs": fs}, len(export.table), faults)
    return Recording(export.table, rate, export.start, file, "unix")


def _intervals(file: str, text: str) -> Recording:
    """Return the intervals of an E4's IBI.csv on an even clock; where it tells none is a gap."""
    beats = intervals_of(file, text)
    begins = beats.ends - beats.intervals
    found = on_clock(begins, beats.ends, beats.intervals, _IBI_RATE, float(begins[0]), float(beats.ends[-1]), file)
    return replace(found, start=beats.start + float(begins[0]), zero="unix")


def _pulses(file: str, table: Text) -> Recording:
    """Return the intervals between the pulses of an EmbracePlus [ns] on an even clock."""
    moments = table.table[_PULSES].to_numpy()
    times = (moments - moments[0]) * 1e-9
    if not (np.diff(times) > 0).all():
        place = int(np.argmax(~(np.diff(times) > 0))) + 1
        got = f"{moments[place]:.0f} after {moments[place - 1]:.0f}"
        refuse([Fault(file, table.first_row + place, _PULSES, got, "times that go on", "export it again")])
    found = on_clock(times[:-1], times[1:], np.diff(times), _IBI_RATE, 0.0, float(times[-1]), file)
    return replace(found, start=float(moments[0]) * 1e-9, zero="unix")


def _table(
    text: Text, sidecar: Sidecar, fs: float | None, faults: list[Fault], columns: Sequence[str] | None
) -> Recording:
    """Return the samples of a table with what its sidecar, its column of times and the user say of their clock."""
    _check_columns(text, sidecar, faults)
    told = sidecar.number("SamplingFrequency", True, faults)
    start = sidecar.number("StartTime", False, faults)
    refuse(faults)
    channels, clock = text.table.copy(), None
    column = time_column(text.names)
    if {"timestamp", "confidence", "success"} <= set(channels.columns):
        lost = (channels["success"] != 1) | (channels["confidence"] < _LEAST_CONFIDENCE)
        channels.loc[lost, [name for name in channels.columns if name not in _FACE]] = np.nan
    if column is not None and len(channels) > 2:
        clock = _clock(text, column, told if told is not None else fs, faults)
        channels = channels.drop(columns=column, errors="ignore")
    refuse(faults)
    if columns is None:
        mostly = [w for n, w in text.faults.items() if n != column and len(w) <= sum(map(is_number, text.texts(n)))]
        refuse([fault for wrong in mostly for fault in wrong])
    if not len(channels.columns):
        refuse([fault for wrong in text.faults.values() for fault in wrong])
    measured = None if clock is None else clock.rate
    known = {"the file": measured, "its sidecar": told, "fs": fs}
    rate = _agreed(text.file, known, len(channels), faults)
    begin, zero = _start(text.file, start, clock, rate, sidecar, faults)
    return Recording(channels, rate, begin, text.file, zero, faults=text.faults)


def _check_columns(text: Text, sidecar: Sidecar, faults: list[Fault]) -> None:
    """Note where the names that a sidecar gives do not fit the file."""
    if sidecar.columns is None:
        return
    names, source = sidecar.columns, sidecar.columns_from
    if text.header and sidecar.headerless:
        remedy = f"remove the row: the names stand in {source}"
        faults.append(Fault(text.file, 1, None, "a row of names", "samples from the first row on", remedy))
    elif text.header and text.names != names and sorted(text.names) != sorted(names):
        got = f"the columns {', '.join(text.names)}"
        faults.append(Fault(text.file, 1, None, got, f"{', '.join(names)}, as {source} says", "correct one of them"))
    elif not text.header and len(text.names) != len(names):
        got, wanted = f"{len(text.names)} columns", f"{len(names)}, as {source} names them"
        faults.append(Fault(text.file, text.first_row, None, got, wanted, "correct the file or its sidecar"))


def _clock(text: Text, column: str, fs: float | None, faults: list[Fault]) -> Clock | None:
    """Return the clock of a column of times; dates and hours are read, anything else is a fault."""
    if column in text.table:
        values = text.table[column].to_numpy(dtype=np.float64)
        found = clock_of(values, text.file, column, text.first_row, fs)
    else:
        times = written_times(text.texts(column))
        if times is None:
            first = text.faults[column][0]
            wanted, remedy = (
                "seconds, dates of ISO 8601 or hh:mm:ss",
                "correct it, or rename the column if it is no time",
            )
            faults.append(Fault(text.file, first.row, column, first.got, wanted, remedy))
            return None
        found = clock_of(times, text.file, f"{column}_s", text.first_row, fs)
    if isinstance(found, Fault):
        faults.append(found)
        return None
    return found


def _agreed(file: str, known: dict[str, "Rate | float | None"], n_samples: int, faults: list[Fault]) -> float:
    """Return the one rate that the file, its sidecar and the user tell; the times of the file hold."""
    told = {who: r if isinstance(r, Rate) else told_rate(r) for who, r in known.items() if r is not None}
    if not told:
        remedy = "give fs, a sidecar or a column 'time' [s]"
        faults.append(Fault(file, None, None, "the sampling rate is unknown", "samples per second", remedy))
        return 1.0
    best = next(iter(told.values()))
    for who, rate in told.items():
        near = abs(rate.value / best.value - 1) <= _NOMINAL
        if not (near or best.holds(rate.value, n_samples) or rate.holds(best.value)):
            got = f"two rates: the file says {best.value:g} Hz, {who} is {rate.value:g}"
            faults.append(Fault(file, None, None, got, "one rate", "give only the right one"))
    return best.value


def _start(
    file: str, start: float | None, clock: Clock | None, rate: float, sidecar: Sidecar, faults: list[Fault]
) -> tuple[float, str]:
    """Return when the first sample was taken, and what that counts from."""
    if start is None:
        return (UNKNOWN, "file") if clock is None else (clock.start, clock.zero)
    zero = "unix" if is_unix(start) else "file"
    if clock is not None and clock.start != 0 and abs(clock.start - start) * rate > 1 and clock.zero == zero:
        got = f"a first time of {clock.start:.10g} s"
        wanted = f"{start:.10g} s, as StartTime in {sidecar.told_by['StartTime']} says"
        faults.append(Fault(file, None, "time", got, wanted, "correct one of them"))
    return start, zero


def _without_values(found: Recording, values: Sequence[float]) -> Recording:
    """Return the recording with declared values made gaps."""
    if not values:
        return found
    channels = found.channels.copy()
    for name in channels.columns:
        if name not in _FACE:
            channels[name] = channels[name].mask(channels[name].isin(list(values)))
    return replace(found, channels=channels)
