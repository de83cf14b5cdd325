"""Guess the mapping of one or more tables: what belongs together, what is asked, and why."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from dyadloop.exchange.grid import Grid
from dyadloop.exchange.guess_keys import Guess, guess_keys
from dyadloop.exchange.guess_scores import guess_scores
from dyadloop.exchange.mapping import ASK, Mapping
from dyadloop.exchange.phases import without_needless

_TREND_DAYS = 30.0
_ORDER = (
    "file", "sheet", "format", "settings", "holds", "wide", "decimal", "dates", "missing", "dyad", "person", "role",
    "roles", "therapist", "session", "session_else", "session_names", "date", "clock", "day", "unit", "every_days",
    "length_min", "moments", "scores", "persons", "covariates", "events", "left_out",
)  # fmt: skip


def guessed(
    grids: Sequence[Grid], formats: Sequence[str], settings: Sequence[dict[str, Any]], name: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the content of a mapping, and the reason of each guess by its place.

    Parameters
    ----------
    grids
        Tables.
    formats, settings
        Format of each, and what was said of how to read it.
    name
        Name of the study.
    """
    guesses = [guess_keys(grid) for grid in grids]
    for guess in guesses:
        guess.say("holds", *_holds(guess, guesses))
        guess_scores(guess)
    _settle(guesses)
    tables, reasons = [], {}
    seen: dict[str, int] = {}
    for number, (guess, kind, own) in enumerate(zip(guesses, formats, settings, strict=True), start=1):
        _distinct(guess, seen)
        fields = {
            "file": guess.grid.file,
            "sheet": guess.grid.sheet,
            "format": kind,
            "settings": dict(own),
        } | guess.fields
        tables.append({key: fields[key] for key in _ORDER if key in fields and _worth(key, fields[key])})
        reasons |= {f"tables.{number}.{place}": why for place, why in guess.reasons.items()}
        read = "; ".join(f"{what} {why}" for what, why in guess.grid.told.items() if not what.startswith("heading"))
        reasons[f"tables.{number}.format"] = read or "its ending"
    study, why = _study(guesses, name)
    reasons |= {f"study.{place}": text for place, text in why.items()}
    same, told = _same_ids(guesses)
    reasons |= {f"same_ids.{spelling}": text for spelling, text in told.items()}
    twice, why = _twice(grids)
    reasons |= {"twice": why} if why else {}
    content = {"schema_version": 1, "study": study, "same_ids": same, "twice": twice, "tables": tables}
    content = without_needless(content)
    Mapping.model_validate(content)
    return content, reasons


def _twice(grids: Sequence[Grid]) -> tuple[str, str]:
    """Return what becomes of several values of one moment, and why where a format says it."""
    said = [grid for grid in grids if grid.hints.get("twice")]
    return (
        (str(said[0].hints["twice"]), f"{said[0].hints['format']} writes one row per trial") if said else ("none", "")
    )


def _worth(key: str, value: object) -> bool:
    """Return whether a field says more than its absence; keys that matter stand even where they are empty."""
    if key in ("file", "format", "holds", "decimal", "dates", "dyad", "session", "length_min", "scores"):
        return True
    return value not in (None, "", [], {}, ())


def _holds(guess: Guess, guesses: Sequence[Guess]) -> tuple[str, str]:
    dyad = guess.fields.get("dyad")
    if told := guess.grid.hints.get("holds"):
        return told  # pyright: ignore[reportReturnType]
    if dyad in (None, ASK):
        alone = all(other.fields.get("dyad") in (None, ASK) for other in guesses)
        return ("sessions", "a row per session, until the dyad is told") if alone else ("nothing", "no dyad")
    others = [other for other in guesses if other is not guess and other.fields.get("dyad") in other.profiles]
    texts = guess.grid.column(dyad)
    texts = texts[texts != ""]
    alone = len(set(texts.tolist())) == len(texts)
    sessions = bool(guess.fields.get("session") or guess.fields.get("wide"))
    longer = any(len(o.grid.table) > len(texts) and _repeats(o) for o in others)
    if alone and not sessions and longer:
        return "persons", f"one row per {dyad!r}, and other tables have the sessions"
    what = "a column per session" if guess.fields.get("wide") else "a row per session"
    return "sessions", what


def _repeats(guess: Guess) -> bool:
    texts = guess.grid.column(str(guess.fields["dyad"]))
    return len(set(texts.tolist())) < len(texts)


def _settle(guesses: Sequence[Guess]) -> None:
    """Ask for dates and lengths once: a table may take them from another one that has the same sessions."""
    holding = [g for g in guesses if g.fields["holds"] == "sessions"]
    dated = [g for g in holding if g.fields.get("date") or g.fields.get("day")]
    timed = [g for g in holding if g.fields.get("length_min") not in (None, ASK)]
    for guess in guesses:
        if guess.fields["holds"] != "sessions":
            for key in ("every_days", "length_min", "session", "date", "clock", "day", "unit"):
                guess.fields.pop(key, None)
            continue
        numbered = bool(guess.fields.get("session") or guess.fields.get("wide"))
        if dated and guess not in dated and numbered:
            guess.fields.pop("every_days", None)
        first = (timed or holding)[0]
        if guess is not first and numbered and guess.fields.get("length_min") == ASK:
            guess.say("length_min", None, f"as {first.grid.name} has it")


def _distinct(guess: Guess, seen: dict[str, int]) -> None:
    """Give indicators and columns of persons of one name in two tables names of their own."""
    for what in ("scores", "persons"):
        for name in list(guess.fields[what]):
            new, number = name, 2
            while f"{what}.{new}" in seen:
                new, number = f"{name}_{number}", number + 1
            if new != name:
                guess.fields[what][new] = guess.fields[what].pop(name)
                for place in [p for p in guess.reasons if p == f"{what}.{name}" or p.startswith(f"{what}.{name}.")]:
                    guess.reasons[place.replace(f"{what}.{name}", f"{what}.{new}", 1)] = guess.reasons.pop(place)
            seen[f"{what}.{new}"] = 1
    _distinct_shared(guess, seen)


def _distinct_shared(guess: Guess, seen: dict[str, int]) -> None:
    """Give indicators of several columns names that nothing in another table has."""
    shared: dict[str, str] = {}
    for entry in guess.fields["scores"].values():
        name = entry.get("indicator")
        if name and name not in shared:
            new, number = name, 2
            while f"scores.{new}" in seen:
                new, number = f"{name}_{number}", number + 1
            shared[name] = new
        if name:
            entry["indicator"] = shared[name]
    seen |= {f"scores.{name}": 1 for name in shared.values()}


def _study(guesses: Sequence[Guess], name: str) -> tuple[dict[str, Any], dict[str, str]]:
    files = ", ".join(dict.fromkeys(guess.grid.file for guess in guesses))
    study: dict[str, Any] = {
        "name": name,
        "title": f"Imported from {files}",
        "licence": "not stated",
        "simulated": False,
    }
    why = {
        "simulated": "assumed; true where the numbers are made up",
        "theory": "whose claims are tested; `dyadloop theory list` shows others",
    }
    study["theory"] = "framework"
    if any(guess.fields.get("date") or guess.fields.get("every_days") or guess.fields.get("day") for guess in guesses):
        study["trend_per_days"] = _TREND_DAYS
        why["trend_per_days"] = "a linear trend: what improves in everybody is no effect of one improvement on another"
    return study, why


def _same_ids(guesses: Sequence[Guess]) -> tuple[dict[str, str], dict[str, str]]:
    """Return spellings of dyads that differ in case, zeros or blanks alone, and the most frequent one of each."""
    counts: dict[str, int] = {}
    for guess in guesses:
        dyad = guess.fields.get("dyad")
        if dyad in guess.profiles:
            texts, numbers = np.unique(guess.grid.column(str(dyad)).astype(str), return_counts=True)
            for text, number in zip(texts.tolist(), numbers.tolist(), strict=True):
                counts[" ".join(text.split())] = counts.get(" ".join(text.split()), 0) + number
    alike: dict[str, list[str]] = {}
    for text in counts:
        if text:
            alike.setdefault(_bare(text), []).append(text)
    same, why = {}, {}
    for spellings in alike.values():
        meant = max(spellings, key=lambda text: counts[text])
        for text in spellings:
            if text != meant:
                same[text] = meant
                why[text] = f"differs from {meant!r} in case, blanks, dashes or zeros alone; {counts[text]} rows"
    return same, why


def _bare(text: str) -> str:
    """Return an id without what people write differently.

    What stands between two numbers tells them apart: 1-11 and 11-1 are two persons, and 1.0 is the number 1.
    """
    whole = match[1] if (match := re.fullmatch(r"(\d+)[.,]0+", text)) else text
    letters = re.sub(r"(?<=\d)[\W_]+(?=\d)", "-", whole.casefold())
    letters = "".join(letter for letter in letters if letter.isalnum() or letter == "-")
    parts = re.split(r"(\d+)", re.sub(r"-(?!\d)|(?<!\d)-", "", letters))
    return "".join(part.lstrip("0") or "0" if part.isdigit() else part for part in parts)
