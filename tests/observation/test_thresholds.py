"""Answers whose distances are estimated: the exact probability of a box, answers as planted, what is refused."""

import shutil
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm, qmc

from dyadloop.appraisal.replication import as_recorded, replicate
from dyadloop.claims.specifications import multiverse_options
from dyadloop.data import read_study
from dyadloop.errors import DataError
from dyadloop.inference import Settings, fit
from dyadloop.inference.mode import find_mode, posterior_of
from dyadloop.inference.problem import build_problem
from dyadloop.inference.result import problem_of
from dyadloop.likelihood.joint_filter import filter_jointly
from dyadloop.likelihood.panel import LATENT
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import keep
from tests.inference.small import answered, make, shorten, theory
from tests.linear import rival
from tests.reference.dense import joint_moments

WIDTHS = {"width_trust_2": 0.5, "width_trust_3": 2.0, "width_trust_4": 0.5}
THRESHOLDS = [1.5, 2.0, 4.0, 4.5]
"""Where these widths put the thresholds of a scale from 1 to 5 (outer ones as at equal distances)."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = make(tmp_path_factory.mktemp("thresholds") / "study", ["trust"], seed=3)
    return answered(made, THRESHOLDS)


@pytest.fixture(scope="module")
def few(folder, tmp_path_factory):
    return read_study(shorten(shutil.copytree(folder, tmp_path_factory.mktemp("few") / "study"), 4))


@pytest.fixture(scope="module")
def problem(few):
    return build_problem(scale_scores(few), theory(["trust"]))


@pytest.fixture(scope="module")
def values(problem):
    known = {**problem.plan.defaults(), **{n: q.value for n, q in problem.observed.parameters().items()}}
    return {name: jnp.asarray(float(value)) for name, value in (known | WIDTHS).items()}


def test_widths_place_the_thresholds(problem, values):
    table = problem.priors.loc[list(WIDTHS)]
    assert table["family"].tolist() == ["lognormal"] * 3
    (thresholds,) = problem.observed.observation(values).numbers["ordinal"].values()
    scores = problem.scores.sel(indicator="trust")
    raw = np.asarray(thresholds.free) * scores["scale"].item() + scores["center"].item()
    np.testing.assert_allclose(raw, THRESHOLDS, rtol=1e-12)
    number = np.asarray(problem.panel.records["ordinal"].values["answer"])[..., 0]
    answers = (scores["score"] * scores["scale"] + scores["center"]).values
    inner = problem.panel.is_kind("ordinal")[..., 0] & np.asarray(problem.panel.seen)[..., 0]
    assert set(number[inner] + 1) == {2, 3, 4}
    assert set(np.unique(answers[np.isfinite(answers)]).round(9)) <= {1.5, 2.0, 3.0, 4.0, 4.5}
    for unequal, equal in ((1.2, 1.2), (1.75, 2.0), (3.0, 3.0), (3.5, 3.25), (4.25, 4.0), (6.0, 6.0)):
        moved = thresholds.at_equal_distances((unequal - scores["center"].item()) / scores["scale"].item())
        assert float(moved) * scores["scale"].item() + scores["center"].item() == pytest.approx(equal)


def test_the_likelihood_is_the_probability_of_the_answers(problem, values):
    """The first answers of one person: averaged over the auxiliary normals, the probability of a box, from SciPy."""
    column, n_first = list(problem.observed.indicators).index("trust"), 4
    seen = np.asarray(problem.panel.seen)
    places = np.argwhere(seen[0, :, column])[:n_first, 0]
    only = np.zeros(seen.shape, dtype=bool)
    only[0, places, column] = True
    panel = replace(problem.panel, seen=jnp.asarray(only))
    for name in panel.kinds:
        panel = panel.with_kind(name, only & panel.is_kind(name), panel.records[name])
    panel = panel.of_dyads(np.array([0]))
    process, observation = problem.plan.process_model(values), problem.observed.observation(values)
    pair = np.asarray(panel.pair)[0]
    mean, cov = joint_moments(
        process, np.asarray(panel.durations)[pair], np.asarray(panel.gates)[pair],
        np.asarray(panel.event)[0] @ np.asarray(process.jumps),
    )  # fmt: skip
    between = np.asarray(process.between)
    cov = cov + np.kron(np.ones((len(pair), len(pair))), between @ between.T)
    rows = places * len(process.names) + observation.states[column]
    error = float(observation.error_sd[column])
    scores = problem.scores.sel(indicator="trust")
    cuts = (np.array([-np.inf, *THRESHOLDS, np.inf]) - scores["center"].item()) / scores["scale"].item()
    answers = problem.scores["score"].values[0, places, 0] * scores["scale"].item() + scores["center"].item()
    number = np.searchsorted([1.75, 2.5, 3.5, 4.25], answers)
    box = multivariate_normal(
        float(observation.mean[column]) + mean[rows], cov[np.ix_(rows, rows)] + error**2 * np.eye(n_first),
        abseps=1e-10, releps=1e-10, maxpts=10**7,
    )  # fmt: skip
    exact = np.log(box.cdf(cuts[number + 1], lower_limit=cuts[number]))
    uniforms = qmc.Sobol(panel.n_latent, rng=np.random.default_rng(1)).random(2**11)
    normals = jnp.asarray(norm.ppf(np.clip(uniforms, 1e-12, 1 - 1e-12)))
    run = jax.jit(jax.vmap(lambda z: filter_jointly(process, observation, panel, z).log_density[0]))
    assert panel.n_latent == n_first
    assert float(jax.nn.logsumexp(run(normals)) - np.log(2**11)) == pytest.approx(exact, abs=1e-3)


def test_equal_widths_are_equal_distances(problem, values, few):
    study = multiverse_options(few)["thresholds_trust"]
    assert study.info.indicators["trust"].thresholds == "equal"
    equal = build_problem(scale_scores(study), theory(["trust"]))
    assert set(equal.priors.index) == set(problem.priors.index) - set(WIDTHS)
    even = values | dict.fromkeys(WIDTHS, jnp.asarray(0.7)) | {LATENT: jnp.full(problem.normals[LATENT], 0.3)}
    np.testing.assert_allclose(problem.log_likelihood(even), equal.log_likelihood(even), rtol=1e-12)


def test_replicates_are_answers_to_the_same_scale(problem, values):
    """Each answer is as often given as the latent scores fall between its thresholds."""
    n = 200
    draws = {name: np.repeat(np.asarray(value)[None], n, axis=0) for name, value in values.items()}
    seen = np.asarray(problem.panel.seen)[..., 0]
    found = as_recorded(problem)(replicate(problem, draws, seed=1))[..., 0][:, seen]
    wide = {name: np.full(n, 1.0) for name in WIDTHS}
    latent = replicate(problem, draws | wide, seed=1)[..., 0][:, seen]
    scores = problem.scores.sel(indicator="trust")
    raw, answers = (part * scores["scale"].item() + scores["center"].item() for part in (latent, found))
    expected = np.searchsorted(THRESHOLDS, raw)
    np.testing.assert_array_equal(np.searchsorted([1.75, 2.5, 3.5, 4.25], answers), expected)


@pytest.mark.slow
def test_planted_thresholds_are_found(folder, tmp_path):
    """Twelve dyads: the posterior holds the thresholds that made the answers, and knows that the middle one is wide."""
    made = shorten(shutil.copytree(folder, tmp_path / "study"), 12)
    study = read_study(made)
    post = fit(study, keep(rival("none"), ["trust"]), seed=2, settings=Settings(2, 150, 150))
    draws, problem = post["posterior"].to_dataset().stack(sample=("chain", "draw")), problem_of(post)
    scores = problem.scores.sel(indicator="trust")
    place = jax.vmap(lambda values: problem.observed.observation(values).numbers["ordinal"][0].free)
    free = np.asarray(place({name: jnp.asarray(draws[name].values) for name in problem.priors.index}))
    raw = free * scores["scale"].item() + scores["center"].item()
    np.testing.assert_allclose(raw[:, [0, -1]], np.broadcast_to([1.5, 4.5], (len(raw), 2)))
    inner = raw[:, 1:-1]
    assert (np.abs(inner.mean(axis=0) - THRESHOLDS[1:-1]) < 3 * inner.std(axis=0)).all()
    assert np.quantile(inner[:, 1] - inner[:, 0], 0.02) > 1.0


def test_the_search_starts_from_plain_scores(problem):
    """What is centred and whitened: the mode with plain scores, and standard normals as they are."""
    posterior = posterior_of(problem)
    mode = find_mode(problem, posterior, seed=1, starts=1)
    plain = problem.with_panel(problem.panel.plain(), "plain")
    alone = find_mode(plain, posterior_of(plain), seed=1, starts=1)
    n, size = len(posterior.names), problem.normals[LATENT]
    np.testing.assert_array_equal(mode.center, [*alone.center, *np.zeros(size)])
    np.testing.assert_array_equal(mode.factor[:n, :n], alone.factor)
    np.testing.assert_array_equal(mode.factor[n:], np.eye(n + size)[n:])


def test_thresholds_that_cannot_be_estimated_are_refused(folder, tmp_path):
    made = shutil.copytree(folder, tmp_path / "study")
    text = (made / "study.yaml").read_text()
    for old, new in (("step: 1\n", "step: 2\n"), ("ends_are_limits: true", "ends_are_limits: false")):
        (made / "study.yaml").write_text(text.replace(old, new))
        with pytest.raises(DataError, match="free thresholds need ends_are_limits and a step that makes 4 answers"):
            read_study(made)
