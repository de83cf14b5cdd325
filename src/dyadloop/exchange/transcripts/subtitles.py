"""WebVTT and SubRip: cues with a voice tag or a name before the words."""

import re
from collections import Counter
from pathlib import Path

import pandas as pd

from dyadloop.exchange.formats.format import refusal
from dyadloop.exchange.transcripts.turn import Turns, stamp, text_of

_ARROW = re.compile(r"^\s*([\d:.,]+)\s*-->\s*([\d:.,]+)")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>(.*?)(?=</v>|<v[\s.]|$)", re.DOTALL)
_NAMED = re.compile(r"^\s*(?:\[([^\]\n]{1,40})\]\s*:?|([A-Za-zÄÖÜäöüß_][\w .-]{0,39}?)\s*:)\s+(.*)$")
_RARE, _MANY = 1, 6  # a name before a colon that stands once among so many names is the beginning of a sentence
_TAG = re.compile(r"<[^>]*>")


def read_subtitles(path: Path, tiers: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return the cues as stretches of speech; ``tiers`` keeps some speakers alone.

    A cue without a name is the speaker's of the cue before only where that is said by nothing else: it is left out.

    Raises
    ------
    DataError
        If the file holds no cue with a time, or no speaker is named.
    """
    found = Turns(path.name)
    cues = [cue for number, block in enumerate(re.split(r"\n\s*\n", text_of(path)), 1) if (cue := _cue(number, block))]
    if not cues:
        raise refusal(path, "no cue such as 00:01.000 --> 00:03.500", "WebVTT or SubRip", "export it again")
    names = Counter(name for cue in cues for line in cue[3].split("\n") if (name := _named(line)[0]))
    known = {name for name, count in names.items() if count > _RARE or names.total() < _MANY}
    for where, start, end, text in cues:
        parts = _speakers(text, known)
        if len({speaker for speaker, _ in parts}) > 1:
            found.left_out.append(f"{where}: the own times of its several speakers, who each have those of the whole")
        for speaker, words in parts:
            if not tiers or speaker in tiers:
                found.add(speaker, start, end, _TAG.sub("", words), where)
    return found.table()


def _cue(number: int, block: str) -> tuple[str, float | None, float | None, str] | None:
    """Return the place, the times and the text of a cue, None for a block that is none."""
    lines = block.strip("\n").split("\n")
    for at, line in enumerate(lines):
        if match := _ARROW.match(line):
            return f"cue {number}", stamp(match[1]), stamp(match[2]), "\n".join(lines[at + 1 :])
    return None


def _named(line: str) -> tuple[str, str]:
    """Return the name before the words of a line, empty where there is none, and the words."""
    match = _NAMED.match(_TAG.sub("", line))
    return ((match[1] or match[2]).strip(), match[3]) if match else ("", line)


def _speakers(text: str, known: set[str]) -> list[tuple[str, str]]:
    """Return the speakers of a cue and what each says; an empty name where none is told."""
    voices = [(name.strip(), words) for name, words in _VOICE.findall(text)]
    if voices:
        return voices
    parts: list[tuple[str, str]] = []
    for line in text.split("\n"):
        name, words = _named(line)
        if name in known:
            parts.append((name, words))
        elif parts:
            parts[-1] = (parts[-1][0], f"{parts[-1][1]} {line}")
        else:
            parts.append(("", line))
    return parts
