"""Features of voices and faces by frame: openSMILE (low-level descriptors) and py-feat."""

from pathlib import Path

import numpy as np
import pandas as pd

from dyadloop.exchange.formats.delimited import decoded
from dyadloop.exchange.formats.format import refusal
from dyadloop.exchange.formats.headings import first_headings
from dyadloop.exchange.recordings.tables import Signals, needs_rate, unique_names

_SMILE = ("name", "frameTime")
_FEAT = ("FaceRectX", "FaceScore")
_LEAST_FACE = 0.5
"""Face score of py-feat below which nothing was tracked; its own default threshold."""


def is_opensmile(path: Path) -> bool:
    """Return whether a table has the headings of openSMILE."""
    return tuple(name.strip().strip("'\"") for name in first_headings(path)[:2]) == _SMILE


def is_pyfeat(path: Path) -> bool:
    """Return whether a table has the headings of py-feat."""
    return set(_FEAT) <= set(first_headings(path))


def read_opensmile(path: Path, fs: float | None = None) -> list[Signals]:
    """Return descriptors by frame, on the clock of `frameTime`.

    Raises
    ------
    DataError
        If frames do not lie at equal distances, or a feature is no number.
    """
    names, table = _table(path, ";")
    times = _numbers(path, table[[1]])[:, 0]
    if len(times) < 3:
        raise refusal(
            path, f"{len(times)} rows", "one row per frame (descriptors, no functionals)", "export descriptors"
        )
    steps = np.diff(times)
    step = float(np.median(steps))
    # printed with few decimals, so single steps are rounded
    if (
        step <= 0
        or np.abs(times - times[0] - np.arange(len(times)) * (times[-1] - times[0]) / (len(times) - 1)).max() > step
    ):
        raise refusal(path, "frames at unequal distances", "one row per frame", "export one file per recording")
    rate = (len(times) - 1) / float(times[-1] - times[0])
    kept = [k for k in range(2, len(names)) if names[k] not in ("class", "frameIndex")]
    values, columns = _numbers(path, table[kept]), unique_names([names[k] for k in kept])
    return [Signals("", columns, values, round(rate, 6), float(times[0]))]


def read_pyfeat(path: Path, fs: float | None = None) -> list[Signals]:
    """Return action units, emotions and the pose of one face by frame; frames without a face are gaps.

    Raises
    ------
    DataError
        If the rate is not given, or a frame shows several faces.
    """
    names, table = _table(path, ",")
    rate = float(needs_rate(path, fs, "a table of py-feat"))
    if "frame" not in names:
        raise refusal(path, "no column 'frame'", "one row per frame", "export it again")
    frames = _numbers(path, table[[names.index("frame")]])[:, 0]
    if (np.diff(frames) <= 0).any() or not np.isfinite(frames).all():
        raise refusal(path, "several faces in one frame", "one face per file", "keep the rows of one person")
    score = _numbers(path, table[[names.index("FaceScore")]])[:, 0]
    kept = [k for k, name in enumerate(names) if _is_feature(name)]
    values = _numbers(path, table[kept])
    values[~(score >= _LEAST_FACE)] = np.nan
    place = np.round((frames - frames[0]) / float(np.median(np.diff(frames)) if len(frames) > 1 else 1.0)).astype(int)
    step = float(np.median(np.diff(frames))) if len(frames) > 1 else 1.0
    rows = None if int(place[-1]) == len(place) - 1 else place
    return [Signals("", unique_names([names[k] for k in kept]), values, rate / step, float(frames[0]) / rate, rows)]


def _is_feature(name: str) -> bool:
    emotions = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    return (name.startswith("AU") and name[2:4].isdigit()) or name.lower() in (*emotions, "pitch", "roll", "yaw")


def _table(path: Path, mark: str) -> tuple[list[str], pd.DataFrame]:
    text, _ = decoded(path, {})
    rows = [[cell.strip().strip("'\"") for cell in line.split(mark)] for line in text.splitlines() if line.strip()]
    names, body = rows[0], rows[1:]
    wrong = next((k for k, row in enumerate(body) if len(row) != len(names)), None)
    if wrong is not None or not body:
        got = "no rows" if not body else f"{len(body[wrong or 0])} fields"
        raise refusal(path, got, f"{len(names)} in each row", "export it again", None if wrong is None else wrong + 2)
    return names, pd.DataFrame(body, columns=pd.RangeIndex(len(names)))


def _numbers(path: Path, columns: pd.DataFrame) -> np.ndarray:
    filled = columns.replace({"": "nan", "NaN": "nan", "NA": "nan", "?": "nan"})
    found = filled.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    wrong = np.isnan(found) & (filled != "nan").to_numpy()
    if wrong.any():
        raise refusal(
            path, "an entry that is no number", "numbers", "export it again", int(np.argmax(wrong.any(1))) + 2
        )
    return found
