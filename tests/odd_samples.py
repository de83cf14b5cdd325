"""Odd samples of recordings for tests: shapes, gaps, rests, spikes, steps, offsets, and what must be refused."""

import numpy as np


def _white(rng, n):
    return rng.normal(size=n)


def _smooth(rng, n):
    return np.convolve(rng.normal(size=n + 40), np.ones(21), "same")[20 : n + 20]


def _walk(rng, n):
    return np.cumsum(rng.normal(size=n))


def _rhythm(rng, n):
    return np.sin(np.arange(n) * rng.uniform(0.01, 3) + rng.uniform(0, 6))


def _steps(rng, n):
    return np.repeat(rng.normal(size=n // 7 + 1), 7)[:n]


def _codes(rng, n):
    return rng.integers(0, rng.integers(2, 5), n).astype(float)


def _movement(rng, n):
    return np.maximum(np.exp(_smooth(rng, n) / 2) - 1, 0)


def _signs(rng, n):
    return np.where(np.arange(n) % 2, 1.0, -1.0)


def _spikes(rng, n):
    return np.where(rng.random(n) < 0.01, 1e6, rng.normal(size=n))


def _one_step(rng, n):
    return (np.arange(n) > rng.integers(0, max(n - 1, 1))).astype(float)


def _ramp(rng, n):
    return np.arange(n) * 0.1


SHAPES = (_white, _smooth, _walk, _rhythm, _steps, _codes, _movement, _signs, _spikes, _one_step, _ramp)


def gap(rng, x):
    low = int(rng.integers(0, len(x)))
    x[low : low + int(rng.integers(1, max(len(x) // 3, 2)))] = np.nan
    return x


def _scattered(rng, x):
    x[rng.random(len(x)) < rng.uniform(0, 0.4)] = np.nan
    return x


def _rest(rng, x):
    low = int(rng.integers(0, len(x)))
    x[low : low + int(rng.integers(2, max(len(x) // 2, 3)))] = rng.choice([0.0, 0.1, 1e7 + 0.1])
    return x


def _ends(rng, x):
    cut = int(rng.integers(1, max(len(x) // 4, 2)))
    x[:cut], x[-cut:] = np.nan, np.nan
    return x


def _every_second(rng, x):
    x[:: int(rng.integers(2, 4))] = np.nan
    return x


def _offset(rng, x):
    return x + rng.choice([1e3, 1e6, -1e9])


def _size(rng, x):
    return x * rng.choice([1e-9, 1e9, -1.0])


def _still(rng, x):
    return np.full(len(x), rng.choice([0.0, 0.1, 1e6]))


def _skewed(rng, x):
    return np.exp(np.clip(3 * x, -50, 50))


def _hardly_moving(rng, x):
    return 1e3 + 1e-9 * x


CHANGES = (gap, _scattered, _rest, _ends, _every_second, _offset, _size, _still, _skewed, _hardly_moving)
"""What recordings have: gaps, rests, offsets, sizes."""


def _nothing(rng, x):
    return np.full(len(x), np.nan)


def _one_sample(rng, x):
    x[rng.integers(0, len(x))] = rng.choice([1e9, 1e200, np.inf, np.nan])
    return x


def _out_of_range(rng, x):
    with np.errstate(over="ignore"):  # a series may be scaled twice
        return x * rng.choice([1e-200, 1e-30, 1e30, 1e200])


EXTREMES = (_nothing, _one_sample, _out_of_range)
"""What no recording has but a file may hold."""


def series(rng, n, extremes=False):
    """A series of some shape with up to two oddities; with ``extremes`` also such as must be refused."""
    if not n:
        return np.zeros(0)
    x, changes = np.array(SHAPES[rng.integers(len(SHAPES))](rng, n), dtype=float), (*CHANGES, *EXTREMES[: 3 * extremes])
    for place in rng.choice(len(changes), int(rng.integers(0, 3)), replace=False):
        x = changes[place](rng, x)
    return x
