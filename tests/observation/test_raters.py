"""Which answers share error: by who gives them, how often together, and how far apart the visits are."""

import numpy as np
import pytest
import xarray as xr

from dyadloop.observation.raters import raters_of


def _scores(columns, raters, quantities=None):
    """Scores of 12 dyads: for each indicator the days on which all of them answer it, its rater and its quantity."""
    days = np.unique(np.concatenate([np.asarray(own, dtype=float) for own in columns]))
    seen = np.stack([np.isin(days, own) for own in columns], axis=-1)
    score = np.where(seen, 1.0, np.nan) * np.ones((12, 1, 1))
    data = {
        "score": (("dyad", "time", "indicator"), score),
        "days": (("dyad", "time"), np.tile(days, (12, 1))),
        "shared_error": ("indicator", np.array(raters)),
        "shared_session": ("indicator", np.full(len(raters), -1) if quantities is None else np.array(quantities)),
    }
    return xr.Dataset(data)


WEEKS = np.arange(10) * 7.0
HOUR = 1 / 24


def test_answers_of_one_moment_share_error_and_none_lasts():
    found = raters_of(_scores([WEEKS, WEEKS, WEEKS], [0, 1, 0]))
    assert found.groups == ((0, 2),)
    assert found.lasting == ()


def test_answers_before_and_after_a_session_share_error_which_lasts_between_the_two_gaps():
    found = raters_of(_scores([WEEKS + HOUR, WEEKS], [0, 0]))
    assert found.groups == ((0, 1),)
    assert found.lasting == (1,)
    assert found.lasting_days == pytest.approx((HOUR * 7) ** 0.5)


@pytest.mark.parametrize(
    "later",
    [WEEKS + 0.3, WEEKS + 7 * HOUR, WEEKS[:1] + HOUR],
    ids=["seven hours later", "the limit is six", "once alone"],
)
def test_answers_of_different_visits_share_nothing(later):
    assert raters_of(_scores([WEEKS, later], [0, 0])).groups == ()


def test_answers_every_few_hours_are_states_and_not_one_visit():
    """Prompts three hours apart, in turn about two moods."""
    prompts = np.arange(40) * 0.125
    assert raters_of(_scores([prompts[::2], prompts[1::2]], [0, 0])).groups == ()


def test_an_indicator_that_is_answered_before_and_after_shares_error_at_one_moment_only():
    both = np.sort(np.concatenate([WEEKS, WEEKS + HOUR]))
    found = raters_of(_scores([both, WEEKS + HOUR], [0, 0]))
    assert found.groups == ((0, 1),)
    assert found.lasting == ()


def test_two_answers_before_and_one_after_last_both():
    found = raters_of(_scores([WEEKS, WEEKS + HOUR, WEEKS], [0, 0, 0]))
    assert found.groups == ((0, 1, 2),)
    assert found.lasting == (0, 2)


def test_two_persons_who_rate_one_session_share_error():
    found = raters_of(_scores([WEEKS, WEEKS, WEEKS + HOUR], [0, 0, 1], [0, 1, 0]))
    assert found.groups == ((0, 1, 2),)
    assert found.pairs == ((1, 0), (2, 0), (2, 1))
    assert found.lasting == (0, 1)


def test_among_many_answers_only_those_to_one_quantity_share_error_between_persons():
    found = raters_of(_scores([WEEKS] * 8, [0, 0, 0, 0, 1, 1, 1, 1], [0, 1, 2, 3, 0, 1, 2, 4]))
    between = {pair for pair in found.pairs if pair[0] > 3 >= pair[1]}
    assert between == {(4, 0), (5, 1), (6, 2)}
    assert len(found.pairs) == 6 + 6 + 3
    assert found.groups == (tuple(range(8)),)


def test_what_no_person_rates_shares_nothing_between_persons():
    found = raters_of(_scores([WEEKS, WEEKS], [0, -1], [0, -1]))
    assert found.groups == found.pairs == ()
