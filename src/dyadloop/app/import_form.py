"""A mapping as a form: each place with its label, its value, the reason of the guess, and what may stand there."""

from collections.abc import Iterable
from typing import Any, get_args

from dyadloop.exchange import Plan
from dyadloop.exchange.grid import Grid
from dyadloop.exchange.mapping import Role, Score, Table
from dyadloop.theory import PRESETS, read_theory
from dyadloop.theory.measured import quantities_of

_ROWS = 6
_COLUMNS = {
    "dyad": "Which dyad (patient, couple)",
    "person": "Person, if two answer",
    "role": "Role of the person",
    "therapist": "Therapist",
    "session": "Number of the session",
    "date": "Date",
    "clock": "Time of day",
    "day": "Day as a number",
}
"""Places that name a column, with their words."""
_CHOICES = {
    "holds": ("What a row is", ("sessions", "persons", "nothing")),
    "dates": ("Order in dates", ("ymd", "dmy", "mdy")),
    "decimal": ("Decimal mark", (".", ",")),
}
_NUMBERS = {
    "every_days": "Days from session to session, without dates",
    "length_min": "Minutes of a session (0: a prompt)",
}
_PERSONS = get_args(Role)
_PHASES = ("before", "after")


def form(plan: Plan) -> dict[str, Any]:
    """Return how sources are understood, as what a page shows and lets correct."""
    pairs = zip(plan.mapping.tables, plan.grids, strict=True)
    study = plan.mapping.study
    fields = [
        _field(plan, "study.title", "Title", study.title, "text"),
        _field(plan, "study.simulated", "The numbers are made up (simulated)", study.simulated, "yes"),
        _field(plan, "study.theory", "Theory whose claims are tested", study.theory, "choice", PRESETS),
    ]
    return {
        "study": fields, "tables": [_table(plan, number, *pair) for number, pair in enumerate(pairs, start=1)],
        "open": [{"place": place, "what": what} for place, what in plan.open], "guessed": plan.guessed,
        "text": plan.text, "quantities": _quantities(study.theory), "same_ids": plan.mapping.same_ids,
    }  # fmt: skip


def _quantities(theory: str) -> list[str]:
    return quantities_of(read_theory(theory))


def _table(plan: Plan, number: int, table: Table, grid: Grid) -> dict[str, Any]:
    place, columns = f"tables.{number}", [str(name) for name in grid.table.columns]
    fields = [
        _field(plan, f"{place}.{key}", words, getattr(table, key), "choice", choices)
        for key, (words, choices) in _CHOICES.items()
    ]
    fields += [
        _field(plan, f"{place}.{key}", words, getattr(table, key), "column", columns) for key, words in _COLUMNS.items()
    ]
    fields += [
        _field(plan, f"{place}.{key}", words, getattr(table, key), "number", columns) for key, words in _NUMBERS.items()
    ]
    head = grid.table.head(_ROWS)
    return {
        "place": place, "name": grid.name, "rows": len(grid.table), "cells": grid.cells, "columns": columns,
        "preview": [[str(cell)[:80] for cell in row] for row in head.to_numpy(dtype=object).tolist()],
        "fields": fields, "scores": [_score(plan, place, name, score) for name, score in table.scores.items()],
        "left_out": dict(table.left_out), "persons": dict(table.persons), "wide": table.wide,
        "missing": list(table.missing),
    }  # fmt: skip


def _score(plan: Plan, place: str, name: str, score: Score) -> dict[str, Any]:
    here = f"{place}.scores.{name}"
    source = score.column or f"{len(score.items)} items of {score.instrument}"
    return {
        "name": name, "source": source, "why": plan.reasons.get(here, ""),
        "fields": [
            _field(plan, f"{here}.quantity", "measures", score.quantity, "quantity"),
            _field(plan, f"{here}.person", "answered by", score.person, "choice", _PERSONS),
            _field(plan, f"{here}.phase", "given", score.phase, "choice", _PHASES),
            _field(plan, f"{here}.scale", "scale", None if score.scale is None else list(score.scale), "scale"),
            _field(plan, f"{here}.missing", "no answer", "?" if score.missing == "?" else list(score.codes), "codes"),
            _field(plan, f"{here}.unit", "unit", score.unit, "text"),
            _field(plan, f"{here}.use", "enters the fit", score.use, "yes"),
        ],
    }  # fmt: skip


def _field(
    plan: Plan,
    place: str,
    words: str,
    value: object,
    kind: str,
    choices: Iterable[str] = (),
) -> dict[str, Any]:
    return {
        "place": place, "words": words, "value": value, "kind": kind, "choices": list(choices),
        "why": plan.reasons.get(place, ""), "open": any(place == asked for asked, _ in plan.open),
    }  # fmt: skip
