"""Series made ready: one clock, no invented values, spikes, smoothing, whitening."""

import numpy as np
import pytest

from dyadloop.errors import MeasureError
from dyadloop.signals.series import resampled, smoothed, whitened, without_spikes
from tests.measures.conftest import autoregressive


def test_resampling_keeps_gaps_and_exact_samples():
    times = np.arange(0, 10, 0.1)
    values = np.sin(times)
    kept = np.delete(np.arange(100), np.arange(40, 60))
    found = resampled(times[kept], values[kept], 5, 0, 9.9, gap=0.5)
    grid = np.arange(50) / 5
    np.testing.assert_allclose(found[np.isfinite(found)], np.sin(grid[np.isfinite(found)]), atol=1e-12)
    assert np.isnan(found[(grid > 3.95) & (grid < 5.95)]).all()
    assert np.isfinite(found[(grid < 3.85) | (grid > 6.05)]).all()


def test_a_slower_clock_averages_first():
    times = np.arange(0, 20, 0.01)
    fast = np.sin(2 * np.pi * 7 * times)  # would fold to 1 Hz at 4 Hz
    found = resampled(times, fast, 4, 0, 19, gap=1)
    assert np.nanstd(found[1:-1]) < 0.2 * fast.std()  # a mean over 1.75 cycles leaves 0.13


def test_resampling_refuses_times_that_do_not_rise():
    with pytest.raises(MeasureError, match="sample 2"):
        resampled([0, 1, 1], [1, 2, 3], 1, 0, 1, gap=1)
    with pytest.raises(MeasureError, match="no two samples"):
        resampled([0, 1], [1, 2], 1, 5, 9, gap=1)


def test_smoothing_is_centred_and_of_full_weight():
    x = np.zeros(101)
    x[50] = 1.0
    found = smoothed(x, 25, 0.5)
    assert found.sum() == pytest.approx(1)
    assert (found * np.arange(101)).sum() == pytest.approx(50)
    constant = smoothed(np.where(np.arange(101) == 30, np.nan, 7.0) + 1e-3 * np.arange(101), 25, 0.5)
    assert np.isnan(constant[30])
    assert constant[60] == pytest.approx(7.06)


def test_spikes_do_not_widen_their_own_bound():
    rng = np.random.default_rng(0)
    x = rng.normal(size=2000)
    x[[10, 700]] = 1e6, 40.0
    found, count = without_spikes(x)
    assert count == 2
    assert np.isnan(found[[10, 700]]).all()


def test_whitening_leaves_no_autocorrelation_and_keeps_gaps():
    x = autoregressive(4000, 0.9, 1)
    x[100:110] = np.nan
    found = whitened(x)
    known = found[120:]
    assert abs(np.corrcoef(known[1:], known[:-1])[0, 1]) < 0.05  # 3 / sqrt(4000)
    assert np.isnan(found[100:110]).all()
    assert np.isnan(found[110])
