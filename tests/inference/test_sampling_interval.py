"""Priors of time constants beside how often a study measures."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
import yaml

from dyadloop.appraisal.misspecification import _problem, _with_scores
from dyadloop.appraisal.violations import ERROR, FAST, SIGNAL, SLOW, WEEKLY, paths
from dyadloop.data import StudyPrior
from dyadloop.inference.mode import find_mode, posterior_of
from dyadloop.inference.problem import build_problem
from dyadloop.inference.sampling_interval import proposal, suited_priors, unsuited


def _measured(**changes):
    return unsuited(_problem(replace(WEEKLY, persons=3, days=6, **changes)))


def test_priors_of_weeks_do_not_suit_prompts_of_a_day():
    found = _measured(prompts=6, every=1.0)
    assert set(found) == {"trust", "stress"}
    assert "the prior of tau_trust (21 d) expects change far slower than the 0.1 d between values" in found["trust"]
    assert "declare `priors: {tau_trust: {family: lognormal, location: 0.313, scale: 0.8, assumed: " in found["trust"]


def test_nothing_is_left_of_a_mood_after_a_month():
    found = unsuited(_problem(replace(FAST, persons=3, days=6, prompts=1, every=60.0)))
    assert "expects that nothing is left after the 60 d between values" in found["sad"]


@pytest.mark.parametrize("design", [FAST, SLOW, WEEKLY])
def test_priors_suit_the_rhythm_that_they_were_made_for(design):
    assert unsuited(_problem(replace(design, persons=3, days=6))) == {}


NINETY_MINUTES = replace(WEEKLY, persons=30, days=8, prompts=8, every=1.0, tau=0.1)
"""Trust and stress that change within 2.4 hours, at eight prompts a day."""


def _proposed(problem):
    """Return the same problem with the block that is proposed pasted into its study."""
    block = yaml.safe_load(proposal(problem))["priors"]
    declared = {name: StudyPrior.model_validate(entry) for name, entry in block.items()}
    assert declared == suited_priors(problem)
    return build_problem(problem.scores, problem.plan.theory, declared=declared)


def _at_ninety_minutes(problem):
    """Bring prompts that are 2.5 hours apart to a distance of 90 minutes."""
    days = problem.scores["days"].values
    return problem.scores.assign(days=(("dyad", "time"), np.floor(days) + 0.6 * (days % 1.0)))


@pytest.fixture(scope="module")
def ninety():
    problem = _problem(NINETY_MINUTES)
    return build_problem(_at_ninety_minutes(problem), problem.plan.theory)


def test_the_proposed_priors_are_those_of_the_theory_at_the_rhythm_of_the_study(ninety):
    found = suited_priors(ninety)
    assert found["tau_trust"].location == pytest.approx(21 * 0.0625 / 7, rel=0.01)
    assert found["tau_stress"].location == pytest.approx(14 * 0.0625 / 7, rel=0.01)
    again = _proposed(ninety)
    assert unsuited(again) == {}
    assert proposal(again) == ""
    assert again.unused_priors == ()


def test_with_them_the_share_of_error_is_that_of_the_data(ninety):
    """Moods of 2.4 hours at prompts 90 minutes apart: by the priors of weeks most of what changes would be error."""
    days = np.asarray(ninety.scores["days"].values[0])
    design, rng = NINETY_MINUTES, np.random.default_rng(3)
    states = paths(rng, days, 0.0, np.full(design.persons, design.tau))
    made = SIGNAL * states + ERROR * rng.normal(size=states.shape) + rng.normal(size=(design.persons, 1, 2))
    errors = []
    for problem in (ninety, _proposed(ninety)):
        study = _with_scores(problem, made, "ninety")
        posterior = posterior_of(study)
        mode = find_mode(study, posterior, seed=1, starts=1)
        values = posterior.constrain(jnp.asarray(mode.center))
        errors.append([float(values[f"error_{name}"]) ** 2 for name in design.names])
    truth = ERROR**2 / (SIGNAL**2 + ERROR**2)
    by_weeks, proposed = np.mean(errors, axis=1)
    assert abs(proposed - truth) < 0.1
    assert by_weeks > truth + 0.2
