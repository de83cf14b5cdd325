"""From a table of answers in a study folder to scores: every row once, looked at before a total is made of it."""

from dataclasses import replace
from typing import Any

import pandas as pd

from dyadloop.data.names import known_names
from dyadloop.data.sources import QuestionnaireSource
from dyadloop.errors import DataError, Fault, MeasureError
from dyadloop.measures.questionnaires import Instrument, read_instrument, score_items
from dyadloop.measures.work import Work, is_of_role, keys_of, table_of


def measure_answers(work: Work) -> None:
    """Score a table of answers; what is suspicious about them stands in the status of the scores and in the notes."""
    source: QuestionnaireSource = work.source
    key = read_instrument(source.instrument, work.root)
    table = table_of(work, source.file, ("participant_id", "session"))
    keys = keys_of(work, table, source.file)
    _once(work, table, keys, source.file)
    mine = [is_of_role(work, person) for person in table["participant_id"]]
    keys = [place for place, kept in zip(keys, mine, strict=True) if kept]
    scores = _scored(table[mine], key, source, source.file)
    if source.scale not in key.scales():
        raise MeasureError(
            f"{work.name}: {key.id} has no scale {source.scale!r}; known: {known_names(key.scales(), source.scale)}"
        )
    withheld, doubts = (scores.attrs[what][source.scale] for what in ("withheld", "doubts"))
    for text in [withheld] if withheld else doubts:
        work.note(source.file, text)
    mine = scores[scores["scale"] == source.scale]
    for place, value, error, doubt in zip(keys, mine["score"], mine["error"], mine["doubt"], strict=True):
        if withheld:
            work.bad(str(place["dyad"]), str(place["session"]), f"no score: {withheld}")
        else:
            work.add(place, float(value), float(error), doubt=doubt)
    work.record |= {
        "convention": f"{key.title}: {key.score} of items {key.scales()[source.scale]}, reversed {key.reversed}",
        "source": key.doi or key.citation,
        "reliability": scores.attrs["reliability"][source.scale],
        "error_from": scores.attrs["error_from"][source.scale],
        "missing_rule": key.missing_rule,
    }


def _once(work: Work, table: pd.DataFrame, keys: list[dict[str, Any]], file: str) -> None:
    """Refuse two rows of answers of one person at one moment."""
    first: dict[tuple, int] = {}
    faults = []
    for row, key in enumerate(keys, start=2):
        moment = tuple(str(key.get(name, "")) for name in ("participant_id", "session", "phase", "time"))
        if first.setdefault(moment, row) != row:
            got = f"a second row of {moment[0]!r} in session {moment[1]!r} (first in row {first[moment]})"
            remedy = "remove one, or tell them apart in a column phase or time"
            faults.append(Fault(file, row, "participant_id", got, "one row per person and moment", remedy))
    if faults:
        raise DataError(work.study.path, faults)


def _scored(table: pd.DataFrame, key: Instrument, source: QuestionnaireSource, file: str) -> pd.DataFrame:
    """Score some rows of a file; faults keep their lines in it."""
    try:
        return score_items(table.reset_index(drop=True), key, source.items, "participant_id", file, source.turned)
    except DataError as error:
        lines = [int(place) + 2 for place in table.index]  # pyright: ignore[reportArgumentType]
        moved = [replace(f, row=lines[f.row - 2] if f.row and f.row > 1 else f.row) for f in error.faults]
        raise DataError(error.path, moved) from None
