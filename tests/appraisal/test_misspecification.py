"""Studies that break an assumption: the simulator against closed forms, and what a fit makes of a few of them."""

import numpy as np
import pytest

from dyadloop.appraisal.misspecification import misspecified
from dyadloop.appraisal.records import Records
from dyadloop.appraisal.violations import FAST, NOISE, PLANTED, VIOLATIONS, Plain, paths, plain, simulated
from dyadloop.errors import FitError, ResultError


def test_paths_have_the_moments_of_two_ornstein_uhlenbeck_processes():
    rng = np.random.default_rng(0)
    days = np.array([0.0, 0.1, 0.35])
    states = paths(rng, days, 0.0, np.full(20000, FAST.tau))
    for place in range(3):
        np.testing.assert_allclose(np.cov(states[:, place].T), [[1, NOISE], [NOISE, 1]], atol=0.05)
    for later in (1, 2):
        found = np.corrcoef(states[:, 0, 0], states[:, later, 0])[0, 1]
        assert found == pytest.approx(np.exp(-days[later] / FAST.tau), abs=0.03)


def test_a_planted_arrow_reaches_its_lasting_effect():
    """Given the first state, the second settles at the arrow times it: regress on a first state that hardly moves."""
    rng = np.random.default_rng(1)
    states = paths(rng, np.array([0.0]), PLANTED, np.full(200000, FAST.tau))[:, 0]
    drift = np.array([[-1.0, 0.0], [PLANTED, -1.0]])
    cov = np.cov(states.T)
    noise = 2.0 * np.array([[1, NOISE], [NOISE, 1]])
    np.testing.assert_allclose(drift @ cov + cov @ drift.T, -noise, atol=0.05)  # the Lyapunov equation


SOUND = ("none", "slow", "weekly", "visit", "dynamics_differ")


@pytest.mark.parametrize("name", [name for name in VIOLATIONS if name not in SOUND])
def test_every_violation_changes_the_scores_and_nothing_breaks(name):
    design = VIOLATIONS[name].design
    study = plain(np.random.default_rng(2), 0.0, design)
    assert isinstance(study, Plain)
    changed = VIOLATIONS[name].change(np.random.default_rng(3), study)
    assert changed.shape == (design.persons, len(design.moments()), 2)
    assert np.nanmax(np.abs(changed - study.scores())) > 0.1 or np.isnan(changed).any()
    assert np.isfinite(changed).mean() > 0.3


def test_shared_errors_correlate_as_named():
    study = plain(np.random.default_rng(4), 0.0)
    changed = VIOLATIONS["error_minus"].change(np.random.default_rng(5), study)
    errors = (changed - study.scores(errors=np.zeros_like(study.errors))).reshape(-1, 2)
    assert np.corrcoef(errors.T)[0, 1] == pytest.approx(-0.6, abs=0.03)


def test_errors_of_a_visit_correlate_as_named_though_an_hour_apart():
    design = VIOLATIONS["visit_error_minus"].design
    study = plain(np.random.default_rng(4), 0.0, design)
    changed = VIOLATIONS["visit_error_minus"].change(np.random.default_rng(5), study)
    errors = changed - study.scores(errors=np.zeros_like(study.errors))
    before, after = (errors[:, design.rated()[:, which], which].ravel() for which in (0, 1))
    assert np.corrcoef(before, after)[0, 1] == pytest.approx(-0.6, abs=0.05)
    seen = np.isfinite(simulated(np.random.default_rng(6), "visit", 0.0))
    assert (seen == design.rated()).all()
    assert np.diff(design.moments())[0] == pytest.approx(1 / 24)


def test_without_correlated_errors_arrows_appear_that_are_not_there_and_with_them_they_do_not():
    """The fault that the correlations mend, at its size: six studies of 45 persons and 60 prompts."""
    with_them = misspecified(("error_minus",), 6, checks=False)
    without = misspecified(("error_minus",), 6, shared_errors=False, checks=False)
    assert without["found"][0] > 0.6
    assert with_them["found"][0] <= 0.25
    assert with_them["coverage"][0] > without["coverage"][0] + 0.3


def test_courses_and_outliers_are_flagged_and_a_sound_study_is_not():
    table = misspecified(("none", "own_trends", "weekend", "outlier"), 2).set_index("violation")
    assert table.loc["none", "flagged"] == 0.0
    assert (table.loc[["own_trends", "weekend", "outlier"], "flagged"] == 1.0).all()


def test_unknown_violations_are_named():
    with pytest.raises(FitError, match="sunspots: no violation; known: none, error_minus"):
        misspecified(("sunspots",), 2)


def test_a_run_that_was_interrupted_goes_on_with_the_same_numbers(tmp_path):
    """A line that was being written is made again; a file of other settings is refused."""
    made = []

    def study(number):
        made.append(number)
        return {"number": number**2}

    first = Records(tmp_path, "broken-none", {"planted": 0.3})
    for number in range(3):
        first.made(number, lambda number=number: study(number))
    text = first.path.read_text()
    first.path.write_text(text[:-5])
    again = Records(tmp_path, "broken-none", {"planted": 0.3})
    assert [again.made(number, lambda number=number: study(number)) for number in range(3)] == [
        {"number": 0},
        {"number": 1},
        {"number": 4},
    ]
    assert made == [0, 1, 2, 2]
    assert again.path.read_text() == text
    with pytest.raises(ResultError, match="made with other settings; name another folder"):
        Records(tmp_path, "broken-none", {"planted": 0.4})


def test_signs_of_arrows_are_those_of_the_scores():
    """Trust lowers stress in the theory: an arrow that raises it is a negative coefficient, and found as planted."""
    table = misspecified(("weekly",), 8, checks=False)
    assert table["power"][0] >= 0.25
    assert table["reversed"][0] == 0.0
