"""From text to numbers, with the decimal mark that a table uses; what is ambiguous is no number."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?(\d+(,\d*)?|,\d+)([eE][+-]?\d+)?")
_GROUPED = {
    ",": re.compile(r"[+-]?\d{1,3}([.' \u00a0\u202f]\d{3})+(,\d+)?"),
    ".": re.compile(r"[+-]?\d{1,3}([,' \u00a0\u202f]\d{3})+(\.\d+)?"),
}
_OTHER_MARK = {",": re.compile(r"[+-]?\d+\.(\d{1,2}|\d{4,})"), ".": re.compile(r"[+-]?\d+,(\d{1,2}|\d{4,})")}
_ONE_GROUP = re.compile(r"[+-]?\d{1,3}[.,]\d{3}")  # 1.234 may be a thousand or little more than one
_UNIT = re.compile(
    r"^(?P<number>[+-]?[\d.,]+)\s*(?:%|points?|punkte?|pts?\.?|pg/ml|ng/ml|min\.?|minuten|minutes)$", re.IGNORECASE
)
_LIMIT = re.compile(r"^(?P<sign><|>|≤|≥|&lt;|&gt;)=?\s*(?P<number>.+)$")
_BELOW = ("<", "≤", "&lt;")
EXAMPLE = {",": "3,5", ".": "3.5"}


@dataclass(frozen=True)
class Number:
    """A number told from text: its value, whether it is a limit, and what was changed to read it."""

    value: float
    limit: str = ""
    changed: str = ""


def told(text: str, decimal: str) -> Number | None:
    """Return the number of a text, None where it is none or could be two.

    Parameters
    ----------
    text
        Without blanks around it.
    decimal
        ``,`` or ``.``: the decimal mark of the table.
    """
    bare = text.replace("\u2212", "-")
    found = _bare(bare, decimal)
    if found is not None:
        return Number(found) if bare == text else Number(found, changed="a minus sign of typesetting")
    if match := _LIMIT.match(bare):
        inner = told(match["number"].strip(), decimal)
        if inner is None or inner.limit:
            return None
        return Number(inner.value, "below" if match["sign"] in _BELOW else "above", f"a limit: {text}")
    if _GROUPED[decimal].fullmatch(bare) and not _ONE_GROUP.fullmatch(bare):
        plain = re.sub(r"[.' \u00a0\u202f]" if decimal == "," else r"[,' \u00a0\u202f]", "", bare)
        return Number(float(plain.replace(",", ".")), changed="marks for thousands taken out")
    if _OTHER_MARK[decimal].fullmatch(bare):
        return Number(float(bare.replace(",", ".")), changed="the other decimal mark than elsewhere in the table")
    if match := _UNIT.match(bare):
        inner = told(match["number"], decimal)
        return None if inner is None else Number(inner.value, changed="the unit behind it taken off")
    return None


def _bare(text: str, decimal: str) -> float | None:
    pattern = _COMMA if decimal == "," else _PLAIN
    if not text.isascii() or not pattern.fullmatch(text):
        return None
    value = float(text.replace(",", "."))
    return value if abs(value) < 1e300 else None


def decimal_mark(texts: Mapping[str, int]) -> tuple[str, str]:
    """Return the decimal mark that numbers use, and the reason; ``?`` where both or ambiguous forms occur alike.

    ``texts`` are entries with how often each occurs.
    """
    commas = points = grouped = 0
    for text, count in texts.items():
        if re.fullmatch(r"[<>]?\s*[+-]?\d+,\d+", text):
            grouped += count * bool(re.fullmatch(r".*\d,\d{3}", text))
            commas += count
        elif re.fullmatch(r"[<>]?\s*[+-]?\d+\.\d+", text):
            points += count
    if not commas:
        return ".", f"{points} numbers with a point, none with a comma" if points else "whole numbers only"
    if commas == grouped:
        return "?", f"{commas} numbers such as 1,234: a decimal comma, or a mark for thousands?"
    if points > commas:
        return ".", f"{points} numbers with a point, {commas} with a comma"
    if points == commas:
        return "?", f"{points} numbers with a point and as many with a comma"
    return ",", f"{commas} numbers with a comma, {points} with a point"
