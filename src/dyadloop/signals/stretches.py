"""Runs of samples that are known, or marked, in a row."""

import numpy as np
from numpy.typing import NDArray


def stretches(known: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the runs of known samples as (first, one past the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
