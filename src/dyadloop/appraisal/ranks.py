"""Whether ranks are uniform, by the binomial tail of the number of ranks below each position."""

import numpy as np
from scipy.stats import binom

RANKS = 100
"""Ranks that a truth can take among the thinned draws of its posterior."""
_UNIFORM_RUNS = 20_000


def uniform_tails(n: int, runs: int = _UNIFORM_RUNS) -> np.ndarray:
    """Return, for ``runs`` sets of ``n`` uniform ranks, the least two-sided binomial tail over all positions."""
    generator = np.random.default_rng(n)
    parts = [min(2000, runs - begin) for begin in range(0, runs, 2000)]
    return np.concatenate([least_tail(generator.integers(RANKS, size=(part, n))) for part in parts])


def least_tail(ranks: np.ndarray) -> np.ndarray:
    """Return the least two-sided binomial tail of the number of ranks below each position (set, replicate)."""
    sets, n = ranks.shape
    counts = np.zeros((sets, RANKS), dtype=int)
    np.add.at(counts, (np.arange(sets)[:, None], ranks), 1)
    below = counts.cumsum(axis=1)[:, :-1]
    share = np.arange(1, RANKS) / RANKS
    # one row of tail probabilities per position, looked up
    values = np.arange(n + 1)[:, None]
    lower, upper = binom.cdf(values, n, share), binom.sf(values - 1, n, share)
    tail = np.minimum(1.0, 2 * np.minimum(lower, upper))
    return tail[below, np.arange(RANKS - 1)].min(axis=1)
