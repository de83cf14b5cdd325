"""Before or after the session: what headings, labels and the nature of a questionnaire tell of when it was given."""

import re
from collections.abc import Mapping
from typing import Any

from dyadloop.exchange.mapping import ASK

_BEFORE, _AFTER = r"(pre|before|prior|vor|vorher|davor|prae|prä)", r"(post|after|nach|nachher|danach)"
_PLACED = r"(^|[_. (-]){}([_. )-]|\d*$)"
_OF_SESSION = r"\b{}( \w+){{0,2}} (session|sitzung|stunde|termin|treffen|meeting)"
PHASE_WORDS = {"before": _BEFORE, "after": _AFTER}
"""Words that say before or after, as an expression."""

_NATURES: tuple[tuple[str, str, str], ...] = (
    (
        r"(^|[^a-z])(wai(srt?|s)?|srs|seq|haq|hags?|[pt]?stb|bpsr)(?![a-z])|stundenbogen|alliance|allianz|bündnis|buendnis",
        "after",
        "it rates the session or the alliance, and its instructions have it filled in after a session",
    ),
    (
        r"(^|[^a-z])(phq|gad|bdi(ii)?|ces_?d|hamd|qids|ors|oq|core|pss|promis)(?![a-z])",
        "before",
        "it asks about the days or weeks before, and is given before a session as a rule",
    ),
)
"""Questionnaires whose use tells when they are given: pattern of headings and labels, phase, reason."""


def phase_of(heading: str, label: str, *around: str) -> tuple[str, str]:
    """Return before, after, or a question mark, and why.

    Parameters
    ----------
    heading, label
        Heading of the column, and its wording.
    around
        Names of what it stands in, such as sheet and file; they count less than the heading.
    """
    for text, where in ((heading, "its heading"), *((name, f"the name {name!r}") for name in around if name)):
        told = [phase for phase, word in PHASE_WORDS.items() if re.search(_PLACED.format(word), _bare(text))]
        if len(told) == 1:
            return told[0], f"guess, to be confirmed: {where} says so"
        told = [phase for phase, word in PHASE_WORDS.items() if re.search(_OF_SESSION.format(word), label.casefold())]
        if len(told) == 1 and where == "its heading":
            return told[0], "guess, to be confirmed: its wording says so"
    for text in (heading, label):
        nature = next((found for found in _NATURES if re.search(found[0], _bare(text))), None)
        if nature is not None:
            return nature[1], f"guess, to be confirmed: {nature[2]}"
    return ASK, "nothing tells whether it was given before or after the session"


def _bare(text: str) -> str:
    """Return a text in small letters, with parts written as waiPost set apart."""
    return re.sub(r"(?<=[a-zäöü])(?=[A-ZÄÖÜ])", "_", text).casefold()


def halves_of(headings: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return which names are one measure before and after the session: the heading that they share, and both.

    Parameters
    ----------
    headings
        Heading of each name; two are one measure where they are the same but for a word such as pre or post.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for name, heading in headings.items():
        bare = _bare(heading)
        told = [phase for phase, word in PHASE_WORDS.items() if re.search(_PLACED.format(word), bare)]
        if len(told) == 1:
            stem = re.sub(_PLACED.format(PHASE_WORDS[told[0]]), r"\1\3", bare)
            shared = re.sub(r"[_. ()-]+", "_", stem).strip("_")
            found.setdefault(shared, {}).setdefault(told[0], []).append(name)
    whole = {stem: (both.get("before", []), both.get("after", [])) for stem, both in found.items() if stem}
    return {stem: (pre[0], post[0]) for stem, (pre, post) in whole.items() if len(pre) == len(post) == 1}


def without_needless(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a mapping without phases where no session lasts: before and after are then one moment."""
    holding = [table for table in content["tables"] if table.get("holds", "sessions") == "sessions"]
    lengths = [table.get("length_min") for table in holding]
    if lengths and any(length is not None for length in lengths) and not any(lengths):
        for table in holding:
            for score in _scores(table):
                score.pop("phase", None)
                score.pop("indicator", None)
    return content


def with_phase(content: dict[str, Any], phase: object) -> None:
    """Enter a phase in all scores of a mapping for which it is open."""
    for table in content["tables"]:
        for score in _scores(table):
            if score.get("phase") == ASK:
                score["phase"] = phase


def _scores(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    scores = table.get("scores")
    return [score for score in scores.values() if isinstance(score, dict)] if isinstance(scores, dict) else []
