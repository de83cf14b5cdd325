"""Arrows and time constants of each therapist: against the likelihood of each with numbers of its own, and planted."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

from dyadloop.appraisal.particle_correction import correction
from dyadloop.appraisal.replication import replicate
from dyadloop.appraisal.smoothing import course_at
from dyadloop.data import read_study
from dyadloop.errors import FitError
from dyadloop.inference.problem import build_problem
from dyadloop.likelihood.propagation import axis_of
from dyadloop.likelihood.random_levels import THERAPIST
from dyadloop.observation.scaling import scale_scores
from dyadloop.simulation import simulate_study
from dyadloop.theory import framework, hypothesis, keep, linear_form, patient_only, vary
from tests.inference.small import make, shared, shorten, theory
from tests.linear import linear, rival

PAIR = ["oxytocin", "trust"]
SLOPES = ("w_trust", "tau_trust")
SPREAD = {"spread_therapists_w_trust": 0.8, "spread_therapists_tau_trust": 0.7}
LEVELS = 3


def by_therapist(model, *names):
    return vary(model, *names, by="therapist")


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    made = shorten(make(tmp_path_factory.mktemp("therapists") / "study", PAIR, seed=4), 5)
    return scale_scores(read_study(shared(made, lambda n: f"T{n % 3}")))


@pytest.fixture(scope="module")
def problem(scores):
    return build_problem(scores, by_therapist(theory(PAIR), *SLOPES))


@pytest.fixture(scope="module")
def effects():
    """Levels of three quantities and the two parameters, of three therapists."""
    return np.random.default_rng(3).normal(size=(3, LEVELS + 2))


def _values(problem, effects, **other):
    groups = (problem.plan, problem.observed)
    names = {name: q for part in groups for name, q in part.parameters().items()}
    names |= {**problem.random_levels.parameters(problem.plan), **problem.random_parameters.parameters(problem.plan)}
    values = {name: jnp.asarray(other.get(name, q.value), dtype=float) for name, q in names.items()}
    return values | {THERAPIST: jnp.asarray(effects).ravel()}


def _own(values, effects, therapist):
    """The numbers of one therapist, by the definition in the documents."""
    z = effects[therapist, LEVELS:]
    return values | {
        "w_trust": values["w_trust"] + values["spread_therapists_w_trust"] * z[0],
        "tau_trust": values["tau_trust"] * jnp.exp(values["spread_therapists_tau_trust"] * z[1]),
    }


def _levels(values, effects):
    return values | {THERAPIST: jnp.asarray(effects[:, :LEVELS]).ravel()}


def test_each_dyad_has_the_likelihood_of_its_therapist(problem, scores, effects):
    values, levels_alone = _values(problem, effects, **SPREAD), build_problem(scores, theory(PAIR))
    assert problem.priors.loc["spread_therapists_w_trust", ["family", "location", "unit"]].tolist() == [
        "lognormal", 0.25, "1/h",
    ]  # fmt: skip
    assert problem.normals == {THERAPIST: 3 * (LEVELS + 2)}
    whose = np.asarray(problem.panel.therapist)
    assert whose.tolist() == [1, 2, 0, 1, 2]
    found, course = problem.log_likelihood(values), course_at(problem, values, problem.panel)
    alike = _levels(values, effects)
    assert float(jnp.abs(found - levels_alone.log_likelihood(alike)).min()) > 1e-3
    for dyad in range(5):
        own = _own(alike, effects, whose[dyad])
        np.testing.assert_allclose(found[dyad], levels_alone.log_likelihood(own)[dyad], rtol=1e-10)
        alone = course_at(levels_alone, own, levels_alone.panel)
        np.testing.assert_allclose(course.mean[dyad], alone.mean[dyad], atol=1e-10)
    none = {name: 1e-12 for name in SPREAD}
    np.testing.assert_allclose(problem.log_likelihood(values | none), levels_alone.log_likelihood(alike), rtol=1e-9)
    few = problem.panel.of_dyads(np.array([3, 2]))
    np.testing.assert_allclose(problem.log_likelihood(values, few), found[jnp.array([3, 2])], rtol=1e-10)


def test_what_therapists_and_what_dyads_differ_by_add_up(problem, scores, effects):
    """A coupling that varies by both, at a node of the quadrature, is the sum of both shifts."""
    both = build_problem(scores, vary(by_therapist(theory(PAIR), *SLOPES), "w_trust"))
    values = _values(both, effects, spread_w_trust=0.5, **SPREAD)
    places, weights = both.random_parameters.nodes()
    nodes = np.asarray(both.by_node(values, both.panel))
    for node in (0, 5):
        moved = values | {"w_trust": values["w_trust"] + 0.5 * places[node, 0]}
        np.testing.assert_allclose(nodes[node] - weights[node], problem.log_likelihood(moved), rtol=1e-10)


def test_a_field_that_bends_has_numbers_of_each_therapist(tmp_path):
    """The filter and the particles of M4, at a synergy of each therapist's own."""
    trio = patient_only(keep(rival("synergistic"), ["oxytocin", "trust", "support"]))
    folder = tmp_path / "study"
    simulate_study(folder, theory=trio, seed=4, values={"gamma_trust_support": 0.6, "a_trust": 0.3})
    scores = scale_scores(read_study(shared(shorten(folder, 4), lambda n: f"T{n % 3}")))
    plain, bent = build_problem(scores, trio), build_problem(scores, by_therapist(trio, "gamma_trust_support"))
    levels = len(bent.random_levels.levels)
    effects = np.random.default_rng(5).normal(size=(3, levels + 1))
    values = _values(bent, effects, gamma_trust_support=0.5, spread_therapists_gamma_trust_support=0.6)
    assert axis_of(bent.process_of(values, bent.panel)) == 0
    whose, found = np.asarray(bent.panel.therapist), np.asarray(bent.log_likelihood(values))
    own = [
        values
        | {
            THERAPIST: jnp.asarray(effects[:, :levels]).ravel(),
            "gamma_trust_support": values["gamma_trust_support"] + 0.6 * effects[whose[dyad], levels],
        }
        for dyad in range(2)
    ]
    for dyad in range(2):
        np.testing.assert_allclose(found[dyad], plain.log_likelihood(own[dyad])[dyad], rtol=1e-9)
    parts = correction(bent, _dataset(values), seed=1)
    alone = correction(plain, _dataset(own[0]), seed=2)
    error = np.hypot(parts["correction_se"][0], alone["correction_se"][0])
    assert abs(float(parts["correction"][0] - alone["correction"][0])) < 4 * float(error)


def _dataset(values):
    data = {
        name: (("chain", "draw", *[f"{name}_number"] * np.ndim(value)), np.asarray(value)[None, None])
        for name, value in values.items()
    }
    return xr.Dataset(data)


def test_replicates_have_the_likelihood_that_they_are_fitted_with(problem, effects):
    """At the values that made the data the mean derivative of the log-likelihood is 0, for every parameter."""
    values, n = _values(problem, effects, **SPREAD), 300
    data = replicate(problem, {k: np.repeat(np.asarray(v)[None], n, axis=0) for k, v in values.items()}, seed=6)
    slope = jax.grad(lambda v, y: problem.log_likelihood(v, replace(problem.panel, score=y)).sum())
    slopes = jax.jit(lambda data: jax.lax.map(lambda y: slope(values, y), data))(jnp.asarray(np.nan_to_num(data)))
    for parameter in [*SPREAD, *SLOPES, THERAPIST]:
        found = np.asarray(slopes[parameter])
        assert (np.abs(found.mean(axis=0)) < 4 * found.std(axis=0) / n**0.5).all(), parameter
    assert (np.asarray(slopes[THERAPIST]).std(axis=0) > 0).all()


def test_what_cannot_differ_between_therapists_is_said(scores):
    assert linear_form(by_therapist(framework(), "w_trust")).varies_by_therapist == ("w_trust",)
    wrong = theory(PAIR).model_copy(update={"varies_by_therapist": ("rho_between_trust_oxytocin_patient",)})
    with pytest.raises(FitError, match="cannot vary between therapists"):
        build_problem(scores, wrong)
    absent = build_problem(scores, keep(hypothesis("none", by_therapist(linear(), "w_trust")), PAIR))
    assert "w_trust does not vary between therapists: it is no parameter of this fit" in absent.left_out
    none = scores.assign_coords(therapist=("dyad", ["T0"] * 5))
    alike = build_problem(none, by_therapist(theory(PAIR), "w_trust"))
    assert "w_trust: the same for all therapists, who are no level of this fit" in alike.left_out
    assert not alike.normals
    assert "spread_therapists_w_trust" not in alike.priors.index
