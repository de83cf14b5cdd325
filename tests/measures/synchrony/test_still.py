"""Still is missing: cells, segments and phases of a person who rests, rest in common, and what tests make of it."""

import numpy as np
import pytest

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony import METHODS, group_test, still_time, synchrony, synchrony_test
from dyadloop.measures.synchrony.analytic import analytic
from dyadloop.measures.synchrony.group import shared_variance
from dyadloop.measures.synchrony.still import still_parts, still_samples, still_windows, tolerance
from dyadloop.measures.synchrony.testing import _joint
from dyadloop.signals.series import smoothed, whitened
from tests.measures.conftest import follower

_CONSTANTS = [0.0, 1.0, 2.0, -5.0, 100.0, 0.1, 1e-9, 1e7 + 0.1]


def _resting(constant, seed=0):
    a, b = np.random.default_rng(seed).normal(size=(2, 6000))
    b[2000:4000] = constant
    return a, b


@pytest.mark.parametrize("constant", _CONSTANTS)
@pytest.mark.parametrize("method", ["windowed", "rmea", "wcc"])
def test_every_constant_is_missing(method, constant):
    a, b = _resting(constant)
    found = synchrony(a, b, 10, method, window=30, step=10, lag=5)
    r = found["ccf" if method == "rmea" else "r"].values
    other = synchrony(*_resting(0.1), 10, method, window=30, step=10, lag=5)
    np.testing.assert_array_equal(np.isnan(r), np.isnan(other["ccf" if method == "rmea" else "r"].values))
    if constant == 0:  # by brute force, below
        assert float(found["still_second"]) == pytest.approx(1 / 3)
        assert float(found["still_both"]) == 0


def test_cells_of_a_resting_person_are_nan_and_lower_nothing():
    a, b = _resting(0.0)
    found = synchrony(a, b, 10, window=30, step=10, lag=5)
    r = found["r"].values
    starts = (found["start"].values * 10).round().astype(int)
    for row, s in enumerate(starts[::7]):
        for lag in (-50, -3, 0, 20, 50):
            y = b[s + max(lag, 0) : s + max(lag, 0) + 300]
            assert np.isnan(r[7 * row, lag + 50]) == (np.ptp(y) == 0)
    assert float(found["score"]) == pytest.approx(0.0467, abs=5e-5)
    assert float(found["share_missing"]) == pytest.approx(0.307, abs=5e-4)
    assert np.isnan(found["peak_lag"].values).sum() == np.isnan(r).all(axis=1).sum() > 0


@pytest.mark.parametrize("prepare", [lambda x: smoothed(x, 10, 1.5), lambda x: whitened(x, 3), np.diff])
@pytest.mark.parametrize("constant", _CONSTANTS)
def test_rounding_of_a_prepared_constant_is_no_movement(prepare, constant):
    _, b = _resting(constant)
    ready = prepare(b)
    assert still_windows(ready, 300)[2100:3600].all()
    assert not still_windows(ready, 300)[:1600].any()


def test_small_movement_beside_a_spike_is_movement():
    x = 0.01 * np.random.default_rng(0).normal(size=500)
    x[250] = 1e7
    assert not still_windows(x, 20).any()
    assert not still_parts(x[:20], tolerance(x))


def test_still_windows_and_samples_are_those_of_a_loop():
    rng = np.random.default_rng(0)
    for _ in range(30):
        x = rng.integers(0, 2, 60).astype(float)
        x[rng.random(60) < 0.2] = np.nan
        for width in (1, 2, 5):
            loop = [np.unique(part[~np.isnan(part)]).size < 2 for part in (x[s : s + width] for s in range(61 - width))]
            np.testing.assert_array_equal(still_windows(x, width), loop)
        runs, begin = np.zeros(60, dtype=bool), 0
        for k in range(1, 61):
            if k == 60 or x[k] != x[k - 1]:
                runs[begin:k] = (k - begin >= 3) & ~np.isnan(x[begin:k])
                begin = k
        np.testing.assert_array_equal(still_samples(x, 3), runs)


def test_a_still_person_is_alone_on_the_diagonal():
    """mvSUSY: three of four persons still is 25 percent, not 100."""
    parts = np.random.default_rng(0).normal(size=(2, 50, 4))
    parts[0, :, 1:] = 0.1
    np.testing.assert_allclose(shared_variance(parts[:1]), 25)
    assert np.isnan(shared_variance(parts, "omega")[0])
    correlations = np.corrcoef(parts[1], rowvar=False)
    assert shared_variance(parts)[1] == pytest.approx(100 * np.linalg.eigvalsh(correlations)[-1] / 4)


@pytest.mark.parametrize("method", list(METHODS))
def test_no_method_makes_a_number_of_rest(method):
    a, b = (x.copy() for x in follower(n=1300, delay=5))
    b[400:700] = 0.1
    few = {"radius": 0.5, "draws": 20, "surrogates": 19, "segment": 20.0}  # 20 s: four segments without rest
    options = {name: value for name, value in few.items() if name in METHODS[method].settings()}
    found = synchrony(a, b, 10, method, **options)
    for name, values in found.data_vars.items():
        assert values.dtype.kind != "f" or not np.isinf(values.values).any(), name


def test_phases_and_segments_of_a_resting_person_are_left_out():
    a, b = (x.copy() for x in follower(n=3000, delay=5))
    b[1000:2000] = 0.1
    assert np.isnan(synchrony(a, b, 10, "hilbert")["course"].values[1001:1999]).all()
    coherence = synchrony(a, b, 10, "coherence", segment=20)
    assert coherence.attrs["segments"] == 29 - 9  # 9 segments lie inside the rest
    assert not synchrony(a, b, 10, "wavelet", band=[0.5, 2])["inside"].sel(period=slice(0.5, 2))[:, 1300:1700].any()
    gain = synchrony(a, b, 10, "regression", window=10, step=5, lag=1)["gain"]
    assert np.isnan(gain.sel(window=(gain["start"] > 102) & (gain["start"] < 188)).values).all()


def test_rest_in_common_is_told_and_tested():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3000))
    for begin in range(0, 3000, 300):
        length = int(rng.integers(40, 120))
        a[begin : begin + length] = 0
        b[begin + 5 : begin + length] = 0.1
    found = still_time(a, b, 10)
    assert float(found["score"]) > 0.8
    assert float(found["p_value"]) < 0.05
    assert float(found["still_both"]) == pytest.approx(np.mean(still_samples(a, 10) & still_samples(b, 10)))
    assert float(found["expected"]) == pytest.approx(
        np.mean([np.mean(still_samples(a, 10) & np.roll(still_samples(b, 10), k)) for k in range(1, 3000)])
    )
    tested = synchrony_test(a, b, 10, draws=19, window=20, step=10, lag=2)
    assert float(tested["still_p_value"]) == float(found["p_value"])
    with pytest.raises(MeasureError, match="never still"):
        still_time(rng.normal(size=100), b[:100], 10)


def test_unrelated_rests_are_not_flagged():
    p = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        pair = rng.normal(size=(2, 3000))
        for series in pair:
            for begin in np.cumsum(rng.integers(60, 400, 20)):
                series[begin : begin + rng.integers(20, 100)] = 0
        p.append(float(still_time(*pair, 10)["p_value"]))
    assert np.mean(np.array(p) <= 0.05) <= 0.12  # 0.05 + 3.2 standard errors of 100 runs
    assert 0.4 < np.mean(p) < 0.6


def test_the_joint_of_a_shift_is_left_out_of_slow_series_only():
    """Windows of 20 s at 10 Hz: 200 samples, which hold 60 moments or more where one comes every 3.3 samples."""
    assert _joint(10, 0.31, 10) == 0
    assert _joint(10, 0.29, 10) == 100
    assert _joint(np.inf, 0.01, 10) == 0


def _level(seeds, draws, surrogate="shift"):
    p = []
    for seed in seeds:
        a, b = np.random.default_rng(seed).normal(size=(2, 6000))
        a[2000:4000] = b[2000:4000] = 0
        tested = synchrony_test(a, b, 10, surrogate=surrogate, draws=draws, seed=seed, window=30, step=10, lag=5)
        p.append(float(tested["p_value"]))
    return np.mean(np.array(p) <= 0.05)


@pytest.mark.parametrize("surrogate", ["shift", "phase"])
def test_two_who_rest_at_the_same_time_are_not_in_step(surrogate):
    """With rest as r = 0 all are rejected, with half-rested windows kept one half."""
    assert _level(range(8), 19, surrogate) <= 0.25


@pytest.mark.slow
def test_the_level_of_those_who_rest_at_the_same_time():
    assert _level(range(60), 99) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)


def test_dyads_who_rest_together_are_not_in_step_with_each_other():
    dyads = {}
    for k in range(8):
        a, b = np.random.default_rng(k).normal(size=(2, 2000))
        begin = 200 * k
        a[begin : begin + 500] = b[begin : begin + 500] = 0
        dyads[f"d{k}"] = (a, b)
    assert float(group_test(dyads, 10, draws=199, window=20, step=10, lag=2)["p_value"]) > 0.05


@pytest.mark.parametrize("method", ["phase", "hilbert", "locking", "circular", "envelope"])
def test_rest_has_no_phase_and_no_envelope(method):
    """What a filter rings with while a person rests is no rhythm of that person."""
    a, b = follower(n=3000, delay=5)
    b[1000:1400] = 0.1
    found = synchrony(a, b, 10, method, band=(0.2, 1.0))
    rest = np.isnan(analytic(b, 10, (0.2, 1.0)))
    assert rest[1001:1400].all()
    assert not rest[:1000].any()
    assert not rest[1401:].any()
    b[1000:1400] = np.nan  # with a gap the filter begins anew beside it, which changes little
    assert float(found["score"]) == pytest.approx(
        float(synchrony(a, b, 10, method, band=(0.2, 1.0))["score"]), abs=0.02
    )
