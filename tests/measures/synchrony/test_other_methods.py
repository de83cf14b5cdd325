"""Phases, coherence, warping, prediction, turns, words, changes: published programs or closed forms as referees."""

import numpy as np
import pytest
from scipy import signal

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony import change_synchrony, event_synchrony, synchrony
from dyadloop.measures.synchrony.prediction import _gain
from dyadloop.measures.synchrony.spectral import wavelet
from dyadloop.measures.synchrony.warping import warp
from tests.measures.conftest import autoregressive, follower


def test_wavelet_coherence_is_that_of_pycwt(peers, boker_input):
    found = wavelet(boker_input[:256, 0], boker_input[:256, 1], 1.0, 12, 2.0)
    np.testing.assert_allclose(1 / found.period, peers["wct"]["frequency"], atol=1e-12)
    np.testing.assert_allclose(found.coherence[::5, ::16], peers["wct"]["coherence"], atol=1e-9)
    turned = np.exp(1j * (found.phase[::5, ::16] - np.array(peers["wct"]["phase"])))
    np.testing.assert_allclose(np.angle(turned), 0, atol=1e-6)  # a phase near amplitude 0 is ill-conditioned


def test_warping_is_that_of_dtaidistance(peers, boker_input):
    a, b = boker_input[:200].T
    for band, name in ((None, "none"), (10, "window_11"), (20, "window_21")):
        distance, path = warp(a, b, band)
        assert distance == pytest.approx(peers["dtw"][name], abs=1e-9)
        assert np.sqrt(((a[path[:, 0]] - b[path[:, 1]]) ** 2).sum()) == pytest.approx(distance)
        assert (np.diff(path, axis=0) >= 0).all()
    with pytest.raises(MeasureError, match="cannot join"):
        warp(a, b[:100], 20)


def test_granger_is_that_of_statsmodels(peers, boker_input):
    for source, target, name in ((0, 1, "first_to_second"), (1, 0, "second_to_first")):
        for order in (1, 2, 4):
            _, f, p, *_ = _gain(boker_input[:, source], boker_input[:, target], order)
            assert f == pytest.approx(peers["granger"][name][str(order)][0], rel=1e-9)
            assert p == pytest.approx(peers["granger"][name][str(order)][1], rel=1e-7)


def test_coherence_is_that_of_scipy_and_leaves_gaps_out():
    a, b = follower(n=3000)
    found = synchrony(a, b, 10, "coherence", segment=20)
    frequency, expected = signal.coherence(a, b, 10, "hann", 200, 100, detrend="constant")
    np.testing.assert_allclose(found["frequency"], frequency)
    inner = slice(1, -1)  # SciPy's window is periodic, which changes the edges by rounding only
    np.testing.assert_allclose(found["coherence"][inner], expected[inner], atol=1e-9)
    a = a.copy()
    a[1000:1100] = np.nan
    assert synchrony(a, b, 10, "coherence", segment=20).attrs["segments"] == found.attrs["segments"] - 2
    with pytest.raises(MeasureError, match="whole segments"):
        synchrony(a, b, 10, "coherence", segment=150)


def test_coherence_of_unrelated_series_is_what_is_expected():
    values, expected = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        found = synchrony(rng.normal(size=4000), rng.normal(size=4000), 10, "coherence", segment=20)
        values.append(float(found["score"]))
        expected.append(float(found["expected"]))
    assert np.mean(values) == pytest.approx(np.mean(expected), rel=0.08)


def test_phase_locking_of_a_known_shift():
    t = np.arange(0, 300, 0.1)
    rng = np.random.default_rng(0)
    a, b = np.sin(2 * np.pi * 0.1 * t), np.sin(2 * np.pi * 0.1 * (t - 1)) + 0.05 * rng.normal(size=len(t))
    found = synchrony(a, b, 10, "phase", band=[0.05, 0.2])
    assert float(found["score"]) > 0.98
    assert float(found["lead"]) == pytest.approx(0.1, abs=0.01)  # 1 s of a period of 10 s
    assert 0 < float(found["error"]) < 0.02
    b[500:700] = np.nan
    assert float(synchrony(a, b, 10, "phase", band=[0.05, 0.2])["score"]) > 0.98
    assert float(synchrony(rng.normal(size=3000), rng.normal(size=3000), 10, "phase", band=[0.05, 0.2])["score"]) < 0.5


def test_one_gap_does_not_make_hilbert_synchrony_missing():
    """NeuroKit2's whole result turns NaN."""
    a, b = follower(n=2000)
    a = a.copy()
    a[700] = np.nan
    found = synchrony(a, b, 10, "hilbert")
    assert np.isfinite(float(found["score"]))
    assert np.isnan(found["course"][700])
    assert np.isfinite(found["course"]).mean() > 0.99
    same = synchrony(b, b, 10, "hilbert")
    assert float(same["score"]) == pytest.approx(1)


def test_lag_regression_is_the_rise_of_r_squared():
    a, b = follower(n=400, noise=1.0)
    found = synchrony(a, b, 10, "regression", window=10, step=5, lag=1)
    start, k = round(float(found["start"][3]) * 10), 6
    now, own, far = b[start : start + 100], b[start - k : start - k + 100], a[start - k : start - k + 100]

    def r_squared(*predictors):
        design = np.column_stack([np.ones(100), *predictors])
        rest = now - design @ np.linalg.lstsq(design, now, rcond=None)[0]
        return 1 - rest @ rest / ((now - now.mean()) @ (now - now.mean()))

    assert float(found["gain"].sel(lag=0.6)[3]) == pytest.approx(r_squared(own, far) - r_squared(own), abs=1e-9)


def test_events_match_once_and_tell_who_is_first():
    first = np.arange(0, 100, 10.0)
    found = event_synchrony(first, first + 1, within=2)
    assert float(found["score"]) == 1
    assert float(found["lead"]) == 1
    assert float(event_synchrony(first + 1, first, within=2)["lead"]) == -1
    assert float(event_synchrony(first, first + 5, within=2)["score"]) == 0
    with pytest.raises(MeasureError, match="increasing times"):
        event_synchrony([2, 1], [1, 2])


def test_changes_of_two_persons_are_pooled_with_their_uncertainty():
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(37, 16))
    first, second = shared + rng.normal(size=(37, 16)), shared + rng.normal(size=(37, 16))
    second[rng.random(second.shape) < 0.2] = np.nan
    found = change_synchrony(first, second, first_error=0.5, second_error=0.5)
    assert np.tanh(float(found["score"])) == pytest.approx(0.5, abs=0.1)
    assert float(found["error"]) == pytest.approx(1 / np.sqrt((found["sessions"].values - 3).sum()))
    assert float(found["disattenuated"]) > np.tanh(float(found["score"]))
    one = ~np.isnan(second[0])
    assert float(found["r"][0]) == pytest.approx(np.corrcoef(first[0, one], second[0, one])[0, 1])
    with pytest.raises(MeasureError, match="4 sessions"):
        change_synchrony([[1, 2, np.nan, np.nan]], [[1, 2, 3, 4]])
    with pytest.raises(MeasureError, match="same dyads"):
        change_synchrony([1, 2, 3, 4], [1, 2, 3])


def test_granger_needs_enough_moments():
    with pytest.raises(MeasureError, match="usable moments"):
        synchrony(autoregressive(30, 0.5, 0), autoregressive(30, 0.5, 1), 10, "granger", lag=2)


def test_granger_gives_no_p_where_its_residuals_are_autocorrelated():
    """Noise of measurement makes a slow series need a long past: with a short one F rejects independent persons."""
    rng = np.random.default_rng(0)
    slow = [autoregressive(3000, 0.98, seed) + rng.normal(size=3000) for seed in (1, 2)]
    found = synchrony(*slow, 10, "granger", lag=0.2)
    assert np.isnan(found["p_value"]).any()
    assert "Ljung-Box" in found.attrs["p_value_status"]
    assert "p_value: what the pasts leave over" in found.attrs["status"]
    white = synchrony(*rng.normal(size=(2, 3000)), 10, "granger", lag=0.2)
    assert np.isfinite(white["p_value"]).all()
    assert white.attrs["status"] == "ok"
