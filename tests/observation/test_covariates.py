"""Covariates: what they do to levels, against a dense normal; how they are read; the contrast of a real trial."""

import dataclasses
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.linalg import block_diag

from dyadloop.appraisal.replication import replicate
from dyadloop.appraisal.smoothing import course_of
from dyadloop.data import read_study
from dyadloop.errors import DataError
from dyadloop.estimands.catalogue import Untestable, estimand
from dyadloop.exchange.published import convert_dial, convert_diaries, convert_mindfulness
from dyadloop.inference.mode import find_mode, posterior_of
from dyadloop.inference.problem import build_problem
from dyadloop.inference.randomised import randomised_covariates
from dyadloop.likelihood.joint_filter import filter_jointly
from dyadloop.likelihood.linear_filter import log_likelihood
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import Claim, read_theory
from tests.conftest import ROOT
from tests.data.conftest import tiny  # noqa: F401 - a fixture
from tests.inference.small import make, shorten, theory
from tests.reference.dense import joint_moments

MINDFULNESS = ROOT.parent / "shared" / "data" / "mbct_esm_bringmann2013" / "esm.csv"


def declare(folder: Path, covariates: dict, columns: dict[str, list[float]], randomised=()):
    """Declare covariates of sessions and fill in their columns."""
    info = yaml.safe_load((folder / "study.yaml").read_text())
    info["covariates"], info["randomised"] = covariates, list(randomised)
    (folder / "study.yaml").write_text(yaml.safe_dump(info))
    head, *lines = (folder / "sessions.tsv").read_text().splitlines()
    head = "\t".join([head, *columns])
    lines = ["\t".join([line, *(str(values[i]) for values in columns.values())]) for i, line in enumerate(lines)]
    (folder / "sessions.tsv").write_text("\n".join([head, *lines]) + "\n")


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    """Three simulated dyads; a condition from the third session on, and the weather, which acts on trust alone."""
    folder = shorten(make(tmp_path_factory.mktemp("covariates") / "study", ["oxytocin", "trust"]), 3)
    sessions = pd.read_csv(folder / "sessions.tsv", sep="\t")
    weather = np.random.default_rng(2).normal(10, 5, len(sessions)).round(1)
    declare(
        folder,
        {"late": {"reason": "a condition"}, "weather": {"per": 5.0, "on": ["trust"]}},
        {"late": (sessions["session"] > 2).astype(int).tolist(), "weather": weather.tolist()},
        randomised=["late"],
    )
    return build_problem(scale_scores(read_study(folder)), theory(["oxytocin", "trust"]))


@pytest.fixture(scope="module")
def values(problem):
    found = {**problem.plan.defaults(), **{n: q.value for n, q in problem.observed.parameters().items()}}
    rng = np.random.default_rng(4)
    return found | {n: float(rng.normal(0, 0.6)) for n in found if n.startswith("effect_")}


def test_which_levels_are_shifted(problem):
    effects = {name for name in problem.priors.index if name.startswith(("effect_", "spread_"))}
    both = {f"{kind}_late_{state}" for kind in ("effect", "spread") for state in problem.plan.names}
    assert effects == both | {"effect_weather_trust", "spread_weather_trust"}
    assert problem.priors.loc["spread_late_trust", "family"] == "lognormal"


def _dense(problem, values, dyad):
    """Mean and covariance of the states with their levels, from the definition of the model."""
    panel, process = problem.panel, problem.plan.process_model(values)
    pair = np.asarray(panel.pair)[dyad]
    jumps = np.asarray(panel.event)[dyad] @ np.asarray(process.jumps)
    mean, cov = joint_moments(process, np.asarray(panel.durations)[pair], np.asarray(panel.gates)[pair], jumps)
    covariate = np.asarray(panel.covariate)[dyad]
    names, columns = problem.plan.names, problem.scores["covariate"].values.tolist()
    design, spread, shift = [], [], np.zeros((len(pair), len(names)))
    for covariate_name, state in problem.observed.effects:
        column = np.zeros((len(pair), len(names)))
        column[:, names.index(state)] = covariate[:, columns.index(covariate_name)]
        shift += values[f"effect_{covariate_name}_{state}"] * column
        if f"spread_{covariate_name}_{state}" in values:  # a course over the day is common to all
            design.append(column.ravel())
            spread.append(values[f"spread_{covariate_name}_{state}"])
    means = np.tile(np.eye(len(names)), (len(pair), 1))
    whole = np.column_stack([means, *design])
    between = np.asarray(process.between)
    cov = cov + whole @ block_diag(between @ between.T, np.diag(np.square(spread))) @ whole.T
    return mean + shift.ravel(), cov


def _moments(problem, values, dyad):
    mean, cov = _dense(problem, values, dyad)
    observation = problem.observed.observation(values)
    seen = np.asarray(problem.panel.seen)[dyad]
    when, what = np.nonzero(seen)
    places = when * len(problem.plan.names) + np.array(observation.states)[what]
    reads = np.zeros((len(places), len(mean)))
    reads[np.arange(len(places)), places] = np.asarray(observation.loading)[what]
    noise = np.diag(np.asarray(observation.error_sd)[what] ** 2)
    data = np.asarray(problem.panel.score)[dyad][seen] - np.asarray(observation.mean)[what]
    return mean, cov, reads, noise, data


def test_the_likelihood_is_that_of_the_dense_normal(problem, values):
    from scipy.stats import multivariate_normal

    found = np.asarray(problem.log_likelihood(values))
    for dyad in range(3):
        mean, cov, reads, noise, data = _moments(problem, values, dyad)
        dense = multivariate_normal(reads @ mean, reads @ cov @ reads.T + noise).logpdf(data)
        assert found[dyad] == pytest.approx(dense, rel=1e-8)
    process, observation = problem.plan.process_model(values), problem.observed.observation(values)
    np.testing.assert_allclose(filter_jointly(process, observation, problem.panel).log_density, found, rtol=1e-10)


@pytest.fixture(scope="module")
def by_calendar(tmp_path_factory):
    """Two simulated dyads at three sessions of different hours and days, with a course over the day and weekends."""
    folder = shorten(make(tmp_path_factory.mktemp("calendar") / "study", ["oxytocin", "trust"]), 2)
    kinds = {"hours": {"of": "time_of_day", "on": ["trust"]}, "free": {"of": "weekend"}}
    declare(folder, kinds, {})
    text = (folder / "study.yaml").read_text()
    (folder / "study.yaml").write_text(text + "times: {first_day: saturday}\n")
    return build_problem(scale_scores(read_study(folder)), theory(["oxytocin", "trust"]))


def test_hours_and_weekends_are_those_of_the_dense_normal(by_calendar):
    from scipy.stats import multivariate_normal

    problem = by_calendar
    waves = {f"effect_hours_{part}{wave}_trust" for part in ("cos", "sin") for wave in (1, 2)}
    free = {f"{kind}_free_{state}" for kind in ("effect", "spread") for state in problem.plan.names}
    assert {n for n in problem.priors.index if n.startswith(("effect_", "spread_"))} == waves | free
    rng = np.random.default_rng(4)
    values = {**problem.plan.defaults(), **{n: q.value for n, q in problem.observed.parameters().items()}}
    values |= {n: float(rng.normal(0, 0.6)) for n in values if n.startswith("effect_")}
    found = np.asarray(problem.log_likelihood(values))
    for dyad in range(2):
        mean, cov, reads, noise, data = _moments(problem, values, dyad)
        dense = multivariate_normal(reads @ mean, reads @ cov @ reads.T + noise).logpdf(data)
        assert found[dyad] == pytest.approx(dense, rel=1e-8)


def test_courses_hold_the_shifts(problem, values):
    course = course_of(problem.plan.process_model(values), problem.observed.observation(values), problem.panel)
    mean, cov, reads, noise, data = _moments(problem, values, 1)
    gain = cov @ reads.T @ np.linalg.inv(reads @ cov @ reads.T + noise)
    shape = course.mean[1].shape
    np.testing.assert_allclose(course.mean[1], (mean + gain @ (data - reads @ mean)).reshape(shape), atol=1e-7)
    variance = np.diag(cov - gain @ reads @ cov).reshape(shape)
    np.testing.assert_allclose(course.variance[1], variance, rtol=1e-6, atol=1e-9)


def test_no_effect_and_no_spread_is_no_covariate(problem, values):
    none = {name: 1e-9 if name.startswith("spread_") else value for name, value in values.items()}
    none |= {name: 0.0 for name in none if name.startswith("effect_")}
    bare = dataclasses.replace(problem.panel, covariate=None)
    process, observation = problem.plan.process_model(none), problem.observed.observation(none)
    plain = dataclasses.replace(observation, shift=None, varying=(), spread=None)
    expected = log_likelihood(process, plain, bare)
    np.testing.assert_allclose(log_likelihood(process, observation, problem.panel), expected, rtol=1e-10)


def test_replicates_have_the_moments_of_the_model(problem, values):
    draws = {name: np.full(600, value) for name, value in values.items()}
    found = replicate(problem, draws, seed=3)[:, 1]
    mean, cov, reads, noise, _ = _moments(problem, values, 1)
    when, what = np.nonzero(np.asarray(problem.panel.seen)[1])
    scores = found[:, when, what]
    expected = reads @ mean + np.asarray(problem.observed.observation(values).mean)[what]
    sd = np.sqrt(np.diag(reads @ cov @ reads.T + noise))
    assert np.abs((scores.mean(axis=0) - expected) / (sd / np.sqrt(600))).max() < 4.5
    np.testing.assert_allclose(scores.std(axis=0), sd, rtol=0.15)


def test_a_randomised_covariate_is_a_push_where_enough_dyads_have_it(problem):
    scores = problem.scores.assign_coords(covariate_randomised=("covariate", np.ones(len(problem.scores["covariate"]))))
    assert "late" not in randomised_covariates(scores)  # three dyads, all of which change


def test_a_covariate_of_persons_has_no_spread(tmp_path):
    folder = shorten(make(tmp_path / "study", ["trust"]), 4)
    info = yaml.safe_load((folder / "study.yaml").read_text())
    info["covariates"] = {"age": {"of": "patient", "per": 10.0}}
    (folder / "study.yaml").write_text(yaml.safe_dump(info))
    head, *lines = (folder / "participants.tsv").read_text().splitlines()
    rows = [f"{line}\t{30 + 10 * i}" for i, line in enumerate(lines)]
    (folder / "participants.tsv").write_text("\n".join([f"{head}\tage", *rows]) + "\n")
    scores = scale_scores(read_study(folder))
    found = build_problem(scores, theory(["trust"]))
    assert {name for name in found.priors.index if "age" in name} == {"effect_age_trust"}
    ages = scores["covariate_value"].values[:, 0, 0]
    np.testing.assert_allclose(ages.mean(), 0.0, atol=1e-12)
    assert (np.diff(ages) > 0).all()


@pytest.mark.parametrize(
    ("covariates", "columns", "said"),
    [
        ({"arm": {}}, {}, "a column 'arm'"),
        ({"arm": {}}, {"arm": ["1", ""]}, "a covariate has no missing values"),
        ({"arm": {}}, {"arm": ["1", "left"]}, "a number such as 3.5"),
        ({"arm": {"on": ["fear"]}}, {"arm": ["1", "0"]}, "which no indicator measures"),
        ({"start": {}}, {}, "cannot be the name of a column"),
        ({}, {"arm": ["1", "0"]}, "an unknown column"),
        ({"age": {"of": "peer"}}, {}, "a peer in every dyad"),
    ],
)
def test_faults_of_covariates_are_named(tiny, covariates, columns, said):  # noqa: F811
    n = len((tiny / "sessions.tsv").read_text().splitlines()) - 1
    declare(tiny, covariates, {name: (values * n)[:n] for name, values in columns.items()})
    with pytest.raises(DataError, match=said):
        read_study(tiny)


def test_a_claim_about_a_coefficient(problem, values):
    claim = read_theory("affect").claims[0]
    asked = claim.model_copy(update={"formula": "-effect_late_trust"})
    function = estimand(problem, asked, "")
    assert float(function({n: jnp.asarray(v) for n, v in values.items()})) == -values["effect_late_trust"]
    assert isinstance(estimand(problem, claim, ""), Untestable)


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    if not MINDFULNESS.is_file():
        pytest.skip("the published table is not here")
    return convert_mindfulness(MINDFULNESS, tmp_path_factory.mktemp("mindfulness") / "study")


def _study_files(made):
    """The files of a converted study, apart from the account of its making."""
    files = {p.name: p.read_bytes() for p in made.iterdir()}
    assert all(files.pop(name) for name in ("import.yaml", "import_log.tsv", "import.json"))
    return files


def test_the_shipped_trial_is_the_published_table(trial):
    """Counts of its description, and the raw contrast of the arms as the table gives it."""
    study = read_study(trial)
    shipped = ROOT / "examples" / "mindfulness"
    assert _study_files(trial) == {p.name: p.read_bytes() for p in shipped.iterdir()}
    assert len(study.dyads) == 129
    second = study.sessions.set_index(["dyad", "session"])[["second", "intervention"]]
    arms = second.groupby("dyad")["intervention"].max()
    assert int((arms == 1).sum()) == 57  # of 63 in the arm; six had no second burst
    table = study.measurements.join(second, on=["dyad", "session"])
    means = table.groupby(["indicator", "dyad", "second"])["value"].mean().unstack("second")
    change = (means[1] - means[0]).unstack("indicator").assign(arm=arms).groupby("arm").mean()
    for item, expected in {"sad": -0.39, "worry": -0.66, "cheerful": 0.63}.items():
        assert change.loc[1, item] - change.loc[0, item] == pytest.approx(expected, abs=0.005)


@pytest.mark.slow
def test_the_contrast_of_the_trial_is_recovered():
    """At the mode: each effect beyond two of its standard errors, with the sign and about the size of the raw contrast."""
    study = read_study(ROOT / "examples" / "mindfulness")
    scores = scale_scores(study)
    problem = build_problem(scores, read_theory(study.info.theory))
    assert randomised_covariates(scores) == {"intervention"}
    posterior = posterior_of(problem)
    mode = find_mode(problem, posterior, seed=1, starts=2)
    assert mode.agreeing == 2
    found = posterior.constrain(jnp.asarray(mode.center))
    error = np.sqrt((mode.factor**2).sum(axis=1))
    for item, raw in {"sad": -0.39, "worry": -0.66, "cheerful": 0.63}.items():
        name, scale = f"effect_intervention_{item}", float(scores["scale"].sel(indicator=item))
        effect, sd = scale * float(found[name]), scale * error[posterior.names.index(name)]
        print(f"{item}: {effect:.2f} ({sd:.2f}) points, raw {raw:.2f}")
        assert abs(effect) > 2 * sd
        assert abs(effect - raw) < 2 * sd


DIARIES = ROOT.parent / "shared" / "data" / "esm_depression_dejonckheere2019" / "daily.csv"
DIAL = ROOT.parent / "shared" / "data" / "couples_dial_rties" / "states.csv"


def test_the_shipped_diaries_are_the_published_table(tmp_path):
    if not DIARIES.is_file():
        pytest.skip("the published table is not here")
    made = convert_diaries(DIARIES, tmp_path / "diaries")
    shipped = ROOT / "examples" / "diaries"
    assert _study_files(made) == {p.name: p.read_bytes() for p in shipped.iterdir()}
    table = read_study(shipped).measurements
    assert table.groupby("indicator")["value"].agg(["count", "mean"]).round(2).loc["happy"].tolist() == [8702, 62.67]
    problem = build_problem(scale_scores(read_study(shipped)), read_theory("affect"))
    assert problem.observed.indicators == ("happy", "stress")
    assert any("relaxed" in entry for entry in problem.left_out)


@pytest.mark.slow
def test_symptoms_go_with_the_usual_affect():
    """At the mode: the effect between persons is about the raw regression of person means on symptoms."""
    study = read_study(ROOT / "examples" / "diaries")
    scores = scale_scores(study)
    problem = build_problem(scores, read_theory("affect"))
    posterior = posterior_of(problem)
    mode = find_mode(problem, posterior, seed=1, starts=2)
    found, error = posterior.constrain(jnp.asarray(mode.center)), np.sqrt((mode.factor**2).sum(axis=1))
    means = scores["score"].mean("time")
    for item, quantity in {"happy": "cheerful", "stress": "stress"}.items():
        raw = np.polyfit(scores["covariate_value"].values[:, 0, 0], means.sel(indicator=item).values, 1)[0]
        name = f"effect_symptoms_{quantity}"
        assert abs(float(found[name]) - raw) < error[posterior.names.index(name)], (item, raw)
        assert abs(float(found[name])) > 3 * error[posterior.names.index(name)]


@pytest.mark.slow
def test_partners_with_a_dial(tmp_path):
    """Real couples: every rating is read, the mode is found from two starts, and both arrows are positive."""
    if not DIAL.is_file():
        pytest.skip("the published table is not here")
    study = read_study(convert_dial(DIAL, tmp_path / "dial"))
    assert len(study.measurements) == 78_834
    assert len(study.dyads) == 80
    problem = build_problem(scale_scores(study), read_theory("couple"))
    posterior = posterior_of(problem)
    mode = find_mode(problem, posterior, seed=1, starts=2)
    assert mode.agreeing == 2
    found, error = posterior.constrain(jnp.asarray(mode.center)), np.sqrt((mode.factor**2).sum(axis=1))
    for name in ("d_hers_his", "d_his_hers"):
        assert float(found[name]) > 5 * error[posterior.names.index(name)]


def _declared(folder, covariates):
    info = yaml.safe_load((folder / "study.yaml").read_text())
    info["covariates"] = covariates
    (folder / "study.yaml").write_text(yaml.safe_dump(info))
    return scale_scores(read_study(folder))


def test_a_trend_counts_days_since_the_first_moment_of_each_dyad(tmp_path):
    scores = _declared(shorten(make(tmp_path / "study", ["trust"]), 4), {"trend": {"of": "time", "per": 28.0}})
    days = scores["days"].values
    passed = days - days[:, :1]
    here = np.isfinite(days)
    expected = (passed - passed[here].mean()) / 28.0
    np.testing.assert_allclose(scores["covariate_value"].values[..., 0][here], expected[here], atol=1e-12)
    assert "effect_trend_trust" in build_problem(scores, theory(["trust"])).priors.index


def test_a_trend_that_everybody_follows_is_found_and_leaves_time_constants_alone(tmp_path):
    """Half an SD a month on top of a simulated study: the level moves, not the state."""
    folder = shorten(make(tmp_path / "study", ["trust"], seed=4), 20)
    scores = _declared(folder, {"trend": {"of": "time", "per": 30.0}})
    days = scores["days"].values
    moved = scores["score"] + ((days - days[:, :1]) / 30.0 * 0.5)[..., None]
    problem = build_problem(scores.assign(score=moved - moved.mean()), theory(["trust"]))
    posterior = posterior_of(problem)
    mode = find_mode(problem, posterior, seed=1, starts=2)
    found = posterior.constrain(jnp.asarray(mode.center))
    still = build_problem(scores, theory(["trust"]))
    before = posterior_of(still).constrain(jnp.asarray(find_mode(still, posterior_of(still), 1, 2).center))
    gain = float(found["effect_trend_trust"] - before["effect_trend_trust"])
    assert gain == pytest.approx(0.5, abs=0.01)  # exactly so but for the priors, which are wide
    np.testing.assert_allclose(found["tau_trust"], before["tau_trust"], rtol=0.02)


def test_a_number_of_therapists_needs_to_know_who_has_whom(tmp_path):
    folder = shorten(make(tmp_path / "study", ["oxytocin", "trust"]), 6)
    people = pd.read_csv(folder / "participants.tsv", sep="\t", dtype=str)
    people["years"] = [str(3 + row // 4) for row in range(len(people))]
    people.to_csv(folder / "participants.tsv", sep="\t", index=False)
    claim = Claim.model_validate(
        {"id": "C", "statement": "s", "estimand": "coefficient", "formula": "effect_years_trust", "unit": "1",
         "rope": {"low": -0.1, "high": 0.1, "assumed": "test"}}
    )  # fmt: skip
    alone = build_problem(_declared(folder, {"years": {"of": "therapist"}}), theory(["oxytocin", "trust"]))
    found = estimand(alone, claim, "")
    assert isinstance(found, Untestable)
    assert "add a column therapist" in found.reason
    people["therapist"] = [f"T{row // 4}" for row in range(len(people))]
    people.to_csv(folder / "participants.tsv", sep="\t", index=False)
    named = build_problem(scale_scores(read_study(folder)), theory(["oxytocin", "trust"]))
    assert not isinstance(estimand(named, claim, ""), Untestable)
