"""A source as it stands in its file: cells of text, each with file, sheet, row and column.

Every cell below the header is accounted for: it reaches the study, or a :class:`Remark` says what became of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Remark:
    """What became of a cell, or of several alike, that a study does not take over as it stands.

    Attributes
    ----------
    file, sheet
        Where it stands; ``sheet`` is empty for files without sheets.
    row
        Row in the file, None for a whole column or file.
    column
        Heading of its column, None for a whole row.
    text
        What the cell holds; of several, the first.
    kind
        One of ``KINDS``.
    why
        In words, with what was done.
    cells
        Number of cells that this remark is about.
    """

    file: str
    sheet: str
    row: int | None
    column: str | None
    text: str
    kind: str
    why: str
    cells: int = 1

    @property
    def place(self) -> str:
        """File, sheet, row and column in words."""
        sheet = f", sheet {self.sheet!r}" if self.sheet else ""
        row = "" if self.row is None else f" row {self.row}"
        return f"{self.file}{sheet}{row}" + ("" if self.column is None else f", column {self.column!r}")


KINDS = {
    "not mapped": "columns that the mapping does not take",
    "missing": "codes and words that stand for no answer",
    "unreadable": "not a number, a date or a role where one should stand",
    "outside scale": "beyond the ends of the declared scale",
    "no key": "rows without a dyad, a person, a session or a time",
    "twice": "repeats the value of another row",
    "conflict": "contradicts another row; neither is taken",
    "overlap": "sessions that begin before the one before has ended",
    "not scored": "answers of a questionnaire that make no score",
    "form": "cells that the file's form leaves without a column, or above the header",
    "changed": "taken, but not as it stands",
}
"""What a remark may be about; all but ``changed`` are cells that are not used."""


@dataclass(frozen=True)
class Grid:
    """The cells of one table, and what its file says about them.

    Attributes
    ----------
    file, sheet
        Name of the file and of its sheet, empty where it has none.
    table
        Cells as text without blanks around them; empty text is no cell. Headings are unique.
    rows
        Row of the file of each row of ``table``.
    labels
        Wording of columns, such as a question.
    choices
        Wording of codes, by column.
    missing
        Codes that the file itself declares missing, by column.
    scales
        Lowest and highest value that the file itself declares, by column.
    kinds
        What the file says that a column holds: ``date``, ``number`` or ``text``.
    remarks
        Cells that have no place in ``table``.
    told
        How the file was read, setting by setting, each with its reason.
    hints
        What the format knows of its columns, such as ``{"dyad": "record_id"}``.
    repeated
        Headings that several columns carry in the file, by the unique heading of each of these.
    """

    file: str
    sheet: str
    table: pd.DataFrame
    rows: np.ndarray
    labels: dict[str, str] = field(default_factory=dict)
    choices: dict[str, dict[str, str]] = field(default_factory=dict)
    missing: dict[str, tuple[str, ...]] = field(default_factory=dict)
    scales: dict[str, tuple[float, float]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()
    told: dict[str, str] = field(default_factory=dict)
    hints: dict[str, object] = field(default_factory=dict)
    repeated: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """File and sheet as one name."""
        return f"{self.file}:{self.sheet}" if self.sheet else self.file

    @property
    def cells(self) -> int:
        """Number of cells that hold something, with those that have no place in the table."""
        return int(self.filled.sum()) + sum(r.cells for r in self.remarks if r.kind != "changed")

    @property
    def filled(self) -> np.ndarray:
        """Which cells of the table hold something, as (row, column)."""
        found = np.zeros(self.table.shape, bool)
        for place in range(found.shape[1]):
            found[:, place] = self.table.iloc[:, place].to_numpy(dtype=object) != ""
        return found

    def twins(self, name: str) -> list[str]:
        """Return the other columns that carry the same heading in the file and hold other entries."""
        heading = self.repeated.get(name)
        others = [other for other, own in self.repeated.items() if own == heading and other != name]
        return [other for other in others if (self.column(other) != self.column(name)).any()]

    def copied(self, name: str) -> str | None:
        """Return the first column with the same heading and the same entries, None for a first one."""
        alike = [other for other, heading in self.repeated.items() if heading == self.repeated.get(name)]
        earlier = alike[: alike.index(name)] if alike else []
        return next((other for other in earlier if (self.column(other) == self.column(name)).all()), None)

    def column(self, name: str) -> np.ndarray:
        """Return the texts of a column."""
        return self.table[name].to_numpy(dtype=object)


def unique_headings(names: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return headings made unique, and which of them were changed and why.

    An empty heading becomes ``column N``; a repeated one gets a number.
    """
    found: list[str] = []
    changed: dict[str, str] = {}
    taken: set[str] = set()
    for place, text in enumerate(names, start=1):
        bare = " ".join(str(text).split())
        name, number = bare or f"column {place}", 2
        while name in taken:
            name, number = f"{bare or f'column {place}'} ({number})", number + 1
        if name != bare:
            changed[name] = "a column without a heading" if not bare else f"a second column named {bare!r}"
        taken.add(name)
        found.append(name)
    return found, changed


def repeated_headings(names: Sequence[str], unique: Sequence[str]) -> dict[str, str]:
    """Return the headings that stand above several columns, by the unique names of these."""
    bare = [" ".join(name.split()) for name in names]
    return {own: name for own, name in zip(unique, bare, strict=True) if name and bare.count(name) > 1}


def text_table(header: Sequence[str], body: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Return rows of text as a table whose cells have no blanks around them."""
    known: dict[str, str] = {}  # each different text once
    data = {}
    for k in range(len(header)):
        texts = (row[k].strip() if row[k] else "" for row in body)
        data[k] = np.fromiter((known.setdefault(text, text) for text in texts), dtype=object, count=len(body))
    table = pd.DataFrame(data, dtype=object, copy=False)
    table.columns = pd.Index(list(header), dtype=object)
    return table
