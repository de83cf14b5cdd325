"""Recordings as text: every row is read or the file is refused; a column that nobody uses need not hold numbers.

Delimiters are tabs, semicolons, commas or blanks; a byte-order mark and UTF-16 are recognised. An empty field, ``n/a``,
``NA`` (R) and ``NaN`` are gaps, and so are the values that the user declares.
"""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dyadloop.data.text import read_text as read_file
from dyadloop.errors import Fault
from dyadloop.signals.faults import refuse

GAPS = ["", "n/a", "NA", "N/A", "NaN", "nan", "<NA>"]
_CHUNK_ROWS = 200_000
_WORDS = {"\t": "tabs", ";": "semicolons", ",": "commas", " ": "blanks"}
_COUNTERS = ("frame", "frame_id", "frame_number")
Progress = Callable[[int, int], None]


@dataclass
class Text:
    """A recording as it stands in its file.

    Attributes
    ----------
    file
        Name of the file.
    table
        Its columns of numbers, NaN where a gap is.
    faults
        Per column that is not all numbers: what is wrong, for whoever asks for it.
    header
        Whether the first row holds names.
    first_row
        Row of the file that holds the first sample.
    raw
        Columns that are not all numbers, as they stand in the file.
    names
        All columns in their order, usable or not, without a row index.
    """

    file: str
    table: pd.DataFrame
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    header: bool = False
    first_row: int = 1
    raw: dict[str, list[str]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)

    def texts(self, name: str) -> list[str]:
        """Return a column that is not all numbers as it stands in the file."""
        return self.raw[name]


def text_of(path: Path) -> str:
    """Return a file as text with line ends of one kind; a damaged or unknown one is refused by name."""
    faults: list[Fault] = []
    text = (read_file(path, path.name, faults, old_ends=True) or "").rstrip("\n ")
    refuse(faults)
    if not text.strip():
        refuse([Fault(path.name, None, None, "empty", "samples", "export it again")])
    return text


def read_text(path: Path, text: str, columns: Sequence[str] | None = None, progress: Progress | None = None) -> Text:
    """Read the samples of a file.

    Parameters
    ----------
    path, text
        File, and what :func:`text_of` found in it.
    columns
        Names of the columns where the file has none.
    progress
        Called with rows done and their number.

    Raises
    ------
    MeasureError
        If the rows are not all of one width.
    """
    skipped = 0
    if text[:4].lower() == "sep=":  # Excel's note to itself
        text, skipped = text.partition("\n")[2], 1
    first, _, rest = text.partition("\n")
    mark = delimiter(first)
    fields, second = split(first, mark), rest.partition("\n")[0].split()
    if mark == " " and len(fields) > 1 == len(second) and path.name.lower().endswith((".tsv", ".tsv.gz")):
        mark, fields = "\t", [first.strip()]  # one column whose name has blanks
    header = _is_header(fields, split(rest.partition("\n")[0], mark))
    if header:
        text = rest
    else:
        _refuse_lookalikes(path.name, fields, split(rest.partition("\n")[0], mark), mark, skipped + 1)
    if mark == " ":
        text = text.replace("\t", " ")
    if text.count('"') % 2:
        row = next(k for k, line in enumerate(text.split("\n")) if line.count('"') % 2) + skipped + 1 + header
        refuse([Fault(path.name, row, None, "an unclosed quote", "quotes in pairs", "remove the quote, or close it")])
    text = text.replace('"', "") if mark == " " else text
    width = len(fields)
    first_row = skipped + 1 + header
    refuse(_ragged(path.name, text, mark, width, first_row))
    names = _unique(fields) if header else [str(k + 1) for k in range(width)]
    if not header and columns is not None and len(columns) == width:
        names = [str(column) for column in columns]
    raw = _parsed(path.name, text, mark, width, progress)
    return _sorted_out(path.name, raw, names, header, first_row)


def delimiter(line: str) -> str:
    """Return what separates the fields of a line."""
    return next((mark for mark in "\t;," if mark in line), " ")


def split(line: str, mark: str) -> list[str]:
    """Return the fields of a line, freed of quotes and blanks."""
    if mark == " ":
        return line.replace('"', "").split()
    found = next(csv.reader([line], delimiter=mark, skipinitialspace=True), [])
    return [text.strip() for text in found]


def is_number(text: str) -> bool:
    """Return whether a field is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return text.casefold() not in ("nan", "inf", "infinity") and "_" not in text


def _is_header(fields: list[str], following: list[str]) -> bool:
    """Return whether the first row holds names: text and no number, or pandas' numbered columns beside an index."""
    numbers = [is_number(text) for text in fields]
    if any(text not in GAPS for text in fields) and not any(numbers):
        return True
    numbered = fields[1:] == [str(k) for k in range(len(fields) - 1)] and len(fields) > 1
    return bool(fields) and fields[0] == "" and numbered and following[:1] == ["0"]


def _refuse_lookalikes(file: str, fields: list[str], following: list[str], mark: str, row: int) -> None:
    """Refuse a first row that only looks like samples: column numbers, or decimals with a comma."""
    if len(fields) > 1 and fields == [str(k) for k in range(len(fields))] and any("." in text for text in following):
        got = f"{', '.join(fields)} above decimals: column numbers, it seems"
        refuse([Fault(file, row, None, got, "names or samples", "name the columns, or remove the row")])
    second = [text for line in (fields, following) for text in line[1:2]]
    if mark == "," and any(len(text) > 1 and text[0] == "0" and text.isdigit() for text in second):
        got = f"{','.join(fields)}: a decimal comma, it seems"
        refuse([Fault(file, row, None, got, "decimals with a point", "export it with decimal points")])


def _ragged(file: str, text: str, mark: str, width: int, first_row: int) -> list[Fault]:
    """Return a fault per row that has more or fewer fields than the first."""
    if '"' in text and mark != " ":
        counts = np.array([len(row) for row in csv.reader(text.split("\n"), delimiter=mark, skipinitialspace=True)])
        counts = np.where(counts == 0, 1, counts)
    else:
        counts = _counts(np.frombuffer(text.encode() + b"\n", dtype=np.uint8), mark)
    if width == 1:
        counts = np.where(counts == 0, 1, counts)  # an empty line in a file of one column is a gap
    wanted = f"one value per column: {width}, as in the first row"
    remedy = f"mend the {_WORDS[mark]} of this row; write gaps as n/a, decimals with a point"
    return [
        Fault(file, first_row + int(place), None, f"{int(counts[place])} values", wanted, remedy)
        for place in np.flatnonzero(counts != width)
    ]


def _counts(raw: NDArray[np.uint8], mark: str) -> NDArray[np.int64]:
    """Return the number of fields of every line."""
    ends = np.flatnonzero(raw == 10)
    if mark != " ":
        found = np.searchsorted(np.flatnonzero(raw == ord(mark)), ends)
        return np.diff(found, prepend=0) + 1
    blank = (raw == 32) | (raw == 10)
    begins = np.flatnonzero(~blank & np.concatenate([[True], blank[:-1]]))
    return np.diff(np.searchsorted(begins, ends), prepend=0)


def _parsed(file: str, text: str, mark: str, width: int, progress: Progress | None) -> pd.DataFrame:
    """Return the fields by column number, as numbers where a column holds nothing else."""
    total = text.count("\n") + 1
    reader = pd.read_csv(
        io.StringIO(text),
        sep=r"\s+" if mark == " " else mark,
        header=None,
        names=list(range(width)),
        chunksize=_CHUNK_ROWS,
        keep_default_na=False,
        na_values=GAPS,
        skipinitialspace=True,
        skip_blank_lines=False,
        index_col=False,
    )
    parts, done = [], 0
    try:
        for part in reader:
            parts.append(part)
            done += len(part)
            if progress is not None:
                progress(min(done, total), total)
    except pd.errors.ParserError as error:
        got, wanted = f"rows that cannot be told apart ({' '.join(str(error).split())})", "one value per column"
        refuse([Fault(file, None, None, got, wanted, "remove the quotes")])
    return pd.concat(parts, ignore_index=True)


def _unique(fields: list[str]) -> list[str]:
    """Return names of columns; one without a name is called by its place."""
    return [name or ("" if place == 0 else f"column {place + 1}") for place, name in enumerate(fields)]


def _sorted_out(file: str, raw: pd.DataFrame, names: list[str], header: bool, first_row: int) -> Text:
    """Return the columns of numbers, and why the others are none."""
    found: dict[str, NDArray[np.float64]] = {}
    faults: dict[str, list[Fault]] = {}
    texts: dict[str, list[str]] = {}
    for place, name in enumerate(names):
        numbers, wrong = _numbers(raw[place], file, name, first_row)
        if (header and place == 0 and name in ("", "Unnamed: 0")) or name in _COUNTERS:
            if not wrong and len(numbers) > 1:
                refuse(_jumps(numbers, file, name, first_row))
            if name not in _COUNTERS:
                continue
        if names.count(name) > 1:
            wrong = [Fault(file, 1, name, "a column name used twice", "unique names", "rename one of them")]
        if wrong:
            faults.setdefault(name, wrong)
            texts[name] = [str(value).strip() for value in raw[place]]
        else:
            found[name] = numbers
    if len(raw) < 2:
        refuse([Fault(file, None, None, f"{len(raw)} samples", "at least 2", "export it again")])
    order = [name for name in names if name in found or name in faults]
    return Text(file, pd.DataFrame(found, index=range(len(raw))), faults, header, first_row, texts, order)


def _numbers(column: pd.Series, file: str, name: str, first_row: int) -> tuple[NDArray[np.float64], list[Fault]]:
    if column.dtype.kind in "iuf":
        numbers = column.to_numpy(dtype=np.float64)
        bad = np.isinf(numbers)
    else:
        texts = column.map(lambda value: value.strip() if isinstance(value, str) else value)
        texts = texts.where(~texts.isin(GAPS))
        truth = texts.map(lambda value: isinstance(value, bool))
        numbers = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64)
        bad = (np.isnan(numbers) & texts.notna().to_numpy()) | np.isinf(numbers) | truth.to_numpy(dtype=bool)
    remedy = "write gaps as n/a and decimals with a point"
    return numbers, [
        Fault(file, first_row + int(place), name, repr(_plain(column.iloc[place])), "a number", remedy)
        for place in np.flatnonzero(bad)
    ]


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else value


def _jumps(numbers: NDArray[np.float64], file: str, name: str, first_row: int) -> list[Fault]:
    """Return a fault where a row index or frame counter jumps: rows were taken out, and time with them."""
    steps = np.diff(numbers)
    if np.isnan(steps).any() or np.median(steps) <= 0:
        return []
    return [
        Fault(
            file, first_row + int(place) + 1, name or "row index", f"{numbers[place + 1]:g} after {numbers[place]:g}",
            "an even count: rows were taken out or doubled", "write a row of n/a for each that is missing",
        )
        for place in np.flatnonzero(steps != np.median(steps))
    ]  # fmt: skip
