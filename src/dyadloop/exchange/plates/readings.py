"""Readings of plates as readers export them: SoftMax Pro, Gen5, Magellan and i-control, plain matrices, well tables.

All of these hold a matrix below a row of column numbers, with or without letters before its rows; some hold several,
for several wavelengths, beside or below each other. What stands in a well is kept as text: a saturated well is no
number.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dyadloop.exchange.formats.delimited import decoded
from dyadloop.exchange.formats.excel import read_excel
from dyadloop.exchange.formats.format import refusal, sound_file

_BOOKS = (".xlsx", ".xlsm", ".xls", ".ods")
_SHAPES = {6: 4, 12: 8, 24: 16, 48: 32}  # columns of a plate: its rows
_LETTERS = re.compile(r"^(?:[A-Z]|A[A-F])$")
_WELL = re.compile(r"^(?:[A-P]|A[A-F])0?(?:[1-9]|[1-4]\d)$")
_DASHES = ("-", "–", "")


@dataclass
class Reading:
    """One reading of one plate.

    Attributes
    ----------
    plate
        Name of the plate in the file, else that of the file.
    label
        What tells readings of one plate apart, such as a wavelength; empty where there is one.
    wells
        What stands in each well, by its name such as ``A1``.
    """

    plate: str
    label: str
    wells: dict[str, str] = field(default_factory=dict)


def read_readings(path: str | Path) -> list[Reading]:
    """Return all readings of a file.

    Raises
    ------
    DataError
        If it holds no matrix of wells, or one that is cut off.
    """
    file = sound_file(Path(path))
    found: list[Reading] = []
    for rows in _sheets(file):
        found += _readings(file, rows)
    if not found:
        expected = "a matrix below a row of the numbers 1 to 12 (or 6, 24, 48), or columns named A1, A2, ..."
        raise refusal(file, "no wells", expected, "export the plate as a matrix")
    for reading in found:
        twice = [r for r in found if (r.plate, r.label) == (reading.plate, reading.label)]
        if len(twice) > 1:
            for number, own in enumerate(twice, start=1):
                own.label = f"{own.label} {number}".strip()
    return found


def _sheets(file: Path) -> list[list[list[str]]]:
    """Return the rows of each sheet as cells of text."""
    if file.suffix.lower() in _BOOKS:
        grids = read_excel(file, {"header_row": 1})
        return [[list(map(str, g.table.columns)), *g.table.to_numpy(dtype=object).tolist()] for g in grids]
    text, _ = decoded(file, {})
    lines = text.splitlines()
    mark = max("\t;,", key=lambda mark: sum(min(line.count(mark), 13) for line in lines))
    rows = [[cell.strip().strip('"') for cell in line.split(mark)] for line in lines]
    if not any(len(row) > 6 for row in rows):
        rows = [line.split() for line in lines]
    return [rows]


def _readings(file: Path, rows: list[list[str]]) -> list[Reading]:
    found, plate, waves, k = [], file.stem, [], 0
    while k < len(rows):
        row = rows[k]
        if named := _plate_of(row):
            plate, waves = named, _waves(row)
        if parts := _header(row):
            block, k = _matrix(file, rows, k, parts)
            found += [
                Reading(plate, _label(label, place, waves, len(block)), w) for place, (label, w) in enumerate(block)
            ]
        elif len(columns := [j for j, cell in enumerate(row) if _WELL.match(cell)]) > 1:
            found.append(_by_well(file, rows, k, columns, plate, waves))
        k += 1
    return found or _bare(file, rows)


def _plate_of(row: Sequence[str]) -> str:
    """Return the name of a plate where a row tells one."""
    for place, cell in enumerate(row[:2]):
        word, _, rest = cell.partition(":")
        if word.strip().lower() in ("plate", "plate number", "plate id", "plate name", "barcode"):
            other = rest.strip() or (row[place + 1].strip() if len(row) > place + 1 else "")
            if other:
                return other
    return ""


def _waves(row: Sequence[str]) -> list[str]:
    """Return the wavelengths of a line of SoftMax Pro."""
    listed = [cell.split() for cell in row if re.fullmatch(r"\s*\d{3}(\s+\d{3})*\s*", cell)]
    return listed[0] if listed else []


def _label(label: str, place: int, waves: list[str], many: int) -> str:
    return label or (waves[place] if len(waves) == many and many > 1 else "")


def _header(row: Sequence[str]) -> list[tuple[int, int]]:
    """Return where column numbers 1, 2, ... stand in a row: start and number of each run."""
    found, k = [], 0
    while k < len(row):
        if _number(row[k]) == 1:
            size = 1
            while k + size < len(row) and _number(row[k + size]) == size + 1:
                size += 1
            if size in _SHAPES and k <= 2 + sum(n for _, n in found) + len(found):
                found.append((k, size))
            k += size
        else:
            k += 1
    return found


def _number(cell: str) -> int:
    return int(cell) if cell.isdigit() and len(cell) < 3 else -1


def _matrix(
    file: Path, rows: list[list[str]], at: int, parts: list[tuple[int, int]]
) -> tuple[list[tuple[str, dict[str, str]]], int]:
    """Return the readings of a matrix below its header, and the last row that belongs to it."""
    size = parts[0][1]
    found: dict[str, dict[str, str]] = {}
    letter, seen, k, lettered = -1, 0, at + 1, False
    while k < len(rows):
        row, first = rows[k], parts[0][0]
        head = next((cell for cell in row[:first] if _LETTERS.match(cell)), "")
        filled = any(cell for start, count in parts for cell in row[start : start + count])
        if not head and (not filled or letter + 1 >= _SHAPES[size]) and not (lettered and filled):
            break
        if head:
            lettered, letter = True, _place(head)
        elif not lettered:
            letter += 1
        if not filled and lettered and not head:
            break
        for place, (start, count) in enumerate(parts):
            label = (
                next((cell for cell in row[start + count : start + count + 1] if cell), "") if len(parts) == 1 else ""
            )
            own = found.setdefault(label or (f"#{place}" if len(parts) > 1 else ""), {})
            cells = [*row[start : start + count], *[""] * (count - len(row[start : start + count]))]
            own |= {f"{_name(letter)}{j + 1}": cell for j, cell in enumerate(cells)}
        seen, k = seen + 1, k + 1
    if not seen:
        raise refusal(file, "column numbers without rows below them", "a matrix", "export the plate again", at + 1)
    return [("" if label.startswith("#") else label, wells) for label, wells in found.items()], k - 1


def _place(letters: str) -> int:
    return ord(letters[-1]) - 65 + (26 if len(letters) > 1 else 0)


def _name(place: int) -> str:
    return chr(65 + place) if place < 26 else f"A{chr(65 + place - 26)}"


def _by_well(file: Path, rows: list[list[str]], at: int, columns: list[int], plate: str, waves: list[str]) -> Reading:
    """Return the reading below a row of names of wells."""
    body = []
    for row in rows[at + 1 :]:
        cells = [row[j] if j < len(row) else "" for j in columns]
        if not any(cells):
            break
        body.append(cells)
    if len(body) != 1:
        got = f"{len(body)} rows below the names of wells"
        raise refusal(file, got, "one: the reading at the end point", "export end points, not the course", at + 1)
    names = [re.sub(r"^([A-Z]+)0", r"\1", rows[at][j]) for j in columns]
    return Reading(plate, waves[0] if len(waves) == 1 else "", dict(zip(names, body[0], strict=True)))


def _bare(file: Path, rows: list[list[str]]) -> list[Reading]:
    """Return a matrix without any headings: 8 rows of 12 cells, or another shape of a plate."""
    filled = [row for row in rows if any(cell not in _DASHES for cell in row)]
    width = max((len(row) for row in filled), default=0)
    if width not in _SHAPES or len(filled) != _SHAPES[width] or any(len(row) != width for row in filled):
        return []
    wells = {f"{_name(k)}{j + 1}": cell for k, row in enumerate(filled) for j, cell in enumerate(row)}
    return [Reading(file.stem, "", wells)]
