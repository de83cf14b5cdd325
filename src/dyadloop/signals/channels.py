"""From the files of one session to two series on one clock: samples, video, hearts, skin or voices."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from dyadloop.data.sources import SynchronySource
from dyadloop.errors import MeasureError
from dyadloop.signals import Recording, fundamental_frequency, motion_energy, read_recording
from dyadloop.signals.alignment import Aligned, aligned
from dyadloop.signals.beats import read_beats
from dyadloop.signals.body import heart_intervals, skin_responses
from dyadloop.signals.series import Floats

Channels = tuple[Floats, Floats, float]
"""Two series on one clock, and their rate [Hz]."""


def two_channels(source: SynchronySource, first: Path, second: Path | None = None) -> Aligned:
    """Return the series of the two persons of a session.

    Parameters
    ----------
    source
        What the files hold and which columns or regions are whose.
    first, second
        File of both persons, or one file per person.

    Returns
    -------
    Aligned
        Series of one rate that begin at one moment, and in words what was done and left out.

    Raises
    ------
    MeasureError
        If a file cannot be read, a column is missing, or two files cannot be aligned in time.
    """
    if source.signal == "beats" and second is None:
        raise MeasureError(f"{first.name}: beats come in one file per person; declare second_files")
    one = _read(source, first, (source.first, source.second if second is None else None))
    if second is None:
        names = [str(column) for column in one.channels.columns]
        if (source.first is None or source.second is None) and len(names) != 2:
            raise MeasureError(f"{first.name}: {len(names)} columns ({', '.join(names[:6])}); name first and second")
        pair = [(one, one.channel(source.first or names[0])), (one, one.channel(source.second or names[1]))]
    else:
        two = _read(source, second, (source.second,))
        names = (None, None) if source.signal == "beats" else (source.first, source.second)
        pair = [(one, one.channel(names[0])), (two, two.channel(names[1]))]
    if source.signal == "samples":
        (one, a), (two, b) = pair
        return aligned(one, a, two, b, one_file=second is None)
    ready = [_signal(source.signal, recording, values) for recording, values in pair]
    return aligned(ready[0], ready[0].channel(), ready[1], ready[1].channel(), one_file=second is None)


def _read(source: SynchronySource, path: Path, columns: tuple[str | None, ...]) -> Recording:
    if source.signal == "video":
        regions: dict[str, Any] = {name: list(region) for name, region in source.regions.items()}
        return motion_energy(path, regions)[0]
    if source.signal == "voice":
        return fundamental_frequency(path)
    if source.signal == "beats":
        return read_beats(path, columns[0])
    named = [name for name in columns if name is not None]
    return read_recording(path, source.fs, columns=named or None, gap_values=source.gap_values)


def _signal(kind: str, recording: Recording, values: Floats) -> Recording:
    """Return one channel as the signal that is compared."""
    if kind == "ecg":
        return heart_intervals(recording, values)
    if kind == "eda":
        return skin_responses(recording, values)
    return replace(recording, channels=pd.DataFrame({"signal": values}))
