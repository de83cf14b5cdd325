"""The theory of alliance and symptoms: two raters of one quantity, its claims, and the simulated study for it."""

import json
import math

import pytest

from dyadloop.data import read_study
from dyadloop.errors import TheoryError
from dyadloop.inference import priors
from dyadloop.inference.problem import build_problem
from dyadloop.observation.scaling import scale_scores
from dyadloop.simulation import simulate_alliance
from dyadloop.theory import Theory, keep, read_theory
from dyadloop.theory.formula import coefficients_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return simulate_alliance(tmp_path_factory.mktemp("weekly") / "s", dyads=12, sessions=8, therapists=3, seed=2)


@pytest.fixture(scope="module")
def problem(folder):
    return build_problem(scale_scores(read_study(folder)), read_theory("alliance"))


def test_two_raters_of_one_quantity_have_states_of_their_own(problem):
    assert problem.plan.names == ("alliance_patient", "alliance_therapist", "symptoms")
    measured = dict(zip(problem.observed.indicators, problem.observed.states, strict=True))
    assert measured == {"wai_patient": 0, "wai_therapist": 1, "phq9": 2}
    assert {"between_therapists_alliance_patient", "between_therapists_symptoms"} <= set(problem.priors.index)
    assert problem.left_out == []


def test_every_claim_is_about_a_number_of_the_fit(problem):
    for claim in problem.plan.theory.claims:
        assert {name for name, _ in coefficients_of(claim.formula)} <= set(problem.priors.index), claim.id
        assert claim.randomised_on == ()


def test_without_the_therapist_only_what_is_about_the_therapist_is_left_out(folder):
    scores = scale_scores(read_study(folder))
    one = build_problem(scores.sel(indicator=["wai_patient", "phq9"]), read_theory("alliance"))
    assert one.plan.names == ("alliance_patient", "symptoms")
    assert {"c_symptoms_patient", "f_patient_symptoms", "rupture_patient"} <= set(one.priors.index)
    events = [text for text in one.left_out if text.startswith("event")]
    assert events == [
        f"event '{name}' acts on alliance_therapist, which is not measured: no effect in the fit"
        for name in ("repair", "rupture")
    ]


def test_two_variables_of_one_person_cannot_share_a_quantity():
    content = json.loads(read_theory("alliance").model_dump_json(by_alias=True))
    content["variables"][1]["persons"] = ["patient"]
    with pytest.raises(ValueError, match="alliance_patient and alliance_therapist are both measured as 'alliance'"):
        Theory.model_validate(content)


def test_a_quantity_of_its_own_name_needs_no_other():
    assert read_theory("alliance").variable("alliance_therapist").measured_as == "alliance"
    assert read_theory("framework").variable("trust").measured_as == "trust"


def test_published_effects_stand_for_the_patients_alliance():
    """The alliance of ALL-OUT rows speaks of relief by either view, with the sign of relief."""
    table = priors(read_theory("alliance"), "evidence")
    assert table.loc["c_symptoms_patient", "location"] > 0
    assert "ALL-OUT" in table.loc["c_symptoms_patient", "source"]


def test_the_simulated_study_is_in_points_and_says_what_is_true(folder):
    study = read_study(folder)
    assert study.info.simulated
    assert study.info.theory == "alliance"
    values = study.measurements.groupby("indicator")["value"]
    for name, entry in study.info.indicators.items():
        found = values.get_group(name)
        assert (found == found.round()).all()
        assert found.between(*entry.scale).all()
        assert 0.9 < len(found) / 96 <= 1.0
    truth = json.loads((folder / "truth.json").read_text())
    assert truth["simulated"] is True
    assert truth["values"]["rupture_patient"] == -1.2
    assert len(set(study.therapists)) == 3


def test_a_rupture_lowers_the_ratings_of_its_session_by_its_jump(tmp_path):
    """Without other noise the first rupture lowers the sum by its jump in points, as far as points go."""
    quiet = {
        name: 1e-6 for name in ("sd_alliance_patient", "sd_alliance_therapist", "sd_symptoms", "error_wai_patient")
    }
    still = {"start_alliance_patient": 0.0, "start_alliance_therapist": 0.0, "start_symptoms": 0.0}
    path = simulate_alliance(tmp_path / "s", dyads=150, sessions=2, values=quiet | still, seed=3)
    study = read_study(path)
    events = study.sessions.set_index(["dyad", "session"])["events"].unstack()
    ratings = study.measurements[study.measurements["indicator"] == "wai_patient"]
    wide = ratings.set_index(["dyad", "session"])["value"].unstack()
    chosen = [dyad for dyad, row in events.iterrows() if "rupture" in row.iloc[0] and not row.iloc[1]]
    rises = (wide.loc[chosen].iloc[:, 1] - wide.loc[chosen].iloc[:, 0]).dropna()
    # about half of the 1.2 SD of 4 points is left a week later
    assert len(rises) > 2
    assert 1.0 <= rises.mean() <= 4.0


def test_impossible_numbers_are_refused(tmp_path):
    with pytest.raises(TheoryError, match="no such parameter; known: tau_alliance_patient"):
        simulate_alliance(tmp_path / "s", values={"w_trust": 1.0})
    with pytest.raises(TheoryError, match="expected 1 or more"):
        simulate_alliance(tmp_path / "s", dyads=0)


def test_a_part_of_the_theory_stands_alone():
    part = keep(read_theory("alliance"), ["alliance_patient", "symptoms"])
    assert {c.id for c in part.couplings} == {"c_symptoms_patient", "f_patient_symptoms"}


def test_a_half_life_of_a_week_is_the_border_of_its_claim():
    claim = next(claim for claim in read_theory("alliance").claims if claim.id == "R3")
    ((name, weight),) = coefficients_of(claim.formula)
    assert (name, claim.rope.high) == ("tau_alliance_patient", 7.0)
    assert weight == pytest.approx(math.log(2), abs=1e-6)
