"""crqa's options: its printed numbers, a plot in memory as naive referee, blocks labelled by SciPy."""

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from scipy.spatial.distance import cdist

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony import mdcrqa, synchrony
from dyadloop.measures.synchrony.crqa import blocks, scaled, sided_plot
from dyadloop.measures.synchrony.recurrence import embed
from tests.measures.conftest import autoregressive, follower

_METRICS = {"euclidean": "euclidean", "maximum": "chebyshev", "manhattan": "cityblock"}


def _runs(line):
    padded = np.concatenate([[0], line.astype(int), [0]])
    return np.flatnonzero(np.diff(padded) == -1) - np.flatnonzero(np.diff(padded) == 1)


def _naive(x, y, radius, norm="euclidean", side="both", rescale="none", theiler=0, full=True):
    """The whole plot in memory; rows are the first person's time."""
    table = cdist(x.T, y.T, _METRICS[norm])
    n = len(table)
    factor = {
        "none": 1,
        "mean": table.mean(),
        "maximum": table.max(),
        "minimum": table.min(),
        "pairs": table.sum() / (n * n - n),
    }
    gap = np.arange(table.shape[1]) - np.arange(n)[:, None]
    allowed = {"both": gap == gap, "upper": gap < 0, "lower": gap > 0}[side] & (np.abs(gap) >= theiler)
    near = (table <= radius * factor[rescale]) & allowed
    diagonal = np.concatenate([_runs(np.diagonal(near, k)) for k in range(1 - n, table.shape[1])])
    vertical = np.concatenate([_runs(row) for row in near])
    lines, upright = diagonal[diagonal >= 2], vertical[vertical >= 2]
    return {
        "RR": near.sum() / (near.size if full else allowed.sum()), "DET": lines.sum() / near.sum(),
        "NRLINE": len(lines), "L": lines.mean(), "maxL": lines.max(), "LAM": upright.sum() / near.sum(),
        "TT": upright.mean(), "maxV": upright.max(),
    }  # fmt: skip


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"side": "upper", "full": False},
        {"side": "lower", "theiler": 3},
        {"norm": "maximum", "rescale": "mean", "radius": 0.4},
        {"norm": "manhattan", "rescale": "maximum", "radius": 0.2, "full": False, "theiler": 2},
        {"rescale": "pairs", "radius": 0.5},
        {"rescale": "minimum", "radius": 40.0},
    ],
)
def test_every_option_is_that_of_a_naive_plot(options):
    x, y = (embed(autoregressive(90, 0.8, seed), 2, 3) for seed in (0, 1))
    chosen = {
        "radius": 1.2,
        "norm": "euclidean",
        "side": "both",
        "rescale": "none",
        "theiler": 0,
        "full": True,
    } | options
    found = sided_plot(x, y, **chosen, shortest=2).numbers()
    for name, value in _naive(x, y, **chosen).items():
        assert found[name] == pytest.approx(value, abs=1e-12), name


def test_sides_add_up_and_swap_with_the_persons():
    x, y = (embed(autoregressive(80, 0.7, seed), 1, 1) for seed in (2, 3))
    rest = {"radius": 0.8, "norm": "euclidean", "rescale": "none", "theiler": 0, "shortest": 2, "full": True}
    upper, lower, both = (sided_plot(x, y, side=side, **rest).points for side in ("upper", "lower", "both"))
    middle = int((np.abs(x[0] - y[0]) <= 0.8).sum())
    assert upper + lower + middle == both
    assert sided_plot(y, x, side="upper", **rest).points == lower


def test_a_still_partner_is_one_vertical_line():
    """Five states of the first person, one of which the second holds for four moments."""
    found = synchrony([1, 2, 3, 4, 5], [9, 1, 1, 1, 1], 1, "crqa", radius=0.1, standardise=False, lag=1)
    assert [float(found[name]) for name in ("LAM", "TT", "maxV")] == [100, 4, 4]


def test_numbers_are_those_that_crqa_prints(shared):
    folder = shared / "reference" / "synchrony"
    expected = pd.read_csv(folder / "crqa_K_measures.csv", index_col="case")
    eye, hand = (pd.read_csv(folder / f"crqa_{name}.csv") for name in ("eyemovement", "handmovement"))
    eyes = synchrony(eye["narrator"], eye["listener"], 1, "crqa", radius=0.1, standardise=False, categorical=True)
    hands = synchrony(hand["P1_TT_d"][:3000], hand["P2_TT_d"][:3000], 1, "crqa", radius=0.5, dimension=3, delay=5)
    for found, case in ((eyes, "K1_eye_manpage"), (hands, "K3_hand_crqa_n3000_z_d5_m3_r0.5")):
        row = expected.loc[case]
        for name in ("RR", "DET", "NRLINE", "maxL", "L", "ENTR", "rENTR", "LAM", "TT"):
            assert float(found[name]) == pytest.approx(row[name], rel=1e-11), (case, name)
        assert float(found["maxV"]) == row["max_vertlength"]
    assert float(eyes["catH"]) == pytest.approx(expected.loc["K1_eye_manpage", "catH"], rel=1e-12)


def test_blocks_of_categories_are_runs_times_runs():
    rng = np.random.default_rng(0)
    x, y = (np.repeat(rng.integers(0, 4, 40), rng.integers(1, 9, 40)).astype(float) for _ in range(2))
    found = blocks(x[None], y[None], 0.1, "euclidean")
    labels, count = ndimage.label(x[:, None] == y[None, :])
    areas = np.bincount(labels.ravel())[1:]
    large = areas[areas > 1]
    share = np.unique(large, return_counts=True)[1] / len(large)
    assert count == len(areas)
    assert found["blocks"] == len(large)
    assert found["block_mean"] == pytest.approx(large.mean())
    assert found["block_largest"] == large.max()
    assert found["catH"] == pytest.approx(-(share * np.log(share)).sum())
    assert np.isnan(blocks(np.array([[1.0, 2.0]]), np.array([[1.0, 3.0]]), 0.1, "euclidean")["catH"])


def test_a_window_is_a_recording_of_its_own():
    a, b = follower(n=1200)
    found = synchrony(a, b, 10, "crqa", radius=0.6, window=30, step=15, lag=1)
    assert found["course"].shape == (7, 10)
    alone = synchrony(a[150:450], b[150:450], 10, "crqa", radius=0.6, lag=1)
    for name in ("RR", "DET", "TT"):
        assert float(found["course"].sel(measure=name)[1]) == pytest.approx(float(alone[name]), abs=1e-12)
    np.testing.assert_allclose(found["course_profile"][1], alone["profile"], atol=1e-12)
    a[:300] = 0.0
    found = synchrony(a, b, 10, "crqa", radius=0.6, window=30, step=15, lag=1)
    assert np.isnan(found["course"][0]).all()
    assert np.isfinite(found["course"][3, 0])
    with pytest.raises(MeasureError, match="does not fit"):
        synchrony(a, b, 10, "crqa", radius=0.6, window=500)


def test_lags_are_seconds():
    a, b = follower(n=1500, delay=20)
    found = synchrony(a, b, 10, "crqa", radius=0.3, lag=4)
    assert float(found["lag"].max()) == 4
    assert float(found["lag"][int(found["profile"].values.argmax())]) == pytest.approx(2, abs=0.2)
    assert float(found["lead"]) > 0
    assert float(synchrony(b, a, 10, "crqa", radius=0.3, lag=4)["lead"]) < 0
    assert "lead" not in synchrony(a, b, 10, "crqa", radius=0.3, side="upper")


def test_scales():
    x = np.array([1.0, 3.0, 2.0])
    np.testing.assert_allclose(scaled(x, "unit"), [0, 1, 0.5])
    np.testing.assert_allclose(scaled(x, True), [-1, 1, 0])
    assert scaled(x, False) is x


def test_one_channel_each_is_plain_cross_recurrence_and_channels_join():
    a, b = follower(n=400)
    plain = synchrony(a, b, 10, "crqa", radius=0.6, dimension=2, delay=3)
    one = mdcrqa(a[:, None], b[:, None], 10, radius=0.6, dimension=2, delay=3)
    for name in ("RR", "DET", "LAM", "TT", "lead"):
        assert float(one[name]) == pytest.approx(float(plain[name]), abs=1e-12)
    first, second = np.stack([a, a**2], axis=1), np.stack([b, b**2], axis=1)
    found = mdcrqa(first, second, 10, radius=0.8)
    z = [((v - v.mean(axis=0)) / v.std(axis=0, ddof=1)).T for v in (first, second)]
    expected = _naive(z[0], z[1], 0.8)
    assert float(found["RR"]) == pytest.approx(100 * expected["RR"], abs=1e-10)
    assert float(found["TT"]) == pytest.approx(expected["TT"], abs=1e-10)
    with pytest.raises(MeasureError, match="twice the same"):
        mdcrqa(first, second[:, :1], 10, radius=0.8)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"radius": 0.5, "side": "left"}, "setting side: got left"),
        ({"radius": 0.5, "norm": "minkowski"}, "setting norm: got minkowski"),
        ({"radius": 0.5, "rescale": "median"}, "setting rescale: got median"),
        ({"radius": 0.5, "standardise": "range"}, "standardise"),
        ({"radius": 0.5, "categorical": True}, "codes"),
        ({"radius": 1e-12}, "nothing recurs"),
        ({"radius": 0.5, "theiler": 500}, "leaves no cell"),
    ],
)
def test_what_cannot_be_done_is_refused(settings, message):
    a, b = follower(n=200)
    with pytest.raises(MeasureError, match=message):
        synchrony(a, b, 10, "crqa", **settings)
