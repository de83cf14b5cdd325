"""Read a published table as it was downloaded, before it is converted into a study folder."""

from collections.abc import Mapping
from pathlib import Path

from dyadloop.data.sheet import read_sheet
from dyadloop.data.table import number_fault, told_number
from dyadloop.errors import DataError, Fault

GAPS = ("", "NA")
"""How the published tables write that there is no value."""


def read_published(
    source: Path,
    columns: tuple[str, ...],
    expected: str,
    numbers: tuple[str, ...] = (),
    needed: tuple[str, ...] = (),
    choices: Mapping[str, tuple[str, ...]] | None = None,
) -> list[dict[str, str]]:
    """Return the rows of a published table that has at least some columns.

    Parameters
    ----------
    source
        The downloaded file.
    columns
        Columns that it must have.
    expected
        Which table it should be, for messages.
    numbers
        Columns of numbers, which may have gaps.
    needed
        Columns of numbers without gaps.
    choices
        Columns of a few codes.

    Raises
    ------
    DataError
        If there is no such file, its form is unsound, a column is absent, or a number is none; all faults at once.
    """
    if not source.is_file():
        raise DataError(str(source), [Fault(source.name, None, None, "no such file", expected, "check the path")])
    faults: list[Fault] = []
    sheet = read_sheet(source, faults, columns)
    if sheet is None:
        told = [Fault(f.file, f.row, f.column, f.got, f"{f.expected}, as in {expected}", f.remedy) for f in faults]
        raise DataError(str(source), told)
    records: list[dict[str, str]] = sheet.text().to_dict("records")  # pyright: ignore[reportAssignmentType]
    for row, record in enumerate(records, start=2):
        for column in (*numbers, *needed):
            text = record[column]
            gap = text in GAPS and column in numbers
            if not gap and told_number(text) != told_number(text):
                faults.append(number_fault(source.name, row, column, text))
        for column, known in (choices or {}).items():
            if record[column] not in known:
                got, allowed = repr(record[column]), f"one of {', '.join(known)}"
                faults.append(Fault(source.name, row, column, got, allowed, "check the file"))
    if faults:
        raise DataError(str(source), faults)
    return records
