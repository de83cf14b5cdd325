"""Stretches of speech of a transcript: who, from when to when, and the words."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from dyadloop.errors import DataError, Fault
from dyadloop.exchange.formats.format import refusal, sound_file

COLUMNS = ("speaker", "start", "end", "text")
_STAMP = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{2})[.,](\d{1,3})")
_SILENT = ("silent", "silence", "sil", "sp", "<sil>", "<p:>", "<p>", "pause", "(pause)", "[pause]", "stille")
_OTHER = (
    "phone", "phones", "phonemes", "syllables", "mau", "kan", "gesture", "gestures", "gaze", "head", "hand", "hands",
    "posture", "smile", "nod", "note", "notes", "comment", "comments", "kommentar", "translation", "pos", "gloss",
    "topic", "topics", "gestik", "mimik", "blick",
)  # fmt: skip
"""Words in names of tiers that hold something else than what a person says."""
_DECLARES = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


@dataclass
class Turns:
    """Stretches of speech being read, and what has no place among them."""

    file: str
    rows: list[tuple[str, float, float, str]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    silent: Counter[str] = field(default_factory=Counter)

    def add(self, speaker: str, start: float | None, end: float | None, text: str, where: str) -> None:
        """Add a stretch [s]; one without a speaker or times, or that is marked as silence, is left out, and said."""
        words = " ".join(text.split())
        if words.casefold() in _SILENT:
            self.silent[where] += 1
        elif start is None or end is None:
            self.left_out.append(f"{where}: no time ({words[:40]!r})")
        elif end <= start:
            self.left_out.append(f"{where}: ends at {end:g} s, not after {start:g} s ({words[:40]!r})")
        elif not speaker:
            self.left_out.append(f"{where}: no speaker ({words[:40]!r})")
        else:
            self.rows.append((speaker, start, end, words))

    def table(self) -> pd.DataFrame:
        """Return the stretches in time; ``attrs["left_out"]`` says what is not among them.

        Raises
        ------
        DataError
            If there is none.
        """
        told = [f"{where}: {count} marked as silence" for where, count in self.silent.items()]
        self.left_out += told
        self.silent.clear()
        if not self.rows:
            why = f" ({len(self.left_out)} left out, first: {self.left_out[0]})" if self.left_out else ""
            expected, remedy = "stretches with a speaker, a start and an end", "name the speakers in the transcript"
            fault = Fault(self.file, None, None, f"no stretch of speech{why}", expected, remedy)
            raise DataError(self.file, [fault])
        found = pd.DataFrame(self.rows, columns=list(COLUMNS)).sort_values(
            ["start", "end"], ignore_index=True, kind="stable"
        )
        found.attrs = {"file": self.file, "left_out": list(self.left_out)}
        return found


def refuse_mixed(path: Path, names: Sequence[str]) -> None:
    """Refuse tiers of which some tell by their name that they hold no speech: they would count as persons.

    Raises
    ------
    DataError
        If there are any.
    """
    other = [name for name in names if set(_OTHER) & set(re.split(r"[\W_]+", name.casefold()))]
    if other:
        got = f"tiers that hold no speech by their names: {', '.join(other)} (of {', '.join(names)})"
        raise refusal(path, got, "one tier of speech per person", "name the tiers of speech with --tier")


def text_of(path: Path) -> str:
    """Return the text of a transcript in UTF-8 or UTF-16 with its mark, with line ends of one kind.

    Raises
    ------
    DataError
        If it is neither.
    """
    raw = sound_file(path).read_bytes()
    wide = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = raw.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise refusal(path, f"no UTF-8 ({error.reason} at byte {error.start})", "UTF-8", "save it as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def safe_xml(path: Path, text: str) -> str:
    """Return XML that defines no entities.

    Raises
    ------
    DataError
        If it does.
    """
    if _DECLARES.search(text):
        raise refusal(path, "XML that defines entities", "plain XML", "do not open it; ask where it is from")
    return text


def stamp(text: str) -> float | None:
    """Return a time such as 01:02:03.500 in seconds, None where the text is none."""
    match = _STAMP.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds, part = match.groups()
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(part) / 10 ** len(part)
