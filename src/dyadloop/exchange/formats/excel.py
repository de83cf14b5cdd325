"""Workbooks of Excel and LibreOffice: stored values of formulas, dates, merged headings, every sheet."""

import datetime as dt
import html
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dyadloop.errors import DataError
from dyadloop.exchange.formats.format import LONGEST_CELL, MOST_CELLS, Format, Settings, library, refusal, sound_file
from dyadloop.exchange.formats.header_rows import Spans
from dyadloop.exchange.formats.rows import Place, shaped
from dyadloop.exchange.formats.zips import guard_zip
from dyadloop.exchange.grid import Grid, Remark
from dyadloop.exchange.vocabulary import KEYS, rank

Range = tuple[tuple[int, int], tuple[int, int]]

_NAMED = 60  # rank from which a heading names a key
_CELL = rb'<c\s[^>]*?r="([A-Z]+)(\d+)"[^>]*>'
_FORMULA = re.compile(_CELL + rb"\s*<f[^>]*?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>")
_ERROR = re.compile(_CELL + rb"(?:\s*<f[^>]*?(?:/>|>[^<]*</f>))?\s*<v>(#[A-Z/0!?]+)</v>")


def read_excel(path: Path, settings: Settings) -> list[Grid]:
    """Return the tables of a workbook, one per sheet that holds one.

    ``settings`` may say ``sheet`` and ``header_row``.

    Raises
    ------
    DataError
        If the file is no workbook, is encrypted, unpacks to too much, or no sheet holds a table.
    """
    book, names = _opened(path)
    wanted = settings.get("sheet")
    if wanted is not None and wanted not in names:
        raise refusal(path, f"no sheet {wanted!r}", f"one of {', '.join(names)}", "correct `sheet` in the mapping")
    grids = [_sheet(path, book, name, settings) for name in ([wanted] if wanted is not None else names)]
    found = [grid for grid in grids if grid is not None]
    if not found:
        raise refusal(path, "no sheet with a table", "headings and rows", "look into the file")
    return found


def sheet_rows(path: Path) -> list[tuple[str, list[list[str]]]]:
    """Return the name of each sheet with all its rows as cells of text, without looking for headings.

    Raises
    ------
    DataError
        If the file is no workbook, is encrypted, or unpacks to too much.
    """
    book, names = _opened(path)
    return [(name, _cells(path, book, name)[0]) for name in names]


def _opened(path: Path) -> tuple[Any, list[str]]:
    """Return a workbook and the names of its sheets."""
    guard_zip(sound_file(path))
    calamine = library("python_calamine", path, "an Excel or LibreOffice workbook")
    try:
        book = calamine.load_workbook(str(path))
        names = book.sheet_names
    except calamine.PasswordError:
        raise refusal(path, "an encrypted workbook", "one without a password", "save it without a password") from None
    except Exception as error:  # the library raises kinds of its own and of its language
        raise _damaged(path, error) from None
    return book, list(names)


def _damaged(path: Path, error: Exception) -> DataError:
    got = f"a workbook that cannot be read ({' '.join(str(error).split())[:120]})"
    return refusal(path, got, "a whole .xlsx, .xls or .ods file", "save it again")


def _sheet(path: Path, book: Any, name: str, settings: Settings) -> Grid | None:  # noqa: ANN401 - of calamine
    """Return the table of a sheet, None where it is empty or holds no table."""
    rows, ranges = _cells(path, book, name)
    lines = [k for k, row in enumerate(rows, start=1) if any(text.strip() for text in row)]
    if not lines:
        return None
    kept, told = [rows[line - 1] for line in lines], {"sheet": f"{name!r}"}
    grid = shaped(Place(path, name, settings.get("header_row"), True, _spans(ranges)), kept, lines, told)
    return _with_formulas(path, _filled_down(grid, ranges))


def _filled_down(grid: Grid, ranges: Sequence[Range]) -> Grid:
    """Return a table in which a key that is merged over several rows stands in each; a value belongs to the first."""
    table, filled = grid.table, []
    keys = [any(rank(str(name), key) >= _NAMED for key in KEYS) for name in table.columns]
    at = {int(row): place for place, row in enumerate(grid.rows)}
    for (top, left), (bottom, _) in ranges:
        if bottom > top and top + 1 in at and left < len(keys) and keys[left]:
            text = str(table.iat[at[top + 1], left])
            for row in range(top + 2, bottom + 2):
                if text and row in at and not table.iat[at[row], left]:
                    table.iat[at[row], left] = text
                    filled.append(str(table.columns[left]))
    if not filled:
        return grid
    names = ", ".join(dict.fromkeys(filled))
    told = f"{names}: cells that are merged over rows stand in each of these ({len(filled)} rows more)"
    return replace(grid, table=table, told=grid.told | {"merged cells": told})


def _cells(path: Path, book: Any, name: str) -> tuple[list[list[str]], list[Range]]:  # noqa: ANN401 - of calamine
    """Return the rows of a sheet as cells of text, and which of them are merged."""
    try:
        sheet = book.get_sheet_by_name(name)
        if sheet.total_height * sheet.total_width > MOST_CELLS:
            raise refusal(path, f"more than 60 million cells in sheet {name!r}", "fewer", "split the sheet")
        values = sheet.to_python(skip_empty_area=False)
        merged = _ranges(sheet)
    except DataError:
        raise
    except Exception as error:  # as above
        raise _damaged(path, error) from None
    known: dict[str, str] = {}  # each different text once
    return [[known.setdefault(text, text) for text in map(_text, row)] for row in values], merged


def _text(value: object) -> str:
    """Return a cell as text: whole numbers without a point, dates as ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return f"{value:.15g}" if value == value else ""
    if isinstance(value, dt.datetime):
        plain = value.time() == dt.time(0)
        return value.date().isoformat() if plain else value.isoformat(timespec="seconds")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        seconds = round(value.total_seconds())
        return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
    return str(value)[: LONGEST_CELL + 1]


def _ranges(sheet: Any) -> list[Range]:  # noqa: ANN401 - a sheet of calamine
    """Return the ranges of merged cells: first and last (row, column), counted from 0."""
    try:
        return sorted(sheet.merged_cell_ranges or [])
    except Exception:  # kinds of workbooks that do not tell
        return []


def _spans(ranges: Sequence[Range]) -> Spans:
    """Return the cells that are merged over several columns of one row."""
    spans: dict[int, list[tuple[int, int]]] = {}
    for (top, left), (bottom, right) in ranges:
        if top == bottom and right > left:
            spans.setdefault(top + 1, []).append((left, right))
    return spans


def _with_formulas(path: Path, grid: Grid) -> Grid:
    """Add formulas that were never calculated, and errors of formulas: the library gives both as empty cells."""
    if path.suffix.lower() not in (".xlsx", ".xlsm"):
        return grid
    remarks, columns = [], list(grid.table.columns)
    body = _xml(path, grid.sheet)
    never = "a formula without a stored value: open the workbook, save it, and import it again"
    found = [(letters, row, b"=", never) for letters, row in _FORMULA.findall(body)]
    found += [(letters, row, text, "an error of a formula") for letters, row, text in _ERROR.findall(body)]
    for letters, row, text, why in found:
        place = _number(letters.decode()) - 1
        column = columns[place] if place < len(columns) else None
        remarks.append(Remark(grid.file, grid.sheet, int(row), column, text.decode("utf-8", "replace"), "form", why))
    return Grid(**{**vars(grid), "remarks": (*grid.remarks, *remarks)})


def _xml(path: Path, sheet: str) -> bytes:
    """Return the XML of a sheet of an .xlsx file, empty where it cannot be found."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = re.findall(rb'<sheet\s[^>]*?name="([^"]*)"[^>]*?r:id="([^"]*)"', archive.read("xl/workbook.xml"))
            link = next((link for name, link in names if html.unescape(name.decode()) == sheet), b"-")
            links = re.findall(rb"<Relationship\s[^>]*>", archive.read("xl/_rels/workbook.xml.rels"))
            target = next((text for text in links if b'Id="' + link + b'"' in text), b"")
            file = re.search(rb'Target="/?(?:xl/)?([^"]*)"', target)
            return archive.read(f"xl/{file[1].decode()}") if file else b""
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, OSError, UnicodeDecodeError, NotImplementedError):
        return b""


def _number(letters: str) -> int:
    found = 0
    for letter in letters:
        found = found * 26 + ord(letter) - 64
    return found


FORMAT = Format(
    id="excel",
    title="Excel and LibreOffice workbooks",
    endings=(".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"),
    reads="every sheet; stored values of formulas; dates; headings merged over columns, keys over rows; title lines",
    leaves="comments, charts; in .xlsx, formulas that were never calculated and errors of formulas are listed",
    library="python-calamine",
    truth="workbooks written by openpyxl with known cells",
    read=read_excel,
)
