"""BIOPAC AcqKnowledge (.acq), read with the library bioread; what was appended after a pause is set apart by a gap."""

from pathlib import Path
from typing import Any

import numpy as np

from dyadloop.exchange.formats.format import library, refusal, sound_file
from dyadloop.exchange.recordings.names import file_stem
from dyadloop.exchange.recordings.tables import Signals, check_new, unique_names, write_signals
from dyadloop.files import replacing_folder

_APPENDED = "apnd"


def read_acq(path: str | Path) -> list[Signals]:
    """Return the channels of a file, those of one rate together.

    Raises
    ------
    DataError
        If the file cannot be read, bioread is not installed, or a pause has no known length.
    """
    file = sound_file(Path(path))
    bioread = library("bioread", file, "a BIOPAC file")
    try:
        found = bioread.read_file(str(file))
    except Exception as error:  # the library raises kinds of its own
        raise refusal(file, f"a file that bioread cannot read ({error})", "an .acq file", "export it again") from None
    return signals_of(file, found)


def signals_of(file: Path, found: Any) -> list[Signals]:  # noqa: ANN401 - a Datafile of bioread
    """Return the channels of what bioread has read.

    Raises
    ------
    DataError
        As in :func:`read_acq`.
    """
    begun = found.earliest_marker_created_at
    groups: dict[float, list[Any]] = {}
    for channel in found.channels:
        if channel.data is not None and len(channel.data):
            groups.setdefault(float(channel.samples_per_second), []).append(channel)
    if not groups:
        raise refusal(file, "no channel with samples", "such a channel", "export it again")
    signals = []
    for fs, channels in groups.items():
        size = min(len(channel.data) for channel in channels)
        columns = unique_names([channel.name for channel in channels])
        values = np.column_stack([np.asarray(channel.data[:size], dtype=np.float64) for channel in channels])
        units = dict(zip(columns, (str(channel.units).strip() for channel in channels), strict=True))
        told = {"RecordingStart": begun.isoformat()} if begun is not None else {}
        rows = _rows(file, found, fs, size)
        name = f"{fs:g}Hz".replace(".", "p") if len(groups) > 1 else ""
        signals.append(Signals(name, columns, values, fs, 0.0, rows, units, told))
    return signals


def _rows(file: Path, found: Any, fs: float, size: int) -> np.ndarray | None:  # noqa: ANN401 - a Datafile of bioread
    """Return the place of each sample where the recording was paused; None where it was not."""
    appended = [m for m in found.event_markers or () if str(m.type_code) == _APPENDED]
    appended.sort(key=lambda marker: marker.sample_index)
    later = [m for m in appended if m.sample_index > 0]
    if not later:
        return None
    first = appended[0] if appended[0].sample_index == 0 else None
    begun = first.date_created_utc if first is not None else found.earliest_marker_created_at
    rows = np.arange(size)
    for marker in later:
        if begun is None or marker.date_created_utc is None:
            got = f"a pause at {marker.sample_index / found.samples_per_second:g} s whose length is not told"
            raise refusal(file, got, "the time at which recording went on", "export each part as a file of its own")
        at = round(marker.sample_index / found.samples_per_second * fs)
        place = round((marker.date_created_utc - begun).total_seconds() * fs)
        if at < size and place > rows[at]:
            rows[at:] += place - rows[at]
    return rows


def unpack_acq(path: str | Path, out: str | Path, fs: float | None = None) -> list[Path]:
    """Write the channels as tables with sidecars, one per rate.

    Raises
    ------
    DataError
        If the file cannot be read, or the folder exists already.
    """
    file, folder = Path(path), Path(out)
    check_new(folder)
    groups = read_acq(file)
    with replacing_folder(folder) as draft:
        names = [write_signals(draft, file_stem(file.stem), signals) for signals in groups]
    return [folder / name for name in names]
