"""XDF of the Lab Streaming Layer: several streams on one clock; breaks stay gaps of their length.

Stamps of regular streams jitter, for samples travel in packets: late ones, never early. The even clock of a stream
follows its earliest stamps. Where these move on by more than jitter explains, and stay there, samples were lost: a
break, however short. (The reader pyxdf draws one line through breaks of less than 500 samples, which moves all samples
about them.)
"""

import itertools
from pathlib import Path

import numpy as np
from scipy.ndimage import minimum_filter1d

from dyadloop.exchange.folder import neutral
from dyadloop.exchange.formats.format import refusal
from dyadloop.exchange.recordings.names import file_stem
from dyadloop.exchange.recordings.tables import Signals, check_new, unique_names, write_signals
from dyadloop.exchange.recordings.xdf_chunks import Stream, read_streams
from dyadloop.files import replacing_folder

_WINDOW = 50
"""Samples to either side whose earliest stamp is taken for that of the even clock."""
_AHEAD = 2000
"""Samples that follow within which stamps must have caught up where they were only late."""
_LAG = 1000
"""Samples over which a first rate is taken."""
_LEAST = 1.5
"""Samples that must be missing for a break; half a sample is rounding."""
_ODD_OFFSETS = 5.0
"""Offsets of clocks farther from their line than this many medians of such distances are left out."""
_MOST_GAPS = 50_000_000
"""Samples of the longest break: two days at 256 Hz."""


def read_xdf(path: str | Path) -> list[Signals]:
    """Return the regular streams of a file, on the clock of the computer that recorded.

    Raises
    ------
    DataError
        If the file cannot be read or has no regular stream with samples.
    """
    found = [_regular(stream) for stream in read_streams(path) if stream.fs and stream.form != "string"]
    found = [signals for signals in found if len(signals.values)]
    if not found:
        raise refusal(Path(path), "no stream with samples at a rate", "such a stream", "record it again")
    zero = min(signals.start for signals in found)
    return [_from(signals, zero) for signals in found]


def unpack_xdf(path: str | Path, out: str | Path, fs: float | None = None) -> list[Path]:
    """Write every stream as a table: regular ones with sidecars, others (markers) with their times.

    Raises
    ------
    DataError
        If the file cannot be read, or the folder exists already.
    """
    file, folder = Path(path), Path(out)
    check_new(folder)
    streams = read_streams(file)
    regular = [_regular(s) for s in streams if s.fs and s.form != "string"]
    regular = [signals for signals in regular if len(signals.values)]
    others = [(s, _on_common_clock(s)) for s in streams if not s.fs or s.form == "string"]
    starts = [signals.start for signals in regular] + [float(times[0]) for _, times in others if len(times)]
    if not starts:
        raise refusal(file, "streams without samples", "samples", "record it again")
    zero, stem, written = min(starts), file_stem(file.stem), []
    names = iter(unique_names([s.text("name") for s in streams if s.fs and s.form != "string"], "stream"))
    with replacing_folder(folder) as draft:
        for signals in regular:
            own = _from(signals, zero)
            written.append(write_signals(draft, stem, _named(own, next(names))))
        for name, (stream, times) in zip(
            unique_names([s.text("name") for s, _ in others], "markers"), others, strict=True
        ):
            if len(times):
                written.append(
                    _write_markers(draft / f"{file_stem(f'{stem}_{name}')}_markers.tsv", stream, times - zero)
                )
    return [folder / name for name in written]


def _named(signals: Signals, name: str) -> Signals:
    return Signals(
        name, signals.columns, signals.values, signals.fs, signals.start, signals.rows, signals.units, signals.told
    )


def _from(signals: Signals, zero: float) -> Signals:
    told = {**signals.told, "ClockZero": zero}
    return Signals(
        signals.name,
        signals.columns,
        signals.values,
        signals.fs,
        signals.start - zero,
        signals.rows,
        signals.units,
        told,
    )


def _regular(stream: Stream) -> Signals:
    """Return a regular stream on an even clock."""
    times = _on_common_clock(stream)
    columns = unique_names(stream.labels(), "channel")
    units = dict(zip(columns, stream.units(), strict=True))
    name, told = stream.text("name"), {"Type": stream.text("type"), "NominalRate": stream.fs}
    if not len(times):
        return Signals(name, columns, np.zeros((0, len(columns))), stream.fs, units=units, told=told)
    rows, fs, start = even_clock(times, stream.fs)
    kept = None if int(rows[-1]) == len(rows) - 1 else rows
    return Signals(name, columns, stream.values, fs, start, kept, units, told)


def _on_common_clock(stream: Stream) -> np.ndarray:
    """Return the time stamps on the clock of the computer that recorded: a line through the measured offsets."""
    times = stream.times
    if not stream.offsets or not len(times):
        return times
    at, offset = np.array(stream.offsets).T
    kept = np.ones(len(at), dtype=bool)
    slope, level, middle = 0.0, float(np.median(offset)), float(at.mean())
    for _ in range(3):
        if kept.sum() > 2 and np.ptp(at[kept]) > 0:
            slope, level = np.polyfit(at[kept] - middle, offset[kept], 1)
        else:
            slope, level = 0.0, float(np.median(offset[kept]))
        distance = np.abs(offset - level - slope * (at - middle))
        kept = distance <= max(_ODD_OFFSETS * float(np.median(distance)), 1e-6)
    return times + level + slope * (times - middle)


def even_clock(times: np.ndarray, nominal: float) -> tuple[np.ndarray, float, float]:
    """Return the place of each sample on an even clock, its rate [Hz] and the time of place 0 [s].

    Parameters
    ----------
    times
        Stamps, one per sample [s]; late by jitter, never early.
    nominal
        Rate that the stream declares [Hz].
    """
    lag = min(_LAG, len(times) // 4)
    # the median over many stretches: breaks, which are few, do not move it
    step = float(np.median(times[lag:] - times[:-lag])) / lag if lag > 1 else 1 / nominal
    step = step if step > 0 else 1 / nominal
    rows, start = np.arange(len(times)), 0.0
    for _ in range(2):  # the true rate, once breaks are known, tells them more sharply
        rows = np.arange(len(times)) + np.cumsum(_breaks(times, step))
        step, start = _line(rows, times, step)
    return rows, 1 / step, start


def _line(rows: np.ndarray, times: np.ndarray, step: float) -> tuple[float, float]:
    """Return interval and start of the line through the earliest stamps of stretches of the recording."""
    parts = min(max(len(rows) // (2 * _WINDOW), 1), 1000)
    edges = np.linspace(0, len(rows), parts + 1).astype(int)
    late = times - step * rows
    lowest = np.array([low + int(np.argmin(late[low:high])) for low, high in itertools.pairwise(edges)])
    half = len(lowest) // 2
    if half < 2:
        return step, float(late.min())
    x, y = rows[lowest].astype(float), late[lowest]
    # medians, for stamps of a whole stretch may be late
    slope = float(np.median((y[half:] - y[: len(y) - half]) / (x[half:] - x[: len(x) - half])))
    return step + slope, float(np.median(y - slope * x))


def _breaks(times: np.ndarray, step: float) -> np.ndarray:
    """Return how many samples are missing before each one: 0 but at breaks.

    A break is where the earliest of the stamps that follow is later than the earliest of those before it. A stall of
    the computer, which makes stamps late and lets them catch up, is none.
    """
    found = np.zeros(len(times), dtype=int)
    if len(times) < 2:
        return found
    late = (times - step * np.arange(len(times))) / step
    before = minimum_filter1d(late, _WINDOW, origin=(_WINDOW - 1) // 2, mode="nearest")
    after = minimum_filter1d(late, _AHEAD, origin=-(_AHEAD // 2), mode="nearest")
    before = np.concatenate([late[:1], before[:-1]])
    likely = (np.diff(times, prepend=times[0]) > 1.5 * step) & (after - before >= _LEAST)
    last = 0
    for k in np.flatnonzero(likely).tolist():
        moved = float(late[k : k + _WINDOW].min() - late[max(k - _WINDOW, last) : k].min())
        if moved > _MOST_GAPS:
            got = f"a stamp that makes a gap of {moved:.3g} samples"
            raise refusal(
                "stamps of a stream", got, f"gaps of at most {_MOST_GAPS}", "the file is damaged: copy it again"
            )
        if moved >= _LEAST:
            found[k], last = round(moved), k
    return found


def _write_markers(path: Path, stream: Stream, times: np.ndarray) -> str:
    """Write a stream without a rate: the time of each sample [s on the common clock] and what was sent."""
    columns = unique_names(stream.labels(), "value")
    rows = stream.words if stream.form == "string" else stream.values.tolist()
    lines = ["\t".join(["time", *columns])]
    for time, row in zip(times.tolist(), rows, strict=True):
        cells = [neutral(" ".join(str(cell).split())) or "n/a" for cell in row]
        lines.append("\t".join([f"{time:.9g}", *cells]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path.name
