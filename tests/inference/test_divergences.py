"""Divergent transitions: scattered ones are no fault, gathered ones name the claim that they touch."""

import numpy as np
import pytest
import xarray as xr

from dyadloop.claims.claims_table import _unsound
from dyadloop.inference.divergences import GATHERED, divergence_fault

DRAWS = np.random.default_rng(0).normal(size=4000)


def _at(places):
    diverging = np.zeros(len(DRAWS), dtype=bool)
    diverging[np.asarray(places)] = True
    return diverging


@pytest.mark.parametrize(
    ("order", "where"), [(DRAWS, "the lower end"), (-DRAWS, "the upper end"), (-np.abs(DRAWS), "both ends")]
)
def test_gathered_divergences_are_told_with_their_end(order, where):
    fault = divergence_fault(DRAWS, _at(np.argsort(order)[:300:20]))
    assert fault.startswith(f"15 divergent transitions gather at {where} of its draws")


def test_scattered_or_few_divergences_are_no_fault():
    assert divergence_fault(DRAWS, _at(np.arange(0, 4000, 200))) == ""
    assert divergence_fault(DRAWS, _at(np.argsort(DRAWS)[:2])) == ""
    assert divergence_fault(np.full(4000, 2.0), _at(range(20))) == ""


def test_scattered_ones_are_taken_for_gathered_as_rarely_as_stated():
    """Two numbers per estimand, each beyond the limit in .1 %: 2000 estimands have 4 on average, 12 hardly ever."""
    assert pytest.approx(3.29) == GATHERED
    rng = np.random.default_rng(1)
    found = sum(bool(divergence_fault(DRAWS, _at(rng.choice(4000, 12, replace=False)))) for _ in range(2000))
    assert found <= 12


def test_draws_without_a_value_are_left_out():
    holes = np.where(DRAWS > 1.0, np.nan, DRAWS)
    assert "the lower end" in divergence_fault(holes, _at(np.argsort(DRAWS)[:300:20]))


def test_a_claim_whose_end_they_gather_at_is_not_judged():
    rows = DRAWS.reshape(4, 1000)
    posterior = xr.Dataset({"x": (("chain", "draw"), rows)})
    stats = {
        "sample_stats": xr.Dataset({"diverging": (("chain", "draw"), _at(np.argsort(DRAWS)[:20]).reshape(4, 1000))})
    }
    assert _unsound(DRAWS, {"posterior": posterior}) == ""
    assert "gather at the lower end" in _unsound(DRAWS, {"posterior": posterior} | stats)
