"""EDF, EDF+ and BDF: signals at their own rates, and breaks of EDF+D as gaps.

The specification is that of Kemp et al. (1992, doi:10.1016/0013-4694(92)90009-7) and Kemp & Olivan (2003,
doi:10.1016/S1388-2457(03)00123-8).
"""

import datetime as dt
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dyadloop.exchange.formats.format import refusal, sound_file
from dyadloop.exchange.recordings.names import file_stem
from dyadloop.exchange.recordings.tables import unique_names
from dyadloop.files import replacing_folder, write_text
from dyadloop.signals.series import Floats

_HEAD = 256
_FIELDS = (("label", 16), ("transducer", 80), ("unit", 8), ("low", 8), ("high", 8), ("lowest", 8), ("highest", 8))
_MOST_SIGNALS = 4096
_MOST_GAPS = 50_000_000  # samples: two days at 256 Hz
_ONSET = re.compile(rb"([+-]\d+(?:\.\d*)?)(?:\x15\d+(?:\.\d*)?)?\x14\x14")
_ANNOTATIONS = ("EDF Annotations", "BDF Annotations")


@dataclass(frozen=True)
class EdfSignals:
    """Signals of one file that have the same rate.

    Attributes
    ----------
    samples
        One column per signal, in its unit; NaN between records that do not follow each other.
    fs
        Samples per second.
    units
        Unit of each signal.
    start
        Local date and time of the first sample, with its fraction of a second.
    breaks
        Breaks between records: start and length [s from the first sample].
    """

    samples: pd.DataFrame
    fs: float
    units: dict[str, str]
    start: dt.datetime
    breaks: tuple[tuple[float, float], ...]


def read_edf(path: str | Path) -> list[EdfSignals]:
    """Return the signals of a file, those of one rate together.

    Raises
    ------
    DataError
        If the file is no EDF or BDF, is cut off, or its records do not fit its rates.
    """
    file = sound_file(Path(path))
    raw = np.memmap(file, dtype=np.uint8, mode="r")
    head = bytes(raw[:_HEAD]).decode("latin-1")
    wide = head.startswith("\xffBIOSEMI")
    if not wide and not re.match(r"0\s", head):
        raise refusal(file, "a file without the header of EDF or BDF", "EDF or BDF", "export it again")
    n_signals, n_records, seconds = (_number(file, head, *place) for place in ((252, 256), (236, 244), (244, 252)))
    if not 0 < n_signals <= _MOST_SIGNALS or n_records < 0 or seconds < 0:
        raise refusal(file, f"{n_signals:g} signals in {n_records:g} records", "a whole file", "export it again")
    fields = _fields(file, raw, int(n_signals))
    width = 3 if wide else 2
    sizes = np.array([int(_told(file, text)) for text in fields["samples"]])
    begin, record = _HEAD * (int(n_signals) + 1), int(sizes.sum()) * width
    whole = (len(raw) - begin) // record if record else 0
    if record == 0 or whole < n_records or (sizes < 0).any():
        got = f"{whole} whole records of {n_records:g}"
        raise refusal(file, got, "all records", "the file is cut off: copy it again")
    if whole > n_records:
        got = f"{whole} records where the header tells {n_records:g}"
        raise refusal(file, got, "as many records as the header tells", "export it again, or part of it would be lost")
    blocks = raw[begin : begin + int(n_records) * record].reshape(int(n_records), record)
    ends = np.concatenate([[0], np.cumsum(sizes * width)])
    notes = [k for k, label in enumerate(fields["label"]) if label in _ANNOTATIONS]
    if head[192:197] in ("EDF+D", "BDF+D") and not notes:
        raise refusal(file, "EDF+D without annotations", "the time of each record", "export it with its annotations")
    onsets = _onsets(file, blocks, ends, notes, float(seconds))
    start = _start(file, head) + dt.timedelta(seconds=float(onsets[0]) if len(onsets) else 0.0)
    found = []
    rates = [(int(sizes[k]), k) for k in range(int(n_signals)) if k not in notes and sizes[k]]
    for size in dict.fromkeys(size for size, _ in rates):
        mine = [k for own, k in rates if own == size]
        parts = {
            name: _scaled(file, blocks[:, ends[k] : ends[k + 1]], fields, k, wide)
            for name, k in zip(unique_names([fields["label"][k] for k in mine]), mine, strict=True)
        }
        fs = size / float(seconds) if seconds else float(size)
        if len(onsets) and (onsets[-1] - onsets[0]) * fs > len(onsets) * size + _MOST_GAPS:
            got = f"records over {onsets[-1] - onsets[0]:.6g} s of which {len(onsets) * size / fs:.6g} s are recorded"
            raise refusal(file, got, f"gaps of at most {_MOST_GAPS / fs:.6g} s", "split the recording at its breaks")
        samples, breaks = _placed(parts, onsets, fs, size)
        units = {name: fields["unit"][k] for name, k in zip(parts, mine, strict=True)}
        found.append(EdfSignals(samples, fs, units, start, breaks))
    if not found:
        raise refusal(file, "annotations alone", "a file with signals", "export the signals too")
    return found


def _number(file: Path, head: str, start: int, stop: int) -> float:
    return _told(file, head[start:stop].strip())


def _told(file: Path, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise refusal(file, f"{text!r} in the header", "a number", "export the file again") from None


def _fields(file: Path, raw: np.ndarray, n_signals: int) -> dict[str, list[str]]:
    """Return the fields of the header of each signal."""
    at, found = _HEAD, {}
    if len(raw) < _HEAD * (n_signals + 1):
        raise refusal(file, "a header that is cut off", "a whole file", "copy it again")
    for name, width in (*_FIELDS, ("filter", 80), ("samples", 8)):
        text = bytes(raw[at : at + width * n_signals]).decode("latin-1")
        found[name] = [text[width * k : width * (k + 1)].strip() for k in range(n_signals)]
        at += width * n_signals
    return found


def _start(file: Path, head: str) -> dt.datetime:
    """Return the start in the header; years of two digits are 1985 to 2084, as the specification says."""
    match = re.fullmatch(r"(\d\d)\.(\d\d)\.(\d\d)(\d\d)[.:](\d\d)[.:](\d\d)", head[168:184])
    try:
        day, month, year, hour, minute, second = map(int, match.groups() if match else ())
        return dt.datetime(year + (1900 if year >= 85 else 2000), month, day, hour, minute, second)
    except ValueError:
        raise refusal(file, f"the start {head[168:184]!r}", "dd.mm.yyhh.mm.ss", "export the file again") from None


def _onsets(file: Path, blocks: np.ndarray, ends: np.ndarray, notes: list[int], seconds: float) -> Floats:
    """Return when each record begins [s from the start in the header]: as its annotation says, or one after another."""
    n_records = len(blocks)
    if not notes:
        return seconds * np.arange(n_records, dtype=np.float64)
    place = slice(ends[notes[0]], ends[notes[0] + 1])
    found = np.full(n_records, np.nan)
    for record in range(n_records):
        match = _ONSET.match(bytes(blocks[record, place]))
        found[record] = float(match[1]) if match else np.nan
    if np.isnan(found).any() or (np.diff(found) < seconds - 1e-6).any():
        row = int(np.argmax(np.isnan(found))) if np.isnan(found).any() else int(np.argmin(np.diff(found))) + 1
        got = f"no time, or one that runs back, of record {row + 1}"
        raise refusal(file, got, "a time per record, one after the other", "export the file again")
    return found


def _scaled(file: Path, block: np.ndarray, fields: dict[str, list[str]], k: int, wide: bool) -> Floats:
    """Return the samples of a signal in its unit."""
    low, high, lowest, highest = (_told(file, fields[name][k]) for name in ("low", "high", "lowest", "highest"))
    if highest <= lowest or low == high:
        got = f"digital {lowest:g} to {highest:g} for {low:g} to {high:g} of {fields['label'][k]!r}"
        raise refusal(file, got, "ranges that differ", "export the file again")
    plain = np.ascontiguousarray(block).reshape(-1)
    if wide:
        triples = plain.reshape(-1, 3).astype(np.int32)
        values = triples[:, 0] | (triples[:, 1] << 8) | (triples[:, 2] << 16)
        values = np.where(values >= 1 << 23, values - (1 << 24), values)
    else:
        values = plain.view("<i2")
    return (values - lowest) * (high - low) / (highest - lowest) + low


def _placed(
    parts: dict[str, Floats], onsets: Floats, fs: float, size: int
) -> tuple[pd.DataFrame, tuple[tuple[float, float], ...]]:
    """Return records on one even clock, with gaps between those that do not follow each other."""
    first = np.round((onsets - onsets[0]) * fs).astype(int) if len(onsets) else np.zeros(0, int)
    rows = (first[:, None] + np.arange(size)).ravel()
    samples = {}
    for name, values in parts.items():
        samples[name] = np.full(int(rows[-1]) + 1 if len(rows) else 0, np.nan)
        samples[name][rows] = values
    stops = first[:-1] + size
    breaks = tuple(
        (stop / fs, (start - stop) / fs) for stop, start in zip(stops, first[1:], strict=True) if start > stop
    )
    return pd.DataFrame(samples), breaks


def unpack_edf(path: str | Path, out: str | Path) -> list[Path]:
    """Write the signals as tables with sidecars, which `dyadloop measure` and `dyadloop synchrony` read.

    Raises
    ------
    DataError
        If the file cannot be read, or the folder exists already.
    """
    file, folder, written = Path(path), Path(out), []
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise refusal(str(folder), "an existing folder", "a new folder", "choose another or move it away")
    groups = read_edf(file)
    with replacing_folder(folder) as draft:
        for group in groups:
            name = (
                f"{file_stem(file.stem)}_{group.fs:g}Hz".replace(".", "p") if len(groups) > 1 else file_stem(file.stem)
            )
            group.samples.to_csv(draft / f"{name}.tsv", sep="\t", index=False, na_rep="n/a", float_format="%.9g")
            told = {
                "SamplingFrequency": group.fs,
                "StartTime": 0.0,
                "RecordingStart": group.start.isoformat(),
                "Units": group.units,
                "Breaks": [list(part) for part in group.breaks],
            }
            write_text(draft / f"{name}.json", json.dumps(told, indent=2, ensure_ascii=False) + "\n")
            written.append(f"{name}.tsv")
    return [folder / name for name in written]
