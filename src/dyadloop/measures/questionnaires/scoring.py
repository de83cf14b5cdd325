"""Score questionnaires: items turned, gaps by the instrument's rule, each score with its standard error."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from dyadloop.errors import DataError, Fault, MeasureError
from dyadloop.measures.questionnaires.consistency import Reliability, reliability, within_reliability
from dyadloop.measures.questionnaires.examination import examine
from dyadloop.measures.questionnaires.instrument import Answer, Instrument, read_instrument
from dyadloop.signals.series import Floats

_MISSING = ("", "n/a")
MISSING_CODES = frozenset({-999.0, -99.0, -9.0, -8.0, -7.0, -1.0, 8.0, 9.0, 77.0, 88.0, 99.0, 888.0, 999.0, 9999.0})
"""Numbers that survey programs write where nothing was answered."""


def score_items(
    table: pd.DataFrame,
    instrument: Instrument | str,
    items: Sequence[str] | None = None,
    persons: str | None = None,
    name: str = "items",
    turned: bool | None = None,
) -> pd.DataFrame:
    """Score the answers to a questionnaire, after looking at what they say about themselves.

    Parameters
    ----------
    table
        One row per person or occasion.
    instrument
        Instrument, or id of a shipped one.
    items
        Columns of the items in the instrument's order; default: columns that end in the item's number, such as
        ``phq9_1``.
    persons
        Column that names the person, for repeated occasions: the error is then that of changes within persons.
    name
        Name of the file for messages.
    turned
        True where the reversed items were turned before, as survey programs do; False where none was. Without it the
        key is trusted unless the answers contradict it; then no total is made.

    Returns
    -------
    pandas.DataFrame
        Per row and scale: ``row``, ``scale``, ``score`` (NaN where too few items were answered, or where reversed items
        run against the others), ``error`` (standard error of measurement in the unit of the score; larger where items
        are missing), ``answered``, ``doubt`` (what is suspicious about this score). Attributes: ``doubts`` and
        ``withheld`` by scale, ``reliability`` by scale, ``error_from``, ``instrument``, ``missing_rule``.

    Raises
    ------
    DataError
        If an answer is not a number of the item's scale; all faults at once, with their rows.
    MeasureError
        If the columns do not fit the instrument.

    Examples
    --------
    >>> import pandas as pd
    >>> answers = pd.DataFrame({f"phq9_{item}": [0, 1, 2, 3] for item in range(1, 10)})  # SIMULATED answers
    >>> scored = dl.score_items(answers, "phq9")
    >>> scored["score"].tolist()
    [0.0, 9.0, 18.0, 27.0]
    """
    key = read_instrument(instrument) if isinstance(instrument, str) else instrument
    columns = _columns(table, key, items, name)
    answers = _answers(table, key, columns, name)
    opposite = _opposite(answers, key)
    ticked, one_way = (opposite, answers) if turned else (answers, opposite)
    rows, found, told, seen = [], {}, {}, {}
    who = None if persons is None else table[persons].astype(str).to_numpy(dtype=object)
    for scale, members in key.scales().items():
        part = one_way[:, [item - 1 for item in members]]
        seen[scale] = examine(ticked, one_way, key, members, who, declared=turned is not None)
        found[scale], told[scale] = _reliability(part, who, key, scale)
        scored = _scored(part, key, scale, found[scale])
        doubt = [seen[scale].withheld or seen[scale].told(row) for row in range(len(part))]
        if seen[scale].withheld:
            scored[["score", "error"]] = np.nan
        rows.append(scored.assign(doubt=doubt))
    scored = pd.concat(rows, ignore_index=True)
    scored.attrs = {
        "instrument": key.id,
        "missing_rule": key.missing_rule,
        "error_from": told,
        "doubts": {scale: one.doubts for scale, one in seen.items()},
        "withheld": {scale: one.withheld for scale, one in seen.items()},
        "reliability": {scale: None if value is None else value._asdict() for scale, value in found.items()},
    }
    return scored


def _opposite(answers: Floats, key: Instrument) -> Floats:
    """Return answers with the reversed items turned."""
    found = answers.copy()
    for item in key.reversed:
        low, high = key.range_of(item)
        found[:, item - 1] = low + high - found[:, item - 1]
    return found


def _columns(table: pd.DataFrame, key: Instrument, items: Sequence[str] | None, name: str) -> list[str]:
    if items is None:
        items = []
        for number in range(1, key.items + 1):
            fitting = [
                str(c) for c in table.columns if _number_of(str(c)) == number and str(c).lower().startswith(key.id)
            ]
            fitting = fitting or [str(c) for c in table.columns if _number_of(str(c)) == number]
            if len(fitting) != 1:
                got = f"{len(fitting)} columns ({', '.join(fitting[:3])})" if fitting else "no column"
                raise MeasureError(
                    f"{name}: {got} for item {number} of {key.id}; expected one that ends in its number, "
                    f"such as {key.id}_{number}; or name the columns"
                )
            items.append(fitting[0])
    absent = [column for column in items if column not in table.columns]
    if absent or len(items) != key.items:
        got = f"no column {', '.join(absent)}" if absent else f"{len(items)} columns"
        raise MeasureError(f"{name}: {got}; {key.id} has {key.items} items")
    return list(items)


def _number_of(column: str) -> int | None:
    digits = column[len(column.rstrip("0123456789")) :]
    return int(digits) if digits else None


def _answers(table: pd.DataFrame, key: Instrument, columns: list[str], name: str) -> Floats:
    wrong, found = [], np.full((len(table), key.items), np.nan)
    for number, column in enumerate(columns, start=1):
        low, high = key.range_of(number)
        for row, value in enumerate(table[column].tolist()):
            if _is_gap(value):
                continue
            answer = _as_number(value)
            if not low <= answer <= high:
                wrong.append((row + 2, column, value, answer, (low, high)))
            else:
                found[row, number - 1] = answer
    if wrong:
        shift = _shift(found, [(answer, ends) for *_, answer, ends in wrong])
        faults = [
            Fault(name, row, column, repr(value), f"{ends[0]:g} to {ends[1]:g} or empty", shift or _remedy(answer))
            for row, column, value, answer, ends in wrong
        ]
        raise DataError(name, sorted(faults, key=lambda fault: fault.row or 0))
    return found


def _shift(inside: Floats, wrong: list[tuple[float, Answer]]) -> str:
    """Return the remedy for a coding that is one off: the answer beyond one end stands, the other end never."""
    known = inside[~np.isnan(inside)]
    low, high = wrong[0][1]
    for answer, unused, verb in ((high + 1, low, "subtract 1 from"), (low - 1, high, "add 1 to")):
        if {a for a, _ in wrong} == {answer} and {e for _, e in wrong} == {(low, high)} and not (known == unused).any():
            step = answer - (high if answer > high else low)
            return f"the answers look coded {low + step:g} to {high + step:g}; {verb} each item"
    return ""


def _remedy(answer: float) -> str:
    if answer in MISSING_CODES:
        return (
            f"leave it empty if {answer:g} means not answered, or declare `missing: [{answer:g}]` beside `instrument`"
        )
    return "correct it, or leave it empty where it was not answered (or declare its code under `missing`)"


def _is_gap(value: Any) -> bool:  # noqa: ANN401 - a cell
    return (
        value is None or (isinstance(value, str) and value in _MISSING) or (isinstance(value, float) and value != value)
    )


def _as_number(value: Any) -> float:  # noqa: ANN401 - a cell
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _reliability(part: Floats, who: np.ndarray | None, key: Instrument, scale: str) -> tuple[Reliability | None, str]:
    """Return the reliability that the error comes from, and in words where it comes from."""
    if part.shape[1] > 1:
        if who is not None and len(set(who.tolist())) < len(who):
            try:
                return within_reliability(part, who), "alpha of changes within persons, in this study"
            except MeasureError:
                pass
        try:
            return reliability(part), "alpha between persons, in this study"
        except MeasureError:
            pass
    if key.alpha is not None and scale == "total":
        return None, f"published alpha {key.alpha:g} ({key.alpha_source}) and the SD of this study"
    return None, "unknown"


def _scored(part: Floats, key: Instrument, scale: str, known: Reliability | None) -> pd.DataFrame:
    k = part.shape[1]
    answered = (~np.isnan(part)).sum(axis=1)
    with np.errstate(invalid="ignore"):
        means = np.where(
            answered >= max(key.least_answered * k - 1e-9, 1), np.nansum(part, axis=1) / np.maximum(answered, 1), np.nan
        )
    score = means * k if key.score == "sum" else means
    unit = 1.0 if key.score == "sum" else 1 / k
    if known is not None:
        error = known.error * unit
    elif key.alpha is not None and scale == "total" and (~np.isnan(score)).sum() > 1:
        error = float(np.nanstd(score, ddof=1)) * math.sqrt(1 - key.alpha)
    else:
        error = math.nan
    wider = error * np.sqrt(k / np.maximum(answered, 1))  # fewer items: error variance of a mean grows as 1 / items
    return pd.DataFrame(
        {
            "row": np.arange(len(part)),
            "scale": scale,
            "score": score,
            "error": np.where(np.isnan(score), np.nan, wider),
            "answered": answered,
        }
    )
