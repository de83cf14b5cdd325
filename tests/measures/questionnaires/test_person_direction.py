"""Answers of which half of the persons were turned before: named; sound answers pass, however they are made."""

import numpy as np
import pytest
from scipy.stats import norm, t

from dyadloop.measures.questionnaires import read_instrument, score_items
from dyadloop.measures.questionnaires.person_direction import split_of
from tests.measures.questionnaires.test_examination import answers

KEY = read_instrument("pss10")
REVERSED = np.isin(np.arange(1, 11), KEY.reversed)


def _one_way(people, occasions, rng, *, noise=0.8, state=0.6, agrees=0.0, agrees_now=0.0, moving=1.0):
    """SIMULATED answers in one direction: trait, state of the ``moving`` persons, and agreement with every item."""
    rows = people * occasions
    now = state * rng.normal(size=rows) * np.repeat(rng.random(people) < moving, occasions)
    level = np.repeat(rng.normal(size=people), occasions) + now
    yes = np.repeat(agrees * rng.normal(size=people), occasions) + agrees_now * rng.normal(size=rows)
    one = level[:, None] * rng.uniform(0.5, 1.2, 10) + noise * rng.normal(size=(rows, 10))
    found = np.clip(np.round(2 + one + np.where(REVERSED, -1, 1) * yes[:, None]), 0, 4)
    return found, np.repeat([f"P{k:02d}" for k in range(people)], occasions).astype(object)


def _turned(part, who, persons):
    rows = np.isin(who, persons)
    return np.where(rows[:, None] & REVERSED, 4 - part, part)


def test_half_of_the_persons_are_named():
    part, who = _one_way(40, 10, np.random.default_rng(1))
    half = sorted(set(who))[::2]
    found = split_of(_turned(part, who, half), REVERSED, who)
    assert found is not None
    assert found.examined == 40
    assert set(found.against) <= set(half)
    assert len(found.against) >= 10
    assert split_of(part, REVERSED, who) is None
    assert split_of(_turned(part, who, sorted(set(who))), REVERSED, who) is None  # all: another doubt
    assert split_of(_turned(part, who, half), REVERSED, None) is None
    assert split_of(_turned(part, who, half)[:200:4], REVERSED, who[:200:4]) is None  # too few occasions


@pytest.mark.parametrize(
    "made", [{}, {"noise": 1.6}, {"agrees": 0.5}, {"agrees_now": 0.3}, {"moving": 0.5}, {"state": 0.0, "noise": 1.0}]
)
def test_sound_answers_are_not_doubted(made):
    rng = np.random.default_rng(2)
    for shape in [(8, 8), (20, 6), (40, 10), (10, 30)] * 10:
        part, who = _one_way(*shape, rng, **made)
        assert split_of(part, REVERSED, who) is None


def test_the_bound_holds_where_no_person_has_a_relation():
    """The sum of squares below 0 of independent normal values passes the bound at its own rate."""
    from dyadloop.measures.questionnaires.person_direction import _chance, _quantile

    rng = np.random.default_rng(3)
    p = np.array([_chance(rng.normal(size=12)) for _ in range(2000)])
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=0.015)  # 3 standard errors
    z = np.array([_quantile(*rng.normal(size=(2, 7))) for _ in range(2000)])
    assert z.std() == pytest.approx(1, abs=0.05)
    x, y = rng.normal(size=(2, 9))
    r = np.corrcoef(x, y)[0, 1]
    assert _quantile(x, y) == pytest.approx(norm.ppf(t.cdf(r * np.sqrt(7 / (1 - r**2)), 7)))


def test_the_scores_carry_the_doubt():
    key, table = answers("pss10", people=12, occasions=12, noise=0.5)
    names = [f"pss10_{item}" for item in key.reversed]
    rows = table["participant_id"].isin([f"P{k}" for k in range(0, 12, 2)])
    assert not score_items(table, key, persons="participant_id").attrs["doubts"]["total"]
    table.loc[rows, names] = 4 - table.loc[rows, names]
    found = score_items(table, key, persons="participant_id")
    assert found["doubt"].str.contains("of 12 persons").all()
    assert found["doubt"].str.contains("P0, ").all()
