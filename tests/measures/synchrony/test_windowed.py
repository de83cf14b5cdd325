"""Windowed correlation: the field's numbers, a two-pass referee, gaps, spikes, any rate, one sign."""

import numpy as np
import pandas as pd
import pytest

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony import METHODS, synchrony
from dyadloop.measures.synchrony.boker import peaks, wcc
from dyadloop.measures.synchrony.lagged import grid, windowed_correlation
from dyadloop.measures.synchrony.loess import loess
from dyadloop.measures.synchrony.windowed import rmea_scaled, rmea_smoothed
from dyadloop.signals.series import make_pair
from tests.measures.conftest import follower


def _two_pass(a, b, cells, least):
    """A textbook loop: every cell by itself, means taken twice."""
    found = np.full((len(cells.starts), len(cells.lags)), np.nan)
    for w, s in enumerate(cells.starts):
        for place, k in enumerate(cells.lags):
            x = a[s : s + cells.width] if k >= 0 else a[s - k : s - k + cells.width]
            y = b[s + k : s + k + cells.width] if k >= 0 else b[s : s + cells.width]
            known = ~(np.isnan(x) | np.isnan(y))
            if known.sum() < least or np.ptp(x[known]) == 0 or np.ptp(y[known]) == 0:
                continue
            dx, dy = x[known] - x[known].mean(), y[known] - y[known].mean()
            dx, dy = dx - dx.mean(), dy - dy.mean()
            found[w, place] = (dx * dy).sum() / np.sqrt((dx**2).sum() * (dy**2).sum())
    return found


@pytest.mark.parametrize("trouble", ["none", "gaps", "spike", "still", "everything"])
def test_equals_a_two_pass_loop_whatever_the_data(trouble):
    rng = np.random.default_rng(1)
    a, b = np.cumsum(rng.normal(size=900)) * 0.01 + 50, np.cumsum(rng.normal(size=900)) * 0.01
    if trouble in ("gaps", "everything"):
        a[rng.random(900) < 0.15] = np.nan
        b[300:380] = np.nan
    if trouble in ("spike", "everything"):
        a[500] = 1e7  # a reset frame beside values that vary by 0.01
    if trouble in ("still", "everything"):
        b[600:680] = 3.3
    cells = grid(900, 60, 17, 15)
    found = windowed_correlation(a, b, cells)
    expected = _two_pass(a, b, cells, 30)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    # rounding of means and sums of some 60 numbers, times the condition that the guard admits
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert np.nanmax(np.abs(found)) <= 1.0


def test_pieces_of_bounded_size_change_nothing(monkeypatch):
    a, b = follower()
    cells = grid(3000, 200, 30, 25)
    whole = windowed_correlation(a, b, cells)
    monkeypatch.setattr("dyadloop.measures.synchrony.lagged._CHUNK", 8 * cells.reach * 7)
    np.testing.assert_array_equal(windowed_correlation(a, b, cells), whole)


@pytest.mark.parametrize("name", ["normal_200", "normal_201", "dropout_100"])
def test_reproduces_rmea(shared, therapy, name):
    table = pd.read_csv(shared / "reference" / "synchrony" / "rmea_A_windows.csv")
    part = table[table["uid"] == f"{name}_1"]
    grand = pd.read_csv(shared / "reference" / "synchrony" / "rmea_A_grand.csv").set_index("uid")["grandAver"]
    found = synchrony(*therapy[name], 25, "rmea")
    assert found.sizes["window"] == len(part)
    for column in ("lag_zero", "all_lags", "s1_lead", "s2_lead", "s1_lead_0", "s2_lead_0"):
        np.testing.assert_allclose(found[column], part[column], atol=1e-9)
    np.testing.assert_array_equal(found["best_lag"].round(9), part["bestLag"])
    assert float(found["score"]) == pytest.approx(grand[f"{name}_1"], abs=1e-9)


def test_a_window_with_more_than_half_missing_is_nan_and_stops_nothing():
    """rMEA 1.3.0 stops; one person's half counts in the compatible mode, the pairs' half in the corrected one."""
    a, b = follower(n=2000)
    a = a.copy()
    a[100:170] = np.nan
    old = synchrony(a, b, 10, "rmea", window=10, step=10, lag=1)
    assert np.isnan(old["all_lags"].values).sum() >= 1
    assert np.isfinite(float(old["score"]))
    new = synchrony(a, b, 10, window=10, step=10, lag=1)
    assert np.isfinite(float(new["score"]))
    assert float(new["share_missing"]) == pytest.approx(1 / new.sizes["window"])


@pytest.mark.parametrize("fs", [25, 29.97, 59.94, 7.5])
def test_any_rate_has_a_lag_of_zero(fs):
    a, b = follower(delay=int(fs))
    found = synchrony(a, b, fs, window=20, step=10, lag=2)
    assert 0.0 in found["lag"].values
    assert float(found["peak_lag"].median()) == pytest.approx(int(fs) / fs, abs=1.5 / fs)
    assert found.sizes["lag"] == 2 * round(2 * fs) + 1


@pytest.mark.parametrize(
    ("method", "settings", "read"),
    [
        ("windowed", {"window": 30, "step": 10, "lag": 5}, lambda f: f["peak_lag"].median()),
        ("rmea", {"window": 30, "step": 10, "lag": 5}, lambda f: f["best_lag"].median()),
        ("segments", {"segment": 30, "lag": 5}, lambda f: f["lag"][f["real_z"].argmax("lag")]),
        ("susy", {"segment": 30, "lag": 5}, lambda f: f["lag"][f["real_z"].argmax("lag")]),
        ("wcc", {"window": 30, "step": 10, "lag": 5}, lambda f: f["peak_lag"].median()),
        ("recurrence", {"lag": 5, "rate": 0.1}, lambda f: f["lag"][f["profile"].argmax("lag")]),
        ("crqa", {"radius": 0.3, "lag": 50}, lambda f: f["lag"][f["profile"].argmax("lag")]),
        ("dtw", {"reach": 5, "piece": 60}, lambda f: f["lead"]),
        ("coherence", {"segment": 20, "band": [0.02, 0.2]}, lambda f: f["lead"]),
        ("regression", {"window": 20, "step": 5, "lag": 5}, lambda f: f["lead"]),
    ],
)
def test_a_positive_lag_means_that_the_first_person_leads(method, settings, read):
    a, b = follower(delay=20, noise=0.1)  # 2 s at 10 Hz
    ahead, behind = (float(read(synchrony(*pair, 10, method, **settings))) for pair in ((a, b), (b, a)))
    assert 0.5 < ahead < 3.5
    assert -3.5 < behind < -0.5


@pytest.mark.parametrize("method", ["phase", "granger", "wavelet", "segments", "windowed", "rmea", "susy"])
def test_lead_is_positive_where_the_first_person_leads(method):
    settings = {"phase": {"band": [0.02, 0.1]}, "granger": {"lag": 3.0}, "wavelet": {"band": [0.02, 0.1]}}.get(
        method, {"lag": 5, **({"segment": 30} if method in ("segments", "susy") else {"window": 30, "step": 10})}
    )
    a, b = follower(delay=20, noise=0.1)
    assert float(synchrony(a, b, 10, method, **settings)["lead"]) > 0
    assert float(synchrony(b, a, 10, method, **settings)["lead"]) < 0


def test_every_method_names_its_convention_and_error():
    assert set(METHODS) >= {"rmea", "susy", "mvsusy", "wcc", "crqa"}
    a, b = follower(n=3000)
    for name in METHODS:
        found = synchrony(a, b, 10, name, **{"crqa": {"radius": 0.5}, "wavelet_test": {"surrogates": 20}}.get(name, {}))
        assert np.isfinite(float(found["score"])), name
        assert {"method", "statistic", "sign", "source"} <= set(found.attrs), name
        assert name == "crqa" or float(found["error"]) > 0, name
        assert found.attrs["status"], name


def test_reproduces_wcc_and_its_rows(shared, boker_input):
    reference = pd.read_csv(shared / "reference" / "synchrony" / "W1_grid_every10th_row_wMax50_tMax50.csv").to_numpy()
    found = synchrony(*boker_input.T, 10, "wcc", window=5, step=0.1, lag=5)
    assert found["r"].shape == (900, 101)
    np.testing.assert_allclose(found["r"].values[::10, ::-1], reference, atol=1e-9)  # wcc has the first person left


@pytest.mark.parametrize("step", [0.3, 0.7, 1.1])
def test_wcc_rows_are_right_where_the_steps_do_not_fit(boker_input, step):
    """wcc 0.4.1 writes one row too many there, with a wrong first row."""
    dense = synchrony(*boker_input.T, 10, "wcc", window=5, step=0.1, lag=5)["r"].values
    found = synchrony(*boker_input.T, 10, "wcc", window=5, step=step, lag=5)["r"].values
    every = round(10 * step)
    assert len(found) == (1000 - 100) // every
    np.testing.assert_allclose(found, dense[::every][: len(found)], atol=1e-12)


def test_peaks_are_found_smoothed_and_refused_at_the_border():
    lags = np.arange(-20, 21)
    bump = np.exp(-0.5 * ((lags - 6) / 3.0) ** 2)
    places, heights = peaks(np.stack([bump, np.linspace(0, 1, 41), np.full(41, np.nan)]), lags)
    assert places[0] == pytest.approx(6, abs=0.5)
    assert heights[0] == pytest.approx(1, abs=0.1)
    assert np.isnan(places[1:]).all()
    x = np.arange(30.0)
    np.testing.assert_allclose(loess(30, 0.25) @ (2 - x + 3 * x**2), 2 - x + 3 * x**2, rtol=1e-9)  # exact for parabolas


def test_rmeas_own_smoothing_and_scaling():
    """Read from rMEA: 12 samples from t - 6 to t + 5 over 12.5 at 25 Hz, the last 5 samples 0."""
    x = np.arange(50.0)
    found = rmea_smoothed(x, 25, 0.5)
    assert found[20] == pytest.approx(x[14:26].sum() / 12.5)
    assert found[2] == pytest.approx(x[:8].sum() / 12.5)
    assert (found[-5:] == 0).all()
    assert np.isnan(rmea_smoothed(np.where(x == 9, np.nan, x), 25)[9])
    assert rmea_scaled(x).std(ddof=1) == pytest.approx(1)


def test_the_error_covers_the_mean_over_recordings():
    """Stationary pairs: the score of many recordings varies about as much as the error says."""
    scores, errors = [], []
    for seed in range(60):
        found = synchrony(*follower(n=3000, delay=5, noise=2.0, seed=seed), 10, window=10, step=5, lag=1)
        scores.append(float(found["score"]))
        errors.append(float(found["error"]))
    assert np.mean(errors) == pytest.approx(np.std(scores), rel=0.35)  # 60 recordings tell an SD to about 10 %


@pytest.mark.parametrize(
    ("first", "second", "options", "message"),
    [
        (["1", "x"], [1, 2], {}, "not numbers"),
        ([1.0, 1.0, 1.0], [1, 2, 3], {}, "never varies"),
        ([np.nan] * 3, [1, 2, 3], {}, "all 3 samples are missing"),
        ([1, np.inf, 2], [1, 2, 3], {}, "finite"),
        ([1, 2, 3, 4], [1, 2, 3], {}, "same length"),
        ([1, np.nan, 3], [1, 2, 3], {"missing": "refuse"}, "1 samples are missing"),
        ([1, 2, 3], [1, 2, 3], {"missing": "guess"}, "pairwise, mask or refuse"),
        ([1, 2, 3], [2, 1, 3], {"fs": None}, "sampling rate"),
        ([1, 2, 3], [2, 1, 3], {"method": "magic"}, "known: .*windowed"),
        ([1, 2, 3], [2, 1, 3], {"width": 3}, "no setting width"),
        ([1, 2, 3], [2, 1, 3], {"method": "crqa"}, "needs radius"),
        ([1, 2, 3], [2, 1, 3], {"window": 100}, "too short"),
        ([1, 2, 3], [2, 1, 3], {"transform": "magic"}, "does not exist"),
        ([-1, 2, 3], [2, 1, 3], {"transform": "log"}, "logarithm"),
    ],
)
def test_bad_input_says_what_to_do(first, second, options, message):
    with pytest.raises(MeasureError, match=message):
        synchrony(first, second, options.pop("fs", 1.0), options.pop("method", "windowed"), **options)


def test_the_missing_policies_and_cutting():
    a, b = follower(n=1000)
    a = a.copy()
    a[5] = np.nan
    masked = make_pair(a, b, 10, "mask")
    assert np.isnan(masked.second[5])
    assert len(make_pair(a, b[:900], 10, cut=True).first) == 900
    assert wcc(masked, 10, 5, 2).sizes["lag"] == 41
