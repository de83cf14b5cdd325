"""From cells to values of indicators: codes for missing answers, limits, scales, questionnaires; each cell once."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dyadloop.data.schema import LIMITS
from dyadloop.errors import DataError, Fault, MeasureError
from dyadloop.exchange.keys import Part
from dyadloop.exchange.mapping import ASK, Score
from dyadloop.exchange.missing import is_missing
from dyadloop.exchange.numbers import told
from dyadloop.measures.questionnaires import read_instrument, score_items

COLUMNS = ("part", "row", "indicator", "dyad", "participant", "role", "session", "phase", "value", "limit", "error")
"""Columns of a table of values."""


@dataclass(frozen=True)
class _Cell:
    value: float | None
    limit: str = ""
    changed: str = ""
    kind: str = ""
    why: str = ""


def values_of(part: Part) -> pd.DataFrame:
    """Return the values of all indicators of a table, with the row of the view that each is from."""
    frames = (_values(part, name, score) for name, score in part.table.scores.items())
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(COLUMNS))


def _values(part: Part, name: str, score: Score) -> pd.DataFrame:
    keys = part.keys
    mine = keys["alive"].to_numpy(dtype=bool) & (keys["session"] != "").to_numpy()
    if part.table.role is not None:
        mine &= (keys["role"] == score.person).to_numpy()
    for column, entry in score.only.items():
        mine &= part.view.texts(column) == entry
    rows = np.flatnonzero(mine)
    if score.column is not None:
        found = _read(part, score, score.column, rows, score.scale)
        kept = np.array([cell.value is not None for cell in found], dtype=bool)
        values = [cell.value for cell in found if cell.value is not None]
        limits = [cell.limit for cell in found if cell.value is not None]
        limits = _limits(part, score, rows[kept], limits)
        errors = _errors(part, score, rows[kept])
        table = pd.DataFrame({"row": rows[kept], "value": values, "limit": limits, "error": errors})
    else:
        table = _questionnaire(part, name, score, rows)
    at = table["row"].to_numpy(dtype=int)
    dyads, persons, sessions = (keys[key].to_numpy(dtype=object)[at] for key in ("dyad", "person", "session"))
    pairs = {pair: participant(part, score, *pair) for pair in dict.fromkeys(zip(dyads, persons, strict=True))}
    phase = "" if score.phase in (None, ASK) else score.phase
    made = {
        "part": part.number, "row": at, "indicator": name, "dyad": dyads,
        "participant": [pairs[pair] for pair in zip(dyads, persons, strict=True)], "role": score.person,
        "session": sessions, "phase": phase, "value": table["value"], "limit": table["limit"], "error": table["error"],
    }  # fmt: skip
    return pd.DataFrame(made, columns=list(COLUMNS), copy=False)


def _limits(part: Part, score: Score, rows: np.ndarray, told_by_values: list[str]) -> list[str]:
    """Return on which side of each value the true one lies, as its own text says, else the column of limits."""
    if score.limit is None:
        return told_by_values
    words = [text.casefold() for text in part.view.texts(score.limit)[rows]]
    odd = [bool(word) and word not in LIMITS for word in words]
    part.ledger.report(*part.place(score.limit, rows[odd]), "unreadable", f"neither {' nor '.join(LIMITS)}")
    return [own or (word if word in LIMITS else "") for own, word in zip(told_by_values, words, strict=True)]


def _errors(part: Part, score: Score, rows: np.ndarray) -> list[str]:
    """Return the standard error of each value, empty where there is none."""
    if score.error is None:
        return [""] * len(rows)
    texts = part.view.texts(score.error)[rows]
    numbers = [told(text, part.table.decimal) for text in texts]
    sound = [n is not None and not n.limit and n.value > 0 for n in numbers]
    odd = [bool(text) and not ok for text, ok in zip(texts, sound, strict=True)]
    part.ledger.report(
        *part.place(score.error, rows[odd]), "unreadable", "no standard error, which is a number above 0"
    )
    return [f"{n.value:.6g}" if n is not None and ok else "" for n, ok in zip(numbers, sound, strict=True)]


def participant(part: Part, score: Score, dyad: str, person: str) -> str:
    """Return who answered: the person that the row names, or one made of dyad and role."""
    answering = {entry.person for entry in part.table.scores.values()}
    own = part.table.role is not None or score.person == "patient" or len(answering) == 1
    if person and own:
        return person
    return dyad if score.person == "patient" else f"{dyad}_{score.person}"


def _read(part: Part, score: Score, column: str, rows: np.ndarray, scale: tuple[float, float] | None) -> list[_Cell]:
    """Return the cells of a column as numbers, and report those that are none."""
    texts = part.view.texts(column)[rows]
    known = {text: _cell(text, part, score, column, scale) for text in dict.fromkeys(texts.tolist())}
    found = [known[text] for text in texts]
    for row, cell in zip(rows, found, strict=True):
        if cell.kind:
            part.ledger.report(*part.place(column, np.array([row])), cell.kind, cell.why)
        elif cell.changed:
            at, place = part.place(column, np.array([row]))
            part.ledger.change(int(at[0]), int(place[0]), f"{cell.changed}: taken as {cell.value:g}")
    return found


def _cell(text: str, part: Part, score: Score, column: str, scale: tuple[float, float] | None) -> _Cell:
    table = part.table
    if not text:
        return _Cell(None)
    declared = part.declared(column)
    if is_missing(text, (*declared, *score.codes, *table.missing), table.decimal):
        whose = "the file" if is_missing(text, declared, table.decimal) else "the mapping"
        return _Cell(None, kind="missing", why=f"stands for no answer, as {whose} says")
    number = told(text, table.decimal)
    if number is None:
        return _Cell(None, kind="unreadable", why=_why_no_number(text, table.decimal))
    if scale is not None and not scale[0] <= number.value <= scale[1]:
        return _Cell(None, kind="outside scale", why=f"beyond {scale[0]:g} to {scale[1]:g}; left out")
    if score.transform == "log" and number.value <= 0:
        return _Cell(None, kind="outside scale", why="not above 0, so it has no logarithm; left out")
    limit = number.limit if number.limit in LIMITS else ""
    if score.reverse and scale is not None:
        turned = {"below": "above", "above": "below"}.get(limit, "")
        return _Cell(scale[0] + scale[1] - number.value, turned, number.changed)
    return _Cell(number.value, limit, number.changed)


def _why_no_number(text: str, decimal: str) -> str:
    if text[:1].isdigit() and ("-" in text[1:] or text.count(".") > 1 or any(c.isalpha() for c in text)):
        return "not a number; a date, as Excel makes of numbers with a point? Look it up in the source"
    return f"not a number with the decimal mark {decimal!r}; left out"


def _questionnaire(part: Part, name: str, score: Score, rows: np.ndarray) -> pd.DataFrame:
    """Score the items of a questionnaire; answers that make no score are reported."""
    try:
        key = read_instrument(str(score.instrument))
        if len(score.items) != key.items or score.subscale not in key.scales():
            known = ", ".join(key.scales())
            raise MeasureError(f"{key.id} has {key.items} items and the scales {known}")
    except MeasureError as error:
        fault = Fault("import.yaml", None, f"scores.{name}", str(error), "items that fit", "correct the mapping")
        raise DataError("import.yaml", [fault]) from None
    answers = np.full((len(rows), key.items), np.nan)
    for number, column in enumerate(score.items, start=1):
        cells = _read(part, score, column, rows, key.range_of(number))
        answers[:, number - 1] = [np.nan if cell.value is None else cell.value for cell in cells]
    given = ~np.isnan(answers).all(axis=1)
    rows, answers = rows[given], answers[given]
    if not len(rows):
        return pd.DataFrame({"row": rows, "value": [], "limit": [], "error": []})
    table = pd.DataFrame(answers, columns=pd.Index(score.items))
    table["person"] = part.keys.loc[rows, "dyad"].to_numpy()
    scored = score_items(table, key, score.items, "person", part.ledger.grid.name, score.turned)
    mine = scored[scored["scale"] == score.subscale]
    values, errors = mine["score"].to_numpy(dtype=float), mine["error"].to_numpy(dtype=float)
    without, withheld = np.isnan(values), scored.attrs["withheld"][score.subscale]
    why = f"no score: {withheld or key.missing_rule}"
    for column in score.items:
        part.ledger.report(*part.place(column, rows[without]), "not scored", why)
    for row, doubt, kept in zip(rows, mine["doubt"], ~without, strict=True):
        if kept and doubt:
            at, place = part.place(score.items[0], np.array([row]))
            part.ledger.change(int(at[0]), int(place[0]), f"scored with a doubt: {doubt}")
    shown = [f"{e:.6g}" if np.isfinite(e) and e > 0 else "" for e in errors[~without]]
    return pd.DataFrame({"row": rows[~without], "value": values[~without], "limit": "", "error": shown})
