"""CHAT (.cha): main lines with a time mark behind them."""

import re
from pathlib import Path

import pandas as pd

from dyadloop.exchange.formats.format import refusal
from dyadloop.exchange.transcripts.turn import Turns, text_of

_MARK = re.compile("\x15(\\d+)_(\\d+)\x15|•(\\d+)_(\\d+)•")


def read_chat(path: Path, tiers: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return the main lines (``*PAR:``) that have times [ms]; the others are left out, and said.

    Raises
    ------
    DataError
        If the file is no CHAT, or no line has times.
    """
    text = text_of(path)
    if not re.search(r"^@Begin|^\*\w+:", text, re.MULTILINE):
        raise refusal(path, "no line such as *PAR:", "a CHAT file", "export it again")
    found = Turns(path.name)
    for line in re.sub(r"\n[ \t]+", " ", text).split("\n"):
        match = re.match(r"\*(\w+):\s*(.*)$", line)
        if match is None or (tiers and match[1] not in tiers):
            continue
        marks = [tuple(int(part) for part in mark if part) for mark in _MARK.findall(match[2])]
        start, end = (marks[0][0] / 1000, marks[-1][1] / 1000) if marks else (None, None)
        found.add(match[1], start, end, _MARK.sub("", match[2]), f"line of {match[1]}")
    return found.table()
