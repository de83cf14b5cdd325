"""Praat TextGrids, long and short: intervals with words are speech, empty ones are silence."""

import re
from pathlib import Path

import pandas as pd

from dyadloop.exchange.formats.format import refusal
from dyadloop.exchange.transcripts.turn import Turns, refuse_mixed, text_of

_NAME = r"[A-Za-z][A-Za-z ]*\[\d*\]\s*:?|(?:xmin|xmax|text|mark|number|time|name|class|size)\s*="
_TOKEN = re.compile(rf'"((?:[^"]|"")*)"|<(exists|absent)>|(?:{_NAME})|([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)')
"""A quoted text, a flag, the name of a value, or a number: names within quotes are words."""


def read_textgrid(path: Path, tiers: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return the intervals with words of each tier; its name is the speaker.

    Raises
    ------
    DataError
        If the file is no TextGrid, ``tiers`` names one that is not there, or tiers must be named.
    """
    text = text_of(path)
    if "TextGrid" not in text[:200]:
        raise refusal(path, "a text without the word TextGrid", "a TextGrid of Praat", "save it from Praat")
    values = [_value(match) for match in _TOKEN.finditer(text) if match.lastindex]
    found = Turns(path.name)
    try:
        at = values.index("TextGrid") + 3  # the ends of the whole
        if values[at] == "exists":
            at += 1
        count, at, names = int(float(values[at])), at + 1, []
        for _ in range(count):
            kind, name, size = values[at], str(values[at + 1]), int(float(values[at + 4]))
            at += 5
            names.append(name)
            width = 3 if kind == "IntervalTier" else 2
            entries = [values[at + width * k : at + width * (k + 1)] for k in range(size)]
            at += width * size
            _add(found, str(kind), name, entries, tiers)
    except (ValueError, IndexError, TypeError) as error:
        raise refusal(path, f"a TextGrid that breaks off ({error})", "a whole TextGrid", "save it from Praat") from None
    if not tiers:
        refuse_mixed(path, names)
    if absent := [name for name in tiers if name not in names]:
        raise refusal(path, f"no tier {', '.join(absent)}", f"one of {', '.join(names)}", "correct the name")
    return found.table()


def _value(match: re.Match[str]) -> str:
    return match[1].replace('""', '"') if match[1] is not None else match[2] or match[3]


def _add(found: Turns, kind: str, name: str, entries: list[list[str]], tiers: tuple[str, ...]) -> None:
    if kind != "IntervalTier" or (tiers and name not in tiers):
        words = [entry for entry in entries if str(entry[-1]).strip()]
        found.left_out += [f"tier {name!r}: {len(words)} entries, no intervals of speech"] if words else []
        return
    for start, end, text in entries:
        if text.strip():
            found.add(name, float(start), float(end), text, f"tier {name!r}")
