"""Tables as plain text: any separator, encoding and line end; each is found from the file and said."""

import csv
import gzip
import io
import zlib
from collections import Counter
from pathlib import Path

from dyadloop.exchange.formats.format import MOST_BYTES, Format, Settings, refusal, sound_file
from dyadloop.exchange.formats.rows import Place, shaped
from dyadloop.exchange.grid import Grid

SEPARATORS = {";": "semicolons", "\t": "tabs", ",": "commas", "|": "bars"}
_SAMPLE = 200  # lines from which the separator is told
_FEW_NULS = 0.2  # text in UTF-16 has one in two bytes 0
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_OTHERS = {
    b"PK\x03\x04": "a ZIP archive or Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"$FL": "an SPSS file",
    b"%PDF": "a PDF",
    b"version https://git-lfs": "a pointer to a file that Git LFS holds elsewhere",
    b"\x89PNG": "a picture",
}


def read_delimited(path: Path, settings: Settings) -> list[Grid]:
    """Return the one table of a text file.

    ``settings`` may say ``encoding``, ``delimiter``, ``header_row`` and ``fill_short_rows``.

    Raises
    ------
    DataError
        If the file is no text, has an unclosed quote, or no headings.
    """
    text, told = decoded(path, settings)
    rows, lines, told = split_rows(path, text, settings, told)
    return [shaped(place_of(path, settings), rows, lines, told)]


def place_of(path: Path, settings: Settings, header_row: int | None = None) -> Place:
    """Return where a text table stands, with what the settings say of it."""
    row = settings.get("header_row", header_row)
    return Place(path, "", row, bool(settings.get("fill_short_rows")))


def decoded(path: Path, settings: Settings) -> tuple[str, dict[str, str]]:
    """Return the text of a file and how it was decoded.

    Raises
    ------
    DataError
        If it is no text.
    """
    raw = _bytes(sound_file(path))
    for start, kind in _OTHERS.items():
        if raw.startswith(start):
            raise refusal(path, kind, "a text table", "give the file its own ending, or export the table as CSV")
    encoding, why = _encoding(path, raw, settings)
    try:
        text = raw.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise refusal(path, f"no text in {encoding} ({error})", "text", "correct `encoding`, or export again") from None
    if "\x00" in text:
        row = text[: text.index("\x00")].count("\n") + 1
        raise refusal(path, "a NUL character: damaged, or no text", "text", "export it again", row)
    return text.replace("\r\n", "\n").replace("\r", "\n"), {"encoding": f"{encoding}: {why}"}


def _bytes(path: Path) -> bytes:
    raw = path.read_bytes()
    if not raw.startswith(b"\x1f\x8b"):
        return raw
    try:
        with gzip.open(io.BytesIO(raw)) as stream:
            found = stream.read(MOST_BYTES + 1)
    except (EOFError, zlib.error, OSError) as error:
        raise refusal(path, f"a compressed file that is damaged ({error})", "a whole file", "copy it again") from None
    if len(found) > MOST_BYTES:
        raise refusal(path, "a compressed file of more than 2 GiB", "at most 2 GiB", "unpack and split it")
    return found


def _encoding(path: Path, raw: bytes, settings: Settings) -> tuple[str, str]:
    if settings.get("encoding"):
        return str(settings["encoding"]), "as the mapping says"
    for mark, encoding in _MARKS.items():
        if raw.startswith(mark):
            return encoding, "its byte-order mark"
    head = raw[:4000]
    if head.count(0) > _FEW_NULS * len(head):
        wide = "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
        return wide, "every second byte is 0"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = raw[error.start : error.start + 1]
        letter = byte.decode("cp1252", "replace")
        return "cp1252", f"not UTF-8; byte 0x{byte.hex()} is {letter!r} in Windows-1252, as Excel writes it"
    return "utf-8", "every byte fits"


def split_rows(
    path: Path, text: str, settings: Settings, told: dict[str, str]
) -> tuple[list[list[str]], list[int], dict[str, str]]:
    """Return the rows of a text with the line that each begins in, and how they were split.

    Raises
    ------
    DataError
        If a quote is not closed.
    """
    begin = 1
    if text[:5].lower().startswith("sep=") and "\n" in text:
        first, text = text.split("\n", 1)
        begin, settings = 2, {"delimiter": first[4:5] or "\t", **settings}
    delimiter, why = _delimiter(path, text, settings)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    rows, lines, line = [], [], begin
    known: dict[str, str] = {}  # each different text once: tables repeat few
    try:
        for row in reader:
            if any(field.strip() for field in row):
                rows.append([known.setdefault(field, field) for field in row])
                lines.append(line)
            line = reader.line_num + begin
    except csv.Error as error:
        got = f"a row whose quotes do not fit ({error})"
        raise refusal(path, got, "quotes in pairs around a field", "mend the quotes of this row", line) from None
    return rows, lines, told | {"delimiter": why}


def _delimiter(path: Path, text: str, settings: Settings) -> tuple[str, str]:
    given = settings.get("delimiter")
    if given:
        if len(str(given)) != 1:
            raise refusal(path, f"the delimiter {given!r}", "one character", "correct `delimiter` in the mapping")
        return str(given), f"{given!r}, as the file or the mapping says"
    sample = text.split("\n")[:_SAMPLE]
    found = {mark: _consistency(sample, mark) for mark in SEPARATORS}
    best = max(found, key=lambda mark: found[mark])
    share, width = found[best]
    if not width:
        return ",", "no separator: one column"
    return best, f"{SEPARATORS[best]}: {width + 1} fields in {share:.0%} of the first rows"


def _consistency(lines: list[str], mark: str) -> tuple[float, int]:
    """Return the share of rows that have the most frequent number of fields, and that number less one."""
    try:
        counts = Counter(len(row) - 1 for row in csv.reader(lines, delimiter=mark) if row)
    except csv.Error:
        return 0.0, 0
    counts.pop(0, None)
    if not counts:
        return 0.0, 0
    width, rows = max(counts.items(), key=lambda item: (item[1], item[0]))
    return rows / max(1, sum(bool(line.strip()) for line in lines)), width


FORMAT = Format(
    id="csv",
    title="CSV and other text tables",
    endings=(".csv", ".tsv", ".txt", ".tab", ".dat", ".csv.gz", ".tsv.gz"),
    reads="semicolons, tabs, commas, bars; UTF-8, UTF-16, Windows-1252; decimal commas; title lines; `sep=` of Excel",
    leaves="rows with more or fewer fields than headings, which are listed",
    library="",
    truth="the same table written in every dialect",
    read=read_delimited,
)
