"""Segments: SUSY's and mvSUSY's numbers, still segments, a calibrated effect, group measures."""

import numpy as np
import pandas as pd
import pytest
from scipy.signal import hilbert, lfilter

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony import group_synchrony, synchrony
from dyadloop.measures.synchrony.group import mvsusy
from tests.measures.conftest import autoregressive, follower

_SUMMARY = {
    "Z": "score", "Z-Pseudo": "z_pseudo", "SD(Z)": "sd_z", "SD(Z-Pseudo)": "sd_z_pseudo", "ES": "effect",
    "%>Pseudo": "percent_above_pseudo", "Z(lead1)": "z_lead1", "Z(lead2)": "z_lead2", "ES(lead1)": "effect_lead1",
    "ES(lead2)": "effect_lead2", "meanZ(in-phase)": "z_in_phase", "meanZ(anti-phase)": "z_anti_phase",
    "Anzahl(in-phase)": "lags_in_phase", "Anzahl(anti-phase)": "lags_anti_phase", "Z(noAbs)": "z_signed",
    "Z(Pseudo-noAbs)": "z_pseudo_signed", "%>Pseudo(noAbs)": "percent_above_pseudo_signed", "ES(noAbs)": "effect_signed",
}  # fmt: skip


def test_reproduces_susy(shared, therapy):
    stem = shared / "reference" / "synchrony" / "S2_rmea_normal200_seg30_hz25_maxlag5_"
    summary, lags, segments = (pd.read_csv(f"{stem}{part}.csv") for part in ("summary", "lags", "segments"))
    found = synchrony(*therapy["normal_200"], 25, "susy", segment=30, lag=5)
    for theirs, ours in _SUMMARY.items():
        assert float(found[ours]) == pytest.approx(float(summary[theirs].iloc[0]), abs=1e-9), theirs
    for theirs, ours in (
        ("meanccorrReal", "real_r"), ("meanccorrPseudo", "pseudo_r"), ("meanccorrRealZ", "real_z"),
        ("meanccorrPseudoZ", "pseudo_z"), ("meanccorrRealZNotAbs", "real_signed"), ("meanccorrPseudoZNotAbs", "pseudo_signed"),
    ):  # fmt: skip
        np.testing.assert_allclose(found[ours].values[::-1], lags[theirs], atol=1e-9)  # SUSY: lag < 0, first leads
    np.testing.assert_allclose(found["segment_r"], segments["nReal"], atol=1e-9)
    np.testing.assert_allclose(found["segment_r_pseudo"], segments["nPseudo"], atol=1e-9)


def test_reproduces_mvsusy(shared, group_input):
    stem = shared / "reference" / "synchrony" / "M1_manpage_seg10_hz10_lambda_max_"
    values = pd.read_csv(f"{stem}values.csv")["value"].to_numpy()
    index = pd.read_csv(f"{stem}pseudo_segment_index.csv").to_numpy()
    summary = pd.read_csv(f"{stem}summary.csv").iloc[0]
    found = mvsusy(group_input, 10, 10, surrogate_segments=index - 1)
    np.testing.assert_allclose(found["surrogate"], values[:1000], atol=1e-9)
    np.testing.assert_allclose(found["segment_value"], values[1000:], atol=1e-9)
    for ours, theirs in (
        ("es", "ES"), ("welch_t", "t_statistic"), ("welch_p", "p_value"), ("wilcoxon_w", "statistic_nonpar"),
        ("wilcoxon_p", "p_value_nonpar"),
    ):  # fmt: skip
        assert float(found[ours]) == pytest.approx(summary[theirs], abs=1e-9), ours


def test_omega_is_one_minus_a_ratio_of_determinants():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3)) @ np.array([[1, 0.5, 0], [0, 1, 0.3], [0, 0, 1]])
    found = mvsusy(x, 10, 10, kind="omega", draws=20)
    covariance = np.cov(x[:100], rowvar=False)
    assert float(found["segment_value"][0]) == pytest.approx(
        1 - np.linalg.det(np.abs(covariance)) / np.prod(np.diag(covariance))
    )


def test_still_segments_are_left_out_not_counted_as_zero():
    """SUSY skips them and counts them: its Z falls as a person sits still."""
    a, b = follower(n=3000, delay=5)
    b = b.copy()
    b[600:1200] = 0.0  # two of ten segments of 30 s at 10 Hz
    found = synchrony(a, b, 10, "segments", segment=30, lag=2)
    assert found.attrs["segments_left_out"] == 2
    lost = float(synchrony(a, b, 10, "susy", segment=30, lag=2)["score"])
    assert lost == pytest.approx(0.8 * float(found["score"]), rel=1e-9)


def test_fractional_rates_keep_their_rate():
    """SUSY turns 29.97 Hz into 29; the compatible mode says so, the corrected one does not."""
    a, b = follower(n=3000)
    assert synchrony(a, b, 29.97, "susy", segment=20, lag=2)["lag"].values[-1] == 58 / 29
    assert synchrony(a, b, 29.97, "segments", segment=10, lag=2)["lag"].values[-1] == pytest.approx(60 / 29.97)


@pytest.mark.parametrize("n", [2999, 3001, 3100])
def test_lengths_need_not_be_a_multiple_of_the_segment(n):
    a, b = follower(n=n)
    assert synchrony(a, b, 10, "segments", segment=30, lag=2).sizes["segment"] == n // 300


def test_the_effect_has_sd_one_where_nothing_is_shared():
    """SUSY's own effect size is far wider on the same series."""
    ours, theirs, p = [], [], []
    for seed in range(120):
        a, b = autoregressive(4000, 0.95, 2 * seed), autoregressive(4000, 0.95, 2 * seed + 1)
        found = synchrony(a, b, 10, "segments", segment=20, lag=3, draws=400)
        ours.append(float(found["effect"]))
        p.append(float(found["p_value"]))
        theirs.append(float(synchrony(a, b, 10, "susy", segment=20, lag=3)["effect"]))
    assert 0.85 < np.std(ours) < 1.17  # 1 +- 2.5 standard errors of an SD of 120
    assert np.std(theirs) > 1.5 * np.std(ours)
    assert np.mean(np.array(p) < 0.05) < 0.12  # 0.05 + 3.4 standard errors


def test_rho_is_that_of_multisyncpy(peers, group_input):
    found = group_synchrony(group_input[:300], 10, "rho")
    assert float(found["score"]) == pytest.approx(peers["rho"]["mean"], abs=1e-9)
    np.testing.assert_allclose(found["course"][:20], peers["rho"]["course"], atol=1e-9)


def test_kuramoto_is_the_length_of_the_mean_phase(group_input):
    x = group_input[:300] - group_input[:300].mean(axis=0)
    found = group_synchrony(group_input[:300], 10, "kuramoto")
    order = np.abs(np.exp(1j * np.angle(hilbert(x, axis=0))).mean(axis=1))
    np.testing.assert_allclose(found["course"], order, atol=1e-12)
    assert float(found["p_value"]) > 0.01
    together = np.stack([x[:, 0], x[:, 0] + 0.1 * x[:, 1], x[:, 0] + 0.1 * x[:, 2]], axis=1)
    assert float(group_synchrony(together, 10, "kuramoto")["p_value"]) < 1e-6


def test_groups_are_checked():
    with pytest.raises(MeasureError, match="2 or more"):
        group_synchrony(np.ones((10, 1)), 10, "rho")
    with pytest.raises(MeasureError, match="takes two series"):
        group_synchrony(np.ones((10, 2)), 10, "rmea")
    with pytest.raises(MeasureError, match="expected at least 3"):
        group_synchrony(np.random.default_rng(0).normal(size=(50, 3)), 10, "mvsusy", segment=2)
    with pytest.raises(MeasureError, match="choose shorter segments"):
        synchrony(*follower(n=300), 10, "segments", segment=20)


def test_segments_that_know_of_each_other_give_no_p_and_longer_ones_do():
    """A rhythm that lasts longer than a segment: permutations of 30 s reject unrelated persons in 19 %."""
    rng = np.random.default_rng(3)
    poles = [1.0, -2 * 0.9875 * np.cos(2 * np.pi / 40), 0.9875**2]  # 2 Hz: a period of 20 s, a memory of 40 s
    slow = [lfilter([1.0], poles, rng.normal(size=5600))[800:] for _ in range(2)]
    short = synchrony(*slow, 2, "segments", segment=30, lag=5, draws=99)
    assert np.isnan(float(short["p_value"]))
    assert np.isnan(float(short["effect"]))
    assert np.isfinite(float(short["score"]))
    assert "choose longer segments" in short.attrs["status"]
    assert np.isfinite(float(synchrony(*slow, 2, "segments", segment=120, lag=5, draws=99)["p_value"]))


def test_segments_whose_permutations_are_all_alike_give_no_effect():
    beat = np.tile(np.sin(np.arange(40) * 2 * np.pi / 40) + np.random.default_rng(1).normal(size=40), 20)
    found = synchrony(beat, -beat, 10, "segments", segment=4, lag=0, draws=19)
    assert np.isnan([float(found["effect"]), float(found["p_value"])]).all()
    assert np.isfinite(float(found["score"]))


def test_segments_in_which_a_person_rests_are_left_out():
    rng = np.random.default_rng(0)
    a, b = np.exp(rng.normal(size=(2, 6000)))
    a[1000:1200] = b[1000:1200] = 0  # 20 s in the segments from 90 and from 120 s to 120 and 150 s: 100 to 120 s
    found = synchrony(a, b, 10, "segments", segment=30, lag=2, draws=99)
    assert found["start"].values.tolist() == [s for s in range(0, 600, 30) if s != 90]
