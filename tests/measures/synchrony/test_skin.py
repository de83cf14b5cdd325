"""Skin conductance: concordance and AMICo, against closed forms, naive loops and responses that are known."""

import numpy as np
import pytest

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony import synchrony, synchrony_test
from dyadloop.measures.synchrony.amico import matching
from dyadloop.measures.synchrony.concordance import index, slopes
from dyadloop.measures.synchrony.extremes import extremes, features
from dyadloop.measures.synchrony.shapes import shapes_alike, stretched
from dyadloop.signals.series import make_pair

FS = 10


def responses(times, sizes, n=6000, seed=0, level=2.0):
    """Skin conductance [microsiemens] with responses that rise in about a second and halve in three."""
    t = np.arange(200) / FS
    kernel = np.exp(-t / 4) - np.exp(-t)
    impulses = np.zeros(n + 200)
    impulses[(np.asarray(times) * FS).astype(int)] = sizes
    return level + np.convolve(impulses, kernel)[:n] + 0.001 * np.random.default_rng(seed).normal(size=n)


def dyad(delay=2.0, seed=3, shared=True):
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(8, 20, 60))
    times = times[times < 570]
    sizes = rng.uniform(0.4, 1.2, len(times))
    other = times + delay if shared else np.sort(rng.uniform(5, 590, len(times)))
    return responses(times, sizes), responses(other, sizes[::1] if shared else sizes[::-1], seed=1, level=3.0), times


def test_slopes_and_index_are_those_of_the_definition():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 900)).cumsum(axis=1)
    lines, increment = slopes(make_pair(a, b, FS), 5.0, 1.0)
    assert increment == 10
    expected = [np.polyfit(np.arange(50) / FS, a[s : s + 50], 1)[0] for s in range(0, 851, 10)]
    np.testing.assert_allclose(lines[0], expected, atol=1e-10)
    found = synchrony(a, b, FS, "concordance")
    r = [np.corrcoef(lines[0, k : k + 15], lines[1, k : k + 15])[0, 1] for k in range(lines.shape[1] - 14)]
    np.testing.assert_allclose(found["course"], r, atol=1e-9)
    positive, negative = sum(x for x in r if x > 0), sum(-x for x in r if x < 0)
    assert float(found["score"]) == pytest.approx(np.log(positive / negative), abs=1e-9)
    high = np.median([x for x in r if x > 0]) * np.mean(np.array(r) > 0)
    assert float(found["high"]) == pytest.approx(high, abs=1e-9)
    assert float(synchrony(a, -b, FS, "concordance")["score"]) == pytest.approx(-float(found["score"]), abs=1e-9)


def test_the_index_is_bounded_and_has_no_error_at_its_bound():
    assert index(np.array([0.2, 0.3])) == 10
    assert index(np.array([-0.2])) == -10
    assert index(np.array([0.5, -0.5])) == 0
    a = np.random.default_rng(0).normal(size=900).cumsum()
    found = synchrony(a, 2 * a, FS, "concordance")
    assert float(found["score"]) == 10
    assert np.isnan(float(found["error"]))


def test_a_person_whose_slope_does_not_vary_is_left_out():
    a, b, _ = dyad()
    still = a.copy()
    still[2000:3000] = 0.1
    found = synchrony(still, b, FS, "concordance")
    assert np.isnan(found["course"].sel(window=slice(210, 270))).all()
    assert found.attrs["windows"] < synchrony(a, b, FS, "concordance").attrs["windows"] - 60


def test_extremes_are_the_known_peaks_and_small_ones_go():
    a, _, times = dyad()
    places, peaks = extremes(a, 25, 5, 0.05)
    assert (peaks[1:] != peaks[:-1]).all()
    top = np.log(4) / (1 - 1 / 4)  # of exp(-t / 4) - exp(-t)
    found = places[peaks] / FS
    np.testing.assert_allclose(found[: len(times)], times + top, atol=0.5)
    assert (found[len(times) :] > 595).all()  # the end of the recording, which no valley follows
    assert not extremes(a, 25, 5, 100.0)[1][1:-1].any()


def test_a_feature_ends_at_half_recovery_or_at_the_next_valley():
    alone = features(responses([10, 60], [1.0, 1.0], n=1000), 25, 5, 0.05)
    a = responses([10, 60], [1.0, 1.0], n=1000)
    onset, peak, end = (int(column[0]) for column in alone)
    half = (a[peak] + a[onset]) / 2
    assert a[end] == pytest.approx(half, abs=0.02)
    soon = features(responses([10, 14, 60], [1.0, 1.0, 1.0], n=1000), 25, 5, 0.02)
    assert soon.end[0] == soon.onset[1]  # no half recovery before the next rise


def test_stretched_features_correlate_as_a_naive_reading_says():
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 80))
    one, others = np.array([3, 10, 30]), np.array([[5, 20, 28], [0, 4, 60]])
    for k, other in enumerate(others):
        shapes = []
        for series, (onset, peak, end) in ((a, one), (b, other)):
            rise, fall = max(7, other[1] - other[0]) + 1, max(20, other[2] - other[1]) + 1
            up = np.interp(np.linspace(onset, peak, rise), np.arange(80), series)
            down = np.interp(np.linspace(peak, end, fall), np.arange(80), series)
            shapes.append(np.append(up, down[1:]))
        assert shapes_alike(a, b, one, others)[k] == pytest.approx(np.corrcoef(shapes)[0, 1], abs=1e-10)
    np.testing.assert_allclose(stretched(a[:5], 9)[::2], a[:5], atol=1e-12)


def test_matching_is_the_best_of_all_ways_without_crossings():
    rng = np.random.default_rng(2)

    def best(table):
        if not table.size:
            return 0.0
        first = max((table[0, j] + best(table[1:, j + 1 :]) for j in range(table.shape[1])), default=0.0)
        return max(first, best(table[1:]))

    for _ in range(10):
        table = np.where(rng.random((5, 6)) < 0.5, 0, rng.random((5, 6)))
        pairs = matching(table)
        assert all(i < k and j < m for (i, j), (k, m) in zip(pairs, pairs[1:], strict=False))
        assert sum(table[i, j] for i, j in pairs) == pytest.approx(best(table))


def test_amico_finds_responses_that_follow_each_other():
    a, b, times = dyad(delay=2.0)
    found = synchrony(a, b, FS, "amico")
    assert float(found["lead"]) == pytest.approx(2.0, abs=0.3)
    assert float(found["share_matched"]) > 0.95
    assert float(found["match_similarity"]) == pytest.approx(1 - 0.5 * (2 / 6) ** 2, abs=0.03)  # only the lag costs
    other = synchrony(b, a, FS, "amico")
    assert float(other["lead"]) == pytest.approx(-float(found["lead"]), abs=0.05)
    assert float(other["score"]) == pytest.approx(float(found["score"]), abs=0.01)
    assert int(found["matches"]) >= len(times) - 1
    strangers = synchrony(*dyad(shared=False)[:2], FS, "amico")
    assert float(strangers["share_matched"]) < 0.7
    p = float(synchrony_test(a, b, FS, "amico", statistic="share_matched", draws=39)["p_value"])
    assert p == pytest.approx(1 / 40)


def test_amico_over_a_gap_and_without_peaks():
    a, b, _ = dyad()
    a = a.copy()
    a[2000:2300] = np.nan
    found = synchrony(a, b, FS, "amico")
    assert float(found["lead"]) == pytest.approx(2.0, abs=0.4)
    assert np.isfinite(float(found["score"]))
    with pytest.raises(MeasureError, match="amplitude is 50"):
        synchrony(a, b, FS, "amico", amplitude=50)
