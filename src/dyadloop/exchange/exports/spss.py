"""A study as an SPSS file: a row per session, with labels, units and measures."""

import re
from pathlib import Path

import pandas as pd

from dyadloop.data import Study
from dyadloop.errors import DataError, Fault
from dyadloop.exchange.exports.tables import dictionary, numbers, wide_table
from dyadloop.exchange.formats.format import library

_LONGEST = 64  # bytes of a name
_LONGEST_LABEL = 250
_KEYS = ("dyad", "therapist", "session", "time", "phase", "events", "start")
_RESERVED = {"all", "and", "by", "eq", "ge", "gt", "le", "lt", "ne", "not", "or", "to", "with"}


def write_spss(study: Study, out: Path) -> list[Path]:
    """Write ``study.sav``.

    Dates and names stay text, so that nothing depends on SPSS's zone and calendar.

    Raises
    ------
    DataError
        If pyreadstat is not installed.
    """
    pyreadstat = library("pyreadstat", Path("study.sav"), "an SPSS file to write")
    table = wide_table(study)
    words = dictionary(study, list(table.columns)).set_index("column")
    names = _names(list(table.columns))
    data, measures = {}, {}
    for column in table.columns:
        values = None if column in _KEYS else numbers(table[column])
        data[names[column]] = table[column].astype(str) if values is None else values
        measures[names[column]] = "nominal" if values is None else "scale"
    labels = {names[c]: _label(words.loc[[c]].iloc[0]) for c in table.columns}
    path = out / "study.sav"
    try:
        pyreadstat.write_sav(
            pd.DataFrame(data),
            str(path),
            file_label=study.info.title[:60],
            column_labels=labels,
            variable_measure=measures,
        )
    except Exception as error:  # the library raises kinds of its own
        fault = Fault(str(path), None, None, str(error), "a table that SPSS can hold", "shorten names")
        raise DataError(str(path), [fault]) from None
    return [path]


def _label(row: pd.Series) -> str:
    """Return what a column means, with its unit and scale at the end, in as many letters as SPSS takes."""
    scale = f"; {row['lowest']} to {row['highest']}" if row["lowest"] else ""
    unit = f" [{row['unit']}{scale}]" if row["unit"] else ""
    return f"{row['meaning'][: _LONGEST_LABEL - len(unit)]}{unit}"


def _names(columns: list[str]) -> dict[str, str]:
    """Return names that SPSS allows: a letter first, at most 64 bytes, none twice whatever its case."""
    found: dict[str, str] = {}
    for column in columns:
        bare = re.sub(r"[^A-Za-z0-9_.]", "_", column).rstrip(".") or "v"
        bare = bare if bare[0].isalpha() and bare.lower() not in _RESERVED else f"v_{bare}"
        name, number = bare[:_LONGEST].rstrip("."), 2
        while name.lower() in {other.lower() for other in found.values()}:
            name, number = f"{bare[: _LONGEST - 4]}_{number}", number + 1
        found[column] = name
    return found
