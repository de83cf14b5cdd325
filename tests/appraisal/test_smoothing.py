"""Courses of dyads and one-step residuals against independent referees."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dyadloop.appraisal import smooth
from dyadloop.appraisal.smoothing import course_of, moments
from dyadloop.errors import FitError
from dyadloop.inference.result import problem_of
from dyadloop.likelihood.linear_filter import log_likelihood
from tests.likelihood.test_lasting_errors import error_covariance
from tests.reference.dense import joint_moments


@pytest.fixture(scope="module")
def at_mean(small_fit):
    """The problem of the simulated study, and the field and observation model at the posterior mean."""
    post = small_fit[1]
    problem = problem_of(post)
    values = {name: float(post["posterior"][name].mean()) for name in post["posterior"].data_vars}
    return problem, problem.plan.process_model(values), problem.observed.observation(values)


def test_smoothed_moments_are_those_of_the_joint_normal(at_mean):
    """One dyad: condition the stacked states on all data by a dense solve, from independent joint moments."""
    problem, process, observation = at_mean
    panel = problem.panel.of_dyads(np.array([3]))
    found = course_of(process, observation, panel)
    pair = np.asarray(panel.pair)[0]
    durations, gates = np.asarray(panel.durations)[pair], np.asarray(panel.gates)[pair]
    jumps = np.asarray(panel.event)[0] @ np.asarray(process.jumps)
    mean, cov = joint_moments(process, durations, gates, jumps)
    between = np.asarray(process.between)
    cov = cov + np.kron(np.ones((len(pair), len(pair))), between @ between.T)
    seen = np.asarray(panel.seen)[0]
    design = np.zeros((seen.sum(), len(mean)))
    when, indicators = np.nonzero(seen)
    places = when * len(process.names) + np.array(observation.states)[indicators]
    design[np.arange(len(places)), places] = np.asarray(observation.loading)[indicators]
    flat = np.flatnonzero(seen.ravel())
    gram = design @ cov @ design.T + error_covariance(observation, np.cumsum(durations))[np.ix_(flat, flat)]
    data = np.asarray(panel.score)[0][seen] - np.asarray(observation.mean)[indicators]
    weight = cov @ design.T @ np.linalg.inv(gram)
    exact_mean, exact_cov = mean + weight @ (data - design @ mean), cov - weight @ design @ cov
    shape = (len(pair), len(process.names))
    np.testing.assert_allclose(found.mean[0], exact_mean.reshape(shape), atol=1e-8)
    np.testing.assert_allclose(found.variance[0], np.diag(exact_cov).reshape(shape), rtol=1e-6, atol=1e-10)


def test_residuals_carry_the_likelihood(at_mean):
    """With person means as states the residuals are independent: scaling one score by hand gives the same change."""
    problem, process, observation = at_mean
    residual = np.asarray(course_of(process, observation, problem.panel).residual)
    seen = np.asarray(problem.panel.seen)
    assert (residual[~seen] == 0).all()
    # d log-likelihood / d last score = - residual / sd of that step: the last observation enters after all others
    dyad = 0
    when, what = np.argwhere(seen[dyad])[-1]
    last = (dyad, int(when), int(what))

    def log_density(shift):
        moved = replace(problem.panel, score=problem.panel.score.at[last].add(shift))
        return float(log_likelihood(process, observation, moved)[dyad])

    step = 1e-4
    slope = (log_density(step) - log_density(-step)) / (2 * step)
    curve = (log_density(step) - 2 * log_density(0.0) + log_density(-step)) / step**2
    assert residual[last] == pytest.approx(-slope / np.sqrt(-curve), rel=1e-4)


def test_residuals_of_a_right_model_are_standard(at_mean):
    problem, process, observation = at_mean
    residual = np.asarray(course_of(process, observation, problem.panel).residual)[np.asarray(problem.panel.seen)]
    assert residual.mean() == pytest.approx(0.0, abs=4 / len(residual) ** 0.5)
    assert residual.std() == pytest.approx(1.0, abs=4 / (2 * len(residual)) ** 0.5)


def test_a_course_carries_its_clock_and_ends_with_its_data(small_fit):
    post = small_fit[1]
    problem = problem_of(post)
    dyads = problem.scores["dyad"].values[:2].tolist()
    found = smooth(post, dyads, n_draws=5)
    assert dict(found["state_draw"].sizes) == {
        "draw": 5, "dyad": 2, "time": problem.panel.pair.shape[1], "state": len(problem.plan.states),
    }  # fmt: skip
    days = found["days"].values
    assert (np.diff(days[np.isfinite(days[:, 1:]).all(axis=1)], axis=1) >= 0).all()
    assert np.isfinite(found["state_draw"].values[:, np.isfinite(days)]).all()
    np.testing.assert_array_equal(np.isnan(found["state_draw"].values).all(axis=(0, 3)), ~np.isfinite(days))
    np.testing.assert_array_equal(moments(problem)[:2], days)


def test_draws_spread_as_the_moments_say(small_fit, at_mean):
    """Total variance: the spread of the draws is that within a draw plus that between the draws of parameters."""
    post = small_fit[1]
    problem = problem_of(post)
    dyad = str(problem.scores["dyad"].values[3])
    found = smooth(post, [dyad], n_draws=1200)["state_draw"].values[:, 0]
    group = post["posterior"].to_dataset()
    kept = np.linspace(0, group["mean_trust"].size - 1, 400).astype(int)
    panel = problem.panel.of_dyads(np.array([3]))
    values = {str(name): jnp.asarray(group[name].values.ravel()[kept]) for name in group.data_vars}

    @jax.jit
    def moments_at(all_values):
        return jax.lax.map(
            lambda v: course_of(problem.plan.process_model(v), problem.observed.observation(v), panel)[:2], all_values
        )

    means, variances = (np.asarray(part)[:, 0] for part in moments_at(values))
    total = np.sqrt(variances.mean(axis=0) + means.var(axis=0))
    ratio = np.nanmean(found.std(axis=0) / total, axis=0)
    np.testing.assert_allclose(ratio, 1.0, atol=0.05)


def test_an_unknown_dyad_is_named(small_fit):
    with pytest.raises(FitError, match="D999: no dyad of this study"):
        smooth(small_fit[1], ["D999"])
