"""Strict reading of tab-separated text: nothing is guessed, shifted or dropped in silence.

Row numbers are line numbers of the file, the header being row 1. An empty field and ``n/a`` mean missing.
"""

from dataclasses import dataclass, field
from pathlib import Path

from dyadloop.errors import Fault

MISSING = ("", "n/a")
_LARGEST_BYTES = 512 * 2**20
_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"\xef\xbb\xbf": "a byte-order mark"}


@dataclass
class Table:
    """Rows of one file, each with its line number; not ``readable`` where no row could be told."""

    file: str
    readable: bool = False
    header: list[str] = field(default_factory=list)
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)


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
    text = _decode(path, faults)
    if text is None:
        return table
    lines = text.replace("\r\n", "\n").split("\n")
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        faults.append(Fault(path.name, None, None, "an empty file", "a header and rows", "write the table again"))
        return table
    table.header = lines[0].split("\t")
    table.readable = _sound_header(table, required, allowed, faults)
    if not table.readable:
        return table
    for number, line in enumerate(lines[1:], start=2):
        _split(table, number, line, faults)
    return table


def _decode(path: Path, faults: list[Fault]) -> str | None:
    name = path.name
    if not path.is_file():
        faults.append(Fault(name, None, None, "no such file", f"a file {name} in the study folder", "add it"))
        return None
    if path.stat().st_size > _LARGEST_BYTES:
        faults.append(Fault(name, None, None, f"{path.stat().st_size} bytes", "at most 512 MiB", "split the study"))
        return None
    raw = path.read_bytes()
    for mark, meaning in _MARKS.items():
        if raw.startswith(mark):
            faults.append(Fault(name, 1, None, meaning, "plain UTF-8", "save as UTF-8 without a byte-order mark"))
            return None
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        row = raw[: error.start].count(b"\n") + 1
        got = f"byte 0x{raw[error.start]:02x}, which is not UTF-8 (Latin-1 or Windows-1252?)"
        faults.append(Fault(name, row, None, got, "UTF-8", "save the file as UTF-8"))
        return None
    if "\x00" in text:
        row = text[: text.index("\x00")].count("\n") + 1
        faults.append(Fault(name, row, None, "a NUL character", "text", "export the file again"))
        return None
    return text


def _sound_header(
    table: Table, required: tuple[str, ...], allowed: tuple[str, ...] | None, faults: list[Fault]
) -> bool:
    header, file, before = table.header, table.file, len(faults)
    for delimiter, word in ((";", "semicolons"), (",", "commas")):
        if len(header) == 1 and len(required) > 1 and delimiter in header[0]:
            remedy = "export as tab-separated text"
            faults.append(Fault(file, 1, None, f"columns separated by {word}", "tabs", remedy))
            return False
    for column in sorted({name for name in header if header.count(name) > 1}):
        faults.append(Fault(file, 1, column, "a column name used twice", "unique names", "rename one of them"))
    for column in required:
        if column not in header:
            faults.append(Fault(file, 1, column, "no such column", f"a column {column!r}", "add it, even if empty"))
    for column in header if allowed is not None else ():
        if column not in (*required, *(allowed or ())):
            known = ", ".join((*required, *(allowed or ())))
            faults.append(Fault(file, 1, column, "an unknown column", f"only {known}", "rename or remove it"))
    return len(faults) == before


def _split(table: Table, number: int, line: str, faults: list[Fault]) -> None:
    fields, width = line.split("\t"), len(table.header)
    if not line.strip():
        faults.append(Fault(table.file, number, None, "an empty row", "one record per row", "remove the row"))
    elif len(fields) != width:
        word = "too many" if len(fields) > width else "too few"
        got = f"{len(fields)} fields, {abs(len(fields) - width)} {word}"
        if len(fields) == 1 and (";" in line or "," in line):
            got += " (another delimiter than in the header?)"
        faults.append(Fault(table.file, number, None, got, f"{width} fields", "mend the tabs of this row"))
    elif any(value.count('"') % 2 for value in fields):
        column = next(name for name, value in zip(table.header, fields, strict=True) if value.count('"') % 2)
        faults.append(Fault(table.file, number, column, "an unclosed quote", "no quotes", "remove the quote"))
    else:
        _keep(table, number, fields, faults)


def _keep(table: Table, number: int, fields: list[str], faults: list[Fault]) -> None:
    for name, value in zip(table.header, fields, strict=True):
        if value != value.strip():
            remedy = "remove the blanks"
            faults.append(Fault(table.file, number, name, repr(value), "no blanks around a value", remedy))
            return
    table.rows.append((number, dict(zip(table.header, fields, strict=True))))


def number(table: Table, row: int, record: dict[str, str], column: str, faults: list[Fault]) -> float | None:
    """Return one numeric field, or None after noting why it is not a number."""
    text = record[column]
    if text in MISSING:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if text.isascii() and "_" not in text and value - value == 0.0:
        return value
    faults.append(Fault(table.file, row, column, repr(text), "a number such as 3.5", _number_remedy(text, column)))
    return None


def _number_remedy(text: str, column: str) -> str:
    if text[:1] in "<>" and column == "value":
        limit = "below" if text[0] == "<" else "above"
        return f"write the bare limit as value and {limit!r} in the column 'limit'"
    if text.count(",") == 1 and text.replace(",", "").lstrip("-").isdigit():
        return "write a decimal point instead of a comma"
    return "leave it empty or write n/a where it is missing"
