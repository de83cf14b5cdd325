"""From rows of text to a grid: where the headings stand, and what has no place below them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from dyadloop.data.table import told_number
from dyadloop.exchange.formats.format import LONGEST_CELL, MOST_CELLS, refusal
from dyadloop.exchange.formats.header_rows import SEARCHED, Headings, Spans, headings_at
from dyadloop.exchange.grid import Grid, Remark, repeated_headings, text_table, unique_headings

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
    spans: Spans = field(default_factory=dict)

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
    found = Headings(list(rows[at]), at, at)
    if place.header_row is None:
        found = headings_at(rows, lines, at, place.spans)
    names = found.names
    while names and not names[-1].strip() and all(len(row) < len(names) or not row[len(names) - 1] for row in rows):
        names.pop()
    header, renamed = unique_headings(names)
    remarks = _above(place, rows[: found.first], lines)
    body, kept, form = _body(place, rows, lines, found.last, len(header))
    told = told | {f"heading {name!r}": why for name, why in renamed.items()}
    if found.last > found.first:
        told["header_row"] = f"rows {lines[found.first]} and {lines[found.last]} hold the headings, joined"
    elif found.first:
        told["header_row"] = f"row {lines[found.first]} holds the headings"
    return Grid(
        place.name, place.sheet, text_table(header, body), np.array(kept, dtype=int),
        remarks=tuple([*remarks, *form]), told=told, repeated=repeated_headings(names, header),
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
    filled = [sum(bool(text.strip()) for text in row) for row in rows[:SEARCHED]]
    most = max(filled, default=0)
    for k, row in enumerate(rows[:SEARCHED]):
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
