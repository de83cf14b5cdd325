"""Halves and single dyads where the answer is known: a mean of normal values."""

import numpy as np
import pytest
import xarray as xr

from dyadloop.appraisal.left_out import leave_one_out
from dyadloop.appraisal.stability import DYADS, _half, _robust, _without
from dyadloop.estimands.findings import Judged

N = 40


def toy(values, n_draws=20_000, seed=1):
    """Return draws of the mean of values with SD 1 under a flat prior, and the log density of each value."""
    draws = values.mean() + np.random.default_rng(seed).standard_normal(n_draws) / np.sqrt(len(values))
    return Judged("mean", draws, 0.0, 0.0, ()), -0.5 * (draws[:, None] - values) ** 2


def test_a_half_counted_twice_says_its_own_mean():
    values = np.random.default_rng(2).standard_normal(N) + np.where(np.arange(N) % 2 == 0, 1.5, -0.8) + 0.3
    entry, density = toy(values)
    turn = np.where(np.arange(N) % 2 == 0, 1.0, -1.0)
    row = _half(entry, DYADS, entry.draws, density * turn, _robust(entry.draws, density))
    assert row["first"] == pytest.approx(values[::2].mean(), abs=0.06)
    assert row["second"] == pytest.approx(values[1::2].mean(), abs=0.06)
    assert "say the opposite of each other" in row["flag"]


def test_the_sd_over_dyads_is_that_of_the_values_and_not_of_the_model():
    """The model thinks that values have SD 1; where they have SD 3 the mean is three times as uncertain."""
    raw = np.random.default_rng(3).standard_normal(N)
    raw = (raw - raw.mean()) / raw.std(ddof=1)
    for sd in (1.0, 3.0):
        entry, density = toy(0.6 + sd * raw)
        ratio = _robust(entry.draws, density)
        assert ratio == pytest.approx(sd, rel=0.08)
        row = _half(entry, DYADS, entry.draws, density * 0.0, ratio)
        assert ("times that of the posterior" in row["flag"]) == (sd == 3.0)


def test_a_finding_that_one_dyad_carries_is_told():
    values = np.full(N, 0.12)
    values[7] = 8.0
    entry, density = toy(values)
    weights = np.exp(-(density - density.mean(axis=0))).T
    weights /= weights.sum(axis=1, keepdims=True)
    dyads = np.array([f"D{n}" for n in range(N)])
    row = _without(entry, weights, np.full(N, 0.2), dyads, 0.7)
    left = np.delete(values, 7)
    assert entry.finding == "positive"
    assert row["dyad"] == "D7"
    assert row["without"] == pytest.approx(left.mean(), abs=0.05)
    assert "without dyad D7 it is no finding" in row["flag"]
    unsafe = _without(entry, weights, np.full(N, 0.9), dyads, 0.7)
    assert "only a fit without it tells" in unsafe["flag"]


def test_a_dyad_without_any_value_leaves_everything_as_it_is():
    entry, density = toy(np.random.default_rng(7).standard_normal(N), n_draws=400)
    silent = np.concatenate([density, np.zeros((400, 1))], axis=1)

    def left(values):
        posterior = xr.Dataset({"mean": (("chain", "draw"), entry.draws[None])})
        pointwise = xr.Dataset({"dyads": (("chain", "draw", "dyad"), values[None])})
        return leave_one_out(xr.DataTree.from_dict({"posterior": posterior, "log_likelihood": pointwise}))

    with_it, without = left(silent), left(density)
    np.testing.assert_allclose(with_it.elpd_i.values[:N], without.elpd_i.values, rtol=1e-12)
    assert with_it.elpd_i.values[N] == pytest.approx(0.0, abs=1e-8)
    weights = np.exp(with_it.log_weights.transpose("dyad", "chain", "draw").values[N]).ravel()
    np.testing.assert_allclose(weights / weights.sum(), 1 / 400, rtol=1e-6)
