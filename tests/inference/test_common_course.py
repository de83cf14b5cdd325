"""What all dyads share over a study says nothing of what randomised events do: an exact law of the likelihood."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dyadloop.design.planned_study import skeleton
from dyadloop.design.reader import design_of
from tests.design.small import content


@pytest.fixture(scope="module")
def problem():
    """Trust and depression in eight sessions of 30 dyads on one calendar, work on trust in a random half of them."""
    measures = {
        "trust": {"quantity": "trust", "when": ["before", "after"], "reliability": 0.5},
        "phq": {"quantity": "depression", "when": ["before"], "reliability": 0.7},
    }
    own = content("framework", measures=measures, events={"work_trust": {"share": 0.5}}, dyads=30)
    own["sessions"]["count"] = 8
    return skeleton(design_of(own)).fitted


def _slopes(problem, panel):
    """Return the slope of the log-likelihood in each arrow, of either part, at a place where all arrows act."""
    values = {name: jnp.asarray(float(row["location"])) for name, row in problem.priors.iterrows()}
    arrows = {name: jnp.asarray(0.3) for name in values if name.startswith(("randomised_", "c_", "f_", "d_"))}
    values |= {"work_trust": jnp.asarray(0.8)}
    slopes = jax.grad(lambda own: problem.log_likelihood(values | own, panel).sum())(arrows)
    return {name: float(slope) for name, slope in slopes.items()}


@pytest.mark.parametrize("course", ["line", "waves", "late"])
def test_a_course_that_all_share_moves_no_arrow_of_randomised_events(problem, course):
    rng, shape = np.random.default_rng(1), problem.panel.score.shape
    time = np.linspace(0.0, 1.0, shape[1])
    shared = {"line": -3.0 * time, "waves": np.sin(9.0 * time), "late": -2.0 * (time > 0.5)}[course]
    score = rng.normal(size=shape)
    plain, moved = (
        _slopes(problem, replace(problem.panel, score=jnp.asarray(found)))
        for found in (score, score + shared[None, :, None])
    )
    by_events = {name for name in plain if name.startswith("randomised_")}
    assert {"randomised_c_depression_trust"} <= by_events
    for name in by_events:
        assert moved[name] == pytest.approx(plain[name], rel=1e-8, abs=1e-6), name
    others = set(plain) - by_events
    assert max(abs(moved[name] - plain[name]) for name in others) > 1.0  # it is no small course


def test_without_an_expectation_it_would(problem):
    """The mechanism, not the design, is what keeps it out."""
    time = np.linspace(0.0, 1.0, problem.panel.score.shape[1])
    nothing = replace(problem.panel, expected_event=jnp.zeros(problem.panel.event.shape))
    score = np.random.default_rng(1).normal(size=nothing.score.shape)
    plain, moved = (
        _slopes(problem, replace(nothing, score=jnp.asarray(found)))
        for found in (score, score - 3.0 * time[None, :, None])
    )
    assert abs(moved["randomised_c_depression_trust"] - plain["randomised_c_depression_trust"]) > 1.0
