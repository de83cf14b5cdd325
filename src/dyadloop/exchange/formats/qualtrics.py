"""Qualtrics: three rows of headings, and previews among the answers."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from dyadloop.exchange.formats.delimited import decoded, place_of, split_rows
from dyadloop.exchange.formats.format import Format, Settings
from dyadloop.exchange.formats.headings import first_rows
from dyadloop.exchange.formats.rows import shaped
from dyadloop.exchange.grid import Grid, Remark

_OWN = (
    "StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)", "Finished", "RecordedDate",
    "ResponseId", "RecipientLastName", "RecipientFirstName", "RecipientEmail", "ExternalReference", "LocationLatitude",
    "LocationLongitude", "DistributionChannel", "UserLanguage",
)  # fmt: skip
_PREVIEWS = ("Survey Preview", "1", "Survey Test", "2", "Spam", "8", "Preview Spam", "9")
_IMPORT = '{"ImportId"'


def is_qualtrics(path: Path) -> bool:
    """Return whether the third row of a text table holds the identifiers of Qualtrics."""
    rows = first_rows(path, 3)
    return len(rows) == 3 and bool(rows[2]) and rows[2][0].startswith(_IMPORT)


def read_qualtrics(path: Path, settings: Settings) -> list[Grid]:
    """Return the answers; the second row of headings becomes their wording, the third is left out.

    Raises
    ------
    DataError
        If the file is no table.
    """
    text, told = decoded(path, settings)
    rows, lines, told = split_rows(path, text, settings, told)
    words = rows[1] if len(rows) > 1 else []
    kept = [k for k, row in enumerate(rows) if k not in (1, 2)]
    grid = shaped(place_of(path, settings, 1), [rows[k] for k in kept], [lines[k] for k in kept], told)
    names = list(grid.table.columns)
    labels = {name: " ".join(word.split()) for name, word in zip(names, words, strict=False) if word.strip() != name}
    grid = _without_previews(replace(grid, labels=labels))
    own = tuple(name for name in names if name in _OWN or name.endswith(("_Click", "_Submit", "_Count")))
    hints: dict[str, object] = {"format": "Qualtrics", "not_scores": own}
    if "ExternalReference" in names and (grid.column("ExternalReference") != "").any():
        hints["dyad"] = "ExternalReference"
    if "StartDate" in names:
        hints["date"] = "StartDate"
    return [replace(grid, hints=hints)]


def _without_previews(grid: Grid) -> Grid:
    """Leave out rows that the survey's authors made while they tried it."""
    if "Status" not in grid.table:
        return grid
    preview = np.isin(grid.column("Status").astype(str), _PREVIEWS)
    filled = grid.filled
    remarks = [
        Remark(
            grid.file, grid.sheet, int(grid.rows[row]), None, str(grid.column("Status")[row]), "form",
            "a preview, a test or spam, by its Status: no answer of a person", int(filled[row].sum()),
        )
        for row in np.flatnonzero(preview)
    ]  # fmt: skip
    table = grid.table[~preview].reset_index(drop=True)
    return replace(grid, table=table, rows=grid.rows[~preview], remarks=(*grid.remarks, *remarks))


FORMAT = Format(
    id="qualtrics",
    title="Qualtrics",
    endings=(),
    reads="CSV exports: three rows of headings, wording of questions; previews, tests and spam are left out and listed",
    leaves="SPSS exports are read as SPSS; timings; loops are columns of their own",
    library="",
    truth="a table with the three rows of its export",
    read=read_qualtrics,
    recognises=is_qualtrics,
)
