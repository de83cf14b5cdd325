"""What labels tell where headings are bare, such as V1 or Q3: keys, questionnaires, and the time asked about."""

import re
from dataclasses import dataclass

from dyadloop.exchange.vocabulary import KEYS, quantity_of, rank
from dyadloop.measures.questionnaires import Instrument, instruments

_LEAST, _LESS = 80, 5  # a label tells a key only where it says nothing else, and counts less than a heading
_ASKING = re.compile(
    r"^(please (enter|give|write|select|choose)|what is|enter|bitte (geben|nennen|tragen) sie|wie lautet|wie ist)\s+|"
    r"\s+(ein|an|below|here)$"
)
_ARTICLE = re.compile(r"\b(the|your|a|der|die|das|den|dem|des|ihre?r?s?|eine?r?)\s+")
_OF = re.compile(r"(?P<what>[\w.]+) (of|for|von|zu|zur) (?P<whose>[\w]+)(?P<rest>.*)")

_NUMBERS = {
    word: number
    for number, words in enumerate(
        ("one ein eine einer einem", "two zwei", "three drei", "four vier", "five fünf", "six sechs", "seven sieben"), 1
    )
    for word in words.split()
} | {"fourteen": 14, "vierzehn": 14, "thirty": 30, "dreißig": 30, "dreissig": 30}
_UNITS = {"hour": 1 / 24, "stunde": 1 / 24, "day": 1, "tag": 1, "week": 7, "woche": 7, "month": 30, "monat": 30}
_RECALL = re.compile(
    r"\b(?:last|past|previous|letzte[nrsm]?|vergangene[nrsm]?|vorige[nrsm]?)\s+(?:(?P<number>\d+|[a-zäöüß]+)\s+)?"
    r"(?P<unit>hour|day|week|month|stunde|tag|woche|monat)(?:s|n|e|en)?\b"
)
_SINCE = re.compile(
    r"\b(since|seit)( \w+)?( last| letzten| vorigen| previous)? (session|sitzung|stunde|termin|appointment|visit)"
)
_ONE_ITEM = re.compile(r"\b(item|frage|question)[ #.]*\d", re.IGNORECASE)


_OWN = re.compile(
    r"[\w.]+: (?P<quantity>\w+) of the (?P<person>patient|therapist|partner|peer|other)\b(?P<more>.*?)"
    r"( \[(?P<unit>[^\[\];]+)(; (?P<low>-?[\d.]+) to (?P<high>-?[\d.]+))?\])?"
)


@dataclass(frozen=True)
class OwnLabel:
    """What a label of `dyadloop export` says, such as "wai: trust of the patient, after the session [points]"."""

    quantity: str
    person: str
    unit: str | None
    scale: list[float] | None


def own_label(label: str) -> OwnLabel | None:
    """Return what a label says that `dyadloop export` wrote, None for any other."""
    match = _OWN.fullmatch(" ".join(label.split()))
    if match is None:
        return None
    ends = [float(match["low"]), float(match["high"])] if match["low"] else None
    return OwnLabel(match["quantity"], match["person"], match["unit"], ends)


def label_rank(heading: str, label: str, key: str) -> int:
    """Return how well a label names a key, 0 where it does not or where the heading tells something of its own."""
    if not label or quantity_of(heading) is not None or any(rank(heading, other) >= _LEAST for other in KEYS):
        return 0
    best = max(rank(text, key) for text in _forms(label))
    return best - _LESS if best >= _LEAST else 0


def _forms(label: str) -> list[str]:
    """Return a label in small letters without what asks for it, and "number of session" also as "session number"."""
    bare = " ".join(re.sub(r"[?:!*]", " ", label.casefold()).split())
    bare = " ".join(_ARTICLE.sub("", _ASKING.sub("", _ASKING.sub("", bare)) + " ").split())
    found = _OF.fullmatch(bare)
    if found is None and len(parts := bare.split(" ", 2)) >= 2 and parts[1].startswith(("sitzung", "session")):
        return [bare, " ".join([parts[1], parts[0], *parts[2:]])]
    return [bare] if found is None else [bare, f"{found['whose']} {found['what']}{found['rest']}"]


def instrument_in(label: str, highest: float) -> Instrument | None:
    """Return the shipped questionnaire that a label names, such as "Sum of PHQ-9"; none for answers to single items.

    ``highest`` is the largest number below the label: where no sum goes beyond the answers to one item, it is none.
    """
    if _ONE_ITEM.search(label):
        return None
    found = [
        key
        for key in instruments().values()
        if re.search(r"\b" + r"[ _-]?".join(key.id.replace("_", "")) + r"\b", label.casefold())
    ]
    if len(found) != 1 or (found[0].score == "sum" and highest <= found[0].range_of(1)[1]):
        return None
    return found[0]


def whole(days: float) -> float | int:
    """Return a number of days without a point where it is whole."""
    return int(days) if days == int(days) else days


def recall_in(text: str) -> tuple[float | None, str] | None:
    """Return the days that a question asks about, with its words; no number since the last session; else None."""
    bare = " ".join(text.casefold().split())
    if since := _SINCE.search(bare):
        return None, since[0]
    for found in _RECALL.finditer(bare):
        told = found["number"] or "1"
        number = int(told) if told.isdigit() else _NUMBERS.get(told)
        if number:
            return whole(number * _UNITS[found["unit"]]), found[0]
    return None
