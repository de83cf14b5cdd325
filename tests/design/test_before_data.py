"""Expected information: against a dense normal, against the mean curvature of simulated studies; words; rivals."""

from dataclasses import replace
from functools import partial

import jax
import numpy as np
import pytest

from dyadloop.appraisal.replication import replicate
from dyadloop.design import skeleton
from dyadloop.design.before_data import identifiability
from dyadloop.design.information import Planned, information
from dyadloop.design.reader import design_of
from dyadloop.design.rivals import APART, changes, told_apart
from dyadloop.design.worlds import fitted_values, world_of
from dyadloop.errors import FitError
from dyadloop.inference.prior_scale import Scale
from tests.design.small import content, design, theory_file
from tests.reference.dense import joint_moments
from tests.reference.differences import curvature

SALIVA = {"quantity": "oxytocin", "when": ["before", "after"], "assay": {"method": "mass_spectrometry"}}


def _arrow_design(**changes):
    """One dyad variable and oxytocin, four sessions: the arrows between trust and oxytocin."""
    measures = {"trust": {"quantity": "trust", "when": ["before", "after"], "reliability": 0.6}, "saliva": SALIVA}
    own = content("framework", measures=measures, events={}, dyads=30) | changes
    own["sessions"] = {"count": 4, "every": "7 d", "length": "50 min"}
    return design_of(own)


@pytest.fixture(scope="module")
def arrow():
    """A plan with an event that is not randomised, so that one set of arrows carries it."""
    events = {"work_trust": {"by": "session", "share": 0.5, "randomised": False}}
    plan = skeleton(_arrow_design(events=events))
    planned = Planned(plan.fitted)
    values = fitted_values(plan.fitted, world_of(plan, "fixed").truth(0))
    return plan, planned, planned.scale.place(values)


def _dense(planned, point, dyad):
    """Return mean and covariance of the planned values of a dyad, from the definition of the model."""
    problem = planned.problem
    values = {name: float(value) for name, value in planned.scale.values(point).items()}
    process, observation = problem.plan.process_model(values), problem.observed.observation(values)
    panel, n = problem.panel, len(problem.plan.states)
    pair = np.asarray(panel.pair)[dyad]
    steps, gates = np.asarray(panel.durations)[pair], np.asarray(panel.gates)[pair].astype(float)
    mean, cov = joint_moments(process, steps, gates, np.asarray(panel.event)[dyad] @ np.asarray(process.jumps))
    between = np.asarray(process.between)
    cov = cov + np.kron(np.ones((len(steps), len(steps))), between @ between.T)
    reads = np.zeros((len(observation.states), n))
    reads[np.arange(len(observation.states)), list(observation.states)] = np.asarray(observation.loading)
    reads = np.kron(np.eye(len(steps)), reads)
    errors = np.tile(np.asarray(observation.error_sd) ** 2, len(steps))
    there = planned.seen.ravel()
    means = (reads @ mean + np.tile(np.asarray(observation.mean), len(steps)))[there]
    return means, (reads @ cov @ reads.T + np.diag(errors))[np.ix_(there, there)]


def _unlike(planned):
    """Return two dyads whose events differ."""
    differs = (planned.event != planned.event[:1]).any(axis=(1, 2))
    return [0, int(np.flatnonzero(differs)[0])]


def test_moments_of_a_plan_are_those_of_a_dense_normal(arrow):
    _, planned, point = arrow
    found, pair = planned.moments()(point), _unlike(planned)
    for dyad in pair:
        mean, cov = _dense(planned, point, dyad)
        assert found.mean[dyad] == pytest.approx(mean, rel=1e-7, abs=1e-9)
        assert found.covariance == pytest.approx(cov, rel=1e-7, abs=1e-9)
    assert np.abs(np.subtract(*found.mean[pair])).max() > 0.01  # their events differ


def test_information_about_one_arrow_is_that_of_the_dense_normal(arrow):
    """Slepian and Bangs: information about the mean and about the covariance of a normal, of two dyads of 30."""
    plan, planned, point = arrow
    names = ["a_trust", "w_trust", "tau_trust", "error_saliva"]
    places = [planned.scale.names.index(name) for name in names]
    few = replace(plan.fitted, panel=plan.fitted.panel.of_dyads(np.array(_unlike(planned))))
    found = information(Planned(few), point)[np.ix_(places, places)]
    total, step = np.zeros((4, 4)), 1e-4
    for dyad in _unlike(planned):
        slopes = []
        for place in places:
            move = step * np.eye(len(point))[place]
            high, low = (_dense(planned, point + sign * move, dyad) for sign in (1, -1))
            slopes.append([(high[part] - low[part]) / (2 * step) for part in (0, 1)])
        weight = np.linalg.inv(_dense(planned, point, dyad)[1])
        for i, j in np.ndindex(4, 4):
            total[i, j] += slopes[i][0] @ weight @ slopes[j][0]
            total[i, j] += 0.5 * np.trace(weight @ slopes[i][1] @ weight @ slopes[j][1])
    assert found == pytest.approx(total, rel=1e-4, abs=1e-4 * np.abs(total).max())  # differences twice over


def test_information_is_the_mean_curvature_of_simulated_studies(tmp_path):
    plan = skeleton(design(theory_file(tmp_path)))
    planned = Planned(plan.fitted)
    world = world_of(plan, "fixed")
    point = planned.scale.place(fitted_values(plan.fitted, world.truth(0)))
    expected = information(planned, point)
    studies, panel = 500, plan.fitted.panel
    draws = {name: np.full(studies, value) for name, value in world.truth(0).items()}
    scores = replicate(world.source.with_panel(replace(world.source.panel, event=panel.event), "x"), draws, 3)

    def loss(at, score):
        return -planned.problem.log_likelihood(planned.scale.values(at), replace(panel, score=score)).sum()

    slope = jax.jit(jax.grad(loss))
    found = np.array([curvature(partial(slope, score=np.nan_to_num(score)), point, 1e-4) for score in scores])
    error = found.std(axis=0) / np.sqrt(studies)
    assert (np.abs(found.mean(axis=0) - expected) < 4 * error + 1e-6 * np.abs(expected).max()).all()
    assert error.max() < 0.02 * np.abs(expected).max()  # so that the line above says something


def test_values_that_are_not_there_tell_nothing(arrow):
    plan, planned, point = arrow
    everything = information(planned, point)
    seen = np.ones((plan.design.dyads, planned.n_values), dtype=bool)
    assert information(planned, point, seen) == pytest.approx(everything, rel=1e-9)
    seen[:15] = False
    half = information(planned, point, seen)
    assert 0.4 < np.trace(half) / np.trace(everything) < 0.6


def test_directions_in_words():
    scale = Scale(("a", "w", "tau", "sd"), np.array([False, False, True, True]), np.zeros(4), np.ones(4))
    point = np.array([0.2, 0.4, 1.0, 0.0])
    assert scale.in_words(point, np.array([0.0, 0.0, 1.0, 0.0])) == "tau is hardly told"
    assert "only their product is told" in scale.in_words(point, np.array([1.0, -2.0, 0, 0]) / np.sqrt(5))
    assert "only their ratio is told" in scale.in_words(point, np.array([0, 0, 0.7, 0.7]))
    assert "only their sum, with weights, is told" in scale.in_words(point, np.array([0.9, -0.4, 0, 0]))
    assert "against w, sd" in scale.in_words(point, np.array([0.6, -0.5, 0.0, -0.5]))


def test_a_plan_says_what_it_can_tell():
    found = identifiability(_arrow_design())
    told, all_of_them = found.rank
    assert told <= all_of_them == len(found.parameters)
    shares = found.parameters.set_index("parameter")["contraction"]
    assert (shares > -1e-9).all()
    assert shares["a_trust"] > 0.3
    claims = found.claims.set_index("claim")
    assert claims.loc["C1.trust", "can_tell"] == "association only"
    assert claims.loc["C1.trust", "contraction"] == pytest.approx(shares["a_trust"], rel=1e-3)
    assert np.isnan(claims.loc["C1.trust", "randomised_contraction"])
    assert claims.loc["C6", "can_tell"] == "not testable here"
    assert found.rivals.empty
    assert found.profile["loss"].iloc[0] == pytest.approx(4 * found.profile["loss"].iloc[1])


def test_rivals_lose_in_proportion_to_dyads_and_a_hypothesis_nothing_to_itself():
    few = told_apart(skeleton(_arrow_design(dyads=20)), "reciprocal", ["reciprocal", "none"])
    many = told_apart(skeleton(_arrow_design(dyads=40)), "reciprocal", ["none"])
    itself, none = (few.set_index("rival").loc[name] for name in ("reciprocal", "none"))
    assert itself["nats"] < 1e-3
    assert not itself["apart"]
    assert 0.1 < none["nats"] < APART
    assert many.set_index("rival").loc["none", "nats"] == pytest.approx(2 * none["nats"], rel=0.05)  # a weak prior
    assert none["dyads_needed"] == pytest.approx(20 * APART / none["nats"], abs=1)


def test_small_changes_push_what_is_measured():
    assert set(changes(_arrow_design())) == {
        "dose in a random half of the sessions", "work_trust in a random half of the sessions",
    }  # fmt: skip


def test_what_has_no_exact_information_is_refused():
    measures = {"trust": {"quantity": "trust"}, "support": {"quantity": "support"}, "saliva": SALIVA}
    with pytest.raises(FitError, match="exact for linear theories"):
        Planned(skeleton(_arrow_design(measures=measures, analysis={"hypothesis": "synergistic"})).fitted)
