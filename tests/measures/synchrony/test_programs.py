"""Numbers of rMEA, wcc, mvSUSY and crqa that the compatible methods reproduce, and rMEA's preparation."""

import numpy as np
import pandas as pd
import pytest

from dyadloop.measures.synchrony import rmea_contrast, synchrony
from dyadloop.measures.synchrony.group import mvsusy
from dyadloop.measures.synchrony.loess import fmm_spline, loess
from dyadloop.measures.synchrony.windowed import rmea_artefacts, rmea_prepared, rmea_smoothed
from dyadloop.signals.series import Pair
from tests.measures.conftest import follower


def test_rmeas_signed_best_lags(therapy, programs):
    for name, expected in programs["rmea_signed"]["best_lag"].items():
        found = synchrony(*therapy[name.removesuffix("_1")], 25, "rmea", absolute=False, z=False)
        np.testing.assert_array_equal(found["best_lag"].round(9), expected)


def test_rmea_counts_gaps_over_window_and_lag(therapy, programs):
    a, b = (x.copy() for x in therapy["normal_200"])
    a[3000:6000] = np.nan
    found = synchrony(a, b, 25, "rmea")
    expected = np.array(programs["rmea_gaps"]["all_lags"], dtype=float)
    np.testing.assert_allclose(found["all_lags"], expected, atol=1e-9)
    assert float(found["score"]) == pytest.approx(programs["rmea_gaps"]["grand"], abs=1e-9)


def test_rmeas_rule_for_gaps_by_brute_force():
    rng = np.random.default_rng(0)
    a, b = (x.copy() for x in follower(n=600))
    for series in (a, b):
        for begin in rng.integers(0, 550, 6):
            series[begin : begin + rng.integers(5, 60)] = np.nan
    found = synchrony(a, b, 10, "rmea", window=6, step=2, lag=2, z=False, absolute=False)
    for row, start in enumerate((found["start"].values * 10).round().astype(int)):
        lost = [np.isnan(s[start : start + 80]).mean() for s in (a, b)]
        assert np.isnan(found["ccf"].values[row]).all() == (max(lost) > 0.5)
        if max(lost) <= 0.5:
            x, y = a[start : start + 60], b[start + 7 : start + 67]
            known = ~np.isnan(x) & ~np.isnan(y)
            assert float(found["ccf"].sel(lag=0.7)[row]) == pytest.approx(np.corrcoef(x[known], y[known])[0, 1])


def test_wccs_peaks_and_troughs(boker_input, programs):
    found = synchrony(*boker_input.T, 10, "wcc", window=5, step=0.1, lag=5)
    expected = programs["wcc_peaks"]
    rows = np.array(expected["row"], dtype=int) - 1
    for ours, theirs in (("peak_lag", "maxIndex_halfsteps"), ("trough_lag", "minIndex_halfsteps")):
        np.testing.assert_array_equal(-(found[ours].values[rows] * 20).round(9), expected[theirs])  # wcc's sign
    np.testing.assert_allclose(found["peak_r"].values[rows], expected["maxValue"], atol=1e-9)
    np.testing.assert_allclose(found["trough_r"].values[rows], expected["minValue"], atol=1e-9)


def test_wccs_peaks_of_all_rows(shared, boker_input):
    table = pd.read_csv(shared / "reference" / "synchrony" / "W1_peakpick_Lsize8_pspan0.25.csv")
    found = synchrony(*boker_input.T, 10, "wcc", window=5, step=0.1, lag=5)
    np.testing.assert_array_equal(-(found["peak_lag"].values * 20).round(9), table["maxIndex_halfsteps"])
    np.testing.assert_allclose(found["peak_r"], table["maxValue"], atol=1e-9)


def test_smooth_and_spline_are_exact_where_they_must_be():
    x = np.arange(41.0)
    cubic = 1 + x - 0.1 * x**2 + 0.002 * x**3
    fine = np.arange(0, 40.5, 0.5)
    expected = 1 + fine - 0.1 * fine**2 + 0.002 * fine**3
    np.testing.assert_allclose(fmm_spline(41) @ cubic, expected, atol=1e-9)
    np.testing.assert_allclose(loess(41, 0.25) @ (x**2), x**2, atol=1e-9)


def test_mvsusy_with_still_persons(shared):
    folder = shared / "reference" / "synchrony"
    hands = pd.read_csv(folder / "crqa_handmovement.csv").to_numpy(float)
    values = pd.read_csv(folder / "M3_handmovement_seg10_hz10_lambda_max_values.csv")["value"].to_numpy()
    index = pd.read_csv(folder / "M3_handmovement_seg10_hz10_lambda_max_pseudo_segment_index.csv").to_numpy()
    found = mvsusy(hands, 10, 10, surrogate_segments=index - 1)
    np.testing.assert_allclose(found["surrogate"], values[: len(index)], atol=1e-9)
    np.testing.assert_allclose(found["segment_value"], values[len(index) :], atol=1e-9)


@pytest.mark.parametrize(
    ("case", "file", "columns", "n", "settings"),
    [
        ("K1", "crqa_eyemovement", ("narrator", "listener"), 2000, {"radius": 0.1, "standardise": False}),
        ("K3", "crqa_handmovement", ("P1_TT_d", "P2_TT_d"), 3000, {"radius": 0.5, "delay": 5, "dimension": 3}),
    ],
)
def test_reproduces_crqa(shared, programs, case, file, columns, n, settings):
    table = pd.read_csv(shared / "reference" / "synchrony" / f"{file}.csv")[:n]
    found = synchrony(table[columns[0]], table[columns[1]], 1, "crqa", **settings)
    for name, value in programs["crqa"][case].items():
        assert float(found["maxV" if name == "max_vertlength" else name]) == pytest.approx(value, abs=1e-9), name


def test_rmeas_preparation_has_a_door():
    a, b = follower(n=1500)
    a, b = a + 1, b + 2
    a[700] = 1e3
    bound = 5 * np.concatenate([a, b]).std(ddof=1)
    one, two = (np.where(s > bound, np.nan, s) for s in (a, b))
    assert np.isnan(one).sum() == 1
    one, two = (rmea_smoothed(s, 25, 0.5) for s in (one, two))
    one, two = (s / np.nanstd(s, ddof=1) for s in (one, two))
    ready = rmea_prepared(Pair(a, b, 25.0), 5, 0.5, True)
    np.testing.assert_allclose(ready.first, one)
    np.testing.assert_allclose(ready.second, two)
    settings = {"window": 10, "step": 5, "lag": 2}
    found = synchrony(a, b, 25, "rmea", outlier=5, mea_smooth=0.5, mea_scale=True, **settings)
    expected = synchrony(one, two, 25, "rmea", **settings)
    np.testing.assert_allclose(found["ccf"], expected["ccf"], atol=1e-12)


def test_runs_of_high_windows_are_artefacts():
    assert rmea_artefacts(np.array([0, 9, 9, 0, 9, np.nan, 0, 9.0]), 5) == [(1, 2), (4, 4), (7, 7)]
    assert rmea_artefacts(np.array([0, 9, 9, 0, 9, 0.0]), 5, delta=2) == [(1, 4)]
    assert rmea_artefacts(np.zeros(4), 5) == []
    a, b = (x.copy() for x in follower(n=3000, noise=3.0))
    b[1000:1400] = a[1000:1400]
    settings = {"window": 10, "step": 10, "lag": 2}
    found = synchrony(a, b, 10, "rmea", artefact=0.9, **settings)
    assert found.attrs["artefacts"] == "100 to 140"
    assert np.isnan(found["all_lags"].values[10:13]).all()
    assert float(found["score"]) < float(synchrony(a, b, 10, "rmea", **settings)["score"])


def test_the_contrast_is_over_all_pairs_and_takes_signed_tables(therapy):
    some = {name: therapy[name] for name in list(therapy)[:6]}
    options = {"window": 30, "step": 10, "lag": 5}
    whole = rmea_contrast(some, 25, **options)
    assert whole.attrs["n"] == whole.attrs["pairs"] == 60
    assert float(whole["draw_spread"]) == 0
    draws = [float(rmea_contrast(some, 25, **options, n=30, seed=seed)["cohen_d"]) for seed in range(12)]
    spread = float(rmea_contrast(some, 25, **options, n=30)["draw_spread"])
    assert spread == pytest.approx(np.std(draws, ddof=1), rel=0.8)  # 12 draws tell an SD to about 20 %
    assert np.mean(draws) == pytest.approx(float(whole["cohen_d"]), abs=3 * spread)
    first = next(iter(some))
    rest = rmea_contrast({name: pair for name, pair in some.items() if name != first}, 25, **options)
    assert float(whole["cohen_d_without"].sel(dyad=first)) == pytest.approx(float(rest["cohen_d"]))
    signed = rmea_contrast(some, 25, **options, absolute=False, z=False)
    one = synchrony(*some[first], 25, "rmea", absolute=False, z=False, **options)
    assert float(signed["real_score"].sel(dyad=first)) == pytest.approx(float(one["score"]), abs=1e-9)
