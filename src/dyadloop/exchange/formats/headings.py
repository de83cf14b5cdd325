"""The first rows of a text file, from which programs are recognised by their headings."""

from pathlib import Path

from dyadloop.errors import DataError
from dyadloop.exchange.formats.delimited import SEPARATORS, split_rows

_HEAD_BYTES = 60_000
_ENDINGS = (".csv", ".tsv", ".txt", ".tab")


def first_rows(path: Path, number: int = 1) -> list[list[str]]:
    """Return the first rows of a text table; none where the file is no text table."""
    if not path.is_file() or not path.name.lower().endswith(_ENDINGS):
        return []
    with path.open("rb") as stream:
        raw = stream.read(_HEAD_BYTES)
    wide = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = raw.decode("utf-16" if wide else "utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    if len(raw) == _HEAD_BYTES:
        text = text[: text.rfind("\n") + 1]
    lines = text.split("\n")
    mark = max(SEPARATORS, key=lines[0].count)
    try:
        rows, _, _ = split_rows(path, text, {"delimiter": mark}, {})
    except DataError:
        rows = [line.split(mark) for line in lines if line.strip()]
    return [[" ".join(name.split()) for name in row] for row in rows[:number]]


def first_headings(path: Path) -> list[str]:
    """Return the fields of the first row of a text table; none where the file is no text table."""
    rows = first_rows(path)
    return rows[0] if rows else []
