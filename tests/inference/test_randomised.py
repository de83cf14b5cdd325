"""What randomised events do, told apart from what happens by itself: superposition, contrasts, verdicts."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from scipy.linalg import expm

from dyadloop.appraisal.replication import replicate
from dyadloop.appraisal.scenarios import _courses
from dyadloop.appraisal.smoothing import course_at
from dyadloop.claims.claims_table import _judge
from dyadloop.claims.randomisation import Randomisation, _first_stage, randomisation_of
from dyadloop.data import read_study
from dyadloop.inference.fitting import prior_draws
from dyadloop.inference.problem import build_problem
from dyadloop.inference.randomised import PREFIX, contrast_fault
from dyadloop.observation.scaling import scale_scores
from dyadloop.reporting.report import _dots
from dyadloop.theory import hypothesis, keep, protocol, read_theory, vary
from tests.inference.small import make, shorten, table

VARIABLES = ["oxytocin", "trust", "support"]


def _theory(name="reciprocal"):
    return keep(hypothesis(name, read_theory("framework_linear")), VARIABLES)


def _with_events(folder, given, randomised="[work_trust, dose]"):
    """Put events into sessions: ``given`` says which (dyad number from 0, session number from 0) get which."""
    sessions = table(folder / "sessions.tsv")
    number = sessions.groupby("dyad").cumcount()
    dyad = sessions["dyad"].map({name: row for row, name in enumerate(dict.fromkeys(sessions["dyad"]))})
    amounts = {"dose": 24, "work_trust": 1}
    sessions["events"] = [
        ";".join(f"{name}={amounts[name]}" for name in given(d, s)) for d, s in zip(dyad, number, strict=True)
    ]
    sessions.to_csv(folder / "sessions.tsv", sep="\t", index=False)
    text = (folder / "study.yaml").read_text()
    (folder / "study.yaml").write_text(text + f"randomised: {randomised}\n")
    return scale_scores(read_study(folder))


def _alternating(d, s):
    names = ["work_trust"] if (3 * d + 5 * s) % 7 < 3 else []
    return names + (["dose"] if (5 * d + 3 * s) % 8 < 4 else [])


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    folder = shorten(make(tmp_path_factory.mktemp("pushed") / "study", VARIABLES, seed=2), 8)
    return _with_events(folder, _alternating)


@pytest.fixture(scope="module")
def problem(scores):
    return build_problem(scores, _theory())


def _values(problem, seed=0):
    rng = np.random.default_rng(seed)
    found = {}
    for name, row in problem.priors.iterrows():
        z = 0.5 * rng.normal() * row["scale"]
        found[name] = row["location"] * np.exp(z) if row["family"] == "lognormal" else row["location"] + z
    return {name: float(value) for name, value in found.items()}


def test_the_arrows_of_the_randomised_part_are_all_that_its_effect_can_travel(problem):
    assert set(problem.randomised.variables) == {"trust", "oxytocin"}
    excluded = {"d_trust_support", "d_support_trust"}  # not in the reciprocal hypothesis, asked about all the same
    own = {"a_trust", "a_support", "w_trust", "w_support"}
    assert set(problem.randomised.arrows) == excluded | own
    assert {PREFIX + name for name in excluded | own} <= set(problem.priors.index)
    assert problem.priors.loc["randomised_a_trust", "scale"] == problem.priors.loc["a_trust", "scale"]


@pytest.mark.parametrize("seed", [0, 1])
def test_with_the_same_arrows_in_both_parts_it_is_the_theory_itself(scores, problem, seed):
    """Superposition: the likelihood is that of the theory in which randomised events act like anything else."""
    values, whole = _values(problem, seed), build_problem(scores, _theory(), split=False)
    alike = values | {name: values.get(name.removeprefix(PREFIX), 0.0) for name in values if name.startswith(PREFIX)}
    found, expected = problem.log_likelihood(alike), whole.log_likelihood({n: values[n] for n in whole.priors.index})
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    other = problem.log_likelihood(alike | {"randomised_w_trust": alike["randomised_w_trust"] + 0.5})
    assert np.abs(np.asarray(other - found)).max() > 1e-3
    course, usual = course_at(problem, _numbers(alike), problem.panel), course_at(whole, _numbers(values), whole.panel)
    np.testing.assert_allclose(course.mean, usual.mean, atol=1e-8)


def test_therapists_may_differ_in_the_time_constants_of_the_response(scores):
    """Superposition again, where each therapist has a time constant of their own."""
    theory = vary(_theory(), "tau_trust", by="therapist")
    named = scores.assign_coords(therapist=("dyad", list("AABBCCAB")))
    split, whole = build_problem(named, theory), build_problem(named, theory, split=False)
    rng = np.random.default_rng(5)
    normals = {name: rng.normal(size=size) for name, size in split.normals.items()}
    values = _values(split) | {"spread_therapists_tau_trust": 0.6}
    alike = values | {n: values.get(n.removeprefix(PREFIX), 0.0) for n in values if n.startswith(PREFIX)} | normals
    plain = {name: alike[name] for name in [*whole.priors.index, *normals]}
    np.testing.assert_allclose(split.log_likelihood(alike), whole.log_likelihood(plain), rtol=1e-9)


def test_a_common_cause_that_the_theory_knows_joins_what_happens_by_itself(scores):
    """It has parameters in the natural part alone; without its effects the likelihood is the one without it."""
    theory = keep(hypothesis("reciprocal", read_theory("framework_linear")), [*VARIABLES, "factor"])
    known, plain = build_problem(scores, theory), build_problem(scores, _theory())
    more = set(known.priors.index) - set(plain.priors.index)
    assert more == {"tau_factor", "sd_factor", "start_factor", "k_oxytocin", "k_trust", "k_support"}
    assert known.randomised.arrows == plain.randomised.arrows
    values = _values(plain) | {"tau_factor": 60.0, "sd_factor": 1.0, "start_factor": 0.4}
    gone = values | dict.fromkeys(("k_oxytocin", "k_trust", "k_support"), 0.0)
    expected = plain.log_likelihood({n: values[n] for n in plain.priors.index})
    np.testing.assert_allclose(known.log_likelihood(gone), expected, rtol=1e-9)
    assert np.abs(np.asarray(known.log_likelihood(gone | {"k_trust": 0.6}) - expected)).max() > 1e-2
    stored = type(theory).model_validate_json(known.plan.theory.model_dump_json(by_alias=True))
    assert list(build_problem(scores, stored).priors.index) == list(known.priors.index)
    passive = scores.assign(event_randomised=("event", np.zeros(scores.sizes["event"], dtype=int)))
    assert not [name for name in build_problem(passive, theory).priors.index if name.startswith("k_")]


def test_the_report_draws_no_data_of_a_common_cause(scores):
    """Nobody measures it, so its course has no dots; a report with randomised events once ended here."""
    theory = keep(hypothesis("reciprocal", read_theory("framework_linear")), [*VARIABLES, "factor"])
    known = build_problem(scores, theory)
    dyad = str(scores["dyad"].values[0])
    dots = _dots(xr.DataTree.from_dict({"posterior": prior_draws(known.priors, 1)}), known, [dyad])
    assert dots[dyad, "factor"][0].size == 0
    assert dots[dyad, "trust"][0].size > 0


def _numbers(values):
    return {name: jnp.asarray(value) for name, value in values.items()}


def test_replicates_hold_the_response_to_events(problem):
    """The mean over replicates moves by what the randomised part says, whatever the passive arrows are."""
    values = _values(problem) | {
        "work_trust": 2.0,
        "a_trust": -3.0,
        "randomised_a_trust": 0.0,
        "randomised_d_trust_support": 0.8,
    }
    nothing = replace(problem.panel, expected_event=jnp.zeros(problem.panel.event.shape))  # all of it is by chance
    problem = problem.with_panel(nothing, "by chance")
    draws = {name: np.full(20, value) for name, value in values.items()}
    calm = draws | {"work_trust": np.zeros(20)}
    gap = (replicate(problem, draws, 1) - replicate(problem, calm, 1)).mean(axis=0)  # the same noise in both
    response = np.asarray(problem.response(_numbers(values), problem.panel))
    still = np.asarray(problem.response(_numbers(values | {"work_trust": 0.0}), problem.panel))
    loading = np.asarray(problem.observed.observation(_numbers(values)).loading)
    expected = loading * (response - still)[..., list(problem.observed.states)]
    here = np.asarray(problem.panel.seen)
    np.testing.assert_allclose(gap[here], expected[here], atol=1e-9)
    assert np.abs(expected[here]).max() > 0.5


SESSIONS = 16


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (lambda d, s: ["dose"] if d == 0 and s < 5 else [], "within 1 dyads"),
        (lambda d, s: ["dose"] if s >= 8 else [], "number of the session"),
        (lambda d, s: ["dose"] if s < 8 else [], "number of the session"),
        (lambda d, s: ["dose"], "not in 0"),
        (lambda d, s: ["dose"] if d < 2 else [], "against 6"),
        (lambda d, s: ["dose"] if s in (1, 4, 6, 9, 12, 14) else [], "number of the session"),  # the same in all
        (lambda d, s: ["dose"] if (d + s) % 2 else [], ""),
        (lambda d, s: ["dose"] if s >= d else [], ""),  # a stepped wedge
    ],
)
def test_what_makes_a_contrast(tmp_path, given, word):
    folder = shorten(make(tmp_path / "study", ["oxytocin", "trust"], seed=2), 8)
    found = contrast_fault(_with_events(folder, given, randomised="[dose]"), "dose")
    assert word in found
    assert bool(found) == bool(word)


def test_an_event_that_is_not_declared_randomised_stays_with_what_happens_by_itself(tmp_path):
    folder = shorten(make(tmp_path / "study", VARIABLES, seed=2), 8)
    problem = build_problem(_with_events(folder, _alternating, randomised="[]"), _theory())
    assert not problem.randomised.events
    assert not [name for name in problem.priors.index if name.startswith(PREFIX)]


def _posterior(problem, **known):
    """Return prior draws, and draws as if the data had told some parameters: mean and SD."""
    prior = prior_draws(problem.priors, 1)
    rng = np.random.default_rng(3)
    shape = prior["a_trust"].shape
    told = {name: (prior[name].dims, mean + sd * rng.normal(size=shape)) for name, (mean, sd) in known.items()}
    return {"prior": prior, "posterior": prior.assign(told)}


MOVED = {"work_trust": (0.5, 0.05), "dose_oxytocin": (0.5, 0.05)}


def _row(problem, groups, claim="C1.{id}", subject="trust", comparison=None):
    randomisation = randomisation_of(problem, groups, comparison)
    chosen = next(c for c in problem.plan.theory.claims if c.id == claim)
    return _judge(problem, chosen, subject, groups, randomisation, "")


def test_support_rests_on_the_randomised_arrow_alone(problem):
    """A strong passive association supports nothing, whatever randomised events did not do."""
    nothing = _posterior(problem, a_trust=(1.0, 0.1), randomised_a_trust=(0.0, 0.015), **MOVED)
    row = _row(problem, nothing)
    assert (row["finding"], row["verdict"]) == ("practically zero", "contradicted")
    assert "confounded" in row["reason"]
    assert row["median"] == pytest.approx(1.0, abs=0.01)
    assert row["randomised_median"] == pytest.approx(0.0, abs=0.01)
    there = _posterior(problem, a_trust=(0.0, 0.1), randomised_a_trust=(0.5, 0.1), **MOVED)
    row = _row(problem, there)
    assert row["verdict"] == "supported"
    assert "a direct effect of work_trust on oxytocin of 0." in row["reason"]


@pytest.mark.parametrize("told", [{}, {"work_trust": (0.02, 0.04)}, {"work_trust": (0.1, 0.05)}])
def test_an_event_that_moved_nothing_supports_nothing(problem, told):
    groups = _posterior(problem, a_trust=(1.0, 0.1), randomised_a_trust=(1.0, 0.1), dose_oxytocin=(0.5, 0.05), **told)
    row = _row(problem, groups)
    assert row["verdict"] == "undecided"
    assert "work_trust moved trust too little to tell" in row["reason"]
    assert row["randomised_median"] is None


def test_one_pushed_component_does_not_speak_for_others(problem):
    groups = _posterior(problem, a_support=(1.0, 0.1), randomised_a_support=(1.0, 0.1), **MOVED)
    row = _row(problem, groups, subject="support")
    assert row["verdict"] == "undecided"
    assert "no randomised event on support" in row["reason"]
    spill = _posterior(problem, randomised_d_support_trust=(0.9, 0.1), randomised_a_trust=(0.0, 0.01), **MOVED)
    row = _row(problem, spill, "C4", "")
    assert "for trust alone" in row["reason"]
    silent = _posterior(problem, randomised_d_trust_support=(0.9, 0.1), randomised_a_trust=(0.0, 0.001),
                        randomised_d_support_trust=(0.0, 0.001), randomised_w_support=(0.0, 0.001), **MOVED)  # fmt: skip
    assert _row(problem, silent, "C4", "")["finding"] == "practically zero"  # what support would do is not asked


def test_a_better_rival_stands_in_the_way(problem):
    groups = _posterior(problem, randomised_a_trust=(0.5, 0.1), **MOVED)
    elpd = xr.Dataset({"elpd": ("hypothesis", [-100.0, -90.0])}, coords={"hypothesis": ["reciprocal", "common_cause"]})
    row = _row(problem, groups, comparison=elpd)
    assert row["verdict"] == "undecided"
    assert "common_cause predicts better than reciprocal, by 10.0" in row["reason"]
    worse = elpd.assign(elpd=("hypothesis", [-80.0, -90.0]))
    assert _row(problem, groups, comparison=worse)["verdict"] == "supported"


def test_the_strength_of_an_instrument_is_what_the_data_say_without_the_prior():
    rng = np.random.default_rng(0)
    prior, n = rng.normal(0.5, 0.5, 400000), 25
    mean, variance = 0.3, 1.0 / n  # what the data say
    precision = 1 / 0.25 + 1 / variance
    posterior = rng.normal((0.5 / 0.25 + mean / variance) / precision, precision**-0.5, 400000)
    assert _first_stage(prior, posterior) == pytest.approx(mean**2 / variance, rel=0.05)
    assert _first_stage(prior, prior) < 0.1


def test_what_is_moved_in_a_theory_that_is_not_linear_supports_nothing(scores):
    bent = build_problem(scores, keep(hypothesis("synergistic", read_theory("framework_linear")), VARIABLES))
    assert not bent.randomised.events
    assert any("not linear" in text for text in bent.left_out)


def test_claims_find_arrows_by_source_and_target(scores):
    theory = _theory()
    renamed = tuple(
        c.model_copy(update={"id": "trust_lifts_oxytocin"}) if c.id == "a_trust" else c for c in theory.couplings
    )
    problem = build_problem(scores, theory.model_copy(update={"couplings": renamed}))
    groups = {"prior": prior_draws(problem.priors, 1)}
    groups["posterior"] = groups["prior"]
    claim = next(c for c in problem.plan.theory.claims if c.id == "C1.{id}")
    row = _judge(problem, claim, "trust", groups, Randomisation(frozenset(), {}), "")
    assert row["verdict"] == "undecided"
    np.testing.assert_allclose(row["median"], np.median(groups["prior"]["trust_lifts_oxytocin"]), rtol=1e-12)


def test_a_scenario_with_a_randomised_event_goes_by_what_was_randomised(problem):
    """The difference that an event makes is the response of the randomised part, whatever the passive arrows are."""
    values = _values(problem) | {"a_trust": 2.0, "randomised_a_trust": 0.4, "work_trust": 1.0}
    calendar = protocol(6, "7 d", "50 min", events=[{"event": "work_trust", "sessions": [2], "amount": 1.0}])
    plain = protocol(6, "7 d", "50 min")
    days = np.append(plain.starts(), plain.starts()[-1] + 7.0)
    draws = {name: jnp.asarray([value]) for name, value in values.items()}
    gap = (_courses(problem, calendar, days, draws) - _courses(problem, plain, days, draws))[0]
    own = problem.randomised.plan.process_model(problem.randomised.values(_numbers(values)))
    inside, rest = 50 / 1440, 7.0 - 50 / 1440
    move = expm(np.asarray(own.jacobian(0.0)) * rest) @ expm(np.asarray(own.jacobian(1.0)) * inside)
    place = [entry.id for entry in problem.plan.events].index("work_trust")
    state = np.asarray(own.jumps)[place]
    np.testing.assert_allclose(gap[:2], 0.0, atol=1e-12)
    for row in range(2, len(days)):
        state = move @ state
        np.testing.assert_allclose(gap[row], state, atol=1e-9)
