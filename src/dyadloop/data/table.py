"""Strict reading of tab-separated text: nothing is guessed, shifted or dropped in silence.

Row numbers are line numbers of the file, the header being row 1. An empty field and ``n/a`` mean missing.
"""

import math
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dyadloop.data.rows import OpenQuote, row_fault, split_fields
from dyadloop.data.text import read_text
from dyadloop.errors import Fault

MISSING = ("", "n/a")


class Records:
    """The sound rows of a table, each with its line number; they are split anew whenever they are asked for.

    A text and two numbers per row take far less memory than the fields of all rows.
    """

    def __init__(self, header: list[str], text: str) -> None:
        self._header, self._text = header, text
        self._lines, self._starts, self._ends = array("q"), array("q"), array("q")

    def keep(self, line: int, start: int, end: int) -> None:
        """Add the row that stands between two places of the text."""
        self._lines.append(line)
        self._starts.append(start)
        self._ends.append(end)

    def record(self, start: int, end: int) -> dict[str, str]:
        """Return the fields of a row by column; a column without a name is an index."""
        fields = dict(zip(self._header, split_fields(self._text[start:end], "\t"), strict=True))
        fields.pop("", None)
        return fields

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._lines)

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield line and fields of each row."""
        for line, start, end in zip(self._lines, self._starts, self._ends, strict=True):
            yield line, self.record(start, end)

    @property
    def first_line(self) -> int:
        """Line of the first row."""
        return self._lines[0]


@dataclass
class Table:
    """Rows of one file, each with its line number; not ``readable`` where no row could be told.

    ``whole`` tells whether the last row ends with a line end; a file that was cut off often does not.
    """

    file: str
    readable: bool = False
    header: list[str] = field(default_factory=list)
    rows: Records = field(default_factory=lambda: Records([], ""))
    whole: bool = True

    def release(self) -> None:
        """Forget the rows, once all that is asked of them is known."""
        self.rows = Records([], "")


def read_table(path: Path, required: tuple[str, ...], faults: list[Fault], allowed: tuple[str, ...] | None) -> Table:
    """Read one tab-separated file and append everything wrong with its form to ``faults``.

    Parameters
    ----------
    path
        File to read.
    required
        Columns that must be there.
    faults
        List that collects the faults.
    allowed
        All columns that may be there; None admits any further column.
    """
    table = Table(path.name)
    text = read_text(path, path.name, faults)
    if text is None:
        return table
    size = len(text)
    while size and text[size - 1] == "\n":  # a copy without them would take as much memory again
        size -= 1
    if not size:
        faults.append(Fault(path.name, None, None, "an empty file", "a header and rows", "write the table again"))
        return table
    table.whole = size < len(text)
    end = text.find("\n", 0, size)
    end = size if end < 0 else end
    table.header = header_fields(text[:end], "\t")
    table.readable = sound_header(table.file, table.header, required, allowed, faults)
    if table.readable:
        table.rows = Records(table.header, text)
        _keep_rows(table, text, (end + 1, size), faults)
    return table


def table_lines(text: str) -> tuple[list[str], bool]:
    """Return the rows of a text without empty ones at its end, and whether the last of them is ended."""
    lines = text.split("\n")
    whole = not lines[-1]
    while lines and not lines[-1]:
        lines.pop()
    return lines, whole


def header_fields(line: str, delimiter: str) -> list[str]:
    """Return the column names of a header, freed of their quotes."""
    try:
        return split_fields(line, delimiter)
    except OpenQuote:
        return line.split(delimiter)


def sound_header(
    file: str,
    header: list[str],
    required: tuple[str, ...],
    allowed: tuple[str, ...] | None,
    faults: list[Fault],
) -> bool:
    """Return whether the columns are those that a table should have; an unnamed first one is an index."""
    before = len(faults)
    for delimiter, word in ((";", "semicolons"), (",", "commas")):
        if len(header) == 1 and len(required) > 1 and delimiter in header[0]:
            remedy = "export as tab-separated text"
            faults.append(Fault(file, 1, None, f"columns separated by {word}", "tabs", remedy))
            return False
    for column in sorted({name for name in header if header.count(name) > 1}):
        faults.append(Fault(file, 1, column, "a column name used twice", "unique names", "rename one of them"))
    for column in required:
        if column not in header:
            got = "no such column" + _nearly(column, header)
            faults.append(Fault(file, 1, column, got, f"a column {column!r}", "add it, even if empty"))
    for column in header[not header[0] :] if allowed is not None else ():
        if column not in (*required, *(allowed or ())):
            known = ", ".join((*required, *(allowed or ())))
            faults.append(Fault(file, 1, column, "an unknown column", f"only {known}", "rename or remove it"))
    if "" in header[1:]:
        place = header.index("", 1) + 1
        faults.append(Fault(file, 1, None, f"no name for column {place}", "a name per column", "name it, or remove it"))
    return len(faults) == before


def _nearly(column: str, header: list[str]) -> str:
    """Return in words which column looks like the one that is absent."""
    like = [name for name in header if name.strip(" \"'\ufeff").casefold() == column.casefold()]
    return f" ({like[0]!r} is another name)" if like else ""


def _keep_rows(table: Table, text: str, span: tuple[int, int], faults: list[Fault]) -> None:
    """Keep the rows of a stretch of a text whose form is sound."""
    row, (start, size) = 1, span
    while start <= size:
        end = text.find("\n", start, size)
        end = size if end < 0 else end
        row += 1
        fault = row_fault(table.file, row, text[start:end], table.header, "\t")
        if fault is None:
            fault = blank_fault(table.file, row, table.rows.record(start, end))
        if fault is None:
            table.rows.keep(row, start, end)
        else:
            faults.append(fault)
        start = end + 1


def blank_fault(file: str, row: int, record: dict[str, str]) -> Fault | None:
    """Return the first value with blanks around it, which would make another id of it."""
    for name, value in record.items():
        if value != value.strip():
            return Fault(file, row, name, repr(value), "no blanks around a value", "remove the blanks")
    return None


def number(table: Table, row: int, record: dict[str, str], column: str, faults: list[Fault]) -> float | None:
    """Return one numeric field, or None after noting why it is not a number."""
    text = record[column]
    if text in MISSING:
        return None
    value = told_number(text)
    if not math.isnan(value):
        return value
    faults.append(number_fault(table.file, row, column, text))
    return None


def told_number(text: str) -> float:
    """Return the number that a field says in plain digits, with a decimal point; NaN where it says none."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    plain = text.isascii() and "_" not in text and text == text.strip()
    return value if plain and math.isfinite(value) else math.nan


def number_fault(file: str, row: int, column: str, text: str) -> Fault:
    """Return the fault of a field that should be a number, with the remedy that its text suggests."""
    return Fault(file, row, column, repr(text), "a number such as 3.5", _number_remedy(text, column))


def _number_remedy(text: str, column: str) -> str:
    if text[:1] in ("<", ">"):
        limit = "below" if text[0] == "<" else "above"
        where = "as value " if column == "value" else ""
        return f"write the bare limit {where}and {limit!r} in the column 'limit'"
    bare = text.replace(",", "").replace(".", "").lstrip("+-")
    if text.count(",") == 1 and bare.isdigit() and "." not in text:
        return "write a decimal point instead of a comma"
    if "," in text and bare.isdigit():
        return "write it without marks for thousands, with a decimal point"
    if text.rstrip(" %") != text and "%" in text:
        return "write the bare number, without its unit"
    return "leave it empty or write n/a where it is missing"
