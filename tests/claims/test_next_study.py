"""What a next study would have to add."""

import math

import pandas as pd
import pytest
from scipy.stats import norm

from dyadloop.claims.claims_table import UNTESTABLE, subjects
from dyadloop.claims.next_study import _dyads, _times, next_steps, what_next
from dyadloop.data import read_study
from dyadloop.estimands.catalogue import Untestable, estimand
from dyadloop.inference import problem_of
from dyadloop.inference.problem import build_problem
from dyadloop.observation.scaling import scale_scores
from tests.linear import rival


def _row(median, sd, **entries):
    row = {"median": median, "low": median - 1.598 * sd, "high": median + 1.598 * sd, "rope_low": -0.1, "rope_high": 0.1,
           "finding": "unclear", "randomised_median": None}  # fmt: skip
    return pd.Series(row | entries)


def test_so_many_times_the_dyads_bring_the_interval_to_the_border():
    times = _times(_row(0.3, 0.2))
    assert times == pytest.approx((1.645 * 0.2 / 0.2) ** 2)
    assert norm.cdf((0.3 - 0.1) / (0.2 / math.sqrt(times))) == pytest.approx(0.95, abs=1e-4)
    assert _times(_row(0.0, 0.2)) == pytest.approx((1.645 * 0.2 / 0.1) ** 2)
    assert _times(_row(0.3, 0.2, rope_low=None)) == pytest.approx((1.645 * 0.2 / 0.2) ** 2)
    assert math.isinf(_times(_row(0.1, 0.2)))
    assert math.isnan(_times(_row(0.3, 0.2, finding="none")))


def test_an_estimate_on_the_border_is_not_told_by_more_dyads():
    assert _dyads({"C1": 400.0}).startswith("More dyads of this kind would hardly tell C1")
    assert _dyads({"C1": 4.0, "C2": 2.0, "C3": 50.0}).endswith("(rough): C2 2 times, C1 4 times as many.")


@pytest.fixture(scope="module")
def school(school_folder):
    """A passive study without oxytocin, and a claims table in which all that can be told is undecided."""
    problem = build_problem(scale_scores(read_study(school_folder)), rival("network"))
    rows = []
    for claim in problem.plan.theory.claims:
        for subject in subjects(problem, claim):
            found = estimand(problem, claim, subject)
            rows.append(
                {
                    "claim": claim.id.format(id=subject, label=subject),
                    "verdict": UNTESTABLE if isinstance(found, Untestable) else "undecided",
                    "reason": found.reason if isinstance(found, Untestable) else "",
                    "finding": "unclear",
                    "median": 0.3,
                    "low": 0.0,
                    "high": 0.6,
                    "rope_low": -0.1,
                    "rope_high": 0.1,
                    "randomised_median": None,
                }
            )
    return problem, pd.DataFrame(rows)


def test_a_passive_study_is_told_to_randomise_and_to_measure(school):
    problem, table = school
    randomise, measure = next_steps(problem, table)
    assert randomise.startswith(
        "Randomise an event that acts on trust and cooperation or social support, in at least 5 "
    )
    assert "The verdict on C4, C7.stress.components rests on that." in randomise
    count = int((table["reason"] == "oxytocin is not measured in this study").sum())
    assert count > 5
    assert measure == f"Measure oxytocin: {count} more claims of the theory could then be tested."


def test_with_randomised_events_only_dyads_are_missing(school):
    problem, table = school
    table = table.assign(randomised_median=0.3, randomised_low=0.0, randomised_high=0.6)
    randomise, _ = next_steps(problem, table)
    assert (
        randomise
        == "More dyads, if the estimate stays where it is (rough): C4 2.4 times, C7.stress.components 2.4 times as many."
    )


def test_the_public_function_judges_by_itself(small_fit, small_claims):
    post = small_fit[1]
    assert what_next(post) == next_steps(problem_of(post), small_claims) != []
