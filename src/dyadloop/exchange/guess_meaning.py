"""What names, labels and descriptions tell of a column: its wording, scale, quantity and unit."""

import re
from typing import Any

from dyadloop.exchange.guess_keys import Guess
from dyadloop.exchange.mapping import ASK
from dyadloop.exchange.missing import WORDS
from dyadloop.exchange.profile import Profile, missing_codes
from dyadloop.exchange.questionnaires import instrument_of
from dyadloop.exchange.vocabulary import quantity_of
from dyadloop.measures.questionnaires import Instrument

_UNIT = re.compile(r"(pg|ng|nmol|pmol|µg|mg)\s*(/|_per_|_)\s*(ml|l|dl)", re.IGNORECASE)
_THEORY = {"alliance": "trust", "distress": "stress"}  # quantities of questionnaires that the theory names otherwise


def told_of(told: Any, guess: Guess, name: str) -> Any:  # noqa: ANN401 - what the file says of a column
    """Return what a file says of a column, or of the first of the columns that a stem stands for."""
    if name in told:
        return told[name]
    names = list(guess.grid.table.columns)
    return next((told[names[k]] for k in guess.stems.get(name, {}).values() if names[k] in told), {})


def label_of(guess: Guess, name: str) -> str:
    """Return the first words of the label of a column."""
    return wording_of(guess, name)[:80]


def wording_of(guess: Guess, name: str) -> str:
    """Return the whole label of a column."""
    found = told_of(guess.grid.labels, guess, name)
    return " ".join(str(found).split()) if found else ""


def scale_of(guess: Guess, name: str, column: Profile, key: Instrument | None) -> tuple[list[float] | None, str]:
    """Return the ends of the scale of a column, None where nothing tells them, and why."""
    told = told_of(guess.grid.scales, guess, name)
    if told:
        return [float(told[0]), float(told[1])], "as the file says"
    if key is not None:
        low, high = key.bounds("total" if key.total else next(iter(key.subscales)))
        inside = [v for v in column.values if low <= v <= high]
        share = sum(column.weights[column.values.index(v)] for v in inside) / max(1, sum(column.weights))
        if share > 0.9:
            return [float(low), float(high)], f"the range of {key.id}"
    choices = told_of(guess.grid.choices, guess, name)
    numbers = [float(c) for c, word in choices.items() if _is_number(c) and word.casefold() not in WORDS]
    declared = set(told_of(guess.grid.missing, guess, name))
    numbers = [n for n in numbers if f"{n:g}" not in declared]
    if len(numbers) > 1:
        low, high = min(numbers), max(numbers)
        beyond = [v for v in column.values if not low <= v <= high]
        if not beyond or missing_codes(column, (low, high)):
            return [low, high], "the labels of its codes"
    return None, "not told: declare [lowest, highest] so that impossible values are found"


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def quantity_told(guess: Guess, name: str, label: str) -> tuple[str, str]:
    """Return the quantity of the theory that a name or label tells, empty where none does, and why."""
    found = quantity_of(name) or (quantity_of(label) if label else None)
    if found is not None:
        return found
    key = instrument_of(name)
    if key is not None:
        return _THEORY.get(key.quantity, key.quantity), f"{key.id} measures {key.quantity}"
    return "", "no quantity of the theory is named like it: it is kept, and stays out of the fit"


def unit_of(name: str, label: str, quantity: str) -> str:
    """Return the unit that a name or label tells; that of a hormone is asked for."""
    match = _UNIT.search(f"{name} {label}")
    if match:
        return f"{match[1].lower()}/{match[3].lower()}"
    return ASK if quantity == "oxytocin" else "points"
