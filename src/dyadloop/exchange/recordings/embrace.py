"""Raw data of the EmbracePlus wristband (Avro): each sensor at its own rate, all on one clock.

References
----------
.. [1] Empatica: EmbracePlus raw data in Avro format. https://manuals.empatica.com/ehmp/careportal/data_access/
"""

from pathlib import Path
from typing import Any

import numpy as np

from dyadloop.exchange.formats.format import refusal
from dyadloop.exchange.recordings.avro import is_avro, read_avro
from dyadloop.exchange.recordings.tables import Signals

_UNITS = {"eda": "µS", "temperature": "°C", "bvp": "nW", "accelerometer": "g", "gyroscope": "deg/s"}
_AXES = ("x", "y", "z")
_MICRO = 1e-6


def is_embrace(path: Path) -> bool:
    """Return whether a file is an Avro container, as EmbracePlus writes its raw data."""
    return path.suffix.lower() == ".avro" and is_avro(path)


def read_embrace(path: Path, fs: float | None = None) -> list[Signals]:
    """Return the signals of every sensor; marks that somebody pressed stand in the sidecars.

    Raises
    ------
    DataError
        If the file is no raw data of an EmbracePlus, or holds no samples.
    """
    records = read_avro(path)
    sensors = [part for record in records if isinstance(record, dict) for part in _sensors(path, record)]
    if not sensors:
        expected = "the `rawData` of an EmbracePlus with samples"
        raise refusal(path, "an Avro file without such sensors", expected, "export the raw data again")
    zero = min(start for _, start, _, _ in sensors)
    marks = [moment * _MICRO - zero for record in records for moment in _marks(record)]
    told = {"ClockZero": zero, "Tags": [round(moment, 6) for moment in marks]}
    found = []
    for number, (name, start, rate, values) in enumerate(sensors):
        again = sum(other == name for other, *_ in sensors[:number])
        columns = list(_AXES) if values.shape[1] == len(_AXES) else [name]
        units = dict.fromkeys(columns, _UNITS.get(name, ""))
        label = f"{name}_{again + 1}" if again else name
        found.append(Signals(label, columns, values, rate, start - zero, units=units, told=told))
    return found


def _sensors(path: Path, record: dict[str, Any]) -> list[tuple[str, float, float, np.ndarray]]:
    """Return name, start [Unix seconds], rate [Hz] and samples of each sensor of a record."""
    found = []
    for name, part in (record.get("rawData") or {}).items():
        if not isinstance(part, dict) or "samplingFrequency" not in part:
            continue
        values = _values(path, name, part)
        if not len(values):
            continue
        rate, start = float(part["samplingFrequency"] or 0.0), float(part.get("timestampStart") or 0) * _MICRO
        if not (0 < rate < 10_000 and start > 0):
            got = f"{name} with {rate:g} samples per second from {start:g} s"
            raise refusal(path, got, "a rate and a start", "export the raw data again")
        found.append((name, start, rate, values))
    return found


def _values(path: Path, name: str, part: dict[str, Any]) -> np.ndarray:
    """Return the samples of a sensor (sample, axis) in its unit."""
    if "values" in part:
        return np.asarray(part["values"], dtype=float).reshape(-1, 1)
    axes = [np.asarray(part.get(axis, ()), dtype=float) for axis in _AXES]
    if len({len(axis) for axis in axes}) != 1:
        raise refusal(path, f"{name} with axes of different length", "x, y and z alike", "copy the file again")
    values, scale = np.column_stack(axes), part.get("imuParams") or {}
    low, high = float(scale.get("digitalMin") or 0), float(scale.get("digitalMax") or 0)
    if high <= low:
        return values
    lowest, highest = float(scale.get("physicalMin") or 0), float(scale.get("physicalMax") or 0)
    return lowest + (values - low) * (highest - lowest) / (high - low)


def _marks(record: Any) -> list[float]:  # noqa: ANN401 - of Avro
    raw = record.get("rawData") if isinstance(record, dict) else None
    return list(((raw or {}).get("tags") or {}).get("tagsTimeMicros") or [])
