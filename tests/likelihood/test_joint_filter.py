"""Hypotheses that are not linear, or not the same for all dyads: filters against referees that share no code."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
import yaml
from scipy.special import logsumexp

from dyadloop.appraisal import particle_correction as corrections
from dyadloop.appraisal.comparison import _problems
from dyadloop.appraisal.model_criticism import _filter_findings
from dyadloop.appraisal.particle_correction import correction, discrepancy
from dyadloop.appraisal.replication import replicate
from dyadloop.appraisal.smoothing import course_of
from dyadloop.data import read_study
from dyadloop.errors import FitError
from dyadloop.estimands.catalogue import Untestable, estimand
from dyadloop.inference.problem import build_problem
from dyadloop.likelihood.joint_filter import filter_jointly
from dyadloop.likelihood.linear_filter import log_likelihood
from dyadloop.likelihood.particles import particle_log_likelihood
from dyadloop.likelihood.propagation import carried
from dyadloop.model import compile_theory, flows
from dyadloop.observation.scaling import scale_scores
from dyadloop.simulation import sample_paths, simulate_study
from dyadloop.theory import hypothesis, keep, patient_only, read_theory, vary
from tests.inference.small import make, shorten
from tests.linear import linear, rival
from tests.reference.dense import log_density

TRIO = ["oxytocin", "trust", "support"]
STRONG = {"gamma_trust_support": 0.6, "a_trust": 0.3}


def theory(name, variables=TRIO):
    hidden = ["factor"] if name == "common_cause" else []
    return patient_only(keep(hypothesis(name, read_theory("framework_linear")), [*variables, *hidden]))


def _values(problem, **other):
    found = {**problem.plan.defaults(), **{n: q.value for n, q in problem.observed.parameters().items()}}
    return {name: jnp.asarray(float(value)) for name, value in (found | other).items()}


def _parts(problem, values):
    return problem.plan.process_model(values), problem.observed.observation(values)


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    """Six simulated dyads under the synergistic hypothesis."""
    folder = tmp_path_factory.mktemp("bent") / "study"
    simulate_study(folder, theory=theory("synergistic"), seed=4, values=STRONG)
    return build_problem(scale_scores(read_study(shorten(folder, 6))), theory("synergistic"))


def test_without_synergy_the_filter_is_exact(problem):
    values = _values(problem, gamma_trust_support=0.0)
    process, observation = _parts(problem, values)
    assert process.nonlinear is not None
    exact = log_likelihood(process.at_mean(), observation, problem.panel)
    np.testing.assert_allclose(filter_jointly(process, observation, problem.panel).log_density, exact, rtol=1e-10)
    np.testing.assert_allclose(problem.log_likelihood(values), exact, rtol=1e-10)
    whole, linear = (course_of(f, observation, problem.panel) for f in (process, process.at_mean()))
    np.testing.assert_allclose(whole.mean, linear.mean, atol=1e-8)
    np.testing.assert_allclose(whole.variance, linear.variance, atol=1e-8)


def test_more_steps_change_next_to_nothing(problem):
    process, observation = _parts(problem, _values(problem, **STRONG))
    coarse, fine = (filter_jointly(process, observation, problem.panel, n_steps=n).log_density for n in (4, 32))
    assert np.abs(np.asarray(coarse - fine)).max() < 0.02


def _after_a_session(name, variables, values):
    """Moments of the normal belief after a session, and 200,000 sampled paths from the same normal start."""
    plan = compile_theory(theory(name, variables), {(v, "patient") for v in variables}, ())
    process = plan.process_model({**plan.defaults(), **values})
    process = eqx.tree_at(lambda f: (f.start, f.between), process, (process.start - 0.4, jnp.zeros_like(process.between)))
    gates, durations = jnp.array([False, True]), jnp.array([0.0, 50 / 1440])
    pair, event = jnp.tile(jnp.array([[0, 1]]), (200_000, 1)), jnp.zeros((200_000, 2, process.jumps.shape[0]))
    paths = np.asarray(sample_paths(jax.random.key(3), process, pair, gates, durations, event, 12))[:, 1]
    here = jax.tree.map(lambda leaf: leaf[1], flows(process, gates, durations, 12, 8))
    found = carried(process, here, process.start, process.start_covariance, 8)
    regression = found.slope @ process.start_covariance @ found.slope.T + here.whole.noise
    return found, np.asarray(regression), paths


def test_moments_after_a_session_are_those_of_many_paths():
    """A product has exact moments where oxytocin does not act back within the session."""
    found, regression, paths = _after_a_session("synergistic", TRIO, STRONG | {"w_trust": 0.0, "w_support": 0.0})
    sd, covariance = paths.std(axis=0), np.cov(paths.T)
    assert (np.abs(found.mean - paths.mean(axis=0)) < 4 * sd / len(paths) ** 0.5).all()
    assert (np.abs(np.asarray(found.cov) - covariance) < 0.02 * np.outer(sd, sd)).all()
    assert covariance[0, 0] - regression[0, 0] > 0.2 * covariance[0, 0], "what the regression leaves matters here"


def test_the_weakest_of_five_is_read_off_a_few_points():
    """Its moments are near, not exact."""
    components = [v.id for v in linear().of_kind("component")]
    found, _, paths = _after_a_session("weakest_link", ["oxytocin", *components], {})
    sd = paths.std(axis=0)
    assert (np.abs(found.mean - paths.mean(axis=0)) < 0.1).all()
    assert (np.abs(np.asarray(found.cov) - np.cov(paths.T)) < 0.15 * np.outer(sd, sd)).all()


def test_particles_find_the_exact_likelihood_of_a_linear_theory(problem):
    process, observation = _parts(problem, _values(problem, gamma_trust_support=0.0))
    found = discrepancy(process, observation, problem.panel, seed=1, particles=500)
    assert (np.abs(found.gap) < 4 * found.error + 0.02).all()
    assert found.error.max() < 0.5


def _brute_force(process, observation, days, inside, score, seen, n_paths, rng):
    """Mean density over paths by Euler-Maruyama steps of a minute in a session and of half an hour between sessions."""
    (arrow,) = process.nonlinear.arrows
    trust, support = (source.nodes[0] for source in arrow.sources)
    (target,), rate = arrow.targets, float(process.nonlinear.rates[0])
    n = len(process.names)
    drift = {g: np.asarray(process.jacobian(float(g))) for g in (False, True)}
    noise = np.linalg.cholesky(np.asarray(process.noise))
    state = np.asarray(process.start)[:, None] + np.linalg.cholesky(np.asarray(process.start_covariance)) @ rng.normal(
        size=(n, n_paths)
    )
    mean = np.asarray(process.between) @ rng.normal(size=(n, n_paths))
    log_p = np.zeros(n_paths)
    for t, here in enumerate(days):
        length = 0.0 if t == 0 else here - days[t - 1]
        gate = bool(inside[t])
        n_steps = int(np.ceil(length * (1440 if gate else 1440 / 3)))
        for _ in range(n_steps):
            h = length / n_steps
            change = drift[gate] @ state + (np.asarray(process.drive)[:, None] if gate else 0.0)
            if gate:
                change[target] += rate * state[trust] * state[support]
            state = state + h * change + h**0.5 * noise @ rng.normal(size=state.shape)
        for j, place in enumerate(observation.states):
            if seen[t, j]:
                expected = observation.mean[j] + observation.loading[j] * (state[place] + mean[place])
                z = (score[t, j] - np.asarray(expected)) / observation.error_sd[j]
                log_p += -0.5 * (np.log(2 * np.pi) + 2 * np.log(observation.error_sd[j]) + z**2)
    weights = np.exp(log_p - log_p.max())
    return logsumexp(log_p) - np.log(n_paths), weights.std() / weights.mean() / n_paths**0.5


def test_particles_agree_with_brute_force(problem):
    """Two sessions three hours apart against the mean density over paths of Euler's method, which knows no filter."""
    process, observation = _parts(problem, _values(problem, **(STRONG | {"gamma_trust_support": 1.5})))
    days = np.array([[0.0, 50 / 1440, 0.125, 0.125 + 50 / 1440]])
    inside = np.array([False, True, False, True])
    rng = np.random.default_rng(5)
    score = rng.normal(size=(1, 4, len(observation.states))) + 0.5
    seen = np.ones(score.shape, bool)
    seen[0, 2] = False
    panel = dataclasses.replace(
        problem.panel,
        score=jnp.asarray(score),
        seen=jnp.asarray(seen),
        pair=jnp.array([[0, 1, 2, 1]]),
        gates=jnp.array([False, True, False]),
        durations=jnp.array([0.0, 50 / 1440, 0.125 - 50 / 1440]),
        event=jnp.zeros((1, 4, problem.panel.event.shape[2])),
        known_variance=jnp.zeros(score.shape),
    )
    expected, error = _brute_force(process, observation, days[0], inside, score[0], seen[0], 200_000, rng)
    runs = [
        float(particle_log_likelihood(k, process, observation, panel, 4000)[0])
        for k in jax.random.split(jax.random.key(1), 8)
    ]
    found = logsumexp(runs) - np.log(8)
    assert error < 0.1
    assert abs(found - expected) < 4 * np.hypot(error, np.std(runs) / 8**0.5) + 0.01
    fast = float(filter_jointly(process, observation, panel).log_density[0])
    assert abs(fast - expected) > 5 * error, "strong synergy: the fast filter alone would not do"


def test_the_correction_is_that_of_the_posterior_mean(problem):
    values = _values(problem, **STRONG)
    draws = xr.Dataset({name: (("chain", "draw"), [[float(v) - 0.01, float(v) + 0.01]]) for name, v in values.items()})
    found = correction(problem, draws, seed=2)
    process, observation = _parts(problem, values)
    expected = discrepancy(process, observation, problem.panel, seed=2)
    np.testing.assert_allclose(found["correction"].values, expected.gap, atol=1e-6)
    assert float(found["correction"].sum()) > 2 * float(np.sqrt((found["correction_se"] ** 2).sum()))
    plain = build_problem(problem.scores, theory("reciprocal"))
    none = correction(plain, draws, seed=2)
    assert not none["correction"].any()
    assert not none["correction_se"].any()


@pytest.mark.parametrize(("slope", "said"), [(0.5, "the fast filter puts gamma_trust_support at"), (6.0, "cannot be")])
def test_draws_are_weighed_by_what_the_filter_misses(problem, monkeypatch, slope, said):
    """A normal posterior tilted by exp(slope x) is the same normal, moved by slope variances; a steep tilt is refused."""
    rng = np.random.default_rng(3)
    draws = {str(name): (("chain", "draw"), rng.normal(size=(2, 2000))) for name in problem.priors.index}
    post = xr.DataTree.from_dict({"posterior": xr.Dataset(draws)})
    post.attrs["seed"] = 1

    def tilted(problem, runs):
        return lambda values, seed: corrections.Discrepancy(
            np.full(4, slope * float(values["gamma_trust_support"]) / 4), np.zeros(4)
        )

    monkeypatch.setattr(corrections, "missed", tilted)
    calls = []
    found = corrections.corrected(problem, post, 1000, lambda *call: calls.append(call))
    assert calls[-1] == ("particle filter", 1000, 1000)
    assert any(said in line for line in _filter_findings(found))
    found.attrs["pareto_k"], k = np.nan, found.attrs["pareto_k"]
    assert any("cannot be" in line for line in _filter_findings(found)), "without a k nothing is called corrected"
    found.attrs["pareto_k"] = k
    if slope < 1:
        row = found.sel(parameter="gamma_trust_support")
        assert float(row["corrected_mean"]) == pytest.approx(slope, abs=4 * float(row["corrected_mean_se"]))
        assert float(row["corrected_sd"]) == pytest.approx(1, abs=0.15)
        still = found.drop_sel(parameter="gamma_trust_support")
        assert (np.abs(still["shift"]) < 4 * still["corrected_mean_se"] / still["sd"]).all()
        assert found.attrs["pareto_k"] < found.attrs["good_k"] == pytest.approx(1 - 1 / 3)
        assert 600 < found.attrs["ess"] < 900  # 1,000 exp(-slope^2)


def test_each_draw_has_its_own_particles(problem, monkeypatch):
    monkeypatch.setattr(corrections, "PARTICLES", 50)
    nearly = 1e-6 * np.random.default_rng(1).normal(size=(1, 40))
    draws = {name: (("chain", "draw"), float(v) + nearly) for name, v in _values(problem, **STRONG).items()}
    post = xr.DataTree.from_dict({"posterior": xr.Dataset(draws)})
    post.attrs["seed"] = 1
    found = corrections.corrected(problem, post, 3)
    assert found.attrs["ess"] < 29  # equal draws, unequal particles
    one = corrections.missed(problem)(_values(problem, **STRONG), 5)
    again = corrections.missed(problem)(_values(problem, **STRONG), 5)
    np.testing.assert_array_equal(one.gap, again.gap)


def test_smoothed_courses_hold_the_truth(problem):
    """At the true values, standardised errors of the smoothed states have mean 0 and sd 1 over replicated studies."""
    values = _values(problem, **STRONG)
    process, observation = _parts(problem, values)
    panel = problem.panel

    @jax.jit
    def standard(key):
        path, noise = jax.random.split(key)
        line = (panel.pair, panel.gates, panel.durations, panel.event, panel.n_doublings)
        states = sample_paths(path, process, *line)
        signal = observation.mean + observation.loading * states[..., jnp.array(observation.states)]
        score = signal + observation.error_sd * jax.random.normal(noise, signal.shape)
        course = course_of(process, observation, dataclasses.replace(panel, score=score))
        return (states - course.mean) / jnp.sqrt(course.variance)

    errors = np.stack([np.asarray(standard(key)) for key in jax.random.split(jax.random.key(7), 12)])
    np.testing.assert_allclose(errors.std(axis=(0, 1, 2)), 1.0, atol=0.12)
    np.testing.assert_allclose(errors.mean(axis=(0, 1, 2)), 0.0, atol=0.2)


def test_what_is_claimed_of_hypotheses_that_are_not_linear(problem):
    claims = {claim.estimand: claim for claim in problem.plan.theory.claims}
    gamma = estimand(problem, claims["synergy"], "")
    assert float(gamma(_values(problem, gamma_trust_support=0.4))) == 0.4
    weakest = build_problem(problem.scores, theory("weakest_link"))
    assert "weakest" not in weakest.priors.index, "it takes all five components"
    whole = compile_theory(rival("weakest_link"), {(v.id, "patient") for v in linear().variables}, ())
    assert whole.has_kink == ["weakest"]
    for claim, word in (("spill_over", "kink"), ("session_loop_gain", "kink"), ("synergy", "no product")):
        found = estimand(dataclasses.replace(weakest, plan=whole), claims[claim], "")
        assert isinstance(found, Untestable)
        assert word in found.reason


def test_parameters_vary_between_dyads_beside_synergy(problem, monkeypatch):
    """Without a spread nothing changes; the correction integrates over the nodes as the likelihood does."""
    few = build_problem(problem.scores.isel(dyad=[0, 1]), theory("synergistic"))
    varied = build_problem(few.scores, vary(theory("synergistic"), "a_trust"))
    assert "spread_a_trust" in varied.priors.index
    values = _values(few, **STRONG)
    none, some = values | {"spread_a_trust": 1e-9}, values | {"spread_a_trust": 0.3}
    np.testing.assert_allclose(varied.log_likelihood(none), few.log_likelihood(values), rtol=1e-9)
    z = np.random.default_rng(4).normal(size=500)
    run = jax.jit(jax.vmap(lambda a: few.log_likelihood(values | {"a_trust": a})))
    drawn = np.asarray(run(jnp.asarray(float(values["a_trust"]) + 0.3 * z)))
    expected = logsumexp(drawn, axis=0) - np.log(len(z))
    error = np.exp(drawn - expected).std(axis=0) / len(z) ** 0.5
    assert (np.abs(np.asarray(varied.log_likelihood(some)) - expected) < 4 * error + 1e-3).all()
    monkeypatch.setattr(corrections, "PARTICLES", 300)

    def draws(values):
        return xr.Dataset({name: (("chain", "draw"), [[float(v)] * 2]) for name, v in values.items()})

    still = correction(varied, draws(none), seed=2)
    plain = discrepancy(*_parts(few, values), few.panel, seed=3, particles=1000)
    tolerance = 4 * np.hypot(still["correction_se"].values, plain.error) + 0.02
    assert (np.abs(still["correction"].values - plain.gap) < tolerance).all()


# a common factor


def test_a_common_factor_is_exact_and_needs_no_data_of_its_own(problem):
    common = build_problem(problem.scores, theory("common_cause"))
    assert "factor" in common.plan.names
    assert {"tau_factor", "k_trust", "k_support", "k_oxytocin"} <= set(common.priors.index)
    assert not [name for name in common.priors.index if name.startswith("rho") and "factor" in name]
    assert "between_factor" not in common.priors.index
    values = _values(common)
    process, observation = _parts(common, values)
    panel, found = common.panel, np.asarray(common.log_likelihood(values))
    for dyad in (0, 3):
        pair = np.asarray(panel.pair)[dyad]
        score = np.where(np.asarray(panel.seen)[dyad], np.asarray(panel.score)[dyad], np.nan)
        jumps = np.zeros((len(pair), len(process.names)))
        gates = np.asarray(panel.gates)[pair].astype(float)
        expected = log_density(process, observation, np.asarray(panel.durations)[pair], gates, jumps, score)
        np.testing.assert_allclose(found[dyad], expected, atol=1e-7)


def test_a_factor_alone_is_no_study(problem):
    scores = problem.scores.isel(indicator=[0]).assign_coords(quantity=("indicator", ["weather"]))
    with pytest.raises(FitError, match="the study measures weather"):
        build_problem(scores, theory("common_cause"))


# a context that moderates arrows


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    """A simulated study of five dyads with the insecurity of each patient."""
    folder = shorten(make(tmp_path_factory.mktemp("context") / "study", ["oxytocin", "trust"], seed=8), 5)
    info = yaml.safe_load((folder / "study.yaml").read_text())
    info["covariates"] = {"insecurity": {"of": "patient", "per": 1.5, "reason": "questionnaire"}}
    (folder / "study.yaml").write_text(yaml.safe_dump(info))
    head, *lines = (folder / "participants.tsv").read_text().splitlines()
    given = iter([1.0, 4.0, 2.5, 3.0, 5.5])
    role = head.split("\t").index("role")
    own = [next(given) if line.split("\t")[role] == "patient" else "n/a" for line in lines]
    rows = [f"{line}\t{value}" for line, value in zip(lines, own, strict=True)]
    (folder / "participants.tsv").write_text("\n".join([f"{head}\tinsecurity", *rows]) + "\n")
    return read_study(folder)


def test_a_context_moderates_exactly(context):
    moderated = keep(rival("context"), ["oxytocin", "trust", "insecurity"])
    problem = build_problem(scale_scores(context), moderated)
    assert "m_trust" in problem.priors.index
    assert not {"level_insecurity", "between_insecurity"} & set(problem.priors.index)
    np.testing.assert_allclose(
        np.asarray(problem.panel.context)[:, 0], (np.array([1.0, 4.0, 2.5, 3.0, 5.5]) - 3.2) / 1.5
    )
    values = _values(problem, m_trust=0.8, effect_insecurity_trust=0.3)
    process, observation = _parts(problem, values)
    found, panel = np.asarray(problem.log_likelihood(values)), problem.panel
    for dyad in (0, 3):
        own = process.of(panel.context[dyad])
        tau, w, m = (float(values[name]) for name in ("tau_trust", "w_trust", "m_trust"))
        rate = 24 * (w - m * float(panel.context[dyad, 0])) / 2  # per day, the mean of two persons
        trust = problem.plan.names.index("trust")
        np.testing.assert_allclose(np.asarray(own.session)[trust, :trust], rate, rtol=1e-12)
        assert float(own.decay[trust]) == pytest.approx(1 / tau)
        pair = np.asarray(panel.pair)[dyad]
        levels = np.asarray(observation.expected(panel.covariate[dyad])) - np.asarray(observation.mean)
        score = np.where(np.asarray(panel.seen)[dyad], np.asarray(panel.score)[dyad] - levels, np.nan)
        gates, jumps = np.asarray(panel.gates)[pair].astype(float), np.zeros((len(pair), trust + 1))
        expected = log_density(own, observation, np.asarray(panel.durations)[pair], gates, jumps, score)
        np.testing.assert_allclose(found[dyad], expected, atol=1e-6)
    few = panel.of_dyads(np.array([1]))
    assert len(few.durations) <= few.pair.shape[1]
    many = dataclasses.replace(few, durations=jnp.tile(few.durations, 9), gates=jnp.tile(few.gates, 9))
    for one in (few, many):  # steps for each distinct interval, or for each moment
        np.testing.assert_allclose(log_likelihood(process, observation, one), found[1:2], rtol=1e-10)


def test_replicates_know_the_context(context):
    """The spread of trust after a session rises with what the context adds to the effect of oxytocin."""
    problem = build_problem(scale_scores(context), keep(rival("context"), ["oxytocin", "trust", "insecurity"]))
    values = _values(problem, w_trust=0.0, m_trust=-8.0, between_trust=0.01, sd_oxytocin=1.0, sd_trust=0.05)
    scores = replicate(
        problem, {name: np.repeat(np.asarray(v)[None], 200, axis=0) for name, v in values.items()}, seed=3
    )
    trust = problem.observed.states.index(problem.plan.names.index("trust"))
    spread = np.nanstd(scores[..., trust], axis=(0, 2))
    far = np.abs(np.asarray(problem.panel.context)[:, 0])
    assert np.argmax(spread) == np.argmax(far)
    assert np.argmin(spread) == np.argmin(far)


def test_a_context_that_the_study_lacks_leaves_the_reciprocal_loop(context, problem):
    bare = build_problem(problem.scores, patient_only(keep(rival("context"), [*TRIO, "insecurity"])))
    assert not [name for name in bare.priors.index if name.startswith("m_")]
    assert "Attachment insecurity of the patient is no covariate of persons named 'insecurity'" in bare.left_out
    pair, notes = _problems(context, linear(), ("none", "reciprocal", "context"), None)
    assert list(pair) == ["none", "reciprocal", "context"]
    assert len(notes) == 1
