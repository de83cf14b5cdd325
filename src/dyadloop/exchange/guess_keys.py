"""Guess which columns tell dyad, person, role, therapist, session and time: each with its reason, or asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from dyadloop.exchange.dates import ORDERS, date_order
from dyadloop.exchange.grid import Grid
from dyadloop.exchange.label_words import label_rank
from dyadloop.exchange.mapping import ASK
from dyadloop.exchange.missing import words_in
from dyadloop.exchange.profile import Profile, constant_within, decimal_of, profile
from dyadloop.exchange.questionnaires import instrument_of
from dyadloop.exchange.view import folded
from dyadloop.exchange.vocabulary import IDENTIFYING, ROLES, SESSION_PATTERNS, rank

_UNIQUE = 0.8
_OF_COLUMNS = ("dyad", "person", "role", "therapist", "session", "session_else", "date", "clock", "day")


@dataclass
class Guess:
    """What is guessed of one table: fields of the mapping, and the reason of each."""

    grid: Grid
    fields: dict[str, Any] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    stems: dict[str, dict[int, int]] = field(default_factory=dict)

    def say(self, name: str, value: object, why: str) -> None:
        """Enter a guess and its reason."""
        self.fields[name] = value
        self.reasons[name] = why

    @property
    def taken(self) -> set[str]:
        """Columns that are keys."""
        names = ("dyad", "person", "role", "therapist", "session", "session_else", "date", "clock", "day", "length_min")
        return {str(self.fields[n]) for n in names if isinstance(self.fields.get(n), str)}

    def free(self, *kinds: str) -> list[Profile]:
        """Return profiles of columns that are no key yet."""
        return [p for p in self.profiles.values() if p.name not in self.taken]


def guess_keys(grid: Grid) -> Guess:
    """Return what the headings and entries of a table tell of its keys."""
    guess = Guess(grid)
    decimal, why = decimal_of(grid)
    guess.say("decimal", decimal, why)
    known = dict.fromkeys(text for name in grid.table.columns for text in grid.column(name).tolist())
    texts = [text for text in known if text[:1].isdigit() and len(text) >= 6]
    order, why = date_order(texts)
    guess.say("dates", order, f"{ORDERS.get(order, 'not told')}: {why}")
    guess.profiles = {name: profile(grid, name, decimal, order) for name in grid.table.columns}
    if not any(p.is_date for p in guess.profiles.values()) and order == ASK:
        guess.say("dates", "ymd", "no column of dates")
    if _hint(guess, "missing"):
        guess.fields["missing"] = [*guess.fields["missing"]]
    words = sorted(
        {
            *guess.fields.get("missing", ()),
            *(w for name in grid.table.columns for w in words_in(dict.fromkeys(grid.column(name).tolist()))),
        }
    )
    guess.say("missing", words, f"words that occur: {', '.join(words)}" if words else "no such word occurs")
    _dyad(guess)
    _roles(guess)
    _wide(guess)
    _session(guess)
    _times(guess)
    _length(guess)
    _ask_of_twins(guess)
    return guess


def _ask_of_twins(guess: Guess) -> None:
    """Ask for a key whose heading stands above several columns that differ."""
    for key in ("dyad", "session", "date", "length_min"):
        name = guess.fields.get(key)
        if isinstance(name, str) and name in guess.grid.repeated and (others := guess.grid.twins(name)):
            guess.say(
                key, ASK, f"several columns are named {guess.grid.repeated[name]!r}: {', '.join([name, *others])}"
            )


def _hint(guess: Guess, key: str) -> bool:
    """Take what the format knows of a key; return whether it knows something."""
    hints: Mapping[str, Any] = guess.grid.hints
    absent = (
        key in _OF_COLUMNS
        and key != "role"
        and isinstance(hints.get(key), str)
        and hints[key] not in guess.grid.table.columns
    )
    if key in hints and not absent:
        guess.say(key, hints[key], f"as {hints.get('format', 'the format')} has it")
        return True
    return False


def _rank(guess: Guess, name: str, key: str) -> int:
    """Return how well the heading of a column names a key, or its label where the heading tells nothing."""
    return rank(name, key) or label_rank(name, guess.grid.labels.get(name, ""), key)


def _named_by(guess: Guess, name: str, key: str) -> str:
    """Return what names a key, in words."""
    return "its heading" if rank(name, key) else f"its label {guess.grid.labels.get(name, '')[:60]!r}"


def _ranked(guess: Guess, key: str, fits: Any = None) -> list[tuple[int, Profile]]:  # noqa: ANN401 - a test of a profile
    found = [(_rank(guess, p.name, key), p) for p in guess.free() if p.filled]
    return sorted([(r, p) for r, p in found if r and (fits is None or fits(p))], key=lambda item: -item[0])


def _dyad(guess: Guess) -> None:
    if not _hint(guess, "dyad"):
        found = _ranked(guess, "dyad", lambda p: not p.is_date and p.distinct > 1)
        if not found:
            guess.say("dyad", ASK, "no heading names a dyad, patient, case or code")
            return
        best, second = found[0], found[1] if len(found) > 1 else None
        if second is not None and second[0] == best[0] and not _same_groups(guess, best[1].name, second[1].name):
            guess.say("dyad", ASK, f"{best[1].name!r} or {second[1].name!r}?")
            return
        guess.say(
            "dyad", best[1].name, f"{_named_by(guess, best[1].name, 'dyad')}; {best[1].distinct} different entries"
        )
    if not _hint(guess, "person"):
        candidates = [
            p for r, p in _ranked(guess, "person") if p.distinct >= guess.profiles[guess.fields["dyad"]].distinct
        ]
        if candidates and _rank(guess, guess.fields["dyad"], "dyad") >= 90:
            guess.say(
                "person",
                candidates[0].name,
                f"{_named_by(guess, candidates[0].name, 'person')}, beside that of the dyad",
            )


def _same_groups(guess: Guess, first: str, second: str) -> bool:
    frame = pd.DataFrame({"a": guess.grid.column(first), "b": guess.grid.column(second)}).drop_duplicates()
    return len(frame) == frame["a"].nunique() == frame["b"].nunique()


def _roles(guess: Guess) -> None:
    roles = guess.grid.hints.get("roles")
    if "role" in guess.grid.hints and isinstance(roles, dict):
        _hint(guess, "role")
        guess.fields["roles"] = roles
        meant = ", ".join(f"{text} is the {role}" for text, role in roles.items())
        guess.reasons["roles"] = f"guess, to be confirmed: {meant}"
        return
    found = [p for p in guess.free() if p.is_role]
    named = sorted(found, key=lambda p: -_rank(guess, p.name, "role"))
    if named and (_rank(guess, named[0].name, "role") or len(named) == 1):
        column = named[0]
        guess.say("role", column.name, f"its entries name roles: {', '.join(column.texts[:4])}")
        guess.fields["roles"] = {text: ROLES.get(text.casefold()) for text in column.texts}
    labels = guess.grid.choices
    for name, words in labels.items() if "role" not in guess.fields else ():
        told = {code: ROLES[word.casefold()] for code, word in words.items() if word.casefold() in ROLES}
        if name in guess.profiles and len(set(told.values())) > 1 and name not in guess.taken:
            guess.say("role", name, f"its labels name roles: {', '.join(words.values())}")
            guess.fields["roles"] = told
            break
    found_therapist = _ranked(guess, "therapist", lambda p: not _fraction(p) and not p.is_date)
    if found_therapist and not _hint(guess, "therapist"):
        column = found_therapist[0][1]
        named = _named_by(guess, column.name, "therapist")
        guess.say("therapist", column.name, f"{named}; {column.distinct} different entries")


def _fraction(column: Profile) -> bool:
    return any(value != round(value) for value in column.values)


def _wide(guess: Guess) -> None:
    """Guess whether columns hold one session each: the dyad stands in one row alone, and headings end in numbers."""
    if "wide" in guess.grid.hints or "session" in guess.grid.hints:
        _hint(guess, "wide")
        wide = guess.fields.get("wide")
        guess.stems = folded(list(guess.grid.table.columns), wide) if wide else {}
        return
    dyad = guess.fields.get("dyad")
    if dyad in (None, ASK):
        return
    keys = [dyad, *([guess.fields["role"]] if "role" in guess.fields else [])]
    rows = guess.grid.table[keys]
    rows = rows[(rows != "").all(axis=1)]
    if len(rows) == 0 or len(rows.drop_duplicates()) < len(rows):
        return
    names = list(guess.grid.table.columns)
    for pattern in SESSION_PATTERNS:
        stems = {n: s for n, s in folded(names, pattern).items() if not _is_items(n, s)}
        numbers = {number for sessions in stems.values() for number in sessions}
        if stems and len(numbers) > 1 and max(numbers) < 500:
            guess.stems = stems
            shown = ", ".join(names[place] for place in list(next(iter(stems.values())).values())[:3])
            guess.say("wide", pattern, f"one row per {dyad!r}, and headings such as {shown}")
            return


def _is_items(stem: str, places: dict[int, int]) -> bool:
    """Return whether columns are the items of a shipped questionnaire."""
    key = instrument_of(stem)
    return key is not None and set(places) == set(range(1, key.items + 1))


def _session(guess: Guess) -> None:
    if guess.fields.get("wide"):
        guess.say("session", None, "the numbers in the headings")
        return
    if _hint(guess, "session"):
        for key in ("session_else", "session_names", "moments"):
            _hint(guess, key)
        return
    for points, column in _ranked(guess, "session", lambda p: p.distinct > 1 and not p.is_date and not p.is_clock):
        if points < 50 and not _many_unique(guess, column.name):
            continue
        if column.is_number or column.distinct <= 60:
            named = _named_by(guess, column.name, "session")
            guess.say("session", column.name, f"{named}; {column.distinct} different entries")
            return
    guess.say("session", None, "no heading names a session: sessions are numbered by their dates, dyad by dyad")


def _many_unique(guess: Guess, name: str) -> bool:
    """Return whether a column tells the rows of a dyad apart."""
    keys = [guess.fields.get(key) for key in ("dyad", "person", "role")]
    known = list(dict.fromkeys([key for key in keys if key in guess.profiles] + [name]))
    rows = guess.grid.table[known]
    return len(rows.drop_duplicates()) >= _UNIQUE * len(rows)


def _times(guess: Guess) -> None:
    if _hint(guess, "date"):
        _hint(guess, "clock")
        return
    if _hint(guess, "day"):
        _hint(guess, "unit")
        return
    dated = [p for p in guess.free() if p.is_date and not IDENTIFYING.fullmatch(p.name.strip())]
    stems = {place: stem for stem, sessions in guess.stems.items() for place in sessions.values()}
    names = list(guess.grid.table.columns)
    if guess.stems:  # a date that differs between sessions stands in columns of its own
        by_session = dict.fromkeys(stems[names.index(p.name)] for p in dated if names.index(p.name) in stems)
        if len(by_session) == 1:
            guess.say("date", next(iter(by_session)), "dates, one column per session")
        elif by_session:
            guess.say("date", ASK, f"{' or '.join(map(repr, by_session))}?")
    else:
        dyad = guess.fields.get("dyad")
        groups = guess.grid.column(dyad) if dyad in guess.profiles else np.array([])
        moving = [p for p in dated if not (len(groups) and constant_within(guess.grid, p.name, groups))]
        ranked = sorted(moving, key=lambda p: -_rank(guess, p.name, "date"))
        if len(ranked) > 1 and len({_rank(guess, p.name, "date") for p in ranked[:2]}) == 1:
            guess.say("date", ASK, f"{' or '.join(repr(p.name) for p in ranked[:4])}?")
        elif ranked:
            others = f"; not {', '.join(repr(p.name) for p in ranked[1:4])}" if len(ranked) > 1 else ""
            guess.say("date", ranked[0].name, f"its entries are dates, {guess.reasons['dates']}{others}")
    if "date" in guess.fields:
        clocks = [p for p in guess.free() if p.is_clock]
        ranked_clocks = sorted(clocks, key=lambda p: -_rank(guess, p.name, "clock"))
        if ranked_clocks and _rank(guess, ranked_clocks[0].name, "clock") and not guess.stems:
            guess.say("clock", ranked_clocks[0].name, "its entries are times of day")
        return
    days = _ranked(guess, "day", lambda p: p.is_number and p.distinct > 1)
    if days and not guess.stems and not guess.grid.hints.get("by_session"):
        guess.say("day", days[0][1].name, "its heading: a number of days, from the study's own zero")
        guess.say("unit", "days", "as its heading says")
        return
    guess.say("every_days", ASK, "no column of dates: how many days are there from one session to the next?")


def _length(guess: Guess) -> None:
    if _hint(guess, "length_min"):
        return
    found = _ranked(guess, "length", lambda p: p.is_number)
    if found and not guess.stems:
        guess.say("length_min", found[0][1].name, _named_by(guess, found[0][1].name, "length"))
        return
    guess.say("length_min", ASK, "no column tells how long a session was")
