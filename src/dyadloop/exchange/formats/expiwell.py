"""ExpiWell: four rows of headings, answers as words; the last row of headings numbers the words."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from dyadloop.exchange.formats.delimited import decoded, place_of, split_rows
from dyadloop.exchange.formats.format import Format, Settings, refusal
from dyadloop.exchange.formats.headings import first_rows
from dyadloop.exchange.formats.rows import shaped
from dyadloop.exchange.grid import Grid, Remark

_CHOICES = "Choices"
"""Heading of the column that ends what ExpiWell says of a row; questions stand behind it."""
_QUESTION = re.compile(r"\{\{Q://([^/}]+)")
_OPTION = re.compile(r"(\d+)\s*=\s*'(.*?)'(?=\s*\d+\s*=\s*'|\s*\]\s*$)")
_PREVIEW = "Preview Response"


def is_expiwell(path: Path) -> bool:
    """Return whether the first row names questions as ExpiWell does, and the fourth the column of choices."""
    rows = first_rows(path, 4)
    return len(rows) == 4 and _CHOICES in rows[3] and any(_QUESTION.search(cell) for cell in rows[0])


def read_expiwell(path: Path, settings: Settings) -> list[Grid]:
    """Return the answers, as numbers where the headings number all words of a question.

    Raises
    ------
    DataError
        If the four rows of headings are not there.
    """
    text, told = decoded(path, settings)
    rows, lines, told = split_rows(path, text, settings, told)
    if len(rows) < 5 or _CHOICES not in [cell.strip() for cell in rows[3]]:
        raise refusal(path, "no four rows of headings", "an export of ExpiWell", "export the responses again")
    ids, words, _, heads = ([" ".join(cell.replace("\ufeff", "").split()) for cell in row] for row in rows[:4])
    at = heads.index(_CHOICES)
    behind = list(zip(ids[at + 1 :], heads[at + 1 :], strict=False))
    asked = [match[1] if (match := _QUESTION.search(cell)) else cell or head for cell, head in behind]
    names = [*heads[:at], "Participant label", *asked]
    grid = shaped(place_of(path, settings, lines[3]), [names, *rows[4:]], [lines[3], *lines[4:]], told)
    columns = list(grid.table.columns)
    labels = {name: word for name, word in zip(columns[at + 1 :], words[at + 1 :], strict=False) if word}
    choices = {
        name: dict(_OPTION.findall(head)) for name, head in zip(columns[at + 1 :], heads[at + 1 :], strict=False)
    }
    choices = {name: known for name, known in choices.items() if known}
    grid = _without_previews(_numbered(replace(grid, labels=labels, choices=choices), choices))
    hints: dict[str, object] = {"format": "ExpiWell", "session": None, "length_min": 0}
    hints["not_scores"] = tuple(columns[: at + 1])
    for key, wanted in (("dyad", ("Participant ID", "Participant label")), ("date", ("Start Date",))):
        known = [name for name in wanted if name in columns and (grid.column(name) != "").any()]
        if known:
            hints[key] = known[0]
    return [replace(grid, hints=hints)]


def _numbered(grid: Grid, choices: dict[str, dict[str, str]]) -> Grid:
    """Return words as the numbers of their choices, in columns all of whose entries are known words, each once."""
    table, turned = grid.table.copy(), []
    for name, known in choices.items():
        codes = {" ".join(word.split()): code for code, word in known.items()}
        entries = [" ".join(text.split()) for text in table[name]]
        if len(codes) == len(known) and set(entries) - {""} <= set(codes):
            table[name] = pd.Series([codes.get(text, "") for text in entries], dtype=object)
            turned.append(name)
    told = f"answers of {', '.join(turned) or 'no question'} turned into the numbers of their choices"
    return replace(grid, table=table, told=grid.told | {"choices": told})


def _without_previews(grid: Grid) -> Grid:
    preview = grid.column("Participant label") == _PREVIEW
    filled = grid.filled
    remarks = [
        Remark(
            grid.file, grid.sheet, int(grid.rows[row]), None, _PREVIEW, "form", "a preview: no answer of a person",
            int(filled[row].sum()),
        )
        for row in np.flatnonzero(preview)
    ]  # fmt: skip
    table = grid.table[~preview].reset_index(drop=True)
    return replace(grid, table=table, rows=grid.rows[~preview], remarks=(*grid.remarks, *remarks))


FORMAT = Format(
    id="expiwell",
    title="ExpiWell",
    endings=(),
    reads="answers at the start of each survey, words as the numbers of their choices, wording of questions; previews "
    "are left out and listed",
    leaves="whose answer options the file does not number, which stay words",
    library="",
    truth="a table of the layout that two public analysis scripts read",
    read=read_expiwell,
    recognises=is_expiwell,
)
