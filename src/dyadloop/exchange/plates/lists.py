"""Readings that stand in a list: a row per well, with a column of wells and a column per reading."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dyadloop.exchange.formats.format import refusal
from dyadloop.measures.assays.wells import SATURATED

WELL = re.compile(r"^(?:[A-P]|A[A-F])0?(?:[1-9]|[1-4]\d)$")
_WELLS = re.compile(r"wells?([ _.-]*(pos|positions?|id|names?|labels?))?", re.IGNORECASE)
_ROW, _COLUMN = re.compile(r"(well[ _.-]*)?row", re.IGNORECASE), re.compile(r"(well[ _.-]*)?col(umn)?", re.IGNORECASE)
_PLATE = re.compile(r"plate([ _.-]*(id|nr|no|number|name))?|barcode", re.IGNORECASE)
_NUMBER = re.compile(r"[<>]?-?\d*[.,]?\d+([eE][+-]?\d+)?")
_FEWEST = 2


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
    title
        What stands alone in the row above, such as a wavelength.
    """

    plate: str
    label: str
    wells: dict[str, str] = field(default_factory=dict)
    title: str = ""

    @property
    def has_numbers(self) -> bool:
        """Whether a well holds a number; names of samples are no reading."""
        return any(_NUMBER.fullmatch(cell.strip()) for cell in self.wells.values())


def named_well(text: str) -> str:
    """Return the name of a well without zeros, such as ``A1``; empty where the text is none."""
    bare = text.strip().upper()
    return re.sub(r"^([A-Z]+)0", r"\1", bare) if WELL.match(bare) else ""


def listed(file: Path, rows: Sequence[Sequence[str]], at: int, plate: str) -> tuple[list[Reading], int]:
    """Return the readings of a list whose headings stand in a row, and its last row; none where it is no list.

    Raises
    ------
    DataError
        If a well of a plate stands in it twice, as in the course of a kinetic reading.
    """
    body = _body(rows, at)
    if len(body) < _FEWEST:
        return [], at
    heads = [cell.strip() for cell in rows[at]]
    plates = next((j for j, cell in enumerate(heads) if _PLATE.fullmatch(cell)), None)
    keys = {j for j, cell in enumerate(heads) if any(p.fullmatch(cell) for p in (_WELLS, _ROW, _COLUMN, _PLATE))}
    columns = [j for j, cell in enumerate(heads) if cell and j not in keys and _is_reading(body, j)]
    found: dict[tuple[str, int], Reading] = {}
    for k, (well, row) in enumerate(body, start=at + 2):
        own = plate if plates is None else row[plates].strip() or plate
        for j in columns:
            reading = found.setdefault((own, j), Reading(own, heads[j]))
            if well in reading.wells:
                got = f"well {well} of plate {own!r} a second time"
                raise refusal(file, got, "each well once: the reading at the end point", "export end points", k)
            reading.wells[well] = row[j].strip() if j < len(row) else ""
    return list(found.values()), at + len(body)


def _body(rows: Sequence[Sequence[str]], at: int) -> list[tuple[str, Sequence[str]]]:
    """Return the rows below headings that name wells, each with its well, up to the first that has none."""
    heads = [cell.strip() for cell in rows[at]]
    whole = next((j for j, cell in enumerate(heads) if _WELLS.fullmatch(cell)), None)
    parts = [next((j for j, cell in enumerate(heads) if p.fullmatch(cell)), None) for p in (_ROW, _COLUMN)]
    body: list[tuple[str, Sequence[str]]] = []
    if whole is None and None in parts:
        return body
    for row in rows[at + 1 :]:
        cells = [*row, *[""] * (len(heads) - len(row))]
        text = cells[whole] if whole is not None else "".join(cells[j].strip() for j in parts if j is not None)
        well = named_well(text)
        if not well:
            break
        body.append((well, cells))
    return body


def _is_reading(body: Sequence[tuple[str, Sequence[str]]], column: int) -> bool:
    cells = [text for _, row in body if (text := row[column].strip())]
    return bool(cells) and all(_NUMBER.fullmatch(text) or text.lower() in (*SATURATED, "-", "n/a") for text in cells)
