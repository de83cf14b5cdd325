"""Headings in two rows, such as Patient and Therapist above the names of scores: both make the name of a column."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dyadloop.exchange.missing import WORDS
from dyadloop.exchange.vocabulary import ROLES, rank

SEARCHED = 20
"""Rows among which headings are looked for."""
_SAMPLE = 200  # rows from which it is told which columns hold numbers
_MOSTLY = 0.8
_NUMBER = re.compile(r"[<>≤≥]?=?\s*[+\-\u2212]?[.,]?\d")
_KEYS, _NAMED = ("dyad", "session", "date", "length"), 60

Span = tuple[int, int]
"""First and last column of a cell that is merged over several."""
Spans = Mapping[int, Sequence[Span]]
"""Merged cells by the row of the file; empty where a format knows of none."""


@dataclass(frozen=True)
class Headings:
    """Names of columns, and the places of the first and the last row that they are from."""

    names: list[str]
    first: int
    last: int


def merged_pair(rows: Sequence[Sequence[str]], lines: Sequence[int], spans: Spans) -> int | None:
    """Return the place of a row whose cells are merged over headings in the row below it; a title is none."""
    for at, line in enumerate(lines[:SEARCHED]):
        if lines[at + 1 : at + 2] != [line + 1]:
            continue
        upper, lower = rows[at], rows[at + 1]
        for left, right in spans.get(line, ()):
            below = [text for text in lower[left : right + 1] if text.strip()]
            if upper[left].strip() and _filled(upper) > 1 and len(below) > 1:
                return at
    return None


def headings_at(rows: Sequence[Sequence[str]], lines: Sequence[int], at: int, spans: Spans) -> Headings:
    """Return the headings of a table whose row of headings stands at a place: of that row, or of two.

    Two rows are taken where one of them alone does not tell the columns apart, or where the upper one names persons.
    """
    pair = merged_pair(rows, lines, spans)
    if pair is None:
        if _is_second(rows, lines, at):
            pair = at
        elif _is_first(rows, lines, at):
            pair = at - 1
    if pair is None:
        return Headings(list(rows[at]), at, at)
    return Headings(_joined(rows[pair], rows[pair + 1], spans.get(lines[pair], ())), pair, pair + 1)


def _is_second(rows: Sequence[Sequence[str]], lines: Sequence[int], at: int) -> bool:
    """Return whether the row below the headings is one of headings too: words where all rows below have numbers."""
    if lines[at + 1 : at + 2] != [lines[at] + 1]:
        return False
    upper, lower = rows[at], rows[at + 1]
    blank = any(text.strip() and not _cell(upper, k) for k, text in enumerate(lower))
    if not (blank or _repeats(upper) or _repeats(lower)):
        return False
    body = rows[at + 2 : at + 2 + _SAMPLE]
    numeric = [k for k, text in enumerate(lower) if text.strip() and _holds_numbers(body, k)]
    texts = [lower[k].strip() for k in numeric]
    return len(texts) > 1 and not any(_NUMBER.match(text) or text.casefold() in WORDS for text in texts)


def _is_first(rows: Sequence[Sequence[str]], lines: Sequence[int], at: int) -> bool:
    """Return whether the row above the headings tells columns apart that carry one name, or names persons."""
    if at == 0 or lines[at - 1] != lines[at] - 1:
        return False
    upper = [text.strip() for text in rows[at - 1] if text.strip()]
    persons = bool(upper) and all(text.casefold() in ROLES for text in upper)
    words = len(upper) > 1 and not any(_NUMBER.match(text) for text in upper)
    return persons or (words and _repeats(rows[at]))


def _holds_numbers(body: Sequence[Sequence[str]], column: int) -> bool:
    texts = [text for row in body if (text := _cell(row, column)) and text.casefold() not in WORDS]
    return bool(texts) and sum(bool(_NUMBER.match(text)) for text in texts) >= _MOSTLY * len(texts)


def _joined(upper: Sequence[str], lower: Sequence[str], spans: Sequence[Span]) -> list[str]:
    """Return the names of two rows as one; a merged cell, or without any a filled one before blanks, reaches on."""
    over = {k: _cell(upper, start) for start, end in spans for k in range(start, end + 1)}
    names, reaching = [], ""
    for k in range(max(len(upper), len(lower))):
        above, below = over.get(k) or _cell(upper, k), _cell(lower, k)
        reaching = above or reaching
        if not above and below and not spans and not any(rank(below, key) >= _NAMED for key in _KEYS):
            above = reaching
        names.append(" ".join(filter(None, (above, below))))
    return names


def _repeats(row: Sequence[str]) -> bool:
    texts = [text.strip().casefold() for text in row if text.strip()]
    return len(set(texts)) < len(texts)


def _filled(row: Sequence[str]) -> int:
    return sum(bool(text.strip()) for text in row)


def _cell(row: Sequence[str], column: int) -> str:
    return row[column].strip() if column < len(row) else ""
