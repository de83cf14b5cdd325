"""Readings of plates as readers export them: SoftMax Pro, Gen5, Magellan and i-control, plain matrices, well tables.

Most of these hold a matrix below a row of column numbers, with or without letters before its rows; some hold several,
for several wavelengths, beside or below each other. Others hold a row per well. What stands in a well is kept as text:
a saturated well is no number.
"""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from dyadloop.exchange.formats.delimited import decoded
from dyadloop.exchange.formats.excel import sheet_rows
from dyadloop.exchange.formats.format import refusal, sound_file
from dyadloop.exchange.plates.lists import WELL, Reading, listed, named_well

_BOOKS = (".xlsx", ".xlsm", ".xls", ".ods")
_SHAPES = {6: 4, 12: 8, 24: 16, 48: 32}  # columns of a plate: its rows
_LETTERS = re.compile(r"^(?:[A-Z]|A[A-F])$")
_DASHES = ("-", "–", "")


def read_readings(path: str | Path) -> list[Reading]:
    """Return all readings of a file.

    Raises
    ------
    DataError
        If it holds no matrix of wells, or one that is cut off.
    """
    file = sound_file(Path(path))
    sheets = [(sheet, _readings(file, rows)) for sheet, rows in _sheets(file)]
    several = sum(bool(own) for _, own in sheets) > 1
    for sheet, own in sheets:
        for reading in own:
            if several and reading.plate == file.stem:
                reading.label = f"{sheet} {reading.label}".strip()
    found = [reading for _, own in sheets for reading in own]
    if not found:
        expected = (
            "a matrix below a row of the numbers 1 to 12 (or 6, 24, 48), a row per well, or columns named A1, A2, ..."
        )
        raise refusal(file, "no wells", expected, "export the plate as a matrix")
    found = [reading for reading in found if reading.has_numbers] or found
    for reading in found:
        twice = [r for r in found if (r.plate, r.label) == (reading.plate, reading.label)]
        titled = len({r.title for r in twice if r.title}) == len(twice)
        if len(twice) > 1:
            for number, own in enumerate(twice, start=1):
                own.label = f"{own.label} {own.title if titled else number}".strip()
    return found


def _sheets(file: Path) -> list[tuple[str, list[list[str]]]]:
    """Return the name of each sheet with its rows as cells of text."""
    if file.suffix.lower() in _BOOKS:
        return [(name, [[cell.strip() for cell in row] for row in rows]) for name, rows in sheet_rows(file)]
    text, _ = decoded(file, {})
    lines = text.splitlines()
    counts = {mark: sum(min(line.count(mark), 13) for line in lines) for mark in "\t;,"}
    # Commas may be decimal marks, between tabs or semicolons.
    mark = next((mark for mark in "\t;" if counts[mark] >= counts[","] / 2 > 0), max(counts, key=lambda m: counts[m]))
    rows = [[cell.strip() for cell in next(csv.reader([line], delimiter=mark), [])] for line in lines]
    if not any(len(row) > 6 for row in rows) and not max(counts.values()):
        rows = [line.split() for line in lines]
    return [("", rows)]


def _readings(file: Path, rows: list[list[str]]) -> list[Reading]:
    found, plate, waves, above, k = [], file.stem, [], "", 0
    while k < len(rows):
        row = rows[k]
        if named := _plate_of(row):
            plate, waves = named, _waves(row)
        filled = [cell for cell in row if cell]
        own, last = listed(file, rows, k, plate)
        if own:
            found += own
        elif parts := _header(row):
            block, last = _matrix(file, rows, k, parts)
            labels = [_label(label, place, waves, len(block)) for place, (label, _) in enumerate(block)]
            found += [Reading(plate, label, w, above) for label, (_, w) in zip(labels, block, strict=True)]
        elif len(columns := [j for j, cell in enumerate(row) if WELL.match(cell)]) > 1:
            found.append(_by_well(file, rows, k, columns, plate, waves))
        above = filled[0] if len(filled) == 1 else above if not filled else ""
        k = last + 1
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
    (first, size), *_ = parts
    found: dict[str, dict[str, str]] = {}
    letter, seen, k, lettered = -1, 0, at + 1, False
    while k < len(rows):
        row = rows[k]
        head = next((cell for cell in row[:first] if _LETTERS.match(cell)), "")
        filled = any(cell for start, count in parts for cell in row[start : start + count])
        goes_on = filled and (not any(row[:first]) if lettered else letter + 1 < _SHAPES[size])
        if not head and not goes_on:
            break
        lettered = lettered or bool(head)
        letter = _place(head) if head else letter if lettered else letter + 1
        for place, (start, count) in enumerate(parts):
            label = next((cell for cell in row[start + count : start + count + 1] if cell and len(parts) == 1), "")
            cells = [*row[start : start + count], *[""] * (count - len(row[start : start + count]))]
            own = _unheld(found, label or (f"#{place}" if len(parts) > 1 else ""), _name(letter))
            own |= {f"{_name(letter)}{j + 1}": cell for j, cell in enumerate(cells)}
        seen, k = seen + 1, k + 1
    if not seen:
        raise refusal(file, "column numbers without rows below them", "a matrix", "export the plate again", at + 1)
    return [("" if label.startswith("#") else label, wells) for label, wells in found.items()], k - 1


def _unheld(found: dict[str, dict[str, str]], label: str, letter: str) -> dict[str, str]:
    """Return the reading of a label in which a row of wells stands not yet: a second line of it is another reading."""
    own, number = label, 2
    while any(found.get(own, {}).get(f"{letter}{j}") for j in range(1, max(_SHAPES) + 1)):
        own, number = f"{label} line {number}".strip(), number + 1
    return found.setdefault(own, {})


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
    names = [named_well(rows[at][j]) for j in columns]
    return Reading(plate, waves[0] if len(waves) == 1 else "", dict(zip(names, body[0], strict=True)))


def _bare(file: Path, rows: list[list[str]]) -> list[Reading]:
    """Return a matrix without column numbers: 8 rows of 12 cells, or another shape, with or without letters before."""
    filled = [row for row in rows if any(cell not in _DASHES for cell in row)]
    if all(row[0] == _name(k) for k, row in enumerate(filled)):
        filled = [row[1:] for row in filled]
    width = max((len(row) for row in filled), default=0)
    if width not in _SHAPES or len(filled) != _SHAPES[width] or any(len(row) != width for row in filled):
        return []
    wells = {f"{_name(k)}{j + 1}": cell for k, row in enumerate(filled) for j, cell in enumerate(row)}
    return [Reading(file.stem, "", wells)]
