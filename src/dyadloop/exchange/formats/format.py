"""What a format is: how its files are recognised, read, and what of them is left out."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from dyadloop.errors import DataError, Fault
from dyadloop.exchange.grid import Grid

MOST_BYTES = 2 * 2**30
"""Largest file that is read."""
MOST_CELLS = 60_000_000
"""Most cells of one table."""
LONGEST_CELL = 100_000
"""Longest text of a cell; longer ones are refused."""

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Format:
    """One kind of file.

    Attributes
    ----------
    id
        Name in import.yaml.
    title
        What it is called where it comes from.
    endings
        Endings of its files; empty where the content tells it.
    reads, leaves
        What is read and what is not, for the table of formats.
    library
        The library that it is read with; empty where it is ours.
    truth
        What its tests compare with.
    read
        Returns the tables of a file.
    recognises
        Tells from a file, or from the headings of a table, whether it is of this kind; None where the ending tells it.
    """

    id: str
    title: str
    endings: tuple[str, ...]
    reads: str
    leaves: str
    library: str
    truth: str
    read: Callable[[Path, Settings], list[Grid]]
    recognises: Callable[[Path], bool] | None = field(default=None, repr=False)


def refusal(path: Path | str, got: str, expected: str, remedy: str, row: int | None = None) -> DataError:
    """Return the error of a file that cannot be read."""
    name = path.name if isinstance(path, Path) else path
    return DataError(str(path), [Fault(name, row, None, got, expected, remedy)])


def library(name: str, path: Path, what: str) -> ModuleType:
    """Return an optional library, or say how to get it.

    Raises
    ------
    DataError
        If it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        remedy = "install it with `pip install 'dyadloop[io]'`, or export the table as CSV"
        raise refusal(path, f"{what}, which needs the library {name}", "the extra `io`", remedy) from None


def sound_file(path: Path, most: int | None = MOST_BYTES) -> Path:
    """Return a file that can be read; ``most`` is the largest size in bytes, None where it is read piece by piece.

    Raises
    ------
    DataError
        If there is none, it is empty, or it is too large.
    """
    if not path.is_file():
        raise refusal(path, "no such file", "a file", "check the path")
    size = path.stat().st_size
    if not size:
        raise refusal(path, "an empty file", "a table", "export it again")
    if most is not None and size > most:
        raise refusal(path, f"{size} bytes", "at most 2 GiB", "split the file")
    return path
