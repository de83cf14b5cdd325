"""Errors that last over a visit: against a dense normal written from their definition, and simulated errors."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dyadloop.appraisal.smoothing import course_of
from dyadloop.likelihood.joint_filter import filter_jointly
from dyadloop.likelihood.lasting_errors import LASTING_SHARE, drawn_errors, errors_of
from dyadloop.likelihood.linear_filter import log_likelihood
from dyadloop.model import correlation_factor
from dyadloop.observation.plan import pairs_of
from tests.likelihood.test_linear_filter import _arrays, _observation, _panel, _plan, _values
from tests.reference.dense import joint_moments

RATERS = ((0, 3, 5), (1, 2))
LASTING = (3, 1)  # not the first of its rater, and the first
DAYS = 0.6


def _lasting(observation, rng, lasting=LASTING):
    partial = np.zeros((len(observation.states),) * 2)
    for later, earlier in pairs_of(RATERS):
        partial[later, earlier] = np.tanh(rng.normal(0, 0.6))
    factor = correlation_factor(jnp.asarray(partial))
    return dataclasses.replace(
        observation, raters=RATERS, error_factor=factor, lasting=tuple(sorted(lasting)), lasting_days=DAYS
    )


@pytest.fixture(scope="module")
def parts():
    rng = np.random.default_rng(0)
    plan = _plan()
    process = plan.process_model(_values(plan, rng))
    observation = _lasting(_observation(plan, rng), rng)
    days, inside, score, event = _panel(rng, 3, len(observation.states), len(plan.events), n_sessions=3)
    days[:, 3::4] += 0.02  # a questionnaire that is filled in twice, half an hour apart
    variance = rng.choice([0.0, 0.1, 0.5], size=score.shape)
    panel = _arrays(days, inside, score, event, process, variance)
    return process, observation, panel, (days, inside, score, event, variance)


def error_covariance(observation, days):
    """Covariance of all errors of a dyad (moment and indicator): what lasts fades, what is left is of one moment."""
    sd, factor = np.asarray(observation.error_sd), np.asarray(observation.error_factor)
    whole, kept = factor @ factor.T, list(observation.lasting)
    slopes = whole[:, kept] @ np.linalg.inv(whole[np.ix_(kept, kept)])
    lasting = LASTING_SHARE * slopes @ whole[kept]
    left = np.exp(-np.abs(days[:, None] - days) / observation.lasting_days)
    return np.kron(left, np.outer(sd, sd) * lasting) + np.kron(np.eye(len(days)), np.outer(sd, sd) * (whole - lasting))


def _joint(parts, d):
    """Design matrix, moments of states and person means, and covariance of errors of one dyad, of what is seen."""
    process, observation, _, (days, inside, score, event, variance) = parts
    steps = np.diff(days[d], prepend=days[d][:1])
    gates = np.where(steps > 0, inside[d], False)
    mean, cov = joint_moments(process, steps, gates, event[d] @ np.asarray(process.jumps))
    times, m = len(steps), score.shape[2]
    between = np.asarray(process.between)
    cov = cov + np.kron(np.ones((times, times)), between @ between.T)
    loading = np.zeros((m, len(process.names)))
    loading[np.arange(m), list(observation.states)] = np.asarray(observation.loading)
    here = np.isfinite(score[d]).ravel()
    design = np.kron(np.eye(times), loading)[here]
    noise = error_covariance(observation, days[d]) + np.diag(variance[d].ravel())
    rest = score[d].ravel()[here] - np.tile(np.asarray(observation.mean), times)[here] - design @ mean
    return design, mean, cov, noise[np.ix_(here, here)], rest


def _dense(parts):
    found = []
    for d in range(len(parts[3][0])):
        design, _, cov, noise, rest = _joint(parts, d)
        factor = np.linalg.cholesky(design @ cov @ design.T + noise)
        scaled = np.linalg.solve(factor, rest)
        found.append(-0.5 * (scaled @ scaled + len(rest) * np.log(2 * np.pi)) - np.log(np.diag(factor)).sum())
    return found


def test_both_filters_equal_the_dense_normal(parts):
    process, observation, panel, _ = parts
    dense = _dense(parts)
    np.testing.assert_allclose(log_likelihood(process, observation, panel), dense, rtol=1e-8)
    np.testing.assert_allclose(filter_jointly(process, observation, panel).log_density, dense, rtol=1e-8)


def test_all_answers_of_a_rater_may_last(parts):
    process, observation, panel, data = parts
    observation = dataclasses.replace(observation, lasting=(0, 1, 2, 3, 5))
    dense = _dense((process, observation, panel, data))
    np.testing.assert_allclose(log_likelihood(process, observation, panel), dense, rtol=1e-8)
    np.testing.assert_allclose(filter_jointly(process, observation, panel).log_density, dense, rtol=1e-8)


def test_an_error_that_is_gone_at_once_is_one_of_its_moment(parts):
    """What lasts a millionth of a second correlates within moments alone."""
    process, observation, panel, _ = parts
    brief = dataclasses.replace(observation, lasting_days=1e-11)
    never = dataclasses.replace(observation, lasting=())
    np.testing.assert_allclose(log_likelihood(process, brief, panel), log_likelihood(process, never, panel), rtol=1e-9)


def test_the_gradient_is_that_of_the_other_filter(parts):
    process, observation, panel, _ = parts

    def total(run, numbers):
        factor, sd, loading = numbers
        changed = dataclasses.replace(observation, error_factor=factor, error_sd=sd, loading=loading)
        return run(changed).sum()

    at = (observation.error_factor, observation.error_sd, observation.loading)
    ours = jax.grad(lambda n: total(lambda o: log_likelihood(process, o, panel), n))(at)
    plain = jax.grad(lambda n: total(lambda o: filter_jointly(process, o, panel).log_density, n))(at)
    for found, expected in zip(ours, plain, strict=True):
        assert np.abs(np.asarray(expected)).max() > 0
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-7)


def test_the_smoothed_course_is_the_conditional_mean(parts):
    process, observation, panel, _ = parts
    course = course_of(process, observation, panel)
    for d in range(len(panel.score)):
        design, mean, cov, noise, rest = _joint(parts, d)
        gain = cov @ design.T @ np.linalg.inv(design @ cov @ design.T + noise)
        np.testing.assert_allclose(np.asarray(course.mean[d]).ravel(), mean + gain @ rest, atol=1e-7)
        variance = np.diag(cov - gain @ design @ cov)
        np.testing.assert_allclose(np.asarray(course.variance[d]).ravel(), variance, atol=1e-7)


def test_drawn_errors_have_the_covariance_of_the_definition(parts):
    _, observation, panel, (days, *_, variance) = parts
    keys = jax.random.split(jax.random.key(1), 20_000)
    drawn = np.asarray(jax.lax.map(lambda key: drawn_errors(key, observation, panel)[1], keys))
    flat = drawn.reshape(len(drawn), -1)
    expected = error_covariance(observation, days[1]) + np.diag(
        np.where(np.isfinite(variance[1]), variance[1], 0).ravel()
    )
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    # 5 standard errors of a correlation of 20,000 draws
    assert np.abs((np.cov(flat.T) - expected) / scale).max() < 5 * np.sqrt(2 / len(drawn))


def test_errors_taken_apart_add_up(parts):
    _, observation, _, _ = parts
    errors = errors_of(observation)
    own = np.asarray(errors.sd)[:, None] * np.asarray(errors.factor)
    reads = np.asarray(errors.reads)
    sd, factor = np.asarray(observation.error_sd), np.asarray(observation.error_factor)
    total = own @ own.T + reads @ np.asarray(errors.common) @ reads.T
    np.testing.assert_allclose(total, np.outer(sd, sd) * (factor @ factor.T), atol=1e-12)
