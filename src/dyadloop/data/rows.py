"""From text to fields: quotes, delimiters and ragged rows; the rules that all tables share."""

from dyadloop.errors import Fault

WORDS = {"\t": "tabs", ";": "semicolons", ",": "commas"}
"""Delimiters that are known, in words."""


class OpenQuote(ValueError):
    """A quote that is not closed in its row; ``place`` counts the fields before it."""

    def __init__(self, place: int) -> None:
        self.place = place
        super().__init__(f"field {place + 1} has an unclosed quote")


def told_delimiter(header: str, required: tuple[str, ...] = ()) -> str:
    """Return what separates the fields of a header: the mark that frees the required names, or the most frequent."""
    for mark in WORDS:
        if mark in header and required and set(required) <= {name.strip('"') for name in header.split(mark)}:
            return mark
    return max(WORDS, key=header.count)


def split_fields(line: str, delimiter: str) -> list[str]:
    """Return the fields of a row; a field that begins with a double quote ends with one and is freed of both.

    Raises
    ------
    OpenQuote
        If a quote is not closed in its row.
    """
    if '"' not in line:
        return line.split(delimiter)
    fields, at = [], 0
    while True:
        if line.startswith('"', at):
            end = _closing(line, at + 1) + 1
            if end == 0 or line[end : end + 1] not in ("", delimiter):
                raise OpenQuote(len(fields))
            fields.append(line[at + 1 : end - 1].replace('""', '"'))
        else:
            end = line.find(delimiter, at)
            end = len(line) if end < 0 else end
            if line[at:end].count('"') % 2:
                raise OpenQuote(len(fields))
            fields.append(line[at:end])
        if end >= len(line):
            return fields
        at = end + 1


def _closing(line: str, at: int) -> int:
    """Return the place of the quote that closes a field, or -1; two in a row stand for one."""
    while (at := line.find('"', at)) >= 0 and line.startswith('""', at):
        at += 2
    return at


def row_fault(file: str, row: int, line: str, header: list[str], delimiter: str) -> Fault | None:
    """Return what is wrong with the form of a row: empty, an unclosed quote, too many or too few fields."""
    if not line.strip():
        return Fault(file, row, None, "an empty row", "one record per row", "remove the row")
    try:
        count = len(split_fields(line, delimiter))
    except OpenQuote as error:
        column = header[error.place] if error.place < len(header) else None
        remedy = "remove the quote, or close it in the same row"
        return Fault(file, row, column, "an unclosed quote", "quotes in pairs, without line breaks", remedy)
    width = len(header)
    if count == width:
        return None
    got = f"{count} fields, {abs(count - width)} too {'many' if count > width else 'few'}"
    if count == 1 and any(mark in line for mark in WORDS if mark != delimiter):
        got += " (another delimiter than in the header?)"
    elif count == width + 1 and delimiter != ",":
        got += " (row names without a heading?)"
    elif count > width and delimiter == ",":
        got += " (decimal commas, or row names without a heading?)"
    return Fault(file, row, None, got, f"{width} fields", f"mend the {WORDS[delimiter]} of this row")
