"""Shimmer (Consensys): a line `sep=`, names, units, samples; times in milliseconds since 1970 or written out."""

import re
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from dyadloop.exchange.formats.delimited import decoded
from dyadloop.exchange.formats.format import refusal
from dyadloop.exchange.formats.headings import first_rows
from dyadloop.exchange.recordings.tables import Signals, unique_names
from dyadloop.exchange.recordings.xdf import even_clock

_TIME = re.compile(r"_Timestamp(_Unix|_FormattedUnix)?_CAL$")
_WRITTEN = "%Y/%m/%d %H:%M:%S.%f"


def is_shimmer(path: Path) -> bool:
    """Return whether the first rows of a text table are those of a Shimmer."""
    return any(any(_TIME.search(cell.strip()) for cell in row) for row in first_rows(path, 2))


def read_shimmer(path: Path, fs: float | None = None) -> list[Signals]:
    """Return the calibrated signals; samples that were lost are gaps.

    Raises
    ------
    DataError
        If there is no column of times, or a sample is no number.
    """
    text, _ = decoded(path, {})
    lines = text.splitlines()
    mark = "\t"
    if lines[0].strip().strip('"').lower().startswith("sep="):
        mark = lines[0].strip().strip('"')[4:5] or "\t"
        lines = lines[1:]
    rows = [line.rstrip("\r").split(mark) for line in lines if line.strip()]
    if len(rows) < 4:
        raise refusal(
            path, f"{max(len(rows) - 2, 0)} samples", "names, units and at least 2 samples", "export it again"
        )
    names, units = ([cell.strip().strip('"') for cell in row] for row in rows[:2])
    names = [name for name in names if name]
    body = rows[2:]
    ragged = next(
        (k for k, row in enumerate(body) if len([c for c in row[: len(names)] if c.strip()]) < len(names)), None
    )
    if ragged is not None or not body:
        got = "no samples" if not body else f"{len(body[ragged or 0])} fields"
        raise refusal(path, got, f"{len(names)} in each row", "export it again", None if ragged is None else ragged + 4)
    at = next(k for k, name in enumerate(names) if _TIME.search(name))
    times = _times(path, [row[at] for row in body], names[at], units[at] if at < len(units) else "")
    kept = [k for k in range(len(names)) if k != at and not _TIME.search(names[k])]
    table = pd.DataFrame([[row[k] for k in kept] for row in body]).apply(pd.to_numeric, errors="coerce")
    if table.isna().to_numpy().any():
        row = int(np.argmax(table.isna().any(axis=1)))
        raise refusal(path, "a sample that is no number", "numbers", "export calibrated signals", row + 4)
    prefix = names[at][: _TIME.search(names[at]).start()] + "_"  # pyright: ignore[reportOptionalMemberAccess]
    columns = unique_names([names[k].removeprefix(prefix).removesuffix("_CAL") for k in kept])
    nominal = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0
    if not nominal:
        raise refusal(path, "times that do not go on", "times that increase", "export it again")
    median = float(np.median(np.diff(times)))
    places, rate, start = even_clock(times, 1 / median if median > 0 else nominal)
    told = {"RecordingStartUnix": start} if start > 9e8 else {}
    own = {name: units[k] for name, k in zip(columns, kept, strict=True) if k < len(units)}
    return [Signals("", columns, table.to_numpy(dtype=float), rate, 0.0, places, own, told)]


def _times(path: Path, cells: list[str], name: str, unit: str) -> np.ndarray:
    """Return times in seconds."""
    try:
        if "Formatted" in name or "yyyy" in unit:
            found = [datetime.strptime(cell.strip(), _WRITTEN).timestamp() for cell in cells]
            return np.array(found)
        return np.array([float(cell) for cell in cells]) / (1000.0 if unit.strip() == "ms" else 1.0)
    except ValueError as error:
        raise refusal(path, f"{name}: {error}", f"times in {unit or 'ms'}", "export it again") from None
