"""Simulated studies of a design: against the power of a t test, and the same whoever makes them."""

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.power import TTestIndPower

from dyadloop.design import assurance, read_design
from dyadloop.design.planned_study import skeleton
from dyadloop.design.simulated_studies import variants
from dyadloop.design.worlds import world_of
from dyadloop.errors import DataError, FitError
from tests.design.small import ERROR, design, theory_file

EFFECT, ROPE, PER_ARM = 0.7, 0.05, 40
STUDIES = 100


@pytest.fixture(scope="module")
def theory(tmp_path_factory):
    return theory_file(tmp_path_factory.mktemp("theory"), rope=ROPE)


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return tmp_path_factory.mktemp("tasks") / "kept"


@pytest.fixture(scope="module")
def made(theory, kept):
    return assurance(design(theory), ("fixed",), STUDIES, values={"work_trust": EFFECT}, folder=kept)


LENGTH, TAU, BETWEEN, STATE = 50 / 1440, 21.0, 0.8, 0.5**0.5
TIMES = np.array([LENGTH, 7 + LENGTH])  # of both ratings; the event takes place at 0
COV = BETWEEN**2 + STATE**2 * np.exp(-np.abs(TIMES[:, None] - TIMES) / TAU) + ERROR**2 * np.eye(2)
FADES = np.exp(-TIMES / TAU)


def _two_arms():
    """Return the standard error of the difference of two arms whose course is free: what a t test rests on."""
    return np.sqrt(2 / PER_ARM / (FADES @ np.linalg.solve(COV, FADES)))


def _bayesian_power():
    """Return how often the posterior lies beyond the ROPE with 95 %, variances known: mean, start and effect."""
    designs = [np.stack([np.ones(2), FADES, arm * FADES], axis=1) for arm in (0, 1)]
    information = PER_ARM * sum(x.T @ np.linalg.solve(COV, x) for x in designs)
    prior, middle = np.diag([1.0, 1 / 0.7**2, 1 / 0.4**2]), np.array([0.0, 0.0, 0.3])
    posterior = np.linalg.inv(information + prior)
    mean = posterior @ (information @ np.array([0.0, -0.3, EFFECT]) + prior @ middle)
    spread = np.sqrt((posterior @ information @ posterior)[2, 2])
    return norm.sf((ROPE + 1.645 * np.sqrt(posterior[2, 2]) - mean[2]) / spread)


def test_power_is_that_of_a_closed_form(made):
    expected, found = _bayesian_power(), made.claims.set_index("truth").loc["fixed"]
    assert 0.2 < expected < 0.9
    assert found["power"] == pytest.approx(expected, abs=3 * np.sqrt(expected * (1 - expected) / STUDIES))
    assert found["holds"] == 1.0
    assert found["coverage"] >= found["band_low"]  # an informed prior near the truth covers more


def test_a_contrast_of_two_arms_has_the_precision_of_a_t_test(made):
    """Estimates scatter as the difference of means of two groups does, and a t test of it has the power that follows."""
    error = _two_arms()
    rows = made.rows[made.rows["truth"] == "fixed"]
    width = ((rows["high"] - rows["low"]) / 2 / norm.ppf(0.945)).mean()
    alone = 1 / np.sqrt(1 / width**2 - 1 / 0.4**2)  # the prior of the effect taken away
    assert alone == pytest.approx(error, rel=0.05)  # variances are estimated; the start of the course is no free number
    size = EFFECT / error / np.sqrt(PER_ARM / 2)
    by_t = TTestIndPower().power(size, PER_ARM, 0.05, alternative="larger")
    assert norm.sf(1.645 - EFFECT / alone) == pytest.approx(by_t, abs=0.06)


def test_every_study_and_claim_is_counted_once(made):
    assert len(made.rows) == STUDIES
    assert made.claims["studies"].tolist() == [STUDIES]
    shares = made.claims[["supported", "contradicted", "undecided", "untestable"]]
    assert shares.sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert (made.worlds["upper"] > made.worlds["false_support"]).all()
    assert made.agreement.empty


def test_a_run_goes_on_where_it_was_and_mends_what_is_damaged(theory, made, kept):
    done = sorted((kept / "done").iterdir())
    asked = (design(theory), ("fixed",), STUDIES)
    done[0].unlink()
    done[1].write_text(done[1].read_text().replace("undecided", "supported", 1))
    steps = []
    again = assurance(
        *asked, values={"work_trust": EFFECT}, folder=kept, progress=lambda now, total: steps.append((now, total))
    )
    assert steps == [(9, 10), (10, 10)]
    assert again.rows.equals(made.rows)


def test_sampling_confirms_the_approximation(theory):
    found = assurance(design(theory), ("fixed",), 3, values={"work_trust": EFFECT}, nuts=3)
    row = found.agreement.iloc[0]
    assert (row["studies"], row["verdicts"]) == (3, 3)
    both = found.rows.pivot_table(index="study", columns="fit", values="median")
    assert np.abs(both["mode"] - both["nuts"]).max() < 0.08  # a third of the posterior SD; 300 draws of two chains


def test_factors_of_a_design(theory):
    small = design(theory)
    assert [entry.dyads for entry in variants(small, {"dyads": [20, 60]}).values()] == [20, 60]
    longer = variants(small, {"sessions.count": [1, 4]})
    assert longer["1"].events["work_trust"].sessions == (1,)
    assert longer["4"].sessions.count == 4
    assert variants(small, {"missing.dropout": [0.2]})["0.2"].missing.dropout == 0.2
    with pytest.raises(DataError, match="no entry of the design"):
        variants(small, {"dyades": [2]})
    with pytest.raises(DataError, match="at least 2"):
        variants(small, {"dyads": [0]})
    with pytest.raises(FitError, match="one factor at a time"):
        variants(small, {"dyads": [2], "therapists": [2]})


def test_curves_are_one_row_per_value(theory):
    found = assurance(design(theory), ("fixed",), 2, over={"dyads": [20, 40]})
    assert found.claims["dyads"].tolist() == ["20", "40"]
    assert found.worlds["dyads"].tolist() == ["20", "40"]


def test_what_does_not_exist_is_told_before_any_work(theory):
    small = design(theory)
    with pytest.raises(FitError, match="truth 'utopia' does not exist; known: prior, fixed, none"):
        assurance(small, ("utopia",), 2)
    with pytest.raises(FitError, match="w_trsut: no parameter of this design"):
        assurance(small, ("fixed",), 2, values={"w_trsut": 1.0})
    with pytest.raises(FitError, match="expected 1 or more"):
        assurance(small, ("fixed",), 0)


def test_worlds_of_a_design():
    plan = skeleton(read_design("haifa"))
    fixed, none, cause, prior = (world_of(plan, name) for name in ("fixed", "none", "common_cause", "prior"))
    truth = fixed.truth(0)
    assert truth["a_trust"] == 0.1
    assert truth["sd_trust"] == pytest.approx(0.6**0.5)
    assert truth["error_bond"] == pytest.approx(0.4**0.5)
    assert truth["rho_noise_depression_trust"] == pytest.approx(-0.31)
    rated_at_visits = {name: value for name, value in truth.items() if name.startswith("rho_error")}
    assert rated_at_visits == pytest.approx({"rho_error_depression_bond": -0.31})  # before and after a session
    assert "a_trust" not in none.values
    assert {"k_trust", "k_oxytocin"} <= set(cause.values)
    assert prior.truth(0) != prior.truth(1)
    assert prior.truth(3) == prior.truth(3)
    assert world_of(plan, "fixed", {"a_trust": 0.7}).truth(0)["a_trust"] == 0.7
