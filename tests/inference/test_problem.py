"""What enters a fit: reduction, priors, intervals, and clear refusals."""

import numpy as np
import pandas as pd
import pytest

from dyadloop.data import read_study
from dyadloop.errors import DataError, FitError
from dyadloop.inference import priors
from dyadloop.inference.problem import build_problem
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import framework, hypothesis
from tests.data.conftest import tiny  # noqa: F401 - a fixture


@pytest.fixture(scope="module")
def school_problem(school_folder):
    study = read_study(school_folder)
    return build_problem(scale_scores(study), framework(), None, study.info.priors)


def test_a_study_without_oxytocin_fits_the_network(school_problem):
    assert school_problem.plan.theory.hypothesis == "network"
    assert set(school_problem.plan.names) == {"trust", "support", "stress"}
    assert not any(name.startswith(("a_", "w_", "v_")) for name in school_problem.priors.index)
    assert {"d_trust_support", "f_trust_stress", "c_stress_support"} <= set(school_problem.priors.index)
    assert any("Oxytocin is not measured" in text for text in school_problem.plan.left_out)


def test_a_study_with_oxytocin_fits_the_reciprocal_hypothesis(haifa_folder):
    problem = build_problem(scale_scores(read_study(haifa_folder)), framework())
    assert problem.plan.theory.hypothesis == "reciprocal"
    assert {"a_trust", "w_trust", "v_depression"} <= set(problem.priors.index)
    assert not any(name.startswith("d_") for name in problem.priors.index)
    assert any("alliance" in text for text in problem.observed.left_out)
    assert problem.schedule is not None
    assert problem.schedule.session_days * 1440 == pytest.approx(50)
    assert problem.schedule.interval_days == pytest.approx(7)


def test_a_named_rival_stays_what_it_is(haifa_folder):
    problem = build_problem(scale_scores(read_study(haifa_folder)), hypothesis("biomarker"))
    assert not any(name.startswith(("w_", "v_")) for name in problem.priors.index)


def test_the_priors_of_the_study_and_of_the_user_replace_those_of_the_theory(school_folder, school_problem):
    assert school_problem.priors.loc["tau_trust", "location"] == 0.5
    assert school_problem.priors.loc["tau_trust", "source"].startswith("declared by the study")
    table = priors(framework()).loc[["d_trust_support"]].assign(scale=0.1)
    scores = scale_scores(read_study(school_folder))
    changed = build_problem(scores, framework(), table)
    assert changed.priors.loc["d_trust_support", "scale"] == 0.1
    assert changed.fingerprint != school_problem.fingerprint
    with pytest.raises(FitError, match="priors need"):
        build_problem(scores, framework(), pd.DataFrame({"scale": [1.0]}, index=["d_trust_support"]))


def test_rows_and_persons_in_another_order_change_nothing(school_folder, tmp_path, school_problem):
    rng = np.random.default_rng(0)
    shuffled = tmp_path / "shuffled"
    shuffled.mkdir()
    for path in school_folder.iterdir():
        lines = path.read_text().splitlines()
        if path.suffix == ".tsv":
            lines[1:] = rng.permutation(lines[1:]).tolist()
        (shuffled / path.name).write_text("\n".join(lines) + "\n")
    study = read_study(shuffled)
    other = build_problem(scale_scores(study), framework(), None, study.info.priors)
    values = {**school_problem.plan.defaults(), **{n: q.value for n, q in school_problem.observed.parameters().items()}}
    # equal to rounding: sums over rows run in another order
    np.testing.assert_allclose(other.log_likelihood(values), school_problem.log_likelihood(values), rtol=1e-10)


def test_moments_without_a_value_cost_nothing_and_change_nothing(school_problem):
    assert school_problem.panel.score.shape[1] < school_problem.scores.sizes["time"]
    kept = np.asarray(school_problem.panel.seen).sum()
    assert kept == np.isfinite(school_problem.scores["score"].values).sum()


def test_repeated_intervals_are_listed_once(school_problem):
    """300 pupils, 12,821 values, but only as many transitions as there are distinct gaps between beeps."""
    assert len(school_problem.panel.durations) < 100


def test_scores_are_standardised_within_persons(school_folder):
    scores = scale_scores(read_study(school_folder))
    values = scores["score"].values
    centred = values - np.nanmean(values, axis=1, keepdims=True)
    counts = np.isfinite(values).sum(axis=1)
    within = np.sqrt(np.nansum(centred**2, axis=(0, 1)) / (counts - 1).clip(0).sum(axis=0))
    np.testing.assert_allclose(within, 1.0, rtol=1e-10)
    np.testing.assert_allclose(np.nanmean(values, axis=(0, 1)), 0.0, atol=1e-12)


def test_a_declared_reliability_fixes_the_error(tiny):  # noqa: F811
    text = (tiny / "study.yaml").read_text().replace("scale: [1, 7]", "scale: [1, 7], reliability: 0.8")
    (tiny / "study.yaml").write_text(text)
    problem = build_problem(scale_scores(read_study(tiny)), framework())
    assert "error_trust" not in problem.priors.index
    values = np.array([4.0, 5.0, 3.0, 6.0])
    within = np.sqrt((0.5 + 4.5) / 2)  # pooled: (4, 5) and (3, 6), one degree of freedom each
    expected = np.sqrt(0.2 * values.var(ddof=1)) / within
    error = problem.observed.observation({**{n: q.value for n, q in problem.observed.parameters().items()}}).error_sd
    np.testing.assert_allclose(error[problem.observed.indicators.index("trust")], expected, rtol=1e-12)


def test_an_event_enters_where_the_session_starts(tiny):  # noqa: F811
    problem = build_problem(scale_scores(read_study(tiny)), framework())
    assert [entry.event for entry in problem.plan.events] == ["dose"]
    assert np.asarray(problem.panel.event).sum() == 24.0
    assert "dose_oxytocin" in problem.priors.index


def test_nothing_to_fit_is_said(tiny):  # noqa: F811
    text = (tiny / "study.yaml").read_text().replace("quantity: trust", "quantity: humour").replace(
        "quantity: oxytocin", "quantity: cortisol")  # fmt: skip
    (tiny / "study.yaml").write_text(text)
    with pytest.raises(FitError, match="cortisol, humour"):
        build_problem(scale_scores(read_study(tiny)), framework())


def test_a_constant_indicator_is_a_fault(tiny):  # noqa: F811
    text = (tiny / "measurements.tsv").read_text().replace("trust\t5", "trust\t4").replace("trust\t6", "trust\t3")
    (tiny / "measurements.tsv").write_text(text)
    with pytest.raises(DataError, match="do not vary within persons"):
        scale_scores(read_study(tiny))


def test_a_value_before_a_session_belongs_to_it(haifa_folder):
    """Depression is rated before each session: about 5 % are missing in every session, the last one included."""
    scores = scale_scores(read_study(haifa_folder))
    seen = np.isfinite(scores["score"].sel(indicator="depression").values)
    sessions = scores["session"].values
    assert sessions.max() == 16
    for number in range(1, 17):
        held = (seen & (sessions == number)).sum(axis=1)
        assert held.max() == 1
        assert held.mean() > 0.7
