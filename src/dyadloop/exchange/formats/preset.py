"""Programs whose exports are plain tables: recognised by their headings, with what these mean."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dyadloop.errors import DataError
from dyadloop.exchange.formats.delimited import read_delimited
from dyadloop.exchange.formats.excel import read_excel
from dyadloop.exchange.formats.format import Format, Settings
from dyadloop.exchange.formats.headings import first_headings
from dyadloop.exchange.grid import Grid

_BOOKS = (".xlsx", ".xlsm", ".xls", ".ods")


@dataclass(frozen=True)
class Preset:
    """What the headings of a program mean.

    Attributes
    ----------
    title
        Name of the program.
    needs
        Headings that an export always has.
    keys
        Fields of a mapping, such as ``dyad`` and ``date``, and the headings that they may have, best first; a value
        that is no list is taken as it is.
    own
        Tells whether a column is of the program itself, and no answer.
    rows
        Mends the table: rows that are no answers, say.
    """

    title: str
    needs: frozenset[str]
    keys: Mapping[str, Any]
    own: Callable[[str], bool]
    rows: Callable[[Grid], Grid] = field(default=lambda grid: grid)

    def recognises(self, path: Path) -> bool:
        """Return whether a file is an export of the program."""
        if path.suffix.lower() in _BOOKS:
            try:
                return any(self.needs <= set(grid.table.columns) for grid in read_excel(path, {}))
            except DataError:
                return False
        return self.needs <= set(first_headings(path))

    def read(self, path: Path, settings: Settings) -> list[Grid]:
        """Return the tables of an export, with what the program's headings mean.

        Raises
        ------
        DataError
            If the file cannot be read.
        """
        grids = read_excel(path, settings) if path.suffix.lower() in _BOOKS else read_delimited(path, settings)
        return [self.hinted(self.rows(grid)) for grid in grids]

    def hinted(self, grid: Grid) -> Grid:
        """Return a table with what its headings mean."""
        names = list(grid.table.columns)
        hints: dict[str, Any] = dict(grid.hints) | {
            "format": self.title,
            "not_scores": tuple(name for name in names if self.own(name)),
        }
        for key, known in self.keys.items():
            if not isinstance(known, list):
                hints[key] = known
            elif found := [name for name in known if name in names and (grid.column(name) != "").any()]:
                hints[key] = found[0]
        return replace(grid, hints=hints)


def preset_format(id_: str, preset: Preset, reads: str, leaves: str, truth: str) -> Format:
    """Return the format of a preset."""
    return Format(
        id=id_, title=preset.title, endings=(), reads=reads, leaves=leaves, library="", truth=truth, read=preset.read,
        recognises=preset.recognises,
    )  # fmt: skip
