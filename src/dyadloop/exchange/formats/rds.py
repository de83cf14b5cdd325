"""Data frames of R: .rds, .RData and .rda."""

import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from dyadloop.exchange.formats.format import Format, Settings, library, refusal, sound_file
from dyadloop.exchange.formats.statistics import text_of
from dyadloop.exchange.grid import Grid, text_table, unique_headings

_MOST_SECONDS = 1e11  # some 3,000 years


def read_rds(path: Path, settings: Settings) -> list[Grid]:
    """Return the data frames of a file; nothing in it is run.

    Raises
    ------
    DataError
        If the file cannot be read or holds no data frame.
    """
    rdata = library("rdata", sound_file(path), "a file of R")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            classes = {**rdata.conversion.DEFAULT_CLASS_MAP, "Date": _dates, "POSIXct": _moments}
            reader = rdata.read_rds if path.suffix.lower() == ".rds" else rdata.read_rda
            content = reader(path, constructor_dict=classes)
    except Exception as error:  # the library raises kinds of many sorts
        got = f"a file of R that cannot be read ({' '.join(str(error).split())[:120]})"
        raise refusal(path, got, "a data frame", "write it with write.csv instead") from None
    frames: dict[str, Any] = content if isinstance(content, dict) else {"": content}
    found = [_grid(path, str(name), frame) for name, frame in frames.items() if isinstance(frame, pd.DataFrame)]
    if not found:
        kind = ", ".join(sorted({type(value).__name__ for value in frames.values()}))
        raise refusal(path, f"no data frame ({kind})", "a data frame", "write it with write.csv instead")
    return found


def _dates(days: Any, attributes: Any) -> Any:  # noqa: ANN401 - as the library calls it
    """Return dates of R, which are numbers of days since 1970, as ISO 8601."""
    return _iso(np.asarray(days, dtype=float), 86400, "D")


def _moments(seconds: Any, attributes: Any) -> Any:  # noqa: ANN401 - as the library calls it
    """Return moments of R, which are seconds since 1970 in UTC, as ISO 8601 with their zone."""
    return _iso(np.asarray(seconds, dtype=float), 1, "s")


def _iso(numbers: np.ndarray, step: int, unit: Literal["D", "s"]) -> np.ndarray:
    """Return numbers of steps [s] since 1970 as dates; what is beyond the calendar stays a number."""
    seconds = numbers * step
    known = np.isfinite(seconds) & (np.abs(seconds) < _MOST_SECONDS)
    moments = np.where(known, seconds, 0).astype("int64").astype("datetime64[s]")
    text = np.datetime_as_string(moments, unit=unit).astype(object) + ("Z" if unit == "s" else "")
    return np.where(known, text, [text_of(float(number)) for number in numbers])


def _grid(path: Path, name: str, frame: pd.DataFrame) -> Grid:
    header, renamed = unique_headings([str(column) for column in frame.columns])
    columns = [[text_of(value) if not _is_gap(value) else "" for value in frame.iloc[:, k]] for k in range(len(header))]
    told = {f"heading {column!r}": why for column, why in renamed.items()}
    body = [list(row) for row in zip(*columns, strict=True)]
    return Grid(path.name, name, text_table(header, body), np.arange(1, len(frame) + 1), told=told)


def _is_gap(value: object) -> bool:
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, bool | np.bool_):
        return False
    return isinstance(value, int | np.integer) and int(value) == -(2**31)  # NA of whole numbers in R


FORMAT = Format(
    id="r",
    title="R data frames",
    endings=(".rds", ".rdata", ".rda"),
    reads="every data frame, factors as their labels, dates",
    leaves="everything that is no data frame; attributes such as labels of haven",
    library="rdata",
    truth="files of the reader's own writer",
    read=read_rds,
)
