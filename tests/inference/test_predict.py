"""Replicated data and courses of persons against what is known about them."""

import numpy as np
import pytest

from dyadloop.field import transitions
from dyadloop.inference.predict import _conditional_path, predictive_checks, statistics, trajectories
from dyadloop.inference.result import problem_of
from tests.reference.dense import joint_moments


def test_statistics_by_hand():
    scores = np.array([[[1.0, 2.0], [3.0, 4.0], [np.nan, 6.0]], [[2.0, 1.0], [2.0, 1.0], [5.0, 1.0]]])
    found = statistics(scores, ["x", "y"])
    assert found["x: SD within persons"] == pytest.approx((8 / 3) ** 0.5)  # (1+1+1+1+4) / (1 + 2)
    assert found["y: SD of person means"] == pytest.approx(1.5)
    assert found["y: correlation with its last value"] == pytest.approx(0.0)


def test_a_well_specified_model_reproduces_its_study(small_fit):
    post = small_fit[1]
    checks = predictive_checks(problem_of(post), post, n_draws=60)
    outside = ((checks["share_above"] < 0.01) | (checks["share_above"] > 0.99)).values
    assert outside.mean() < 0.2
    assert np.isfinite(checks["replicated"].values).all()


def test_a_course_has_the_exact_conditional_moments(small_fit):
    """Many draws for one dyad against the conditional normal from the independent joint moments."""
    post = small_fit[1]
    problem = problem_of(post)
    values = {name: float(post["posterior"][name].mean()) for name in post["posterior"].data_vars}
    field, observation = problem.plan.field(values), problem.observed.observation(values)
    panel, row = problem.panel, 0
    steps = tuple(np.asarray(p) for p in transitions(field, panel.gates, panel.durations, panel.n_doublings))
    generator = np.random.default_rng(0)
    draws = np.array([_conditional_path(field, observation, steps, problem, row, generator) for _ in range(3000)])
    pair = np.asarray(panel.pair)[row]
    durations, gates = np.asarray(panel.durations)[pair], np.asarray(panel.gates)[pair]
    mean, cov = joint_moments(field, durations, gates, np.zeros((len(pair), len(field.names))))
    between = np.asarray(field.between)
    cov = cov + np.kron(np.ones((len(pair), len(pair))), between @ between.T)
    seen = np.asarray(panel.seen)[row]
    design = np.zeros((seen.sum(), len(mean)))
    moments, indicators = np.nonzero(seen)
    places = moments * len(field.names) + np.array(observation.states)[indicators]
    design[np.arange(len(places)), places] = np.asarray(observation.loading)[indicators]
    gram = design @ cov @ design.T + np.diag(np.asarray(observation.error_sd)[indicators] ** 2)
    data = np.asarray(panel.score)[row][seen] - np.asarray(observation.mean)[indicators]
    weight = cov @ design.T @ np.linalg.inv(gram)
    exact_mean, exact_cov = mean + weight @ (data - design @ mean), cov - weight @ design @ cov
    sd = np.sqrt(np.diag(exact_cov))
    flat = draws.reshape(len(draws), -1)
    # 3000 draws: a standard error of sd / 55 for means; five of them leave one false alarm in a million
    assert np.abs((flat.mean(axis=0) - exact_mean) / sd).max() < 5 / 3000**0.5
    np.testing.assert_allclose(flat.std(axis=0), sd, rtol=0.08)


def test_courses_carry_their_clock(small_fit):
    post = small_fit[1]
    problem = problem_of(post)
    dyads = problem.scores["dyad"].values[:2].tolist()
    found = trajectories(problem, post, dyads, n_draws=5)
    assert found["path"].sizes["draw"] == 5
    assert (np.diff(found["days"].values, axis=1) >= 0).all()
    assert found["state"].values.tolist() == list(problem.plan.names)
