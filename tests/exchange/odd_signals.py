"""Odd and corrupted recordings in binary form: EDF, EDF+ and BDF, tracked points in HDF5, a wristband's Avro."""

import datetime as dt
import json

import edfio
import numpy as np

from dyadloop.exchange.recordings import unpack
from tests.exchange import avro_files, point_files
from tests.exchange.odd import bytes_edit

_START = {"starttime": dt.time(14, 0, 0), "recording": edfio.Recording(startdate=dt.date(2024, 3, 1))}
_TEXTS = (
    "", "nan", "inf", "-inf", "-1", "0", "1e99", "99999999", "3,5", "0x10", "1_000", "٣", "EDF+D", "+1e9", "x", "1", "7",
)  # fmt: skip
_MAIN = ((0, 8), (168, 8), (176, 8), (184, 8), (192, 44), (236, 8), (244, 8), (252, 4))
_WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)  # fields of each signal's header, as the specification has them


def edf(folder, rng):
    """Write one odd recording; return it and what was done to it."""
    wide = rng.random() < 0.3
    signal, container = (edfio.BdfSignal, edfio.Bdf) if wide else (edfio.EdfSignal, edfio.Edf)
    signals = [
        signal(rng.normal(size=6 * 64).cumsum(), 64, label="ECG", physical_dimension="uV"),
        signal(rng.normal(size=6 * 16), 16, label="Breath" if rng.random() < 0.7 else "ECG"),
    ]
    notes = [edfio.EdfAnnotation(3.0, None, "begin")] if rng.random() < 0.6 else []
    path = folder / ("odd.bdf" if wide else "odd.edf")
    container(signals, annotations=notes, **_START).write(path)
    raw = path.read_bytes()
    kind = str(rng.choice(["header", "header", "breaks", "bytes", "none"]))
    if kind == "header":
        raw, kind = _header(raw, rng)
    elif kind == "breaks":
        raw, kind = _breaks(raw, rng)
    elif kind == "bytes":
        raw, kind = bytes_edit(raw, rng)
    path.write_bytes(raw)
    return path, f"{path.suffix}, {kind}"


def _header(raw, rng):
    """Write another text into a field of the header."""
    raw, n_signals, text = bytearray(raw), int(raw[252:256]), str(rng.choice(_TEXTS))
    if rng.random() < 0.4:
        at, width = _MAIN[int(rng.integers(len(_MAIN)))]
    else:
        field, own = int(rng.integers(len(_WIDTHS))), int(rng.integers(n_signals))
        width = _WIDTHS[field]
        at = 256 + n_signals * sum(_WIDTHS[:field]) + own * width
    raw[at : at + width] = text.encode()[:width].ljust(width)
    return bytes(raw), f"{text!r} at byte {at}"


def _breaks(raw, rng):
    """Move the time of a record, as a break of EDF+D, also back or very far."""
    at, moved = (
        raw.find(b"+2\x14\x14"),
        str(rng.choice(["+2.5", "+9", "+1", "+99", "-5", "+9e9", "+9" * 4, "+999999999999"])),
    )
    if at < 0:
        return raw, "none"
    new = moved.encode() + b"\x14\x14"
    return raw[:192] + b"EDF+D" + raw[197:at] + new + raw[at + len(new) :], f"a record at {moved}"


def samples_told(path):
    """Return how many samples the header of a recording tells, counted apart from the reader."""
    raw = path.read_bytes()
    n_signals, n_records = int(float(raw[252:256])), int(float(raw[236:244]))

    def part(skip, width):
        return [
            raw[256 + n_signals * skip + k * width : 256 + n_signals * skip + (k + 1) * width] for k in range(n_signals)
        ]

    sizes = [int(float(text)) for text in part(sum(_WIDTHS[:8]), 8)]
    labels = [text.decode("latin-1").strip() for text in part(0, 16)]
    return n_records * sum(
        n for n, label in zip(sizes, labels, strict=True) if label not in ("EDF Annotations", "BDF Annotations")
    )


def unpacked_edf(path, out):
    """Unpack; there are as many samples in the tables as the header tells."""
    found = 0
    for table in unpack(path, out):
        rows = [line.split("\t") for line in table.read_text().splitlines()[1:]]
        found += sum(cell not in ("n/a", "") for row in rows for cell in row)
        json.loads(table.with_suffix(".json").read_text())
    told = samples_told(path)
    return "" if found == told else f"{told} samples in the file, {found} in the tables"


def points(folder, rng):
    """Write one odd file of tracked points; return it and what was done to it."""
    path = folder / "odd.h5"
    people = [("",), ("ann", "bob"), ("ann", "ann")][int(rng.integers(3))]
    values = point_files.points(len(people), int(rng.integers(1, 30)))
    kind = str(rng.choice(["odd numbers", "too few columns", "no frames", "none", "none"]))
    if kind == "odd numbers":
        values[rng.random(values.shape) < 0.2] = rng.choice([np.nan, np.inf, -np.inf, 1e300])
    elif kind == "too few columns":
        values = values[:, : int(rng.integers(1, values.shape[1]))]
    elif kind == "no frames":
        values = values[:0]
    write = point_files.appended if rng.random() < 0.5 else point_files.fixed
    raw, done = bytes_edit(write(path, point_files.columns(people), values).read_bytes(), rng)
    path.write_bytes(raw)
    return path, f"{write.__name__}, {kind}, {done}"


def band(folder, rng):
    """Write one odd file of a wristband; return it and what was done to it."""
    path = folder / "odd.avro"
    rate = float(rng.choice([*[4.0] * 9, 0.0, -1.0, np.nan, np.inf, 1e30, 1e-30]))
    eda = tuple(rng.choice([0.5, 1.0, np.nan, np.inf], int(rng.integers(0, 9))))
    tags = tuple(rng.choice([0, -1, avro_files.BEGAN, 2**62], int(rng.integers(0, 4))).tolist())
    bands = [avro_files.band(eda, rate, tags) for _ in range(int(rng.choice([0, 1, 1, 2, 2])))]
    raw, done = avro_files.container(avro_files.SCHEMA, bands, str(rng.choice(["null", "deflate"]))), "whole"
    if rng.random() < 0.6:
        raw, done = bytes_edit(raw, rng)
    path.write_bytes(raw)
    return path, f"{len(bands)} parts at {rate:g}, {done}"
