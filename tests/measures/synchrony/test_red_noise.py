"""Significance of wavelets: closed forms of red noise, the level for unrelated noise, and a rhythm that is there."""

import numpy as np
import pytest
from scipy import stats

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony import synchrony
from dyadloop.measures.synchrony.red_noise import _borders, autocorrelation, product_quantile, red_spectrum
from dyadloop.measures.synchrony.wavelets import PER_SCALE, transform
from tests.measures.conftest import autoregressive


def test_the_quantile_of_a_product_is_the_published_one_and_the_simulated_one():
    assert product_quantile(0.95) == pytest.approx(3.999, abs=5e-4)  # Torrence & Compo 1998, below equation 31
    rng = np.random.default_rng(0)
    product = np.sqrt(rng.chisquare(2, 200_000) * rng.chisquare(2, 200_000))
    assert product_quantile(0.8) == pytest.approx(np.quantile(product, 0.8), rel=0.01)


def test_the_red_spectrum_has_the_variance_of_its_noise():
    frequency = (np.arange(10_000) + 0.5) / 20_000
    for ar in (0.0, 0.5, 0.9):
        assert red_spectrum(ar, frequency).mean() == pytest.approx(1, abs=1e-4)
    assert autocorrelation(autoregressive(20_000, 0.7, 0)) == pytest.approx(0.7, abs=0.02)


def test_white_noise_has_a_mean_power_of_one():
    x = np.random.default_rng(1).normal(size=8192)
    power = [np.mean(np.abs(row) ** 2) for row in transform(x, 0.1, np.array([0.5, 1.0, 2.0]) * PER_SCALE)]
    assert power == pytest.approx([1, 1, 1], abs=0.1)


def test_independent_red_noise_crosses_the_border_as_often_as_it_should():
    shares = [
        float(synchrony(autoregressive(1500, 0.6, k), autoregressive(1500, 0.6, k + 50), 10, "cross_wavelet")["score"])
        for k in range(12)
    ]
    assert np.mean(shares) == pytest.approx(0.05, abs=0.015)


def test_a_shared_rhythm_stands_out_where_and_when_it_is():
    rng = np.random.default_rng(2)
    t = np.arange(900) / 10
    on = t > 45
    a = 1.5 * np.sin(2 * np.pi * t / 4) * on + rng.normal(size=900)
    b = 1.5 * np.sin(2 * np.pi * (t - 0.5) / 4) * on + rng.normal(size=900)
    common = synchrony(a, b, 10, "cross_wavelet", band=[0.15, 0.4], shortest_period=0.5)
    row = int(np.argmin(np.abs(common["period"].values - 4)))
    above = common["power"].values[row] > common["border"].values[row]
    assert above[550:800].all()
    assert not above[150:400].any()
    assert np.median(common["phase"].values[row, 550:800]) == pytest.approx(2 * np.pi / 8, abs=0.15)  # the first leads
    tested = synchrony(a, b, 10, "wavelet_test", band=[0.2, 0.3], shortest_period=0.5, per_octave=6, surrogates=39)
    assert float(tested["p_value"]) == pytest.approx(1 / 40)
    assert float(tested["score"]) > 0.3


def test_the_test_has_its_level():
    p = [
        float(synchrony(autoregressive(250, 0.5, k), autoregressive(250, 0.5, k + 70), 10, "wavelet_test",
                        shortest_period=0.5, per_octave=4, surrogates=19, seed=k)["p_value"])
        for k in range(16)
    ]  # fmt: skip
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(p) == pytest.approx(0.5, abs=0.22)


def test_borders_leave_the_level_above_them():
    counts = np.zeros((2, 500), dtype=np.int64)
    counts[0, :100] = 1  # a hundred cells, evenly below 0.2
    found = _borders(counts, 0.05)
    assert found[0] == pytest.approx(95 / 500)
    assert found[1] == 1  # nothing known


def test_what_cannot_be_done_is_refused():
    a, b = autoregressive(300, 0.5, 0), autoregressive(300, 0.5, 1)
    with pytest.raises(MeasureError, match="at least 19"):
        synchrony(a, b, 10, "wavelet_test", surrogates=5)
    with pytest.raises(MeasureError, match="level"):
        synchrony(a, b, 10, "cross_wavelet", level=2)
    with pytest.raises(MeasureError, match="cone"):
        synchrony(a, b, 10, "cross_wavelet", band=[0.001, 0.002])
    a[5] = np.nan
    with pytest.raises(MeasureError, match="no gaps"):
        synchrony(a, b, 10, "cross_wavelet")
