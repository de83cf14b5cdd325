"""Parameters that differ between dyads: the quadrature, the data it is consistent with, what is refused."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp

from dyadloop.appraisal.replication import replicate
from dyadloop.appraisal.smoothing import course_at, course_of
from dyadloop.data import read_study
from dyadloop.errors import FitError, TheoryError
from dyadloop.inference.problem import build_problem
from dyadloop.likelihood import random_parameters as module
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import Theory, framework, hypothesis, keep, linear_form, vary
from tests.inference.small import make, shorten, theory
from tests.linear import linear, rival

PAIR = ["oxytocin", "trust"]


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    return scale_scores(read_study(shorten(make(tmp_path_factory.mktemp("varying") / "study", PAIR, seed=2), 4)))


@pytest.fixture(scope="module")
def problem(scores):
    return build_problem(scores, vary(theory(PAIR), "w_trust", "tau_trust"))


def _values(problem, **other):
    names = {
        **problem.plan.parameters(),
        **problem.random_parameters.parameters(problem.plan),
        **problem.observed.parameters(),
    }
    return {name: jnp.asarray(other.get(name, q.value), dtype=float) for name, q in names.items()}


SPREAD = {"spread_w_trust": 1.0, "spread_tau_trust": 0.6}


def test_what_varies_has_a_spread(problem):
    table = problem.priors
    assert table.loc["spread_w_trust", ["family", "location", "unit"]].tolist() == ["lognormal", 0.25, "1/h"]
    assert table.loc["spread_tau_trust", ["family", "location", "unit"]].tolist() == ["lognormal", 0.3, "1"]
    own = problem.random_parameters.of({"w_trust": 0.5, "tau_trust": 20.0, **SPREAD}, jnp.array([1.0, -2.0]))
    assert float(own["w_trust"]) == pytest.approx(1.5)
    assert float(own["tau_trust"]) == pytest.approx(20 * np.exp(-1.2))
    assert Theory.model_validate_json(problem.plan.theory.model_dump_json(by_alias=True)).varies == (
        "w_trust",
        "tau_trust",
    )


def test_the_quadrature_is_the_mean_over_dyads_of_the_population(problem, scores):
    """Against 20,000 draws of the two parameters, each with the likelihood of a theory without variation."""
    plain, values = build_problem(scores, theory(PAIR)), _values(problem, **SPREAD)
    z = np.random.default_rng(1).normal(size=(20_000, 2))
    run = jax.jit(
        lambda places: jax.lax.map(lambda one: plain.log_likelihood(problem.random_parameters.of(values, one)), places)
    )
    draws = np.asarray(run(jnp.asarray(z)))
    expected = logsumexp(draws, axis=0) - np.log(len(z))
    error = np.exp(draws - expected).std(axis=0) / len(z) ** 0.5
    assert error.max() < 0.02
    assert (np.abs(np.asarray(problem.log_likelihood(values)) - expected) < 4 * error + 1e-3).all()


def test_more_nodes_change_nothing_and_no_spread_is_no_variation(problem, scores, monkeypatch):
    values = _values(problem, **SPREAD)
    few = np.asarray(problem.log_likelihood(values))
    small = problem.log_likelihood(_values(problem, spread_w_trust=1e-9, spread_tau_trust=1e-9))
    np.testing.assert_allclose(small, build_problem(scores, theory(PAIR)).log_likelihood(values), rtol=1e-9)
    monkeypatch.setattr(module, "_NODES", {1: 15, 2: 15})
    np.testing.assert_allclose(few, problem.log_likelihood(values), atol=5e-3)


@pytest.mark.parametrize("name", [pytest.param("varying", marks=pytest.mark.slow), "common_cause"])
def test_replicates_have_the_likelihood_that_they_are_fitted_with(scores, name):
    """At the values that made the data the mean derivative of the log-likelihood is 0, for every parameter."""
    wanted = vary(theory(PAIR), "w_trust") if name == "varying" else keep(rival(name), [*PAIR, "factor"])
    problem = build_problem(scores, wanted)
    values, n = _values(problem, **(SPREAD if name == "varying" else {})), 300
    data = replicate(problem, {k: np.repeat(np.asarray(v)[None], n, axis=0) for k, v in values.items()}, seed=6)
    slope = jax.grad(lambda v, y: problem.log_likelihood(v, replace(problem.panel, score=y)).sum())
    slopes = jax.jit(lambda data: jax.lax.map(lambda y: slope(values, y), data))(jnp.asarray(np.nan_to_num(data)))
    for parameter in problem.priors.index:
        found = np.asarray(slopes[parameter])
        assert abs(found.mean()) < 4 * found.std() / n**0.5, parameter


def test_courses_take_the_parameters_of_their_dyad(problem):
    values = _values(problem, **SPREAD)
    best = jax.jit(lambda v: course_at(problem, v, problem.panel))(values)
    places, chosen = (
        problem.random_parameters.nodes()[0],
        np.argmax(np.asarray(problem.by_node(values, problem.panel)), axis=0),
    )
    for dyad, node in [(2, chosen[2])]:
        own = problem.random_parameters.of(values, jnp.asarray(places[node]))
        alone = course_of(problem.plan.process_model(own), problem.observed.observation(own), problem.panel)
        np.testing.assert_allclose(best.mean[dyad], alone.mean[dyad], atol=1e-10)
    one = jax.jit(lambda key: course_at(problem, values, problem.panel, key).mean[0, 3, 2])
    assert len({float(one(jax.random.key(k))) for k in range(6)}) > 1


def test_what_cannot_vary_is_refused(scores):
    with pytest.raises(TheoryError, match=r"known: .*tau_trust"):
        vary(framework(), "w_trast")
    assert linear_form(vary(framework(), "w_trust")).varies == ("w_trust",)
    with pytest.raises(FitError, match="at most 2"):
        build_problem(scores, vary(theory(PAIR), "w_trust", "a_trust", "tau_trust"))
    wrong = theory(PAIR).model_copy(update={"varies": ("rho_between_trust_oxytocin_patient",)})
    with pytest.raises(FitError, match="rho_"):
        build_problem(scores, wrong)
    none = build_problem(scores, keep(hypothesis("none", vary(linear(), "w_trust")), PAIR))
    assert "w_trust does not vary between dyads: it is no parameter of this fit" in none.left_out
