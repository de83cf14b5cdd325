"""Priors of time constants beside how often a study measures."""

from dataclasses import replace

import pytest

from dyadloop.appraisal.misspecification import _problem
from dyadloop.appraisal.sampling_interval import unsuited
from dyadloop.appraisal.violations import FAST, SLOW, WEEKLY


def _measured(**changes):
    return unsuited(_problem(replace(WEEKLY, persons=3, days=6, **changes)))


def test_priors_of_weeks_do_not_suit_prompts_of_a_day():
    found = _measured(prompts=6, every=1.0)
    assert set(found) == {"trust", "stress"}
    assert "the prior of tau_trust (21 d) expects change far slower than the 0.1 d between values" in found["trust"]
    assert "declare `priors: {tau_trust: ...}`" in found["trust"]


def test_nothing_is_left_of_a_mood_after_a_month():
    found = unsuited(_problem(replace(FAST, persons=3, days=6, prompts=1, every=60.0)))
    assert "expects that nothing is left after the 60 d between values" in found["sad"]


@pytest.mark.parametrize("design", [FAST, SLOW, WEEKLY])
def test_priors_suit_the_rhythm_that_they_were_made_for(design):
    assert unsuited(_problem(replace(design, persons=3, days=6))) == {}
