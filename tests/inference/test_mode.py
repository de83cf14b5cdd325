"""The search of the mode from several starts, on functions whose minima are known."""

import numpy as np
import pytest

from dyadloop.inference.mode import _descent


def counted(function):
    calls = []

    def objective(x):
        calls.append(x)
        return function(x)

    return objective, calls


def bowl(x):
    """One minimum of 0, at 3."""
    return float(np.sum((x - 3) ** 2) + np.sum((x - 3) ** 4)), 2 * (x - 3) + 4 * (x - 3) ** 3


def slide(x):
    """A minimum of 1 at -4 and one of 0 at 4, between them a slope that passes the value 1."""
    left, right = 1 + (x + 4) ** 2, 0.1 * (x - 4) ** 2
    value, slope = (left, 2 * (x + 4)) if left[0] < right[0] else (right, 0.2 * (x - 4))
    return float(value[0]), slope


def test_a_start_that_comes_to_a_known_end_stops_there():
    objective, calls = counted(bowl)
    first = _descent(objective, np.full(4, -5.0), [])
    n = len(calls)
    again = _descent(objective, np.full(4, 9.0), [first])
    assert first.fun == pytest.approx(0, abs=1e-9)
    assert 0 <= again.fun - first.fun < 0.05
    assert len(calls) - n < n


def test_a_start_goes_on_past_the_value_of_a_poorer_end():
    poor = _descent(slide, np.array([-5.0]), [])
    assert poor.x[0] == pytest.approx(-4, abs=1e-3)
    better = _descent(slide, np.array([9.0]), [poor])
    assert better.x[0] == pytest.approx(4, abs=1e-3)
    assert better.fun < 1e-6
