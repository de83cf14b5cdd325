"""One factor by maximum likelihood: closed forms, and stationarity of the likelihood."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from dyadloop.measures.questionnaires.factor import one_factor


def test_three_items_have_a_closed_form():
    """Three correlations determine three loadings: the square of the first is r12 r13 / r23."""
    r12, r13, r23 = 0.5, 0.4, 0.3
    found = one_factor(np.array([[1, r12, r13], [r12, 1, r23], [r13, r23, 1]]))
    squares = [r12 * r13 / r23, r12 * r23 / r13, r13 * r23 / r12]
    assert found.loading**2 == pytest.approx(squares, abs=1e-7)
    assert found.uniqueness == pytest.approx(1 - np.array(squares), abs=1e-7)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.15, 0.95), min_size=3, max_size=12), st.lists(st.booleans(), min_size=12, max_size=12))
def test_loadings_that_made_the_correlations_are_found(sizes, turned):
    loading = np.array(sizes) * np.where(turned[: len(sizes)], -1, 1)
    correlation = np.outer(loading, loading)
    np.fill_diagonal(correlation, 1.0)
    found = one_factor(correlation)
    assert found.loading * np.sign(found.loading[0] * loading[0]) == pytest.approx(loading, abs=1e-4)
    assert found.loading**2 + found.uniqueness == pytest.approx(np.ones(len(sizes)), abs=1e-4)


def test_a_sample_against_a_plain_search_of_the_likelihood():
    sample = np.random.default_rng(3).standard_normal((150, 6))
    sample += np.random.default_rng(4).standard_normal((150, 1)) * np.array([0.4, 0.9, 0.7, 1.2, 0.2, 0.6])
    correlation = np.corrcoef(sample.T)

    def minus(numbers):
        model = np.outer(numbers[:6], numbers[:6]) + np.diag(np.exp(numbers[6:]))
        return np.linalg.slogdet(model)[1] + np.trace(np.linalg.solve(model, correlation))

    plain = minimize(minus, np.append(np.full(6, 0.6), np.full(6, -0.5)), method="BFGS", options={"gtol": 1e-7})
    found = one_factor(correlation)
    assert np.abs(found.loading) == pytest.approx(np.abs(plain.x[:6]), abs=1e-5)
    assert found.uniqueness == pytest.approx(np.exp(plain.x[6:]), abs=1e-5)


def test_an_item_that_is_the_factor_ends_at_the_border():
    loading = np.array([1.0, 0.5, 0.6, 0.7])
    correlation = np.outer(loading, loading)
    np.fill_diagonal(correlation, 1.0)
    found = one_factor(correlation)
    assert np.abs(found.loading) == pytest.approx(loading, abs=1e-3)
    assert np.isfinite(found.uniqueness).all()
