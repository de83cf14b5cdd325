"""Recordings as tables with sidecars, which `dyadloop measure` and `dyadloop synchrony` read; written in blocks."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from dyadloop.data.table import told_number
from dyadloop.exchange.formats.format import refusal
from dyadloop.exchange.recordings.names import file_stem
from dyadloop.files import write_text

BLOCK = 100_000
"""Rows that are written at once."""


@dataclass(frozen=True)
class Signals:
    """Signals that share one clock.

    Attributes
    ----------
    name
        What they are called in the file; part of the table's name.
    columns
        Names of the signals.
    values
        Their samples (sample, signal); may be memory-mapped.
    fs
        Samples per second.
    start
        First sample on the common clock of the file [s].
    rows
        Place of each sample on the even clock, in rising order; None where they follow each other.
    units
        Units by column.
    told
        Further keys of the sidecar.
    """

    name: str
    columns: Sequence[str]
    values: np.ndarray
    fs: float
    start: float = 0.0
    rows: np.ndarray | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)

    @property
    def breaks(self) -> list[list[float]]:
        """Start and length of each break [s from the first sample]."""
        if self.rows is None or len(self.rows) < 2:
            return []
        at = np.flatnonzero(np.diff(self.rows) > 1)
        return [
            [float((self.rows[k] + 1) / self.fs), float((self.rows[k + 1] - self.rows[k] - 1) / self.fs)] for k in at
        ]

    def table(self) -> pd.DataFrame:
        """Return all samples on the even clock, NaN in breaks."""
        size = len(self.values) if self.rows is None else int(self.rows[-1]) + 1 if len(self.rows) else 0
        found = np.full((size, len(self.columns)), np.nan)
        found[slice(None) if self.rows is None else self.rows] = self.values
        return pd.DataFrame(found, columns=pd.Index(list(self.columns)))


def write_signals(draft: Path, stem: str, signals: Signals) -> str:
    """Write one table with its sidecar, and return the table's name."""
    name = file_stem("_".join(part for part in (stem, signals.name) if part))
    path = draft / f"{name}.tsv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write("\t".join(signals.columns) + "\n")
        for low in range(0, len(signals.values), BLOCK):
            _write_block(stream, signals, low, min(low + BLOCK, len(signals.values)))
    sidecar = {
        "SamplingFrequency": signals.fs,
        "StartTime": signals.start,
        "Units": {name: unit for name, unit in signals.units.items() if unit},
        "Breaks": signals.breaks,
        **signals.told,
    }
    write_text(draft / f"{name}.json", json.dumps(sidecar, indent=2, ensure_ascii=False) + "\n")
    return path.name


def _write_block(stream: Any, signals: Signals, low: int, high: int) -> None:  # noqa: ANN401 - an open file
    """Write some samples; the rows of a break before them are written as gaps."""
    values = np.asarray(signals.values[low:high], dtype=np.float64)
    if signals.rows is None:
        rows, first = np.arange(high - low), 0
    else:
        first = int(signals.rows[low - 1]) + 1 if low else 0
        rows = signals.rows[low:high] - first
    held, place = len(signals.columns), 0
    gap = "\t".join(["n/a"] * held) + "\n"
    for start in [0, *(np.flatnonzero(np.diff(rows) > 1) + 1).tolist()]:
        missing = int(rows[start]) - place
        for _ in range(missing):
            stream.write(gap)
        after = np.flatnonzero(np.diff(rows[start:]) > 1)
        stop = start + (int(after[0]) + 1 if len(after) else len(rows) - start)
        frame = pd.DataFrame(values[start:stop])
        frame.to_csv(
            stream, sep="\t", header=False, index=False, na_rep="n/a", float_format="%.9g", lineterminator="\n"
        )
        place = int(rows[stop - 1]) + 1


def unique_names(labels: Sequence[str], otherwise: str = "signal") -> list[str]:
    """Return labels without tabs, each once; a number alone would pass for a row without headings."""
    found: list[str] = []
    for label in labels:
        bare = " ".join(str(label).split()) or otherwise
        bare = f"{otherwise} {bare}" if told_number(bare) == told_number(bare) else bare
        name, number = bare, 2
        while name in found:
            name, number = f"{bare}_{number}", number + 1
        found.append(name)
    return found


def check_new(folder: Path) -> None:
    """Refuse a folder that exists and holds something.

    Raises
    ------
    DataError
        If it does.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise refusal(str(folder), "an existing folder", "a new folder", "choose another or move it away")


def needs_rate(file: Path, fs: float | None, what: str) -> float:
    """Return the rate that a user gives where the file has none.

    Raises
    ------
    DataError
        If none is given.
    """
    if fs is None or not fs > 0:
        raise refusal(file, f"{what}, which has no rate", "samples (frames) per second", "give it with --fs")
    return fs
