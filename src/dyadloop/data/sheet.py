"""Raw tables as they come from survey programs, plate readers and spreadsheets: the same rules, a little wider.

Tabs, semicolons or commas separate the fields, as the header tells; UTF-8 with a byte-order mark and UTF-16 are
recognised; columns that nobody asks for may hold anything. Quotes, ragged rows and other encodings are faults with row
and column, as in the tables of a study.
"""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dyadloop.data.rows import row_fault, split_fields, told_delimiter
from dyadloop.data.table import (
    blank_fault,
    header_fields,
    sound_header,
    table_lines,
)
from dyadloop.data.text import read_text
from dyadloop.errors import DataError, Fault


@dataclass(frozen=True)
class Sheet:
    """A table whose form is sound: every row has a field per column, and every quote is closed.

    Attributes
    ----------
    file
        Name in messages.
    header
        Names of the columns; an index without a name is the empty one.
    lines
        Rows as text, without the header.
    delimiter
        What separates their fields.
    whole
        Whether the last row ends with a line end; a file that was cut off often does not.
    """

    file: str
    header: list[str]
    lines: list[str]
    delimiter: str
    whole: bool = True

    def text(self) -> pd.DataFrame:
        """Return all named columns as text; the row at place k is line k + 2 of the file."""
        wanted = [name for name in self.header if name]
        plain = not any('"' in line for line in self.lines)
        if plain and self.lines:
            return pd.read_csv(
                io.StringIO("\n".join(self.lines)), sep=self.delimiter, header=None, names=self.header,
                usecols=wanted, dtype=str, keep_default_na=False, quoting=csv.QUOTE_NONE, skip_blank_lines=False,
                index_col=False,
            )[wanted]  # fmt: skip
        rows = [split_fields(line, self.delimiter) for line in self.lines]
        places = [self.header.index(name) for name in wanted]
        return pd.DataFrame([[row[k] for k in places] for row in rows], columns=pd.Index(wanted), dtype=str)


def read_sheet(
    path: str | Path,
    faults: list[Fault],
    required: tuple[str, ...] = (),
    name: str | None = None,
    allowed: tuple[str, ...] | None = None,
) -> Sheet | None:
    """Read a raw table and append everything wrong with its form to ``faults``; None where it cannot be used.

    Parameters
    ----------
    path
        File to read, plain or with the ending .gz.
    faults
        List that collects the faults.
    required
        Columns that must be there.
    name
        Name of the file in messages; default: its own.
    allowed
        All columns that may be there; None admits any further column.
    """
    before, file = len(faults), name or Path(path).name
    text = read_text(Path(path), file, faults)
    if text is None:
        return None
    lines, whole = table_lines(text)
    if not lines:
        faults.append(Fault(file, None, None, "an empty file", "a header and rows", "write the table again"))
        return None
    if lines[0].startswith("sep="):
        faults.append(Fault(file, 1, None, repr(lines[0]), "the header", "remove the line that Excel put before it"))
        return None
    delimiter = told_delimiter(lines[0], required)
    header = header_fields(lines[0], delimiter)
    if not sound_header(file, header, required, allowed, faults):
        _header_elsewhere(file, lines, required, faults)
        return None
    body = lines[1:]
    marks = len(header) - 1
    for row, line in enumerate(body, start=2):
        if '"' in line or line.count(delimiter) != marks or not line.strip():
            fault = row_fault(file, row, line, header, delimiter)
            if fault is not None:
                faults.append(fault)
    return Sheet(file, header, body, delimiter, whole) if len(faults) == before else None


def _header_elsewhere(file: str, lines: list[str], required: tuple[str, ...], faults: list[Fault]) -> None:
    """Say so where the header stands further down, below lines that a program put before it."""
    for row, line in enumerate(lines[1:20], start=2):
        if required and set(required) <= set(header_fields(line, told_delimiter(line, required))):
            remedy = f"remove rows 1 to {row - 1}"
            faults.append(Fault(file, row, None, "the header in this row", "the header in row 1", remedy))
            return


def read_records(
    path: str | Path, required: tuple[str, ...], name: str | None = None, allowed: tuple[str, ...] | None = None
) -> pd.DataFrame:
    """Read a raw table as text, all rows or all faults.

    Parameters
    ----------
    path, required, name, allowed
        As in :func:`read_sheet`.

    Returns
    -------
    pandas.DataFrame
        Named columns as text; the row at place k is line k + 2 of the file. ``attrs["whole"]`` tells whether the last
        row ends with a line end.

    Raises
    ------
    DataError
        If the form of the file is unsound or a required value has blanks around it; all faults at once.
    """
    faults: list[Fault] = []
    sheet = read_sheet(path, faults, required, name, allowed=allowed)
    if sheet is not None:
        table = sheet.text()
        known = table[list(required)].to_dict("records")
        found = (blank_fault(sheet.file, row, record) for row, record in enumerate(known, start=2))  # pyright: ignore[reportArgumentType]
        faults += [fault for fault in found if fault is not None]
        if not faults:
            table.attrs["whole"] = sheet.whole
            return table
    raise DataError(str(path), faults)
