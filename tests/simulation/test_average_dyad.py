"""The average dyad: the same course as that of the cohort, from one program for all numbers and calendars."""

import numpy as np
import pytest

from dyadloop.errors import TheoryError
from dyadloop.simulation import AverageDyad, simulate
from dyadloop.theory import framework, protocol, switch_on
from tests.small import small

POINTS = (5, 7)
EVENTS = ({"event": "dose", "sessions": [2], "amount": 24.0},)


def same_courses(theory, plan, *, tolerance=1e-4, seed=1, values=None):
    """Compare with the cohort: two programs of the same steps differ by rounding alone."""
    found = AverageDyad(theory, points=POINTS, tolerance=tolerance).course(plan, values, seed=seed, multiple=40)
    run = simulate(
        theory, plan, values=values, noise=False, between=False, tolerance=tolerance, points=POINTS, seed=seed,
        multiple=40,
    )  # fmt: skip
    names = [str(name) for name in run.data_vars if not str(name).endswith("_logit")]
    assert list(found.values) == names
    for name in names:
        np.testing.assert_allclose(found.values[name], run[name].values[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(found.days, run["days"].values[0])
    np.testing.assert_array_equal(found.session, run["session"].values)
    np.testing.assert_array_equal(found.in_session, run["in_session"].values.astype(bool))
    assert found.is_whole == (run["status"].values[0] == "ok")
    return found


def test_the_course_is_that_of_the_cohort():
    same_courses(framework(), protocol(4, events=EVENTS), values={"w_trust": 0.7, "tau_trust": 30.0})


def test_what_chance_does_is_the_same_too():
    theory = switch_on(small(symptoms=("depression",)), "ruptures", "dropout")
    values = {"dropout_hazard": 0.2}
    whole = {same_courses(theory, protocol(12), seed=seed, values=values).is_whole for seed in range(1, 5)}
    assert whole == {True, False}


def test_other_numbers_and_calendars_need_no_other_program():
    average = AverageDyad(small(), points=POINTS, tolerance=1e-4)
    for sessions, trust in ((2, 0.1), (3, 0.9), (3, 0.9)):
        average.course(protocol(sessions), {"w_trust": trust}, multiple=40)
    assert average._program._cache_size() == 1


def test_numbers_that_cannot_be_used_are_refused():
    average = AverageDyad(small())
    for values, word in (({"no_such": 1.0}, "no parameter"), ({"tau_trust": -1.0}, "positive")):
        with pytest.raises(TheoryError, match=word):
            average.course(protocol(2), values)
    with pytest.raises(TheoryError, match="infinite"):
        average.course(protocol(2), {"w_trust": np.inf})
