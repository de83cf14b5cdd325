"""WebVTT and SubRip: cues with a voice tag or a name before the words."""

import re
from pathlib import Path

import pandas as pd

from dyadloop.exchange.formats.format import refusal
from dyadloop.exchange.transcripts.turn import Turns, stamp, text_of

_ARROW = re.compile(r"^\s*([\d:.,]+)\s*-->\s*([\d:.,]+)")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>(.*?)(?=</v>|<v[\s.]|$)", re.DOTALL)
_NAMED = re.compile(r"^\s*(?:\[([^\]\n]{1,40})\]\s*:?|([A-Za-zÄÖÜäöüß_][\w .-]{0,39}?)\s*:)\s+(.*)$", re.DOTALL)
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
    blocks = re.split(r"\n\s*\n", text_of(path))
    cues = 0
    for number, block in enumerate(blocks, start=1):
        lines = block.strip("\n").split("\n")
        at = next((k for k, line in enumerate(lines) if _ARROW.match(line)), None)
        if at is None:
            continue
        cues += 1
        match = _ARROW.match(lines[at])
        start, end = (stamp(match[k]) for k in (1, 2)) if match else (None, None)
        for speaker, words in _speakers("\n".join(lines[at + 1 :])):
            if not tiers or speaker in tiers:
                found.add(speaker, start, end, _TAG.sub("", words), f"cue {number}")
    if not cues:
        raise refusal(path, "no cue such as 00:01.000 --> 00:03.500", "WebVTT or SubRip", "export it again")
    return found.table()


def _speakers(text: str) -> list[tuple[str, str]]:
    """Return the speakers of a cue and what each says; an empty name where none is told."""
    voices = [(name.strip(), words) for name, words in _VOICE.findall(text)]
    if voices:
        return voices
    match = _NAMED.match(_TAG.sub("", text))
    return [((match[1] or match[2]).strip(), match[3])] if match else [("", text)]
