"""Surrogates and tests: what each keeps and breaks, their calibration, and who is never paired with whom."""

import numpy as np
import pytest

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony import (
    METHODS,
    SURROGATES,
    conclusions,
    default_grid,
    group_test,
    rmea_contrast,
    synchrony,
    synchrony_multiverse,
    synchrony_test,
)
from dyadloop.measures.synchrony.pseudo import _repairings
from tests.measures.conftest import autoregressive, follower

_QUICK = {"window": 20, "step": 10, "lag": 2}


@pytest.mark.parametrize("kind", list(SURROGATES))
@pytest.mark.parametrize("n", [600, 601])
def test_a_surrogate_keeps_and_breaks_what_it_says(kind, n):
    x = np.exp(autoregressive(n, 0.8, 1))
    rng = np.random.default_rng(0)
    found = SURROGATES[kind].function(x, rng, 50)
    assert len(found) == n
    assert not np.array_equal(found, x)
    assert found.mean() == pytest.approx(x.mean())
    if kind != "phase":
        np.testing.assert_allclose(np.sort(found), np.sort(x))
    if kind in ("phase", "shift"):
        np.testing.assert_allclose(np.abs(np.fft.rfft(found)), np.abs(np.fft.rfft(x)), rtol=1e-6, atol=1e-6)
    if kind == "iaaft":  # the spectrum of a skewed series cannot be met closely, that of a Gaussian one can
        plain = SURROGATES[kind].function(np.log(x), rng, 50)
        sizes = [np.abs(np.fft.rfft(v))[1:] for v in (plain, np.log(x))]
        assert np.corrcoef(*sizes)[0, 1] > 0.999
    if kind == "permutation":  # whole pieces, each once, the remainder at the end, whatever the length
        pieces = {tuple(x[k : k + 50]) for k in range(0, 600, 50)}
        assert {tuple(found[k : k + 50]) for k in range(0, 600, 50)} == pieces
        np.testing.assert_array_equal(found[600:], x[600:])


def test_gaps_move_along_or_are_refused():
    x = autoregressive(600, 0.8, 1)
    x[100:130] = np.nan
    rng = np.random.default_rng(0)
    for kind in ("shift", "permutation"):
        assert np.isnan(SURROGATES[kind].function(x, rng, 50)).sum() == 30
    for kind in ("phase", "iaaft"):
        with pytest.raises(MeasureError, match="whole series"):
            SURROGATES[kind].function(x, rng, 50)
    with pytest.raises(MeasureError, match="too short for a shift"):
        SURROGATES["shift"].function(x, rng, 400)
    with pytest.raises(MeasureError, match="at least 4"):
        SURROGATES["permutation"].function(x, rng, 400)


@pytest.mark.parametrize("kind", list(SURROGATES))
def test_a_dyad_in_step_stands_out_and_the_same_seed_gives_the_same(kind):
    a, b = follower(n=2500, delay=5, noise=1.0)
    options = {"surrogate": kind, "draws": 60, "seed": 3, **_QUICK}
    found = synchrony_test(a, b, 10, **options)
    assert float(found["p_value"]) == pytest.approx(1 / 61)
    assert float(found["effect"]) > 3
    assert found.attrs["null"] == SURROGATES[kind].null
    np.testing.assert_array_equal(found["surrogate"], synchrony_test(a, b, 10, **options)["surrogate"])


@pytest.mark.parametrize("kind", list(SURROGATES))
def test_unrelated_series_give_a_null_effect(kind):
    """A short version of the calibration; AR(.95) noise, where the field's tests fail."""
    runs = 20 if kind == "iaaft" else 30
    effects, p = [], []
    for seed in range(runs):
        a, b = autoregressive(2000, 0.95, 10_000 + 2 * seed), autoregressive(2000, 0.95, 10_001 + 2 * seed)
        found = synchrony_test(a, b, 10, surrogate=kind, draws=19, seed=seed, **_QUICK)
        effects.append(float(found["effect"]))
        p.append(float(found["p_value"]))
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 3.5 * np.sqrt(0.05 * 0.95 / runs)
    assert abs(np.std(effects) - 1) < 3.5 / np.sqrt(2 * runs)
    assert abs(np.mean(effects)) < 3.5 / np.sqrt(runs)


def test_the_lead_is_tested_on_both_sides():
    ahead = synchrony_test(*follower(n=2500, delay=10), 10, statistic="lead", draws=60, **_QUICK)
    behind = synchrony_test(*follower(n=2500, delay=10)[::-1], 10, statistic="lead", draws=60, **_QUICK)
    assert float(ahead["effect"]) > 2
    assert float(behind["effect"]) < -2
    assert max(float(ahead["p_value"]), float(behind["p_value"])) < 0.06
    with pytest.raises(MeasureError, match="is no number"):
        synchrony_test(*follower(n=2500), 10, statistic="r", draws=20, **_QUICK)
    with pytest.raises(MeasureError, match="does not exist"):
        synchrony_test(*follower(n=2500), 10, surrogate="magic", **_QUICK)
    with pytest.raises(MeasureError, match=r"holds 4\.5 times window and lag"):
        synchrony_test(*follower(n=1000), 10, **_QUICK)


def _dyads(count, noise, seed=0, n=1500):
    found = {}
    for k in range(count):
        a, b = follower(n=n, delay=3, noise=noise, seed=seed + k)
        activity = np.random.default_rng(seed + k).uniform(0.2, 5)
        found[f"d{k}"] = (activity * a, b)
    return found


def test_real_dyads_against_pseudo_dyads():
    found = group_test(_dyads(10, 0.5), 10, draws=999, **_QUICK)
    assert float(found["p_value"]) == pytest.approx(1 / 1000)
    assert (found["dyad_effect"] > 1).mean() > 0.7
    np.testing.assert_allclose(np.diag(found["matrix"]), found["real_score"])
    one = synchrony(*_dyads(10, 0.5)["d3"], 10, **_QUICK)
    assert float(found["real_score"].sel(dyad="d3")) == pytest.approx(float(one["score"]), abs=1e-12)


def test_shared_transforms_equal_single_pairs_whatever_the_lengths():
    dyads = {name: (a[: 1500 - 60 * k], b[: 1500 - 60 * k]) for k, (name, (a, b)) in enumerate(_dyads(5, 1.0).items())}
    found = group_test(dyads, 10, draws=99, **_QUICK)
    for first in ("d0", "d4"):
        for second in ("d1", "d3"):
            pair = synchrony(dyads[first][0], dyads[second][1], 10, cut=True, **_QUICK)
            assert float(found["matrix"].sel(first=first, second=second)) == pytest.approx(
                float(pair["score"]), abs=1e-9
            )


def test_sessions_of_one_dyad_and_of_one_therapist_are_never_pseudo_dyads():
    """rMEA excludes identical recordings only."""
    dyads = _dyads(8, 0.5)
    people = {name: (f"p{k // 2}", f"t{k // 4}") for k, name in enumerate(dyads)}
    found = group_test(dyads, 10, people=people, draws=99, **_QUICK)
    for a, first in enumerate(dyads):
        for b, second in enumerate(dyads):
            shares = a != b and (a // 2 == b // 2 or a // 4 == b // 4)
            assert np.isnan(float(found["matrix"].sel(first=first, second=second))) == shares
    rows = np.arange(8)
    allowed = ~np.isnan(found["matrix"].values) & ~np.eye(8, dtype=bool)
    for order in _repairings(allowed, 50, 0):
        assert sorted(order) == rows.tolist()
        assert allowed[rows, order].all()
    alone = {name: ("p", "t") for name in dyads}
    with pytest.raises(MeasureError, match="re-pairing"):
        group_test(dyads, 10, people=alone, **_QUICK)


def test_a_dyad_is_left_out_with_all_its_recordings():
    dyads = {f"D{d} session {s}": follower(400, seed=10 * d + s) for d in range(6) for s in (1, 2)}
    people = {name: (f"{name[:2]}:first", f"{name[:2]}:second") for name in dyads}
    found = group_test(dyads, 10, people=people, draws=99, **_QUICK)
    pairs = found["p_value_without"].values.reshape(6, 2)
    assert (pairs[:, 0] == pairs[:, 1]).all()
    assert any(f"(without D{d} session 1, D{d} session 2)" in found.attrs["leave_one_out"] for d in range(6))
    few = {name: pair for name, pair in dyads.items() if name[:2] in ("D0", "D1", "D2", "D3")}
    assert group_test(few, 10, people=people, draws=99, **_QUICK).attrs["leave_one_out"] == "too few dyads"


def test_independent_dyads_are_not_flagged():
    """wcc's own comparison flags all independent dyads; here p is uniform and effects have SD 1."""
    p, effects = [], []
    for seed in range(25):
        dyads = {
            f"d{k}": (autoregressive(900, 0.9, 1000 * seed + 2 * k), autoregressive(900, 0.9, 1000 * seed + 2 * k + 1))
            for k in range(8)
        }
        found = group_test(dyads, 10, draws=199, seed=seed, **_QUICK)
        p.append(float(found["p_value"]))
        effects.extend(found["dyad_effect"].values)
    assert np.mean(np.array(p) <= 0.05) <= 0.2
    assert 0.3 < np.mean(p) < 0.7
    assert 0.85 < np.std(effects) < 1.15  # 200 values: 3 standard errors
    assert abs(np.mean(effects)) < 0.25


def test_a_bad_dyad_does_not_stop_the_others():
    dyads = _dyads(6, 0.5)
    dyads["still"] = (np.ones(1500), np.arange(1500.0))
    dyads["short"] = (np.arange(50.0), np.arange(50.0))
    found = group_test(dyads, 10, draws=99, **_QUICK)
    assert "never varies" in found.attrs["failed"]
    assert "too short" in found.attrs["failed"]
    assert np.isfinite(found["dyad_effect"]).sum() == 6
    with pytest.raises(MeasureError, match="expected at least 4"):
        group_test({name: dyads[name] for name in ("d0", "d1", "still")}, 10, **_QUICK)


def test_other_methods_are_re_paired_too():
    found = group_test(_dyads(5, 0.3, n=900), 10, "coherence", draws=99, segment=10)
    assert np.isfinite(found["matrix"]).all()


def test_rmeas_contrast_and_the_group_test_on_real_therapies(therapy):
    contrast = rmea_contrast(therapy, 25, 30, 10, 5, n=200)
    assert float(contrast["cohen_d"]) > 0.3
    tested = group_test(therapy, 25, window=30, step=10, draws=999)
    assert float(tested["p_value"]) < 0.01
    for group in ("normal", "dropout"):
        part = {name: pair for name, pair in therapy.items() if name.startswith(group)}
        assert np.isfinite(float(group_test(part, 25, window=30, step=10, draws=199)["effect"]))


def test_the_multiverse_shows_how_the_conclusion_varies():
    a, b = follower(n=1500, delay=3, noise=1.0)
    table = synchrony_multiverse(
        a, b, 10, grid={"window": (10, 20, 500), "transform": ("none", "log")}, draws=20, step=10, lag=2
    )
    assert len(table) == 6
    assert "too short" in table.loc[table["window"] == 500, "status"].iloc[0]
    summary = conclusions(table)
    assert summary["settings"] == 6
    assert summary["usable"] == 2  # a logarithm of negative values, a window longer than the recording
    assert summary["share_above_chance"] == 1.0
    assert set(summary["matters"]) == {"window", "transform"}
    with pytest.raises(MeasureError, match="at least one value"):
        synchrony_multiverse(a, b, 10, grid={"window": ()})
    with pytest.raises(MeasureError, match="no setting of the grid"):
        synchrony_multiverse(a, b, 10, grid={"window": (9999,)})


@pytest.mark.parametrize("method", list(METHODS))
def test_every_method_has_a_multiverse_of_settings_that_it_has(method):
    """Scores alone, of a first and a last setting of the grid; what a method needs without a default is given."""
    grid = default_grid(method)
    known = METHODS[method].settings()
    assert set(grid) <= set(known) | {"smooth", "transform"}
    assert all(len(set(values)) > 1 for values in grid.values())
    a, b = follower(n=3000, delay=3, noise=1.0)
    given = {"radius": 0.5} if method == "crqa" else {"surrogates": 19} if method == "wavelet_test" else {}
    ends = {name: (values[0],) for name, values in grid.items()} | {"smooth": (0.0, 0.5)}
    table = synchrony_multiverse(a, b, 10, method, ends, surrogate=None, **given)
    assert (table["status"] == "ok").all(), table["status"].tolist()
    assert np.isfinite(table["score"]).all()


def test_what_stays_the_same_leaves_the_grid_and_own_surrogates_judge():
    a, b = follower(n=2500, delay=3, noise=1.0)
    table = synchrony_multiverse(a, b, 10, "best_lag", surrogate=None, window=10, lag=2, smooth=0.0, transform="none")
    assert table["kind"].tolist() == ["centre", "free", "off"]
    own = synchrony_multiverse(a, b, 10, "wavelet_test", {"kind": ("red", "phase")}, surrogates=19, shortest_period=2.0)
    assert own["p_value"].between(1 / 20, 1).all()
    assert np.isfinite(own["effect"]).all()
    with pytest.raises(MeasureError, match="does not exist"):
        default_grid("magic")


def test_random_phases_are_refused_for_bursts_and_taken_for_their_logarithm():
    bursts = np.exp(2 * np.stack([autoregressive(2000, 0.9, seed) for seed in (1, 2)]) / 2.3)
    with pytest.raises(MeasureError, match=r"excess kurtosis .* transform log or rank"):
        synchrony_test(*bursts, 10, surrogate="phase", draws=19, **_QUICK)
    for transform in ("log", "rank"):
        tested = synchrony_test(*bursts, 10, surrogate="phase", draws=19, transform=transform, **_QUICK)
        assert 0 < float(tested["p_value"]) <= 1
