"""Lagged effects against matrix exponentials; fit and referees side by side, with planted contradictions."""

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import expm, solve_continuous_lyapunov

from dyadloop.appraisal import compare_referees, lagged_effects, referees
from dyadloop.appraisal.faults import finding_faults
from dyadloop.appraisal.occasions import occasions
from dyadloop.appraisal.referee_agreement import ALONE, OPPOSITE, SAME, UNSURE, agreement
from dyadloop.appraisal.residuals import cross_residuals
from dyadloop.appraisal.stability import DYADS, halves, without_each
from tests.appraisal.test_regressions import TAU
from tests.inference.two import laplace, problem_of_study, values_at, wandering, written
from tests.inference.two import theory as two_theory

ARROW = "c_symptoms_patient"
DRIFT = np.array([[-1.0, 0.0], [-0.9, -1.0]]) / TAU
APART = np.eye(2) * 2 / TAU
DAYS = 3.5 * np.arange(18) + 1.0
GAP = 3.5 - 50 / 1440


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study in which a better alliance after a session precedes fewer symptoms before the next."""
    values = wandering(2, DRIFT, APART, 3.5, (30, 18), error=0.3)
    return written(tmp_path_factory.mktemp("two") / "s", values, DAYS, phases=("after", "before"), length=50.0)


@pytest.fixture(scope="module")
def post(study):
    return laplace(study, problem_of_study(study))


@pytest.fixture(scope="module")
def table(post):
    return compare_referees(post, n_draws=40)


def test_the_lagged_effect_is_the_matrix_exponential_at_the_gap(post, study):
    """SciPy's exponential and Lyapunov equation, draw by draw, give median effect, points and persistence."""
    found = lagged_effects(post, n_draws=200).set_index("arrow")
    slopes, effects, arrows = [], [], []
    for place in np.linspace(0, 599, 200).astype(int):
        v = values_at(post, place)
        rates = [1 / float(v[f"tau_{name}"]) for name in ("alliance_patient", "symptoms")]
        drift = np.array(
            [[-rates[0], -float(v["f_patient_symptoms"]) * rates[0]], [-float(v[ARROW]) * rates[1], -rates[1]]]
        )
        sd = np.array([float(v["sd_alliance_patient"]), float(v["sd_symptoms"])]) * np.sqrt(2 * np.array(rates))
        r = np.tanh(float(v["rho_noise_symptoms_alliance_patient"]))
        noise = np.outer(sd, sd) * np.array([[1, r], [r, 1]])
        settled = solve_continuous_lyapunov(drift, -noise)
        arrows.append(-float(v[ARROW]))
        slopes.append(expm(drift * GAP)[1, 0])
        effects.append(slopes[-1] * np.sqrt(settled[0, 0]))
    row = found.loc[ARROW]
    assert row["slope"] == pytest.approx(np.median(slopes), abs=1e-6)
    assert row["effect"] == pytest.approx(np.median(effects), abs=1e-6)
    points = measure_scale(post, "phq")
    assert row["points"] == pytest.approx(np.median(effects) * points, abs=1e-5)
    assert row["points_unit"] == "points of phq"
    assert row["coefficient"] == pytest.approx(np.median(arrows))
    assert row["gap_days"] == pytest.approx(3.5)
    assert row["explosive"] == 0.0


def measure_scale(post, indicator):
    return float(post["observed_data"].to_dataset()["scale"].sel(indicator=indicator))


def test_a_right_model_and_its_referees_agree(post, table, study):
    row = table.set_index("arrow").loc[ARROW]
    assert row["agree"] == SAME
    assert row["slope_high"] < 0
    assert row["regression_high"] < 0
    assert row["reproduced"]
    assert row["explanation"] == ""
    assert 0.02 < row["error_source"] < 0.6
    assert (table["agree"] != OPPOSITE).all()
    alone = referees(post)
    assert len(alone) == 2 * len(table)
    assert set(alone["arrow"]) == {ARROW, "f_patient_symptoms"}
    pd.testing.assert_frame_equal(alone, referees(study, two_theory()))


@pytest.fixture(scope="module")
def turned(post):
    """A posterior whose arrow was turned round: as wrong as a fit can be."""
    wrong = post.copy(deep=True)
    wrong["posterior"][ARROW].values[:] *= -1.0
    return wrong


def test_a_turned_arrow_contradicts_its_referees_and_is_a_fault_of_its_claim(turned):
    row = compare_referees(turned, n_draws=40).set_index("arrow").loc[ARROW]
    assert row["agree"] == OPPOSITE
    assert not row["reproduced"]
    assert "does not reproduce the regression" in row["explanation"]
    faults = finding_faults(turned)
    assert any("opposite directions" in text for text in faults[ARROW])
    assert any(text.startswith(f"{ARROW}: ") for text in faults["W1.patient"])
    assert "W2.patient" not in faults or not any(ARROW in text for text in faults["W2.patient"])


ROW = {
    "coefficient_low": 0.1, "coefficient_high": 0.5, "slope": 0.2, "slope_low": 0.05, "slope_high": 0.4,
    "regression": -0.2, "regression_low": -0.3, "regression_high": -0.1, "multilevel_low": -0.3, "multilevel_high": -0.1,
    "without_trend": -0.2, "without_trend_low": -0.3, "without_trend_high": -0.1, "reproduced": True,
    "replicated_low": -0.3, "replicated_high": -0.1, "persistence_source": 0.5, "persistence_target": 0.5, "gap_days": 7.0,
    "error_source": 0.1, "error_target": 0.1, "noise_correlation": -0.4, "error_correlation": np.nan, "note": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "no reason was found"),
        ({"error_source": 0.5}, "errors of one moment go together, which this fit excludes"),
        ({"error_source": 0.5, "error_correlation": -0.3}, "correlate by -0.30"),
        ({"without_trend": 0.0, "without_trend_high": 0.1}, "a trend that the study declares no covariate for"),
        ({"persistence_target": 0.01}, "more than two time constants of the target"),
        ({"slope_low": -0.4, "slope_high": -0.1}, "other arrows carry the effect the other way"),
        ({"reproduced": False}, "does not reproduce"),
    ],
)
def test_each_reason_is_given_in_words(change, words):
    agree, explanation = agreement(pd.Series(ROW | change))
    assert agree == OPPOSITE
    assert words in explanation


def test_an_arrow_that_only_the_fit_sees_is_told():
    """Two fifths error leave .12 of a slope of .2; a regression of .02 [-.02, .06] has lost more than that."""
    blind = {"regression": 0.02, "regression_low": -0.02, "regression_high": 0.06, "multilevel_low": -0.1}
    row = ROW | blind | {"multilevel_high": 0.1, "slope": 0.2, "error_source": 0.4}
    agree, explanation = agreement(pd.Series(row))
    assert agree == ALONE
    assert "where error alone would leave 0.12 of 0.2" in explanation
    assert "which this fit excludes" in explanation
    assert agreement(pd.Series(row | {"regression_high": 0.13}))[0] == UNSURE  # too uncertain to say that it is missing
    assert agreement(pd.Series(row | {"error_source": 0.8}))[0] == UNSURE  # error explains it


def test_an_interval_across_zero_is_no_contradiction():
    assert agreement(pd.Series(ROW | {"coefficient_low": -0.1, "slope_low": -0.1}))[0] == UNSURE
    missing = {"regression": np.nan, "regression_low": np.nan, "regression_high": np.nan, "note": "0 pairs"}
    agree, explanation = agreement(pd.Series(ROW | missing | {"multilevel_low": np.nan, "multilevel_high": np.nan}))
    assert (agree, explanation) == (UNSURE, "no regression: 0 pairs")


def test_residuals_that_follow_each_other_are_told(study):
    problem = problem_of_study(study)
    shape = np.asarray(problem.panel.seen).shape
    residual = np.random.default_rng(1).standard_normal(shape)
    assert (cross_residuals(problem, residual)["flag"] == "").all()
    after, before = (np.flatnonzero(np.asarray(problem.panel.seen)[0, :, j]) for j in range(2))
    residual[:, before[2:], 1] += 0.7 * residual[:, after[:-2], 0]
    found = cross_residuals(problem, residual).set_index(["first", "then", "lag"])
    assert found.loc[("wai", "phq", 2), "flag"].startswith("residuals of wai and of phq 2 occasions later")
    assert (found.drop(index=("wai", "phq", 2))["flag"] == "").all()
    x, y = residual[:, after[:-2], 0].ravel(), residual[:, before[2:], 1].ravel()
    expected = x @ y / np.sqrt((x @ x) * (y @ y))
    assert found.loc[("wai", "phq", 2), "correlation"] == pytest.approx(expected)


def test_halves_and_single_dyads_of_a_fit(post):
    """Halves add up to the whole; the direction of what a half says is that of a fit of that half."""
    found = halves(post)
    assert found["first"].to_numpy() + found["second"].to_numpy() == pytest.approx(2 * found["whole"].to_numpy())
    arrows = found[found["finding_of"] == ARROW].set_index("split")
    assert 0.4 < arrows.loc[DYADS, "robust_ratio"] < 1.8
    assert (found["flag"] == "").all()
    each = without_each(post).set_index("finding_of")
    assert each.loc[ARROW, "finding"] == "positive"
    assert each.loc[ARROW, "flag"] == ""
    assert "B1" in each.index
    carried = post.copy(deep=True)
    draws = carried["posterior"][ARROW].values
    standard = (draws - draws.mean()) / draws.std()
    draws[:] = (standard + 2.0) * draws.std()  # barely a finding, and dyad 5 makes it
    carried["log_likelihood"]["dyads"].values[..., 4] += 4.0 * standard
    row = without_each(carried).set_index("finding_of").loc[ARROW]
    assert row["dyad"] == "D005"
    assert row["share_without"] < 0.5
    assert "without dyad D005 it is no finding" in row["flag"]


def test_occasions_hold_the_scores_themselves(study):
    problem = problem_of_study(study)
    seen = occasions(problem)
    score = problem.scores["score"].values
    score = np.stack([score[..., j][np.isfinite(score[..., j])].reshape(30, 18) for j in range(2)], axis=2)
    assert seen.value == pytest.approx(score - score.mean(axis=1, keepdims=True))
    assert seen.level == pytest.approx(score.mean(axis=1))
