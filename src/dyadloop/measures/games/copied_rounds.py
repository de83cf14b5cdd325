"""Rounds that are copies of others under new numbers: each decision counted twice looks twice as certain."""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dyadloop.measures.games.decisions import OCCASIONS

_CHANCE = 1e-3


def copied_rounds(table: pd.DataFrame, players: tuple[str, ...], decisions: tuple[str, ...]) -> list[str]:
    """Return in words the games in which every round seems to stand twice.

    Parameters
    ----------
    table
        Checked rows with a column ``round``, in the order of the file by their index.
    players
        Columns that tell whose game it is.
    decisions
        Columns of all that was decided in a round.

    Notes
    -----
    Persons repeat themselves. In a game of n rounds with m changes from one round to the next, none of which falls
    within the pairs 1-2, 3-4, ..., that is so by chance in C(n/2 - 1, m) of C(n - 1, m) orders. That the second half
    repeats the first is so in one of as many orders as its decisions have. A game is doubted where that is below .001,
    and all games together where each is of that kind and the product is below it.
    """
    keys = [*players, *(column for column in OCCASIONS if column in table.columns)]
    games = [game for _, game in table.groupby(keys, sort=False, dropna=False)]
    chances = [_chance(game, decisions) for game in games]
    if chances and math.prod(chances) < _CHANCE and all(chance < 1 for chance in chances):
        copied = games
    else:
        copied = [game for game, chance in zip(games, chances, strict=True) if chance < _CHANCE]
    if not copied:
        return []
    lines = copied[0].sort_values("round", kind="stable").index + 2
    same = _labels(copied[0], decisions)
    other = 1 if np.array_equal(same[::2], same[1::2]) else len(same) // 2
    return [
        f"{len(copied)} of {len(games)} games have every round twice, the same decisions under another number (first "
        f"in rows {lines[0]} and {lines[other]}): rows of both players, or pasted twice? keep one row per decision"
    ]


def _labels(game: pd.DataFrame, decisions: tuple[str, ...]) -> NDArray[np.int64]:
    """Return a number for the decisions of each round, in the order of the rounds; the same decisions have the same."""
    rows = game.sort_values("round", kind="stable")[list(decisions)]
    return rows.groupby(list(decisions), sort=False, dropna=False).ngroup().to_numpy().astype(np.int64)


def _chance(game: pd.DataFrame, decisions: tuple[str, ...]) -> float:
    """Return the chance of a game whose rounds stand twice, 1 where they do not."""
    same = _labels(game, decisions)
    n = len(same)
    if n < 4 or n % 2:
        return 1.0
    found = 1.0
    if np.array_equal(same[::2], same[1::2]):
        changes = int((np.diff(same) != 0).sum())
        found = math.comb(n // 2 - 1, changes) / math.comb(n - 1, changes)
    if np.array_equal(same[: n // 2], same[n // 2 :]):
        counts = np.bincount(same[: n // 2])
        found = min(found, math.prod(math.factorial(int(count)) for count in counts) / math.factorial(n // 2))
    return found
