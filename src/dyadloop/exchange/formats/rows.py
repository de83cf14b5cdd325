"""From rows of text to a grid: where the headings stand, and what has no place below them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dyadloop.data.table import told_number
from dyadloop.exchange.formats.format import LONGEST_CELL, MOST_CELLS, refusal
from dyadloop.exchange.grid import Grid, Remark, text_table, unique_headings

_SEARCHED = 20  # rows among which the headings are looked for
_FULL = 0.6  # share of the fullest row that a row of headings fills
_MOSTLY_WORDS = 0.5
_DECIMALS = ",."


@dataclass(frozen=True)
class Place:
    """Which table of which file, and settings that say more than the file does."""

    path: Path
    sheet: str = ""
    header_row: int | None = None
    fill_short_rows: bool = False

    @property
    def name(self) -> str:
        """Name of the file in messages."""
        return self.path.name


def shaped(place: Place, rows: Sequence[Sequence[str]], lines: Sequence[int], told: dict[str, str]) -> Grid:
    """Return rows of text as a grid.

    Parameters
    ----------
    place
        Where they are from.
    rows
        Rows, which may be ragged.
    lines
        Row of the file of each.
    told
        What is known of how they were read.

    Raises
    ------
    DataError
        If there are no headings, or a cell or the table is too large.
    """
    _refuse_huge(place, rows, lines)
    at = _header(place, rows, lines)
    names = list(rows[at])
    while names and not names[-1].strip() and all(len(row) < len(names) or not row[len(names) - 1] for row in rows):
        names.pop()
    header, renamed = unique_headings(names)
    remarks = _above(place, rows[:at], lines)
    body, kept, form = _body(place, rows, lines, at, len(header))
    told = told | {f"heading {name!r}": why for name, why in renamed.items()}
    if at:
        told["header_row"] = f"row {lines[at]} holds the headings"
    return Grid(
        place.name, place.sheet, text_table(header, body), np.array(kept, dtype=int),
        remarks=tuple([*remarks, *form]), told=told,
    )  # fmt: skip


def _refuse_huge(place: Place, rows: Sequence[Sequence[str]], lines: Sequence[int]) -> None:
    if sum(map(len, rows)) > MOST_CELLS:
        raise refusal(place.path, "more than 60 million cells", "fewer", "split the table")
    for row, line in zip(rows, lines, strict=True):
        if any(len(text) > LONGEST_CELL for text in row):
            got = f"a cell of {max(map(len, row))} characters (a quote that is not closed?)"
            raise refusal(place.path, got, f"at most {LONGEST_CELL}", "mend the row", line)


def _header(place: Place, rows: Sequence[Sequence[str]], lines: Sequence[int]) -> int:
    """Return the place of the row of headings."""
    if place.header_row is not None:
        at = next((k for k, line in enumerate(lines) if line >= place.header_row), None)
        if at is None or lines[at] != place.header_row:
            got = f"no filled row {place.header_row}"
            raise refusal(place.path, got, "the row of the headings", "correct `header_row` in the mapping")
        return at
    filled = [sum(bool(text.strip()) for text in row) for row in rows[:_SEARCHED]]
    most = max(filled, default=0)
    for k, row in enumerate(rows[:_SEARCHED]):
        if filled[k] >= max(1, _FULL * most) and _words(row):
            return k
    got = "no row of headings" if rows else "no row"
    remedy = "write a heading above each column, or say `settings: {header_row: N}` in the mapping"
    raise refusal(place.path, got, "a table with headings", remedy)


def _words(row: Sequence[str]) -> bool:
    texts = [text.strip() for text in row if text.strip()]
    numbers = sum(told_number(text.replace(",", ".")) == told_number(text.replace(",", ".")) for text in texts)
    return bool(texts) and numbers <= _MOSTLY_WORDS * len(texts)


def _above(place: Place, rows: Sequence[Sequence[str]], lines: Sequence[int]) -> list[Remark]:
    """Return what stands above the headings."""
    found = []
    for row, line in zip(rows, lines, strict=False):
        texts = [text.strip() for text in row if text.strip()]
        if texts:
            why = "above the headings; not taken"
            found.append(Remark(place.name, place.sheet, line, None, texts[0], "form", why, len(texts)))
    return found


def _body(
    place: Place, rows: Sequence[Sequence[str]], lines: Sequence[int], at: int, width: int
) -> tuple[list[Sequence[str]], list[int], list[Remark]]:
    """Return the rows below the headings, all of one width, and what has no place there."""
    body, kept, remarks = [], [], []
    for k in range(at + 1, len(rows)):
        row = rows[k]
        extra = [text for text in row[width:] if text.strip()]
        filled = [text for text in row if text.strip()]
        if not filled:
            continue
        short = len(row) < width and not place.fill_short_rows
        if extra or short:
            why = _ragged(len(row), width, place)
            remarks.append(Remark(place.name, place.sheet, lines[k], None, filled[0], "form", why, len(filled)))
            continue
        body.append(row if len(row) == width else [*row[:width], *[""] * (width - len(row))])
        kept.append(lines[k])
    return body, kept, remarks


def _ragged(fields: int, width: int, place: Place) -> str:
    if fields < width:
        remedy = "if empty fields at the end were left out, say `settings: {fill_short_rows: true}`"
        return f"{fields} fields under {width} headings: the row is not taken, for it may be shifted; {remedy}"
    return f"{fields} fields under {width} headings: the row is not taken, for it may be shifted"
