"""Read a published table as it was downloaded, before it is converted into a study folder."""

import csv
from pathlib import Path

from dyadloop.errors import DataError, Fault


def read_published(source: Path, columns: tuple[str, ...], expected: str) -> list[dict[str, str]]:
    """Return the rows of a comma-separated table that has at least some columns.

    Raises
    ------
    DataError
        If there is no such file, or it lacks a column; ``expected`` says which table it should be.
    """
    if not source.is_file():
        raise DataError(str(source), [Fault(source.name, None, None, "no such file", expected, "check the path")])
    with source.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        absent = [column for column in columns if column not in (reader.fieldnames or [])]
        if absent:
            faults = [Fault(source.name, 1, c, "no such column", expected, "check the file") for c in absent]
            raise DataError(str(source), faults)
        return list(reader)
