"""Who has the turn: stretches of speech of two persons, and the moments at which the turn passes.

Speech of two persons is in one of four states: nobody, the first alone, the second alone, both. The turn is with the
person who spoke alone last (Heldner & Edlund 2010, doi:10.1016/j.wocn.2010.08.002).
"""

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy.typing import NDArray

from dyadloop.signals.series import Floats

Spurts = Float[np.ndarray, "spurt 2"]
"""Start and end of every stretch of speech of one person, in time, without overlap [s]."""


def speech(turns: pd.DataFrame, speaker: str) -> Spurts:
    """Return when a person speaks; rows that touch or overlap are one stretch."""
    mine = turns.loc[turns["speaker"].astype(str) == speaker, ["start", "end"]].to_numpy(dtype=float)
    joined: list[list[float]] = []
    for start, end in mine[np.argsort(mine[:, 0], kind="stable")]:
        if joined and start <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([start, end])
    return np.array(joined).reshape(-1, 2)


def without_short_sounds(mine: Spurts, other: Spurts, shortest: float) -> Spurts:
    """Return one person's speech without short sounds that stand alone in a pause of the other."""
    if shortest <= 0:
        return mine
    kept, inside = [], _nested(mine, other)
    for k, (start, end) in enumerate(mine):
        since = mine[k - 1, 1] if k else -np.inf
        until = mine[k + 1, 0] if k + 1 < len(mine) else np.inf
        before = ((other[:, 0] > since) & (other[:, 0] < start)).any()
        after = ((other[:, 1] < until) & (other[:, 1] > end)).any()
        if inside[k] or not (before and after and end - start < shortest):
            kept.append((start, end))
    return np.array(kept).reshape(-1, 2)


def exchanges(first: Spurts, second: Spurts) -> tuple[Floats, NDArray[np.int64]]:
    """Return the silence, or minus the overlap, at each passing of the turn, and who takes it (0 or 1)."""
    if not len(first) or not len(second):
        return np.array([]), np.array([], dtype=np.int64)
    edges = np.unique(np.concatenate([first.ravel(), second.ravel()]))
    middle = (edges[:-1] + edges[1:]) / 2
    speaking = np.stack([_inside(middle, spurts) for spurts in (first, second)], axis=1)
    gaps, takers = [], []
    holder, before = -1, 0.0
    for (one, two), length in zip(speaking, np.diff(edges), strict=True):
        if one == two:  # nobody: a silence; both: an overlap; the last such stretch tells how the turn passes
            before = -length if one else length
            continue
        taker = int(two)
        if holder not in (-1, taker):
            gaps.append(before)
            takers.append(taker)
        holder, before = taker, 0.0
    return np.array(gaps), np.array(takers, dtype=np.int64)


def _inside(moments: Floats, spurts: Spurts) -> NDArray[np.bool_]:
    place = np.searchsorted(spurts[:, 0], moments, side="right") - 1
    return (place >= 0) & (moments < spurts[np.maximum(place, 0), 1])


def nested_sounds(mine: Spurts, other: Spurts) -> int:
    """Return how many stretches of one person lie inside a stretch of the other; they take no turn."""
    return int(_nested(mine, other).sum())


def _nested(mine: Spurts, other: Spurts) -> NDArray[np.bool_]:
    place = np.searchsorted(other[:, 0], mine[:, 0], side="right") - 1
    return (place >= 0) & (mine[:, 1] <= other[np.maximum(place, 0), 1])
