"""Recurrence: a naive plot as referee, Theiler windows, gaps, groups."""

import numpy as np
import pytest

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony import group_synchrony, synchrony
from dyadloop.measures.synchrony.recurrence import count_recurrences, embed
from tests.measures.conftest import autoregressive, follower

_NORMS = {
    "euclidean": lambda gap: np.sqrt((gap**2).sum(axis=0)),
    "maximum": lambda gap: np.abs(gap).max(axis=0),
    "manhattan": lambda gap: np.abs(gap).sum(axis=0),
}


def _runs(line):
    found, count = [], 0
    for value in [*line, False]:
        if value:
            count += 1
        elif count:
            found.append(count)
            count = 0
    return found


def _naive(x, y, radius, norm, theiler):
    """The whole plot in memory, its lines counted one by one."""
    near = _NORMS[norm](x[:, :, None] - y[:, None, :]) <= radius
    n, m = near.shape
    near &= np.abs(np.arange(n)[:, None] - np.arange(m)) >= theiler
    diagonal = np.concatenate([_runs(np.diagonal(near, k)) for k in range(-n + 1, m)]).astype(int)
    vertical = np.concatenate([_runs(near[i]) for i in range(n)]).astype(int)  # the second person goes on
    lines = diagonal[diagonal >= 2]
    share = np.unique(lines, return_counts=True)[1] / len(lines)
    return {
        "RR": near.sum() / near.size, "DET": lines.sum() / near.sum(), "NRLINE": len(lines), "L": lines.mean(),
        "maxL": lines.max(), "ENTR": -(share * np.log(share)).sum(),
        "rENTR": -(share * np.log(share)).sum() / np.log(len(share)),
        "LAM": vertical[vertical >= 2].sum() / near.sum(), "TT": vertical[vertical >= 2].mean(), "maxV": vertical.max(),
    }  # fmt: skip


@pytest.mark.parametrize("norm", list(_NORMS))
@pytest.mark.parametrize(("theiler", "dimension", "n"), [(0, 3, (120, 150)), (3, 1, (90, 90)), (1, 2, (80, 60))])
def test_equals_the_naive_plot(norm, theiler, dimension, n):
    x, y = (embed(autoregressive(size, 0.8, seed), dimension, 2) for seed, size in enumerate(n))
    found = count_recurrences(x, y, 1.2, norm, theiler).numbers()
    expected = _naive(x, y, 1.2, norm, theiler)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-12), name


def test_the_band_is_left_out_of_the_cells_where_asked():
    x = embed(autoregressive(60, 0.5, 0), 1, 1)
    full, valid = (count_recurrences(x, x, 0.5, theiler=4, full=full) for full in (True, False))
    assert full.points == valid.points
    assert full.cells == 60 * 60
    assert valid.cells == (np.abs(np.subtract.outer(np.arange(60), np.arange(60))) >= 4).sum()


def test_crqa_is_in_percent_of_z_scores():
    a, b = follower(n=400)
    found = synchrony(a, b, 10, "crqa", radius=0.8, dimension=3, delay=2)
    x, y = (embed((s - s.mean()) / s.std(ddof=1), 3, 2) for s in (a, b))
    expected = _naive(x, y, 0.8, "euclidean", 0)
    for name in ("RR", "DET", "LAM"):
        assert float(found[name]) == pytest.approx(100 * expected[name], abs=1e-9)
    assert float(found["maxL"]) == expected["maxL"]
    with pytest.raises(MeasureError, match="knows no gaps"):
        synchrony(np.where(np.arange(400) == 3, np.nan, a), b, 10, "crqa", radius=1)


def test_a_gap_never_recurs_and_is_no_cell():
    a, b = follower(n=600)
    a = a.copy()
    a[100:200] = np.nan
    found = synchrony(a, b, 10, "recurrence", radius=0.5)
    x, y = ((s - np.nanmean(s)) / np.nanstd(s, ddof=1) for s in (a, b))
    near = np.abs(x[~np.isnan(x), None] - y) <= 0.5
    assert float(found["RR"]) == pytest.approx(near.mean())


def test_a_fixed_recurrence_rate_and_windows():
    a, b = follower(n=2000)
    found = synchrony(a, b, 10, "recurrence", rate=0.1, window=50, step=25)
    assert float(found["RR"]) == pytest.approx(0.1, abs=0.01)  # the radius comes from a sample of states
    assert found["course"].shape == (7, 10)
    assert float(found["DET"]) > 2 * 0.1


def test_groups_recur_together(group_input):
    alone = group_synchrony(group_input[:300], 10, "mdrqa", rate=0.05)
    together = group_synchrony(np.repeat(group_input[:300, :1], 3, axis=1) + 0.01 * group_input[:300, 1:4], 10, "mdrqa")
    assert 0 < float(alone["RR"]) < 0.06
    assert np.isfinite(float(together["score"]))
    states = embed((group_input[:80] - group_input[:80].mean(axis=0)) / group_input[:80].std(axis=0, ddof=1), 1, 1)
    assert count_recurrences(states, states, 2.0, theiler=1, full=False).points == (
        (np.sqrt(((states[:, :, None] - states[:, None]) ** 2).sum(axis=0)) <= 2.0).sum() - 80
    )


def test_bad_embeddings_and_radii():
    a, b = follower(n=50)
    with pytest.raises(MeasureError, match="embedding"):
        synchrony(a, b, 10, "recurrence", dimension=10, delay=9)
    with pytest.raises(MeasureError, match="radius"):
        synchrony(a, b, 10, "crqa", radius=-1)
    with pytest.raises(MeasureError, match="setting rate: got 2; expected a number above 0 and below 1"):
        synchrony(a, b, 10, "recurrence", rate=2)
