"""Measures that peers have: numbers made with their programs, closed forms and naive loops as referees."""

import numpy as np
import pandas as pd
import pytest
from scipy import signal, stats

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony import METHODS, group_synchrony, kuramoto_test, synchrony, synchrony_test
from dyadloop.measures.synchrony.best_lag import path
from dyadloop.measures.synchrony.circular import adjusted, mean_centred
from dyadloop.measures.synchrony.cross_mapping import _states, skill
from dyadloop.measures.synchrony.locking import KINDS
from dyadloop.measures.synchrony.wcc_summary import derivatives
from tests.measures.conftest import autoregressive, follower
from tests.measures.synchrony.made import maps, waves

BAND = (0.05, 0.4)
QUICK = {
    "amico": {"amplitude": 0.1, "lag": 3},
    "best_lag": {"lag": 3},
    "concordance": {"window": 6, "slope_window": 1},
    "rolling": {"step": 1.0},
    "wcc_summary": {"window": 20, "step": 2, "lag": 3},
    "locking": {"band": BAND},
    "envelope": {"band": BAND},
    "circular": {"band": BAND},
    "cross_mapping": {"draws": 3, "libraries": 3, "exclude": 1.0},
    "crqa": {"radius": 0.5},
    "cross_wavelet": {"shortest_period": 1.0},
    "wavelet_test": {"surrogates": 19, "per_octave": 4, "shortest_period": 1.0},
    "symbolic_entropy": {},
    "rho_windows": {"band": BAND},
    "kuramoto_windows": {"band": BAND},
}


def _phases(series):
    return np.angle(signal.hilbert(series - series.mean(axis=0), axis=0))


def test_rolling_correlation_is_that_of_neurokit_and_pandas(peers):
    w = waves(500)
    found = synchrony(w[:, 0], w[:, 1], 10, "rolling", window=5.1)
    np.testing.assert_allclose(found["course"][::50], peers["rolling"]["r"], atol=1e-9)
    expected = pd.Series(w[:, 0]).rolling(51, center=True).corr(pd.Series(w[:, 1]))
    np.testing.assert_allclose(found["course"], expected.dropna(), atol=1e-9)
    np.testing.assert_allclose(found["time"], np.arange(25, 475) / 10)


def test_cross_mapping_is_that_of_pyedm(peers):
    x, y = maps(300, 0.1)
    for radius, columns in peers["ccm"]["rho"].items():
        for source, target, name in ((x, y, "X:Y"), (y, x, "Y:X")):
            side = _states(source, target, 2, 1)
            assert skill(side, np.arange(len(side.points)), int(radius)) == pytest.approx(columns[name], abs=1e-9)


def test_cross_mapping_reads_the_driver_from_the_driven_the_better_the_more_is_known():
    x, y = maps(600, 0.1)
    found = synchrony(x, y, 1, "cross_mapping", dimension=2, draws=10)
    driven = found["skill"].sel(direction="first_drives_second").values
    assert driven[-1] > 0.9
    assert (np.diff(driven) > -0.02).all()
    assert float(found["convergence"][0]) > 0.5
    assert float(found["lead"]) > 0.5
    assert float(synchrony(y, x, 1, "cross_mapping", dimension=2, draws=10)["lead"]) == pytest.approx(
        -float(found["lead"])
    )
    apart = synchrony(*maps(600, 0.0), 1, "cross_mapping", dimension=2, draws=3)
    assert np.abs(apart["skill"]).max() < 0.3
    x = x.copy()
    x[100:150] = np.nan
    assert float(synchrony(x, y, 1, "cross_mapping", dimension=2, draws=2)["lead"]) > 0.5
    with pytest.raises(MeasureError, match="states without a gap"):
        synchrony(x[:12], y[:12], 1, "cross_mapping")


def test_projections_are_those_of_a_naive_loop():
    x, y = maps(80, 0.2)
    side = _states(y, x, 3, 2)
    library = np.arange(0, len(side.points), 2)
    predicted = []
    for k, point in enumerate(side.points):
        free = [j for j in library if abs(side.moment[j] - side.moment[k]) > 2]
        distance = np.array([np.sqrt(((side.points[j] - point) ** 2).sum()) for j in free])
        near = np.argsort(distance)[:4]
        weight = np.exp(-distance[near] / distance[near].min())
        predicted.append((weight * side.target[np.array(free)[near]]).sum() / weight.sum())
    assert skill(side, library, 2) == pytest.approx(np.corrcoef(predicted, side.target)[0, 1], abs=1e-12)


def test_phase_locking_is_that_of_mne(peers):
    parts = waves(4000).reshape(40, 100, 2)
    taper = np.hanning(100)[:, None]
    spectra = np.fft.rfft((parts - parts.mean(axis=1, keepdims=True)) * taper, axis=1)
    frequency = np.fft.rfftfreq(100, 0.1)
    for k, f in enumerate(peers["locking"]["frequency"]):
        one = spectra[:, np.argmin(np.abs(frequency - f))]
        cross = one[:, 0] * np.conj(one[:, 1])
        for kind, of in KINDS.items():
            assert of(cross) == pytest.approx(peers["locking"][kind][k], abs=1e-9), (kind, f)


def test_locking_of_a_known_shift_and_of_a_copy():
    t = np.arange(0, 300, 0.1)
    a, b = np.sin(2 * np.pi * 0.1 * t), np.sin(2 * np.pi * 0.1 * (t - 1))
    found = synchrony(a, b, 10, "locking", kind="plv")  # whole periods: the Hilbert transform is exact
    assert [float(found[kind]) for kind in KINDS] == pytest.approx([1, 1, 1, 1])
    assert float(found["ahead"]) == 1  # the second is 1 s behind: the first leads
    assert float(synchrony(b, a, 10, "locking")["ahead"]) == -1
    assert float(synchrony(a, b, 10, "locking", band=[0.05, 0.2])["ciplv"]) == pytest.approx(1, abs=0.02)
    noise = np.random.default_rng(0).normal(size=3000)
    same = synchrony(noise, 2 * noise, 10, "locking", band=[0.05, 0.2])
    assert float(same["plv"]) == pytest.approx(1)
    assert [float(same[kind]) for kind in ("ciplv", "wpli")] == pytest.approx([0, 0], abs=1e-6)


def test_envelope_correlation_is_that_of_mne(peers):
    w = waves(4000)
    found = synchrony(w[:, 0], w[:, 1], 10, "envelope")
    assert float(found["score"]) == pytest.approx(peers["envelope"]["orthogonalised"], abs=1e-9)
    assert float(found["plain"]) == pytest.approx(peers["envelope"]["plain"], abs=1e-9)
    assert float(synchrony(w[:, 0], w[:, 1], 10, "envelope", orthogonal=False)["score"]) == float(found["plain"])


def test_what_reaches_both_at_once_counts_for_nothing_once_orthogonalised():
    rng = np.random.default_rng(3)
    room, own = rng.normal(size=20_000), rng.normal(size=(2, 20_000))
    found = synchrony(room + own[0], room + own[1], 10, "envelope", band=[0.5, 1.5])
    assert float(found["plain"]) > 0.15
    assert abs(float(found["orthogonalised"])) < 0.05


def test_circular_correlation_is_that_of_pingouin_and_of_its_definition(peers):
    w = waves(4000)
    found = synchrony(w[:, 0], w[:, 1], 10, "circular", kind="mean")
    assert float(found["score"]) == pytest.approx(peers["circular"]["mean_centred"], abs=1e-9)
    a, b = _phases(w).T
    size = len(a)
    minus, plus = (np.abs(np.exp(1j * (a + sign * b)).sum()) for sign in (-1, 1))
    centres = [(np.angle(np.exp(1j * (a + b)).sum()) + s * np.angle(np.exp(1j * (a - b)).sum())) / 2 for s in (1, -1)]
    spread = (np.sin(a - centres[0]) ** 2).sum() * (np.sin(b - centres[1]) ** 2).sum()
    assert adjusted(a, b) == pytest.approx((minus - plus) / (2 * np.sqrt(spread)), abs=1e-12)
    even = np.linspace(-np.pi, np.pi, size, endpoint=False)
    assert adjusted(even, even - 1.0) == pytest.approx(1)
    assert adjusted(even, -even) == pytest.approx(-1)
    assert mean_centred(a, a + 0.7) == pytest.approx(1)


def test_symbolic_entropy_is_that_of_multisyncpy_and_of_counting(peers):
    g = waves(1200, 4)
    found = group_synchrony(g, 10, "symbolic_entropy")
    assert float(found["entropy"]) == pytest.approx(peers["symbolic_entropy"]["entropy"], abs=1e-12)
    assert float(found["independent"]) == pytest.approx(4 * np.log(3), abs=1e-6)
    alike = np.repeat(g[:, :1], 4, axis=1)
    same = group_synchrony(alike, 10, "symbolic_entropy")
    assert float(same["entropy"]) == pytest.approx(np.log(3), abs=1e-6)
    assert float(same["score"]) == pytest.approx(3 * np.log(3), abs=1e-5)
    gap = g.copy()
    gap[50, 1] = np.nan  # multiSyncPy then counts the person as always high: 2.9 for 4.0
    assert float(group_synchrony(gap, 10, "symbolic_entropy")["entropy"]) == pytest.approx(4.03, abs=0.01)


def test_windows_of_groups_are_those_of_multisyncpy(peers):
    g = waves(1200, 4)
    found = group_synchrony(g, 10, "rho_windows", window=30, step=15)
    np.testing.assert_allclose(found["course"], peers["rho_windows"]["rho"], atol=1e-9)
    angles = _phases(g)
    order = np.abs(np.exp(1j * angles).mean(axis=1))
    found = group_synchrony(g, 10, "kuramoto_windows", window=30, step=15)
    np.testing.assert_allclose(found["course"], [order[s : s + 300].mean() for s in range(0, 901, 150)], atol=1e-12)


def test_the_weak_null_over_groups_is_that_of_multisyncpy_and_a_t_test(peers):
    quarters = np.split(waves(1200, 4), 4)
    found = kuramoto_test(quarters, 10, compatible=True)
    assert float(found["t"]) == pytest.approx(peers["kuramoto_test"]["t"], abs=1e-9)
    assert float(found["p_value"]) == pytest.approx(peers["kuramoto_test"]["p"], abs=1e-12)
    ours = kuramoto_test(quarters, 10)
    expected = stats.ttest_1samp(ours["mean_square"].values, 1 / 4, alternative="greater")
    assert float(ours["t"]) == pytest.approx(expected.statistic, abs=1e-12)
    assert float(ours["p_value"]) == pytest.approx(expected.pvalue, abs=1e-12)
    with pytest.raises(MeasureError, match="at least 3 groups"):
        kuramoto_test(quarters[:2], 10)


def test_the_derivatives_of_a_quadratic_lag_are_exact():
    t = np.arange(30) * 2.0
    found = derivatives(0.5 - 0.1 * t + 0.03 * t**2, 2.0, 9)
    middle = t[4:-4]
    np.testing.assert_allclose(found[:, 0], 0.5 - 0.1 * middle + 0.03 * middle**2, atol=1e-10)
    np.testing.assert_allclose(found[:, 1], -0.1 + 0.06 * middle, atol=1e-11)
    np.testing.assert_allclose(found[:, 2], 0.06, atol=1e-11)


def test_the_aggregates_of_wcc_follow_a_delay_that_grows():
    rng = np.random.default_rng(4)
    source = np.convolve(rng.normal(size=6100), np.ones(12) / 12, "same")
    moments = np.arange(6000)
    delay = 5 + 10 * moments / 6000  # from .5 to 1.5 s over 600 s
    second = np.interp(moments - delay + 20, np.arange(6100), source)
    found = synchrony(source[20:6020], second, 10, "wcc_summary", window=20, step=5, lag=3)
    assert float(found["lead"]) == pytest.approx(1.0, abs=0.1)
    assert float(found["speed_mean"]) == pytest.approx(1 / 600, rel=0.2)
    table = synchrony(source[20:6020], second, 10, "wcc", window=20, step=5, lag=3)
    assert float(found["peak_mean"]) == pytest.approx(np.nanmean(table["peak_z"]), abs=1e-12)
    z = np.arctanh(np.clip(table["r"].values, -1 + 1e-15, 1 - 1e-15))
    assert float(found["total_mean"]) == pytest.approx(np.nanmean(np.abs(z)), abs=1e-9)
    assert float(found["zero_variance"]) == pytest.approx(np.nanvar(z[:, 30], ddof=1), abs=1e-9)


def test_close_windows_that_go_back_in_time_are_those_of_single_correlations():
    a, b = follower(n=900)
    found = synchrony(a, b, 10, "wcc", window=20, step=1, lag=2)
    for row in (0, 7, len(found["end"]) - 1):
        end = round(float(found["end"][row]) * 10)
        for lag in (-20, -3, 0, 11):
            one, two = end - max(lag, 0), end + min(lag, 0)  # the later window ends at ``end``
            expected = np.corrcoef(a[one - 200 : one], b[two - 200 : two])[0, 1]
            assert float(found["r"][row].sel(lag=lag / 10, method="nearest")) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("kind", ["centre", "free", "off"])
def test_the_best_path_is_that_of_a_naive_walk(kind):
    rng = np.random.default_rng(5)
    r = rng.uniform(-1, 1, size=(60, 21))
    r[20] = np.nan
    bell = np.exp(-0.5 * (np.arange(11) / 1000) ** 2)

    def weight(steps, farthest):
        return 0.9 + 0.1 * (bell[abs(steps)] - bell[farthest]) / (1 - bell[farthest])

    expected = [10]
    for row in range(1, 60):
        if np.isnan(r[row, 10]):
            expected.append(-1)
            continue
        before = 10 if expected[-1] < 0 else expected[-1]
        options = [c for c in range(before - 3, before + 4) if 0 <= c < 21]
        factor = {
            "centre": lambda c: weight(c - 10, 10),
            "free": lambda c, b=before: weight(c - b, 3),
            "off": lambda c: 1.0,
        }[kind]
        expected.append(max(options, key=lambda c: r[row, c] * factor(c)))
    assert path(r, 3, kind).tolist() == expected


def test_the_best_path_finds_a_delay():
    a, b = follower(n=3000, delay=12)
    found = synchrony(a, b, 10, "best_lag")
    assert float(np.median(found["path_lag"])) == pytest.approx(1.2, abs=0.15)
    assert float(synchrony(b, a, 10, "best_lag")["lead"]) == pytest.approx(-float(found["lead"]), abs=0.05)
    with pytest.raises(MeasureError, match="lag_change"):
        synchrony(a, b, 10, "best_lag", lag_change=0.01)


@pytest.mark.parametrize("method", list(QUICK))
def test_every_one_has_a_finite_score_and_a_finite_error(method):
    a, b = follower(n=1500, delay=8, noise=0.8)
    found = synchrony(10 * a, 10 * b, 10, method, **QUICK[method])
    assert np.isfinite(float(found["score"]))
    assert float(found["error"]) > 0
    assert found.attrs["source"].count("doi:")
    if "lead" in found and method != "cross_mapping":
        assert float(found["lead"]) > 0  # the first leads
        assert float(synchrony(10 * b, 10 * a, 10, method, **QUICK[method])["lead"]) < 0


@pytest.mark.parametrize("method", [m for m in QUICK if m not in ("crqa", "cross_wavelet", "wavelet_test")])
def test_a_gap_changes_little_and_breaks_nothing(method):
    a, b = follower(n=3000, delay=8)
    whole = synchrony(10 * a, 10 * b, 10, method, **QUICK[method])
    a = a.copy()
    a[1500:1540] = np.nan
    found = synchrony(10 * a, 10 * b, 10, method, **QUICK[method])
    assert float(found["score"]) == pytest.approx(float(whole["score"]), abs=4 * float(whole["error"]) + 0.02)


@pytest.mark.parametrize("method", ["concordance", "envelope"])
def test_surrogates_tell_a_dyad_from_two_strangers(method):
    settings = {} if method == "concordance" else QUICK[method]
    a, b = follower(n=6000, delay=8)
    assert float(synchrony_test(10 * a, 10 * b, 10, method, draws=39, **settings)["p_value"]) < 0.05
    one, two = (10 * np.convolve(autoregressive(6000, 0.3, seed), np.ones(15) / 15, "same") for seed in (1, 2))
    assert float(synchrony_test(one, two, 10, method, draws=39, **settings)["p_value"]) > 0.05


def test_no_method_is_forgotten_here_or_in_older_tests():
    first = {"windowed", "rmea", "segments", "susy", "wcc", "recurrence", "dtw", "mdrqa", "phase", "hilbert", "coherence",
             "wavelet", "granger", "regression", "mvsusy", "rho", "kuramoto"}  # fmt: skip
    assert set(METHODS) == first | set(QUICK)
