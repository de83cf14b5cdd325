"""What makes it fast changes nothing: dense windows, their sums, wavelets of long recordings, lagged regression."""

import numpy as np
import pytest
from scipy import signal

from dyadloop.measures.scoring import error_of_mean, fisher_z
from dyadloop.measures.synchrony import spectral, synchrony, wavelets
from dyadloop.measures.synchrony.lagged import Grid, blocks, correlate, grid, windowed_correlation
from dyadloop.measures.synchrony.prediction import _gains
from dyadloop.measures.synchrony.running import strengths
from dyadloop.signals.series import Pair
from tests.measures.conftest import follower
from tests.measures.synchrony.test_windowed import _two_pass


@pytest.mark.parametrize("trouble", ["none", "gaps", "spike", "still", "offset", "everything"])
def test_dense_windows_equal_a_two_pass_loop(trouble):
    rng = np.random.default_rng(1)
    a, b = np.cumsum(rng.normal(size=600)) * 0.01 + 50, np.cumsum(rng.normal(size=600)) * 0.01
    if trouble in ("gaps", "everything"):
        a[rng.random(600) < 0.02] = np.nan
        b[200:260] = np.nan
    if trouble in ("spike", "everything"):
        a[350] = 1e7
    if trouble in ("still", "everything"):
        b[400:480] = 3.3
    if trouble == "offset":
        a, b = rng.normal(size=600) + 1e6, rng.normal(size=600) - 1e6  # a million SDs
    cells = grid(600, 60, 7, 15)
    assert cells.dense
    found, expected = windowed_correlation(a, b, cells), _two_pass(a, b, cells, 30)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_running_sums_keep_their_digits_over_a_long_recording():
    """One window per sample, an offset of a million SDs, the last windows of 200,000 against transforms."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 200_000)) + 1e6
    b = b + 0.5 * a
    cells = grid(200_000, 300, 1, 5)
    found = windowed_correlation(a, b, cells)
    some = Grid(cells.starts[::9973], 300, 5)
    expected = correlate(blocks(a, some), blocks(b, some))
    np.testing.assert_allclose(found[::9973], expected, atol=1e-9)


def test_sums_of_z_by_products_are_those_by_logarithms():
    r = np.tanh(np.random.default_rng(0).normal(size=(20, 101)) * 2)
    r[3, 5:40], r[4], r[5, 50], r[6, 7], r[7, 90] = np.nan, np.nan, 1.0, -1.0, 1 - 1e-15
    sums, best = np.empty((20, 6)), np.empty(20, dtype=np.int64)
    strengths(r, sums, best)
    z = fisher_z(r)
    for place, part in ((0, np.abs(z[:, :50])), (1, np.abs(z[:, 50:51])), (2, np.abs(z[:, 51:])), (3, z)):
        np.testing.assert_allclose(sums[:, place], np.nansum(part, axis=1), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(sums[:, 4], (~np.isnan(r[:, :50])).sum(axis=1))
    assert best[4] == -1
    whole = np.delete(np.arange(20), 4)
    np.testing.assert_array_equal(np.abs(r[whole, best[whole]]), np.nanmax(np.abs(r[whole]), axis=1))


def test_the_error_of_many_overlapping_windows_is_that_of_the_sum():
    values = np.convolve(np.random.default_rng(0).normal(size=900), np.ones(100), "valid")
    n, deviation = len(values), values - values.mean()
    total = deviation @ deviation + 2 * sum((1 - k / 100) * (deviation[k:] @ deviation[:-k]) for k in range(1, 100))
    assert error_of_mean(values, 99) == pytest.approx(np.sqrt(total / n / (n - 99)))


def test_wavelets_of_long_recordings_are_those_of_short_ones(monkeypatch):
    a, b = follower(n=3000, delay=5)
    whole = spectral.wavelet(a, b, 0.1)
    monkeypatch.setattr(wavelets, "_MOMENTS", 1 << 10)
    found = spectral.wavelet(a, b, 0.1)
    assert found.stride == 4
    np.testing.assert_array_equal(found.inside, whole.inside[:, ::4])
    gap = np.abs(found.coherence - whole.coherence[:, ::4])[found.inside]
    assert gap.max() < 0.02  # beside the ends, which begin at whole steps of a coarser clock
    assert gap.mean() < 1e-4
    score = np.nanmean(found.coherence[found.inside])
    assert score == pytest.approx(np.nanmean(whole.coherence[whole.inside]), abs=1e-3)


@pytest.mark.parametrize("per_octave", [4, 5, 12])
def test_the_box_over_scales_is_that_of_scipy(per_octave):
    cells = np.random.default_rng(0).normal(size=(40, 7))
    box = np.ones(max(round(1.2 * per_octave), 2))
    box[[0, -1]] = 0.5
    expected = signal.convolve2d(cells, (box / box.sum())[:, None], mode="same")
    np.testing.assert_allclose(spectral._over_scales(cells, per_octave), expected, atol=1e-12)


def test_gains_are_those_of_single_windows_with_any_offset():
    a, b = follower(n=800, noise=1.0)
    starts = np.arange(20, 700, 13)
    found = _gains(Pair(a, b, 10.0), starts, 80, 20)
    shifted = _gains(Pair(a + 1e6, b - 1e6, 10.0), starts, 80, 20)
    np.testing.assert_allclose(shifted, found, atol=1e-8)  # an offset of a million SDs
    for row, s in enumerate(starts[::9]):
        for place, lag in ((0, -20), (19, -1), (20, 1), (33, 14)):
            target, other = (b, a) if lag > 0 else (a, b)
            k = abs(lag)
            r = np.corrcoef([target[s : s + 80], target[s - k : s - k + 80], other[s - k : s - k + 80]])
            expected = (r[0, 2] - r[0, 1] * r[1, 2]) ** 2 / (1 - r[1, 2] ** 2)
            assert found[9 * row, place] == pytest.approx(expected, abs=1e-12)


def test_a_window_per_second_of_a_real_method_is_the_mean_of_its_cells():
    a, b = follower(n=1200)
    found = synchrony(a, b, 10, window=20, step=1, lag=2)
    z = np.abs(np.arctanh(found["r"].values))
    assert float(found["score"]) == pytest.approx(z.mean(), abs=1e-12)
    assert float(found["lead"]) == pytest.approx(z[:, 21:].mean() - z[:, :20].mean(), abs=1e-12)
    assert float(found["signed"]) == pytest.approx(np.arctanh(found["r"].values).mean(), abs=1e-12)
    np.testing.assert_allclose(found["window_z"], z.mean(axis=1), atol=1e-12)
