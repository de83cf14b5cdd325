"""Guess which rows hold values from before and which from after the session, where a column says so row by row."""

import re
from typing import Any

import numpy as np

from dyadloop.exchange.guess_keys import Guess
from dyadloop.exchange.mapping import ASK
from dyadloop.exchange.phases import PHASE_WORDS

_HEADING = re.compile(
    r"phase|(mess)?zeitpunkt|time[ _-]?point|when|pre[ _-]?post|vor[ _-]?nach|time|zeit|moment", re.IGNORECASE
)
_OTHERS = ("", "within", "between")


def phase_column(guess: Guess) -> tuple[str, dict[str, str]] | None:
    """Return the column that tells rows from before the session from those after it, and what its entries mean."""
    if guess.fields.get("holds") != "sessions" or guess.fields.get("length_min") == 0 or guess.stems:
        return None
    for column in guess.free():
        told = {text: _phase(text) for text in column.texts}
        meant = {text: phase for text, phase in told.items() if phase}
        others = [text for text, phase in told.items() if not phase and text not in _OTHERS]
        if _HEADING.fullmatch(column.name) and len(set(meant.values())) == 2 and not others:
            return column.name, told
    return None


def _phase(text: str) -> str:
    return next((phase for phase, word in PHASE_WORDS.items() if re.fullmatch(word, text.casefold())), "")


def split_by_phase(guess: Guess, scores: dict[str, dict[str, Any]], column: str, told: dict[str, str]) -> None:
    """Make a score of the rows of each phase, all of one indicator; one that has a single phase stays one score."""
    texts = guess.grid.column(column)
    for name in list(scores):
        entry = scores[name]
        filled = _filled(guess, entry)
        held = [text for text in dict.fromkeys(["", *told]) if (filled & (texts == text)).any()]
        why = f"as the column {column!r} says"
        if len(held) == 1:
            entry["phase"], guess.reasons[f"scores.{name}.phase"] = told.get(held[0]) or None, why
            entry["only"] = entry.get("only", {}) | ({column: held[0]} if held[0] else {})
            continue
        own = scores.pop(name)
        reasons = {p: guess.reasons.pop(p) for p in list(guess.reasons) if f"{p}.".startswith(f"scores.{name}.")}
        for text in held:
            phase = told.get(text, "")
            new = f"{name}_{phase or text or 'start'}"
            only = own.get("only", {}) | {column: text}
            scores[new] = own | {"only": only, "indicator": name, "phase": phase or None}
            guess.reasons |= {p.replace(f"scores.{name}", f"scores.{new}", 1): why for p, why in reasons.items()}
            guess.reasons[f"scores.{new}.phase"] = why


def _filled(guess: Guess, entry: dict[str, Any]) -> np.ndarray:
    """Return the rows that hold a value of a score."""
    names = entry.get("items") or [entry["column"]]
    found = np.zeros(len(guess.grid.table), bool)
    for name in names:
        found |= guess.grid.column(name) != ""
    for column, text in entry.get("only", {}).items():
        found &= guess.grid.column(column) == text
    if "role" in guess.fields and entry["person"] != ASK:
        roles = guess.fields["roles"]
        found &= np.array([roles.get(text) == entry["person"] for text in guess.grid.column(guess.fields["role"])])
    return found
