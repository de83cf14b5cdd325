"""The rows of a game or of ratings: numbers that are numbers, and every decision once."""

import numpy as np
import pandas as pd

from dyadloop.errors import DataError, Fault

OCCASIONS = ("session", "phase", "time")
"""Columns that tell one game of the same persons from the next."""
_FEWEST_MIRRORED = 3


def numbers(
    table: pd.DataFrame, columns: tuple[str, ...], texts: tuple[str, ...], name: str, optional: tuple[str, ...] = ()
) -> tuple[pd.DataFrame, list[Fault]]:
    """Return the table with numbers and names in its columns, and what is wrong with them."""
    absent = [column for column in columns if column not in table.columns]
    if absent:
        raise DataError(name, [Fault(name, 1, c, "no such column", f"a column {c!r}", "add it") for c in absent])
    sound, faults = table.reset_index(drop=True).copy(), []
    for column in columns:
        if column in texts:
            empty = sound[column].isna() | sound[column].isin(["", "n/a"])
            faults += [
                Fault(name, int(k) + 2, column, "none", "whose decision it is", "fill it in")
                for k in np.flatnonzero(empty.to_numpy())
            ]
            sound[column] = sound[column].astype(str)
            continue
        raw = sound[column].where(~sound[column].isin(["", "n/a"]))
        numbers = pd.to_numeric(raw, errors="coerce").astype(float)
        bad = numbers.isna() & (raw.notna() | (column not in optional))
        faults += [
            Fault(name, int(k) + 2, column, repr(sound[column].iloc[k]), "a number", "correct it")
            for k in np.flatnonzero(bad.to_numpy())
        ]
        sound[column] = numbers
    return sound, faults


def repeated(table: pd.DataFrame, columns: tuple[str, ...], name: str) -> list[Fault]:
    """Return a fault for every row that repeats a decision: one decision counted twice looks twice as certain.

    Wide exports (oTree) have one row per player, and the fields of the group on each of them.

    Parameters
    ----------
    table
        Rows in the order of the file.
    columns
        What tells one decision from another, beside the occasion.
    name
        Name of the file for messages.
    """
    keys = [*columns, *(column for column in OCCASIONS if column in table.columns)]
    twice = table.duplicated(keys, keep="first")
    if not twice.any():
        return []
    first = table.groupby(keys, sort=False, dropna=False).cumcount()
    number = table.groupby(keys, sort=False, dropna=False).ngroup()
    rows = {int(group): k + 2 for k, (group, count) in enumerate(zip(number, first, strict=True)) if count == 0}
    what = ", ".join(columns)
    return [
        Fault(
            name, int(k) + 2, columns[-1],
            f"the {what} of row {rows[int(number.iloc[k])]} again",
            "every decision once",
            "keep one row per decision (wide exports repeat those of the group for each player), "
            "or add a column session where rounds start anew",
        )
        for k in np.flatnonzero(twice.to_numpy())
    ]  # fmt: skip


def mirrored(table: pd.DataFrame, first: str, second: str, amounts: tuple[str, ...], name: str) -> list[Fault]:
    """Return a fault for every row that repeats a decision with the two roles exchanged.

    Two persons may well play both roles in turn; the same amounts in every round of both are one game written from two
    sides. Fewer than three such rounds, or amounts that never change, may be chance.
    """
    keys = ["round", *(column for column in OCCASIONS if column in table.columns)]
    here = table[[first, second, *keys, *amounts]].assign(row=np.arange(len(table)) + 2)
    there = here.rename(columns={first: second, second: first})
    both = here.merge(there, on=[first, second, *keys], suffixes=("", "_there"))
    faults = []
    for _, game in both[both["row"] > both["row_there"]].groupby([first, second], sort=False):
        columns = [(game[column].to_numpy(), game[f"{column}_there"].to_numpy()) for column in amounts]
        alike = all(np.array_equal(mine, theirs, equal_nan=True) for mine, theirs in columns)
        if alike and len(game) >= _FEWEST_MIRRORED and game[amounts[0]].nunique() > 1:
            pairs = zip(game["row"], game["row_there"], strict=True)
            got = "the decision of row {} with the roles exchanged"
            remedy = "keep the rows of one player; the receiver's row of an export holds the sender's decision"
            faults += [
                Fault(name, int(row), first, got.format(int(other)), "every decision once", remedy)
                for row, other in pairs
            ]
    return faults
