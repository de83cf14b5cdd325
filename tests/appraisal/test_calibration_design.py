"""Designs of calibrations: every theory that can be fitted has one, with errors of one moment that correlate."""

import numpy as np
import pytest

from dyadloop.appraisal.calibration_design import design_of
from dyadloop.inference.problem import build_problem
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import keep, read_theory
from tests.linear import rival


def _problem(theory, folder, dyads=6, sessions=5):
    return build_problem(scale_scores(design_of(theory, folder, dyads, sessions, seed=1)), theory)


@pytest.mark.parametrize(
    ("name", "shared", "gap"),
    [("affect", "rho_error_worry_sad", 0.1), ("alliance", "rho_error_symptoms_alliance_patient", 7)],
)
def test_a_theory_without_saliva_is_measured_by_answers_of_one_moment(tmp_path, name, shared, gap):
    theory = read_theory(name)
    problem = _problem(theory, tmp_path / "s")
    assert {state.variable.id for state in problem.plan.states} == {v.id for v in theory.variables}
    assert shared in problem.priors.index
    assert [text for text in problem.left_out if "event" not in text] == []
    days = problem.scores["days"].values
    assert np.nanmedian(np.diff(days[:, ::2] if name == "alliance" else days, axis=1)) == pytest.approx(gap, rel=0.3)
    if name == "alliance":
        assert {"rupture_patient", "repair_therapist"} <= set(problem.priors.index)


def test_the_framework_keeps_its_design_in_which_ratings_share_a_moment(tmp_path):
    theory = keep(rival("reciprocal"), ["oxytocin", "trust", "support"])
    problem = _problem(theory, tmp_path / "s")
    assert "rho_error_support_trust" in problem.priors.index
    assert {"saliva_patient", "saliva_therapist"} <= set(problem.observed.indicators)
