"""Codes and words that stand for no answer."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from dyadloop.exchange.numbers import told

WORDS = (
    "na", "n/a", "n.a.", "nan", "null", "none", "missing", ".", "-", "--", "k.a.", "k. a.", "ka",
    "keine angabe", "fehlt", "fehlend", "nicht beantwortet", "unbekannt", "unknown", "not answered",
    "no answer", "refused", "#null!", "#n/a", "#nv", "<no-response>", "no response", "weiß nicht",
    "weiss nicht", "don't know", "not applicable", "entfällt",
)  # fmt: skip
"""Words that are taken for missing where they occur, compared without case."""


def words_in(texts: Iterable[str]) -> list[str]:
    """Return the words for a missing answer that occur, as they are written."""
    return sorted({text for text in texts if text.casefold() in WORDS})


def is_missing(text: str, codes: Sequence[str], decimal: str) -> bool:
    """Return whether a text is one of some codes: the same text, the same number, or within a range such as -9..-1."""
    return bool(text) and (text in codes or _by_number(text, tuple(codes), decimal))


@lru_cache(maxsize=100_000)
def _by_number(text: str, codes: tuple[str, ...], decimal: str) -> bool:
    number = told(text, decimal)
    if number is None or number.limit:
        return any(text.casefold() == code.casefold() for code in codes)
    for code in codes:
        low, _, high = code.partition("..")
        ends = [told(end, ".") for end in (low, high or low)]
        if None not in ends and ends[0].value <= number.value <= ends[1].value:  # pyright: ignore[reportOptionalMemberAccess]
            return True
    return False
