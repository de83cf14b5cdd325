"""Guess which columns are the items of one questionnaire, and which column is their total."""

import re
from collections.abc import Mapping
from typing import Any

from dyadloop.data.schema import LIMITS
from dyadloop.exchange.profile import Profile
from dyadloop.exchange.questionnaires import instrument_of
from dyadloop.exchange.vocabulary import without_person
from dyadloop.measures.questionnaires import Instrument, instruments

_NUMBERED = re.compile(r"(.+?)(?:[_. -]?\[?(?:item|i|q|sq)?[_. -]?0*)(\d{1,2})\]?", re.IGNORECASE)
_MOST_BEYOND = 0.05  # share of answers that the key of a questionnaire does not have; more are coded otherwise
_TOTAL = r"[_. -]?(total|sum|summe|gesamt|mean|mittel(wert)?|mw|m|score)"
_FEWEST = 4  # columns that look like the items of a questionnaire
_LEAST_CODE = 9  # numbers from here on may stand for no answer
_FAMILIES = {"wai": "waisr"}
"""Names that several forms share, and the form that has that many items and these answers."""


def item_groups(
    columns: Mapping[str, Profile],
) -> tuple[dict[str, tuple[Instrument, list[str]]], list[tuple[list[str], str]]]:
    """Return the items of questionnaires by their stem, and columns that look like items and make no score, with why.

    Parameters
    ----------
    columns
        Columns that are no keys, with what their entries look like.

    Returns
    -------
    tuple
        Stem, questionnaire and columns in the order of their numbers; and lists of columns of one stem, with why.
    """
    groups: dict[str, dict[int, str]] = {}
    for name in columns:
        if match := _NUMBERED.fullmatch(name):
            groups.setdefault(match[1].rstrip("_. -"), {})[int(match[2])] = name
    found, unknown = {}, []
    for stem, members in groups.items():
        key = instrument_of(stem) or instrument_of(without_person(stem)) or _of_family(stem, members, columns)
        if key is not None and set(range(1, key.items + 1)) <= set(members):
            names = [members[k] for k in range(1, key.items + 1)]
            if beyond := _beyond(key, names, columns):
                unknown.append((names, beyond))
            else:
                found[stem] = (key, names)
        elif len(members) >= _FEWEST and set(members) == set(range(1, len(members) + 1)):
            why = (
                f"one of {len(members)} columns that look like items of one questionnaire, of no key that ships: "
                "for one score give them as `items` with the file of its key as `instrument`"
            )
            unknown.append((list(members.values()), why))
    return found, unknown


def _beyond(key: Instrument, names: list[str], columns: Mapping[str, Profile]) -> str:
    """Return why the answers are not those of a questionnaire, empty where nearly all are."""
    counts = [
        (value, weight, key.range_of(number))
        for number, name in enumerate(names, start=1)
        for value, weight in zip(columns[name].values, columns[name].weights, strict=True)
        if 0 <= value < _LEAST_CODE
    ]
    beyond = sum(weight for value, weight, (low, high) in counts if not low <= value <= high)
    if beyond <= _MOST_BEYOND * max(1, sum(weight for _, weight, _ in counts)):
        return ""
    low, high = key.range_of(1)
    told = f"{min(v for v, *_ in counts):g} to {max(v for v, *_ in counts):g} where {key.id} has {low:g} to {high:g}"
    return f"named like an item of {key.id}, but its answers go from {told}: recode them, and all make one score"


def _of_family(stem: str, members: Mapping[int, str], columns: Mapping[str, Profile]) -> Instrument | None:
    """Return the one form of a family of questionnaires that has so many items, where all answers are answers of it."""
    bare = re.sub(r"[^a-z]", "", without_person(stem).lower())
    key = instruments().get(_FAMILIES.get(bare, ""))
    if key is None or set(members) != set(range(1, key.items + 1)):
        return None
    ends = {number: key.range_of(number) for number in members}
    within = all(
        value == round(value) and ends[number][0] <= value <= ends[number][1]
        for number, name in members.items()
        for value in columns[name].values
    )
    return key if within else None


def set_totals_aside(scores: dict[str, dict[str, Any]], stems: list[str]) -> dict[str, str]:
    """Leave totals out of the fit whose items are scored here, for they would count the same answers twice.

    Returns
    -------
    dict
        The reason of each, by its place in the mapping.
    """
    scored = {(entry["instrument"], entry["person"]): name for name, entry in scores.items() if "items" in entry}
    reasons = {}
    for name, entry in scores.items():
        column = str(entry.get("column", ""))
        stem = next((stem for stem in stems if re.fullmatch(re.escape(stem) + _TOTAL, column, re.IGNORECASE)), "")
        key = None if "items" in entry else _key_of(column, stem, scores)
        if key is not None and (key, entry["person"]) in scored:
            entry["use"] = False
            reasons[f"scores.{name}.use"] = (
                f"guess, to be confirmed: {scored[key, entry['person']]!r} is scored from the items of the same "
                f"{key}, and both would count the same answers twice"
            )
    return reasons


def beside(columns: Mapping[str, Profile]) -> dict[str, dict[str, str]]:
    """Return the columns of limits and of standard errors beside a column, such as ``oxt_limit`` beside ``oxt``."""
    found: dict[str, dict[str, str]] = {}
    for name, column in columns.items():
        stem, _, what = name.rpartition("_")
        if stem in columns and column.filled:
            limits = what == "limit" and {text.casefold() for text in column.texts} <= set(LIMITS)
            errors = what == "error" and column.is_number and column.values[0] > 0
            if limits or errors:
                found.setdefault(stem, {})[what] = name
    return found


def _key_of(column: str, stem: str, scores: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the questionnaire that a column is the total of."""
    named = instrument_of(column)
    if named is not None or not stem:
        return None if named is None else named.id
    own = [e["instrument"] for e in scores.values() if "items" in e and str(e["items"][0]).startswith(stem)]
    return own[0] if own else None
