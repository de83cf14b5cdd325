"""Rows of a recurrence plot as bits: every cell is that of a naive comparison, to the last bit."""

import numpy as np
import pytest

from dyadloop.measures.synchrony.bits import clear
from dyadloop.measures.synchrony.near import EUCLIDEAN, MANHATTAN, MAXIMUM, fill, rows_of
from dyadloop.measures.synchrony.recurrence import count_recurrences, embed, known_cells
from tests.measures.conftest import autoregressive
from tests.measures.synchrony.test_recurrence import _naive


def _cells(x, y, radius, norm):
    """The cells (first, second) as the kernel gives them, and that the place after the last is empty."""
    rows, m = rows_of(x, y, radius, norm), y.shape[1]
    here, scratch = np.zeros(m // 64 + 1, np.uint64), np.zeros(m // 64 + 1, np.uint64)
    found = np.empty((x.shape[1], m), dtype=bool)
    for i in range(x.shape[1]):
        fill(rows, i, here, scratch)
        bits = np.unpackbits(here.view(np.uint8), bitorder="little").astype(bool)
        found[i] = bits[:m]
        assert not bits[m:].any()
    return found


def _one_by_one(x, y, radius, norm):
    distance = np.zeros((x.shape[1], y.shape[1]))
    for one, two in zip(x, y, strict=True):
        gap = np.subtract.outer(one, two)
        distance = {0: distance + gap * gap, 1: np.maximum(distance, np.abs(gap)), 2: distance + np.abs(gap)}[norm]
    return distance <= (radius**2 if norm == EUCLIDEAN else radius)


@pytest.mark.parametrize("norm", [EUCLIDEAN, MAXIMUM, MANHATTAN])
@pytest.mark.parametrize("dimension", [1, 2, 4])
@pytest.mark.parametrize(("n", "m"), [(40, 63), (30, 64), (33, 65), (20, 512), (25, 1300), (3, 20_000)])
@pytest.mark.parametrize("radius", [1e-3, 0.3, 2.0, 50.0])
def test_every_cell_is_that_of_a_naive_comparison(norm, dimension, n, m, radius):
    rng = np.random.default_rng(n + m)
    x, y = rng.normal(size=(dimension, n)), rng.normal(size=(dimension, m))
    x[0, :2], y[0, 5:9], y[-1, 1] = np.nan, np.nan, np.nan
    np.testing.assert_array_equal(_cells(x, y, radius, norm), _one_by_one(x, y, radius, norm))


@pytest.mark.parametrize("norm", [EUCLIDEAN, MAXIMUM, MANHATTAN])
def test_ties_and_distances_of_exactly_the_radius(norm):
    rng = np.random.default_rng(0)
    x, y = np.round(rng.normal(size=(2, 60)), 1), np.round(rng.normal(size=(2, 700)), 1)
    for radius in (0.1, 0.3, 0.7, 1.1):
        for d in (1, 2):
            np.testing.assert_array_equal(_cells(x[:d], y[:d], radius, norm), _one_by_one(x[:d], y[:d], radius, norm))


def test_an_offset_of_a_million_sds():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(1, 50)) + 1e6, rng.normal(size=(1, 900)) + 1e6
    np.testing.assert_array_equal(_cells(x, y, 0.2, EUCLIDEAN), _one_by_one(x, y, 0.2, EUCLIDEAN))


def test_a_long_plot_has_the_lines_of_the_naive_one():
    x, y = (embed(autoregressive(900, 0.97, seed), 1, 1) for seed in (1, 2))
    found, expected = count_recurrences(x, y, 1.5, theiler=70).numbers(), _naive(x, y, 1.5, "euclidean", 70)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-12), name


def test_clearing_takes_out_what_lies_between():
    for low, high in [(0, 0), (0, 1), (3, 64), (64, 65), (10, 200), (63, 256), (0, 256)]:
        words = np.full(4, 2**64 - 1, dtype=np.uint64)
        clear(words, low, high)
        bits = np.unpackbits(words.view(np.uint8), bitorder="little").astype(bool)
        expected = np.ones(256, dtype=bool)
        expected[low:high] = False
        np.testing.assert_array_equal(bits, expected)


@pytest.mark.parametrize("side", ["both", "upper", "lower"])
@pytest.mark.parametrize("theiler", [0, 3])
def test_known_cells_are_those_of_known_states(side, theiler):
    x, y = np.random.default_rng(0).normal(size=(2, 1, 30))
    between = np.subtract.outer(np.arange(30), np.arange(30)).T  # j - i
    wanted = {"both": np.ones((30, 30), bool), "upper": between < 0, "lower": between > 0}[side]
    wanted = wanted & (np.abs(between) >= theiler)
    assert known_cells(x, y, theiler, side) == wanted.sum()
    x[0, 4:9], y[0, 20] = np.nan, np.nan
    known = np.logical_and.outer(~np.isnan(x[0]), ~np.isnan(y[0]))
    assert known_cells(x, y, theiler, side) == (wanted & known).sum()
