"""Guess which columns are scores, which items of a questionnaire, and what they measure: each with its reason."""

import re
from typing import Any

import numpy as np

from dyadloop.exchange.grid import Grid
from dyadloop.exchange.guess_items import beside, item_groups, set_totals_aside
from dyadloop.exchange.guess_keys import Guess
from dyadloop.exchange.guess_long import constant, long_columns, long_scores
from dyadloop.exchange.guess_meaning import label_of, quantity_told, scale_of, told_of, unit_of, wording_of
from dyadloop.exchange.guess_phases import phase_column, split_by_phase
from dyadloop.exchange.label_words import instrument_in, own_label, recall_in, whole
from dyadloop.exchange.mapping import ASK, PARTICIPANT_RESERVED
from dyadloop.exchange.missing import WORDS
from dyadloop.exchange.phases import halves_of, phase_of
from dyadloop.exchange.profile import Profile, constant_within, lone_values, missing_codes
from dyadloop.exchange.questionnaires import instrument_of
from dyadloop.exchange.vocabulary import (
    IDENTIFYING,
    NOTES,
    TECHNICAL,
    person_of,
    person_of_label,
    person_of_place,
    quantity_of,
    without_person,
)
from dyadloop.measures.questionnaires import Instrument

_WORDS = 3  # from which an entry is taken for a sentence
_ROLES = ("patient", "therapist", "partner", "peer", "other")


def guess_scores(guess: Guess) -> None:
    """Enter scores, further columns of persons, and what is left out, into a guess."""
    scores: dict[str, dict[str, Any]] = {}
    persons: dict[str, str] = {}
    left_out: dict[str, str] = {}
    items, unknown = item_groups({n: p for n, p in _candidates(guess).items() if n not in guess.taken})
    companions = beside(_candidates(guess))
    in_items = {name for names in items.values() for name in names[1]}
    in_items |= {name for own in companions.values() for name in own.values()}
    if pair := long_columns(guess):
        in_items |= _add_long(guess, scores, *pair)
    for stem, (key, names) in items.items():
        _add_items(guess, scores, stem, key, names)
    for name, column in _candidates(guess).items():
        if name in guess.taken or name in in_items:
            continue
        why = _no_score(guess, name, column)
        if why is None:
            _add_score(guess, scores, name, column, companions.get(name, {}))
        elif why == "person":
            own = _name(name)
            own = _free(f"{own}_column" if own in PARTICIPANT_RESERVED else own, persons)
            persons[own] = name
            guess.reasons[f"persons.{own}"] = "one entry per dyad: kept beside the person, not used in the fit"
        else:
            left_out[name] = why
    _say_items(guess, scores, unknown)
    guess.reasons |= set_totals_aside(scores, list(items))
    if column := phase_column(guess):
        left_out.pop(column[0], None)
        persons = {name: own for name, own in persons.items() if own != column[0]}
        split_by_phase(guess, scores, *column)
    _join_halves(guess, scores)
    guess.fields |= {"scores": scores, "persons": persons, "left_out": left_out}


def _add_long(guess: Guess, scores: dict[str, dict[str, Any]], what: str, value: str) -> set[str]:
    """Enter what a long table measures as scores, and return the columns that these take."""
    taken = {what, value}
    for part in long_scores(guess, what, value):
        before = set(scores)
        _add_score(part.guess, scores, part.name, part.guess.profiles[part.name], part.companions)
        for name in [name for name in scores if name not in before]:
            entry = scores[name]
            entry |= {"column": part.column, "only": part.only}
            entry |= {key: told for key in ("quantity", "unit") if (told := constant(part.guess.grid, key))}
            if entry["quantity"] == "oxytocin":
                entry["transform"] = "log"
            taken |= {*part.only, *part.companions.values()}
    return taken


def _say_items(guess: Guess, scores: dict[str, dict[str, Any]], unknown: list[tuple[list[str], str]]) -> None:
    """Say of columns that look like items of one questionnaire why each stays an indicator, without its scale."""
    for names, why in unknown:
        for name in [own for own, entry in scores.items() if entry.get("column") in names]:
            guess.reasons[f"scores.{name}"] += f"; {why}"
            if guess.reasons.get(f"scores.{name}.scale", "").startswith("the range of"):
                del scores[name]["scale"]
                guess.reasons[f"scores.{name}.scale"] = "that of a single item is not told"


def _candidates(guess: Guess) -> dict[str, Profile]:
    """Return the columns of the unfolded table: a stem stands for the columns of its sessions."""
    names = list(guess.grid.table.columns)
    folded = {place for sessions in guess.stems.values() for place in sessions.values()}
    found = {name: guess.profiles[name] for k, name in enumerate(names) if k not in folded}
    for stem, sessions in guess.stems.items():
        parts = [guess.profiles[names[place]] for place in sessions.values()]
        found[stem] = _together(stem, parts)
    return found


def _together(name: str, parts: list[Profile]) -> Profile:
    filled = sum(p.filled for p in parts)
    share = lambda what: sum(getattr(p, what) * p.filled for p in parts) / filled if filled else 0.0  # noqa: E731
    counts: dict[float, int] = {}
    for part in parts:
        for value, weight in zip(part.values, part.weights, strict=True):
            counts[value] = counts.get(value, 0) + weight
    texts = tuple(dict.fromkeys(text for part in parts for text in part.texts))
    ends = tuple(sorted(counts))
    return Profile(
        name, filled, len(texts), share("numbers"), share("dates"), share("clocks"), share("roles"), ends,
        tuple(counts[v] for v in ends), texts,
    )  # fmt: skip


def _no_score(guess: Guess, name: str, column: Profile) -> str | None:
    """Return why a column is no score: ``person`` for what belongs to the person, None where it is one."""
    if column.is_number and own_label(wording_of(guess, name)) is not None:
        return None
    bare, hidden = name.strip(), guess.grid.hints.get("not_scores", ())
    if copied := guess.grid.copied(name):
        return f"the same entries as {copied!r}, which has the same heading"
    if not column.filled:
        return "empty"
    if IDENTIFYING.fullmatch(bare):
        return "may tell who somebody is"
    if isinstance(hidden, tuple | list | set) and name in hidden:
        return f"of {guess.grid.hints.get('format', 'the program')} itself"
    if not column.is_number and (NOTES.fullmatch(bare) or _is_prose(column)):
        return "free text, which may tell who somebody is"
    if column.is_date or column.is_clock:
        return "another date or time than that of the session"
    dyad = guess.fields.get("dyad")
    of_sessions = guess.fields.get("holds") != "persons"
    if of_sessions and not guess.stems and dyad in guess.profiles:
        if constant_within(guess.grid, name, guess.grid.column(dyad)):
            return "person"
    elif name in guess.profiles and (guess.stems or not of_sessions):
        return "person"
    if TECHNICAL.fullmatch(bare) and quantity_of(bare) is None:
        return "of the survey program"
    if not column.is_number:
        return "words, no numbers"
    if len(column.values) <= 2 and column.filled > 2:
        return "two values at most: name it under `events` or `covariates` if it is one of these"
    running = column.values == tuple(range(1, len(column.values) + 1)) and len(column.values) == column.filled
    return "a running number" if running and column.filled > 20 else None


def _is_prose(column: Profile) -> bool:
    """Return whether entries are sentences: of several words, and hardly any of them twice."""
    several = sum(len(text.split()) >= _WORDS for text in column.texts)
    return column.distinct > column.filled / 2 and several > column.distinct / 2


def _roles(guess: Guess, columns: list[str]) -> list[str]:
    """Return the roles whose rows have entries in some columns."""
    role = guess.fields.get("role")
    if role is None:
        return []
    stem = guess.stems.get(role)
    column = role if stem is None else guess.grid.table.columns[next(iter(stem.values()))]
    texts, filled = guess.grid.column(column), np.zeros(len(guess.grid.table), bool)
    for name in columns:
        filled |= guess.grid.column(name) != "" if name in guess.profiles else True
    found = {guess.fields["roles"].get(text) for text in texts[filled]}
    return sorted(str(entry) for entry in found if entry)


def _add_items(guess: Guess, scores: dict, stem: str, key: Instrument, names: list[str]) -> None:
    quantity, why = quantity_told(guess, key.id, "")
    profiles = _candidates(guess)
    codes = {code: told for column in names for code, told in missing_codes(profiles[column], key.range_of(1))}
    for scale in ["total"] if key.total else list(key.subscales):
        base = _name(stem if scale == "total" else f"{stem}_{scale}")
        base = _free(f"{base}_score" if base in guess.profiles else base, scores)
        for person, name in _persons(guess, base, stem, names):
            low, high = key.bounds(scale)
            scores[name] = {
                "items": names, "instrument": key.id, "subscale": scale, "person": person, "quantity": quantity,
                "unit": "points", "scale": [float(low), float(high)], "reason": f"items of {key.id}; {why}",
            }  # fmt: skip
            guess.reasons[f"scores.{name}"] = f"{key.items} columns named like the items of {key.title}"
            _add_phase(guess, scores, name, stem, key.id)
            _add_recall(guess, scores, name, key, wording_of(guess, names[0]))
            if codes:
                scores[name]["missing"] = list(codes)
                guess.reasons[f"scores.{name}.missing"] = next(iter(codes.values()))


def _persons(guess: Guess, base: str, heading: str, columns: list[str]) -> list[tuple[str, str]]:
    """Return who answers, and the name of the indicator of each."""
    roles = _roles(guess, columns)
    if len(roles) > 1:
        return [(role, f"{base}_{role}") for role in roles]
    if roles:
        return [(roles[0], base)]
    if any(guess.grid.twins(name) for name in columns if name in guess.grid.repeated):
        return [(ASK, base)]
    told = person_of(heading) or person_of_label(label_of(guess, columns[0]) if len(columns) == 1 else "")
    if len(columns) == 1 and (own := own_label(wording_of(guess, columns[0]))):
        told = own.person
    told = told or person_of_place(guess.grid.sheet, guess.grid.file)
    return [(told or str(guess.grid.hints.get("person_role", "patient")), base)]


def _add_score(guess: Guess, scores: dict, name: str, column: Profile, companions: dict[str, str]) -> None:
    grid, base = guess.grid, _free(_name(name), scores)
    label = label_of(guess, name)
    key = instrument_of(name) or instrument_of(without_person(name)) or instrument_of(base.split("_")[0])
    key = key or instrument_in(label, max(column.values, default=0))
    scale, scale_why = scale_of(guess, name, column, key)
    quantity, why = quantity_told(guess, name, label)
    unit = unit_of(name, wording_of(guess, name), quantity)
    if own_told := own_label(wording_of(guess, name)):
        quantity, why, unit = own_told.quantity, "its label, as dyadloop writes it", own_told.unit or unit
        scale, scale_why = (own_told.scale, "its label") if own_told.scale else (scale, scale_why)
    codes = missing_codes(column, None if scale is None else (scale[0], scale[1]))
    choices = told_of(grid.choices, guess, name)
    declared = set(told_of(grid.missing, guess, name))
    codes += [(code, f"labelled {word!r}") for code, word in choices.items() if word.casefold() in WORDS]
    codes = [(code, reason) for code, reason in dict(codes).items() if code not in declared]
    known = [*declared, *(code for code, _ in codes)]
    lone = [] if scale is not None else lone_values(column, known, is_log=quantity == "oxytocin")
    for person, own in _persons(guess, base, name, [name]):
        entry: dict[str, Any] = {"column": name, "person": person, "quantity": quantity or own, "unit": unit}
        if scale is not None:
            entry["scale"] = scale
        if quantity == "oxytocin":
            entry["transform"] = "log"
        if codes or lone:
            entry["missing"] = ASK if lone else [code for code, _ in codes]
            guess.reasons[f"scores.{own}.missing"] = "; ".join(reason for _, reason in [*codes, *lone])
        entry |= companions
        entry["reason"] = f"{label or name}: {why}" if quantity else ""
        scores[own] = entry
        guess.reasons[f"scores.{own}"] = f"{column.filled} entries, {len(column.values)} different numbers"
        if coded := told_of(grid.hints.get("codes", {}), guess, name):
            guess.reasons[f"scores.{own}"] += f"; {coded}"
        guess.reasons[f"scores.{own}.quantity"] = why
        if quantity:
            _add_phase(guess, scores, own, name, label)
        _add_recall(guess, scores, own, key if quantity else None, wording_of(guess, name))
        guess.reasons[f"scores.{own}.scale"] = scale_why
        if person == ASK:
            words = (
                f"several columns are named {grid.repeated[name]!r}: who answered this one? (or move it to left_out)"
            )
            guess.reasons[f"scores.{own}.person"] = words
        elif not _roles(guess, [name]):
            guess.reasons[f"scores.{own}.person"] = _why_person(grid, name, label)


def _why_person(grid: Grid, name: str, label: str) -> str:
    """Return what told who answers."""
    if person_of(name):
        return "its name"
    if person_of_label(label):
        return "its label"
    return "the name of its sheet or file" if person_of_place(grid.sheet, grid.file) else "nothing names another person"


def _add_phase(guess: Guess, scores: dict, own: str, heading: str, label: str) -> None:
    """Enter whether a score was given before or after the session, where the session lasts."""
    if guess.fields.get("holds") != "sessions" or guess.fields.get("length_min") == 0:
        return
    found = phase_of(heading, label, guess.grid.sheet, guess.grid.file.rsplit(".", 1)[0])
    scores[own]["phase"], guess.reasons[f"scores.{own}.phase"] = found


def _join_halves(guess: Guess, scores: dict[str, dict[str, Any]]) -> None:
    """Make one indicator of columns that are named alike but for before and after, such as phq_pre and phq_post."""
    if guess.fields.get("holds") != "sessions" or guess.fields.get("length_min") == 0:
        return
    for person in dict.fromkeys(entry["person"] for entry in scores.values()):
        mine = {name: str(e.get("column") or name) for name, e in scores.items() if e["person"] == person}
        for stem, pair in halves_of(mine).items():
            _join(guess, scores, stem, pair)


def _join(guess: Guess, scores: dict[str, dict[str, Any]], stem: str, pair: tuple[str, str]) -> None:
    """Give two columns of one measure the name of one indicator, unless they differ in more than their phase."""
    entries = [scores[name] for name in pair]
    alike = ("unit", "scale", "transform", "recall_days", "subscale", "instrument")
    known = [entry["quantity"] for name, entry in zip(pair, entries, strict=True) if entry["quantity"] != name]
    if any(entries[0].get(key) != entries[1].get(key) for key in alike) or len(set(known)) > 1:
        return
    base = _name(stem)
    person = entries[0]["person"]
    wanted = f"{base}_{person}" if all(name.endswith(f"_{person}") for name in pair) else base
    name = _free(
        wanted, {key: None for key in (*scores, *(e["indicator"] for e in scores.values() if "indicator" in e))}
    )
    for own, entry, phase in zip(pair, entries, ("before", "after"), strict=True):
        entry["indicator"], entry["phase"] = name, phase
        entry["quantity"] = known[0] if known else name
        words = " and ".join(repr(str(scores[other].get("column") or other)) for other in pair)
        guess.reasons[f"scores.{own}.indicator"] = f"guess, to be confirmed: {words} are one measure, before and after"
        guess.reasons[f"scores.{own}.phase"] = "guess, to be confirmed: its heading says so"


def _add_recall(guess: Guess, scores: dict, name: str, key: Instrument | None, wording: str) -> None:
    """Say how many days the answers are about: what the question says, else what the published form asks about."""
    told, place = recall_in(wording), f"scores.{name}.recall_days"
    if told is not None and told[0] is None:
        guess.reasons[f"scores.{name}"] += f"; asks {told[1]!r}: write the usual days between sessions as recall_days"
    elif told is not None:
        scores[name]["recall_days"] = told[0]
        guess.reasons[place] = f"guess, to be confirmed: its wording says {told[1]!r}"
    elif key is not None and key.recall_days is not None:
        scores[name]["recall_days"] = asked = whole(key.recall_days)
        guess.reasons[place] = (
            f"guess, to be confirmed: the published {key.id} asks about {asked:g} days; write those of your form"
        )


def _free(name: str, taken: dict) -> str:
    """Return a name that nothing has yet, alone or before a role."""
    found, number = name, 2
    while {found, *(f"{found}_{role}" for role in _ROLES)} & set(taken):
        found, number = f"{name}_{number}", number + 1
    return found


def _name(heading: str) -> str:
    """Return a heading as the name of an indicator: small letters, digits and underscores."""
    table = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
    bare = re.sub(r"[^a-z0-9]+", "_", heading.lower().translate(table)).strip("_") or "score"
    return bare if bare[0].isalpha() else f"x_{bare}"
