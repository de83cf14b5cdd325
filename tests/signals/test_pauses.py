"""A film that stands still has a noise floor; slow series and real movement are no stopped film."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import dyadloop as dl
from dyadloop.signals.pauses import common_pauses
from tests.measures.conftest import autoregressive, follower

SETTINGS = {"window": 20, "step": 10, "lag": 3}
REAL = sorted((Path(__file__).parents[2] / "examples" / "survival" / "recordings").glob("*.csv.gz"))


def _movement(seed, noise):
    """Unrelated movement at 10 Hz; the film stands still from 90 to 150 s, with whole numbers of 0 to ``noise``."""
    pair = np.abs([5 * autoregressive(3000, 0.9, 2 * seed + k) for k in (0, 1)])
    pair[:, 900:1500] = np.random.default_rng(seed).integers(0, noise + 1, size=(2, 600))
    return pair


def test_the_noise_of_a_stopped_film_is_no_movement():
    """Kept as movement, the pause gives p < .05 in 8 of these 10 unrelated dyads."""
    p = []
    for seed in range(10):
        pair = _movement(seed, 1)
        assert common_pauses(*pair, 10) == (pytest.approx((90, 150), abs=0.5),)
        tested = dl.synchrony_test(*pair, 10, surrogate="shift", draws=99, **SETTINGS)
        p.append(float(tested["p_value"]))
    assert sum(value < 0.05 for value in p) <= 1


def test_a_follower_is_found_as_before():
    first, second = follower()
    pairs = first, second
    assert common_pauses(*pairs, 10) == ()
    assert float(dl.synchrony_test(*pairs, 10, draws=99, **SETTINGS)["p_value"]) == 0.01


@pytest.mark.parametrize("file", REAL, ids=lambda file: file.name[:9])
def test_real_movement_loses_nothing(file):
    table = pd.read_csv(file)
    series = table["participant1"].to_numpy(float), table["participant2"].to_numpy(float)
    assert common_pauses(*series, 25) == common_pauses(*series, 25, floor=0) == ()


def test_a_slow_series_is_not_still():
    """Within 10 s it moves by a few percent of its whole range, as it always does."""
    first, second = (np.cumsum(autoregressive(30000, 0.5, seed)) for seed in (1, 2))
    spans = np.ptp(np.lib.stride_tricks.sliding_window_view(first, 100)[::100], axis=1) / np.ptp(first)
    assert np.median(spans) < 0.1
    assert common_pauses(first, second, 10) == ()


def test_one_of_two_a_shorter_pause_and_a_gap_are_no_stopped_film():
    first, second = _movement(1, 1)
    assert common_pauses(first, np.roll(second, 700), 10) == ()
    assert common_pauses(first, second, 10, seconds=61) == ()
    first[945:1500:90] = np.nan
    assert common_pauses(first, second, 10) == ()


def test_mostly_still_series_keep_the_exact_rule():
    first, second = _movement(1, 0)
    first[1500:2600], second[1500:2600] = 0, 0
    first[2000] = 0.5
    assert common_pauses(first, second, 10) == ((90.0, 200.0), (200.1, 260.0))


def test_a_recording_shorter_than_a_pause():
    assert common_pauses(np.arange(5.0), np.arange(5.0), 10) == ()
