"""Why a claim has no coefficient in a fit is said by what the study lacks."""

import shutil

import pytest

from dyadloop.claims import answerable
from dyadloop.data import read_study
from dyadloop.estimands.absence import why_absent
from dyadloop.inference.problem import build_problem
from dyadloop.observation.scaling import scale_scores
from dyadloop.simulation import simulate_alliance
from dyadloop.theory import hypothesis, read_theory


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return simulate_alliance(tmp_path_factory.mktemp("absence") / "study", dyads=3, sessions=3, therapists=1, seed=1)


def _reasons(folder, tmp_path, change):
    study = shutil.copytree(folder, tmp_path / "study")
    file, old, new = change
    text = (study / file).read_text()
    assert old in text
    (study / file).write_text(text.replace(old, new))
    table = answerable(read_study(study))
    return {
        claim: " ".join(map(str, row)) for claim, row in zip(table["claim"], table.to_numpy().tolist(), strict=True)
    }


def test_no_event_of_that_name(folder, tmp_path):
    found = _reasons(folder, tmp_path, ("sessions.tsv", "rupture", "quarrel"))
    assert "no event 'rupture' is recorded in sessions.tsv" in found["R1.patient"]


def test_no_indicator_of_a_variable(folder, tmp_path):
    found = _reasons(folder, tmp_path, ("study.yaml", "quantity: symptoms", "quantity: sleep"))
    assert "symptoms (symptoms) is not measured in this study" in found["W1.patient"]
    assert "is not measured in this study" in found["B1"]


def test_a_hypothesis_without_the_arrow(folder):
    problem = build_problem(scale_scores(read_study(folder)), hypothesis("none", read_theory("alliance")))
    assert why_absent(problem, "c_symptoms_patient") == "the fitted hypothesis (none) has no arrow c_symptoms_patient"
    assert "declares no covariate" in why_absent(problem, "effect_arm_symptoms")
    assert why_absent(problem, "zebra") == "the fit has no coefficient zebra"
