"""ELAN (.eaf): annotations of tiers that have times of their own."""

from pathlib import Path
from xml.etree import ElementTree

import pandas as pd

from dyadloop.exchange.formats.format import refusal
from dyadloop.exchange.transcripts.turn import Turns, refuse_mixed, safe_xml, text_of


def read_elan(path: Path, tiers: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return the annotations of tiers as stretches of speech.

    The speaker is the participant of a tier, or its name. Where a participant has several tiers with times, ``tiers``
    must say which hold speech. Annotations whose slots have no time are left out, and said.

    Raises
    ------
    DataError
        If the file is no ELAN file, or tiers must be named.
    """
    try:
        root = ElementTree.fromstring(safe_xml(path, text_of(path)))
    except ElementTree.ParseError as error:
        raise refusal(path, f"no XML ({error})", "an ELAN file", "save it again") from None
    if root.tag != "ANNOTATION_DOCUMENT":
        raise refusal(path, f"XML of {root.tag}", "an ELAN file", "export it from ELAN")
    times = {slot.get("TIME_SLOT_ID"): slot.get("TIME_VALUE") for slot in root.iter("TIME_SLOT")}
    found = Turns(path.name)
    chosen = _chosen(path, root, tiers)
    for tier in root.iter("TIER"):
        name = tier.get("TIER_ID", "")
        annotations = list(tier.iter("ALIGNABLE_ANNOTATION"))
        if name not in chosen:
            count = len(annotations) + len(list(tier.iter("REF_ANNOTATION")))
            found.left_out += [f"tier {name!r}: {count} annotations, not of speech with times"] if count else []
            continue
        for annotation in annotations:
            start, end = (_seconds(times.get(annotation.get(f"TIME_SLOT_REF{k}"))) for k in (1, 2))
            text = "".join(annotation.itertext())
            found.add(tier.get("PARTICIPANT") or name, start, end, text, f"tier {name!r}")
    return found.table()


def _seconds(value: str | None) -> float | None:
    return int(value) / 1000 if value is not None and value.lstrip("-").isdigit() else None


def _chosen(path: Path, root: ElementTree.Element, tiers: tuple[str, ...]) -> set[str]:
    """Return the tiers of speech: those that are named, or one per participant."""
    timed = [tier for tier in root.iter("TIER") if any(True for _ in tier.iter("ALIGNABLE_ANNOTATION"))]
    names = [tier.get("TIER_ID", "") for tier in timed]
    if tiers:
        absent = [name for name in tiers if name not in names]
        if absent:
            raise refusal(path, f"no tier {', '.join(absent)}", f"one of {', '.join(names)}", "correct the name")
        return set(tiers)
    speakers = [tier.get("PARTICIPANT") or tier.get("TIER_ID", "") for tier in timed]
    several = sorted({speaker for speaker in speakers if speakers.count(speaker) > 1})
    if several:
        got = f"several tiers of {', '.join(several)}: {', '.join(names)}"
        raise refusal(path, got, "one tier of speech per person", "name the tiers of speech with --tier")
    refuse_mixed(path, names)
    return set(names)
