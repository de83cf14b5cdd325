"""From the files of one session to two series on one clock: samples, video, hearts, skin or voices."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dyadloop.data.sources import SynchronySource
from dyadloop.errors import MeasureError
from dyadloop.measures.recordings import (
    Recording,
    fundamental_frequency,
    heart_beats,
    interbeat_intervals,
    motion_energy,
    phasic_skin_conductance,
    read_recording,
)
from dyadloop.measures.synchrony.series import Floats, resampled

Channels = tuple[Floats, Floats, float]
"""Two series of one length and clock, and their rate [Hz]."""
_IBI_RATE = 4.0


def two_channels(source: SynchronySource, first: Path, second: Path | None = None) -> Channels:
    """Return the series of the two persons of a session.

    Parameters
    ----------
    source
        What the files hold and which columns or regions are whose.
    first, second
        File of both persons, or one file per person.

    Raises
    ------
    MeasureError
        If a file cannot be read, a column is missing, or two files do not overlap in time.
    """
    one = _read(source, first)
    if second is None:
        names = [str(column) for column in one.channels.columns]
        if (source.first is None or source.second is None) and len(names) != 2:
            raise MeasureError(f"{first.name}: {len(names)} columns ({', '.join(names[:6])}); name first and second")
        pair = [(one, one.channel(source.first or names[0])), (one, one.channel(source.second or names[1]))]
    else:
        two = _read(source, second)
        pair = [(one, one.channel(source.first)), (two, two.channel(source.second))]
    ready = [_signal(source.signal, recording, values) for recording, values in pair]
    return _together(*ready)


def _read(source: SynchronySource, path: Path) -> Recording:
    if source.signal == "video":
        regions: dict[str, Any] = {name: list(region) for name, region in source.regions.items()}
        return motion_energy(path, regions)[0]
    if source.signal == "voice":
        return fundamental_frequency(path)
    return read_recording(path, source.fs)


def _signal(kind: str, recording: Recording, values: Floats) -> Recording:
    """Return one channel as the signal that is compared."""
    if kind == "ecg":
        beats = heart_beats(values, recording.fs)
        found = interbeat_intervals(beats, _IBI_RATE, stop=(len(values) - 1) / recording.fs)
        return Recording(found.channels, found.fs, recording.start, recording.source)
    if kind == "eda":
        values = phasic_skin_conductance(values, recording.fs)
    return Recording(pd.DataFrame({"signal": values}), recording.fs, recording.start, recording.source)


def _together(one: Recording, two: Recording) -> Channels:
    """Return two recordings on one clock: the slower rate, from the later start to the earlier end."""
    a, b = one.channel(), two.channel()
    if one.fs == two.fs and abs(one.start - two.start) < 1e-6:
        return a, b, one.fs
    fs, start = min(one.fs, two.fs), max(one.start, two.start)
    stop = min(one.start + (len(a) - 1) / one.fs, two.start + (len(b) - 1) / two.fs)
    if stop <= start:
        raise MeasureError(f"{one.source} and {two.source} do not overlap in time; correct StartTime")
    series = [
        resampled(r.start + np.arange(len(v)) / r.fs, v, fs, start, stop, gap=1.5 / min(fs, r.fs))
        for r, v in ((one, a), (two, b))
    ]
    return series[0], series[1], fs
