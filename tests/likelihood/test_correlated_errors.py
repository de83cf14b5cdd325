"""Errors that answers of one moment share: against a dense normal, SciPy's box probability, and simulated errors."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from dyadloop.appraisal.replication import replicate
from dyadloop.appraisal.smoothing import course_of
from dyadloop.data import read_study
from dyadloop.errors import DataError
from dyadloop.inference.problem import build_problem
from dyadloop.likelihood.correlated_errors import combined, uncorrelated
from dyadloop.likelihood.joint_filter import filter_jointly
from dyadloop.likelihood.linear_filter import log_likelihood
from dyadloop.model import correlation_factor
from dyadloop.observation.kinds import Record
from dyadloop.observation.plan import pairs_of
from dyadloop.observation.scaling import scale_scores
from tests.inference.small import make, shorten, theory
from tests.likelihood.test_linear_filter import _arrays, _observation, _panel, _plan, _values
from tests.reference.dense import joint_moments, log_density

RATERS = ((0, 3, 5), (1, 2))  # two raters, whose indicators are not side by side


def _correlated(observation, rng):
    partial = np.zeros((len(observation.states),) * 2)
    for later, earlier in pairs_of(RATERS):
        partial[later, earlier] = np.tanh(rng.normal(0, 0.6))
    factor = correlation_factor(jnp.asarray(partial))
    return dataclasses.replace(observation, raters=RATERS, error_factor=factor)


@pytest.fixture(scope="module")
def parts():
    rng = np.random.default_rng(0)
    plan = _plan()
    process = plan.process_model(_values(plan, rng))
    observation = _correlated(_observation(plan, rng), rng)
    days, inside, score, event = _panel(rng, 3, len(observation.states), len(plan.events), n_sessions=3)
    variance = rng.choice([0.0, 0.1, 0.5], size=score.shape)
    return (
        process,
        observation,
        _arrays(days, inside, score, event, process, variance),
        (days, inside, score, event, variance),
    )


def _dense(parts):
    process, observation, _, (days, inside, score, event, variance) = parts
    steps, jumps = np.diff(days, axis=1, prepend=days[:, :1]), event @ np.asarray(process.jumps)
    gates = np.where(steps > 0, inside, False)
    return [
        log_density(process, observation, steps[d], gates[d], jumps[d], score[d], variance[d]) for d in range(len(days))
    ]


def test_both_filters_equal_the_dense_normal(parts):
    """Two raters, missing values, and values with known errors of their own."""
    process, observation, panel, _ = parts
    dense = _dense(parts)
    np.testing.assert_allclose(log_likelihood(process, observation, panel), dense, rtol=1e-8)
    np.testing.assert_allclose(filter_jointly(process, observation, panel).log_density, dense, rtol=1e-8)


def test_without_a_correlation_nothing_changes(parts):
    process, observation, panel, _ = parts
    alone = eqx.tree_at(lambda o: o.error_factor, observation, jnp.eye(len(observation.states)))
    never = dataclasses.replace(observation, raters=(), error_factor=None)
    found, expected = (np.asarray(log_likelihood(process, which, panel)) for which in (alone, never))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_gradient_is_that_of_the_other_filter(parts):
    """The written-out derivative, against automatic differentiation of the filter of limits."""
    process, observation, panel, _ = parts

    def total(run, numbers):
        changed = eqx.tree_at(lambda o: (o.error_factor, o.error_sd, o.loading), observation, numbers)
        return run(changed).sum()

    at = (observation.error_factor, observation.error_sd, observation.loading)
    ours = jax.grad(lambda n: total(lambda o: log_likelihood(process, o, panel), n))(at)
    plain = jax.grad(lambda n: total(lambda o: filter_jointly(process, o, panel).log_density, n))(at)
    for found, expected in zip(ours, plain, strict=True):
        assert np.abs(np.asarray(expected)).max() > 0
        np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)


def test_combined_scores_have_independent_errors(parts):
    _, observation, panel, _ = parts
    apart = uncorrelated(observation, panel)
    sd = np.asarray(observation.error_sd)
    factor = np.asarray(observation.error_factor)
    for d, t in [(0, 0), (1, 4), (2, 7)]:
        seen = np.asarray(panel.seen[d, t])
        common = np.where(np.outer(seen, seen) | np.eye(len(sd), dtype=bool), np.outer(sd, sd) * (factor @ factor.T), 0)
        cov = common + np.diag(np.asarray(panel.known_variance[d, t]))
        mixing = np.asarray(combined(observation, apart.weights[d, t], jnp.eye(len(sd))))
        np.testing.assert_allclose(mixing @ cov @ mixing.T, np.diag(np.asarray(apart.variance[d, t])), atol=1e-12)


def test_the_smoothed_course_is_the_conditional_mean(parts):
    process, observation, panel, (days, inside, score, event, variance) = parts
    course = course_of(process, observation, panel)
    steps = np.diff(days, axis=1, prepend=days[:, :1])
    n, m, d = len(process.names), score.shape[2], 1
    mean, cov = joint_moments(
        process, steps[d], np.where(steps[d] > 0, inside[d], False), event[d] @ np.asarray(process.jumps)
    )
    times = len(mean) // n
    between = np.asarray(process.between)
    cov = cov + np.kron(np.ones((times, times)), between @ between.T)
    loading = np.zeros((m, n))
    loading[np.arange(m), list(observation.states)] = np.asarray(observation.loading)
    design = np.kron(np.eye(times), loading)
    sd, factor = np.asarray(observation.error_sd), np.asarray(observation.error_factor)
    noise = np.kron(np.eye(times), np.outer(sd, sd) * (factor @ factor.T)) + np.diag(variance[d].ravel())
    here = np.isfinite(score[d]).ravel()
    design, noise = design[here], noise[np.ix_(here, here)]
    rest = score[d].ravel()[here] - np.tile(np.asarray(observation.mean), times)[here] - design @ mean
    weighed = cov @ design.T @ np.linalg.solve(design @ cov @ design.T + noise, rest)
    np.testing.assert_allclose(np.asarray(course.mean[d]).ravel(), mean + weighed, atol=1e-7)


def test_coarse_answers_of_one_moment_have_the_box_probability():
    """Two answers of one moment that only say between which borders they lie, integrated over their normals."""
    rng = np.random.default_rng(4)
    plan = _plan()
    process = plan.process_model(_values(plan, rng))
    observation = _correlated(_observation(plan, rng), rng)
    score = np.full((1, 1, 6), np.nan)
    score[0, 0, [0, 3]] = [0.4, -0.3]
    days, inside, event = np.zeros((1, 1)), np.zeros((1, 1), dtype=bool), np.zeros((1, 1, len(plan.events)))
    panel = _arrays(days, inside, score, event, process)
    panel = panel.with_kind("ordinal", np.isfinite(score), Record({}, {"half_step": jnp.full(6, 0.25)}))
    start = np.asarray(process.start_covariance) + np.asarray(process.between) @ np.asarray(process.between).T
    states, loading = [observation.states[j] for j in (0, 3)], np.asarray(observation.loading)[[0, 3]]
    sd, factor = np.asarray(observation.error_sd)[[0, 3]], np.asarray(observation.error_factor)[[0, 3]]
    cov = np.outer(loading, loading) * start[np.ix_(states, states)] + np.outer(sd, sd) * (factor @ factor.T)
    mean = np.asarray(observation.mean)[[0, 3]] + loading * np.asarray(process.start)[states]
    low, high = score[0, 0, [0, 3]] - 0.25, score[0, 0, [0, 3]] + 0.25
    box = multivariate_normal(mean, cov).cdf(high, lower_limit=low)
    draws = jnp.asarray(rng.normal(size=(4000, 2)))
    found = jax.lax.map(lambda z: filter_jointly(process, observation, panel, z).log_density[0], draws)
    chances = np.exp(np.asarray(found))
    # the mean of the simulated likelihood is exact; four standard errors of 4,000 draws
    assert abs(chances.mean() - box) < 4 * chances.std() / np.sqrt(len(chances)) + 1e-6
    assert chances.std() / chances.mean() < 0.5


def _study(tmp_path, line=""):
    folder = shorten(make(tmp_path / "study", ["trust", "support"], seed=3), 6)
    text = (folder / "study.yaml").read_text()
    (folder / "study.yaml").write_text(text + line)
    return scale_scores(read_study(folder))


def test_answers_of_one_person_share_errors_unless_the_study_says_otherwise(tmp_path):
    problem = build_problem(_study(tmp_path), theory(["trust", "support"]))
    assert "rho_error_support_trust" in problem.priors.index
    assert problem.priors.loc["rho_error_support_trust", "scale"] == 0.5
    values = {name: jnp.asarray(row["location"]) for name, row in problem.priors.iterrows()}
    values["rho_error_support_trust"] = jnp.asarray(1.5)
    draws = {name: np.repeat(np.asarray(value)[None], 60, axis=0) for name, value in values.items()}
    draws["sd_trust"] = draws["sd_support"] = np.full(60, 1e-6)
    draws["between_trust"] = draws["between_support"] = np.full(60, 1e-6)
    rows = replicate(problem, draws, 1).reshape(-1, len(problem.observed.indicators))
    rows = rows[np.isfinite(rows).all(axis=1)]
    centred = rows - rows.mean(axis=0)
    assert np.corrcoef(centred.T)[0, 1] == pytest.approx(np.tanh(1.5), abs=0.03)


def test_shared_errors_can_be_switched_off_and_grouped_by_name(tmp_path):
    none = build_problem(_study(tmp_path / "a", "shared_errors: none\n"), theory(["trust", "support"]))
    assert not [name for name in none.priors.index if name.startswith("rho_error")]
    named = build_problem(_study(tmp_path / "b", "shared_errors: [[trust, support]]\n"), theory(["trust", "support"]))
    assert "rho_error_support_trust" in named.priors.index
    with pytest.raises(DataError, match="nobody"):
        _study(tmp_path / "c", "shared_errors: [[trust, nobody]]\n")


def test_what_is_never_answered_together_shares_no_error(tmp_path):
    """Trust is rated after a session, depression before it."""
    problem = build_problem(
        scale_scores(read_study(make(tmp_path / "study", ["trust", "depression"]))), theory(["trust"])
    )
    assert not [name for name in problem.priors.index if name.startswith("rho_error")]
