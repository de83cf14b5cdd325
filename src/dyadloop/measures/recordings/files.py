"""Read recordings from text: CSV and TSV, BIDS physio and motion, motion energy of MEA and rMEA, OpenFace.

Nothing is guessed: a rate that the file does not tell must be given, text among numbers is an error with its row,
and a gap stays NaN.
"""

import gzip
import json
import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony.series import Floats, as_rate

_GAPS = ["", "n/a", "NaN", "nan"]
_CHUNK_ROWS = 200_000
_LEAST_CONFIDENCE = 0.8  # OpenFace's own rule of thumb for a tracked face
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Recording:
    """Channels on one clock.

    Attributes
    ----------
    channels
        Samples, one column per channel, NaN where missing.
    fs
        Sampling rate [Hz].
    start
        Time of the first sample [s], on the clock of the recording.
    source
        File it came from.
    """

    channels: pd.DataFrame
    fs: float
    start: float
    source: str

    def channel(self, name: str | None = None) -> Floats:
        """Return one channel; without a name the only one.

        Raises
        ------
        MeasureError
            If there is no such channel, or several and no name.
        """
        names = [str(column) for column in self.channels.columns]
        if name is None and len(names) == 1:
            name = names[0]
        if name not in names:
            raise MeasureError(f"{self.source}: column {name!r}: not there; expected one of {', '.join(names)}")
        return self.channels[name].to_numpy(dtype=np.float64)


def read_recording(path: str | Path, fs: float | None = None, progress: Progress | None = None) -> Recording:
    """Read a text recording of any supported layout.

    Parameters
    ----------
    path
        ``.csv``, ``.tsv`` or ``.txt``, also with ``.gz``. A JSON sidecar of the same name (BIDS) gives columns, rate
        and start; a column ``timestamp`` or ``time`` [s] gives the rate; OpenFace rows without a tracked face are
        gaps.
    fs
        Rate [Hz], where the file does not tell; where it does, the two must agree.
    progress
        Called with bytes read and the size of the file.

    Raises
    ------
    MeasureError
        If the file is missing, damaged, not numeric, or its rate is unknown.
    """
    file = Path(path)
    sidecar = _sidecar(file)
    table = _read(file, sidecar, progress)
    told = sidecar.get("SamplingFrequency")
    start = float(sidecar.get("StartTime", 0.0))
    if {"timestamp", "confidence", "success"} <= set(table.columns):
        lost = (table["success"] != 1) | (table["confidence"] < _LEAST_CONFIDENCE)
        table.loc[lost, [c for c in table.columns if c not in ("timestamp", "frame", "face_id")]] = np.nan
    if told is None:
        for column in ("timestamp", "time"):
            if column in table.columns and len(table) > 2:
                told, start = _rate(table[column].to_numpy(dtype=np.float64), file.name, column)
                table = table.drop(columns=column)
    if told is None and fs is None:
        raise MeasureError(f"{file.name}: the sampling rate is unknown; give fs, a sidecar or a column 'time' [s]")
    if told is not None and fs is not None and not math.isclose(float(told), float(fs), rel_tol=1e-3):
        raise MeasureError(
            f"{file.name}: the file says {float(told):g} Hz, fs is {float(fs):g}; give only the right one"
        )
    return Recording(table, as_rate(fs if told is None else told), start, file.name)


def _sidecar(file: Path) -> dict:
    name = file.name
    for ending in (".gz", ".tsv", ".csv", ".txt"):
        name = name.removesuffix(ending)
    path = file.with_name(f"{name}.json")
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise MeasureError(f"{path.name}: not readable as JSON ({error}); correct the sidecar") from None
    if not isinstance(found, dict):
        raise MeasureError(f"{path.name}: expected an object with SamplingFrequency, StartTime and Columns")
    channels = file.with_name(f"{name.removesuffix('_motion')}_channels.tsv")
    if "Columns" not in found and channels.is_file():  # BIDS motion names its columns in a table of their own
        table = pd.read_csv(channels, sep="\t", dtype=str)
        if "name" not in table:
            raise MeasureError(f"{channels.name}: no column 'name'; expected the names of the channels")
        found["Columns"] = table["name"].tolist()
    return found


def _read(file: Path, sidecar: dict, progress: Progress | None) -> pd.DataFrame:
    if not file.is_file():
        raise MeasureError(f"{file}: no such file; check the path")
    separator, header = _layout(file)
    columns = sidecar.get("Columns") if not header else None
    if not header and columns is None:
        width = len(_first_line(file).split(None if separator == r"\s+" else separator))
        columns = [str(k + 1) for k in range(width)]
    try:
        parts = list(_parts(file, separator, header, columns, progress))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise MeasureError(f"{file.name}: the compressed file is damaged or cut off ({error}); copy it again") from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, ValueError) as error:
        raise MeasureError(f"{file.name}: {' '.join(str(error).split())}; expected one value per column") from None
    return _numeric(pd.concat(parts, ignore_index=True), file.name, 2 if header else 1)


def _first_line(file: Path) -> str:
    opener = gzip.open if file.suffix == ".gz" else open
    try:
        with opener(file, "rt", encoding="utf-8") as stream:
            return stream.readline()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise MeasureError(f"{file.name}: the compressed file is damaged ({error}); copy it again") from None
    except UnicodeDecodeError:
        raise MeasureError(f"{file.name}: not UTF-8 text; export it as text") from None


def _layout(file: Path) -> tuple[str, bool]:
    """Return the separator and whether the first line is a header, which is so if no field of it is a number."""
    line = _first_line(file).strip("\n\r")
    if not line.strip():
        raise MeasureError(f"{file.name}: empty; expected samples")
    separator = next((mark for mark in ("\t", ";", ",") if mark in line), r"\s+")
    fields = line.split() if separator == r"\s+" else line.split(separator)
    return separator, not any(_is_number(field) or field in _GAPS for field in fields)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _parts(
    file: Path, separator: str, header: bool, columns: list[str] | None, progress: Progress | None
) -> Iterator[pd.DataFrame]:
    size = file.stat().st_size
    zipped = file.suffix == ".gz"
    with file.open("rb") as raw, gzip.open(raw, "rb") if zipped else file.open("rb") as stream:
        reader = pd.read_csv(
            stream,
            sep=separator,
            header=0 if header else None,
            names=columns,
            chunksize=_CHUNK_ROWS,
            keep_default_na=False,
            na_values=_GAPS,
            skipinitialspace=True,
            index_col=False,
            encoding="utf-8",
        )
        for part in reader:
            part.columns = [str(column).strip() for column in part.columns]
            yield part
            if progress is not None:
                progress(raw.tell() if zipped else size, size)


def _numeric(table: pd.DataFrame, name: str, first_row: int) -> pd.DataFrame:
    for column in table.columns:
        if table[column].dtype.kind in "biuf":
            continue
        numbers = pd.to_numeric(table[column], errors="coerce")
        bad = (numbers.isna() & table[column].notna()).to_numpy()
        if bad.any():
            row = int(np.argmax(bad))
            got = table[column].iloc[row]
            raise MeasureError(
                f"{name} row {row + first_row}, column {column!r}: got {got!r}; expected a number; "
                "write gaps as n/a and decimals with a point"
            )
        table[column] = numbers
    if len(table) < 2:
        raise MeasureError(f"{name}: {len(table)} samples; expected at least 2")
    return table.astype(np.float64)


def _rate(times: Floats, name: str, column: str) -> tuple[float, float]:
    """Return rate [Hz] and start [s] of even timestamps."""
    steps = np.diff(times)
    if np.isnan(times).any() or (steps <= 0).any():
        row = int(np.argmax(~(steps > 0))) + 3
        raise MeasureError(f"{name} row {row}, column {column!r}: the time does not go on; expected rising seconds")
    middle = float(np.median(steps))
    if np.abs(steps - middle).max() > 0.5 * middle:
        row = int(np.argmax(np.abs(steps - middle))) + 3
        raise MeasureError(
            f"{name} row {row}, column {column!r}: a step of {steps[row - 3]:g} s among steps of {middle:g} s; "
            "resample it onto an even clock first (dyadloop.measures.synchrony.series.resampled)"
        )
    return (len(times) - 1) / float(times[-1] - times[0]), float(times[0])
