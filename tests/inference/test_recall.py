"""Answers about a longer time than lies between them are told, by what study.yaml or the published form says."""

import pytest
import yaml

from dyadloop.claims import answerable
from dyadloop.data import read_study
from dyadloop.inference.problem import build_problem
from dyadloop.inference.recall import overlapping
from dyadloop.observation.scaling import scale_scores
from dyadloop.simulation import simulate_alliance
from dyadloop.theory import read_theory


def _study(folder, **recall):
    """A simulated study with `recall_days` of PHQ-9 as given, or as the published form has it."""
    path = simulate_alliance(folder, dyads=8, sessions=8, seed=1) / "study.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    del content["indicators"]["phq9"]["recall_days"]
    content["indicators"]["phq9"] |= recall
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return read_study(path.parent)


@pytest.mark.parametrize(
    ("recall", "told"), [({}, "14 days"), ({"recall_days": 10}, "10 days"), ({"recall_days": 7}, "")]
)
def test_two_weeks_that_are_asked_about_every_week_overlap(tmp_path, recall, told):
    study = _study(tmp_path / "study", **recall)
    problem = build_problem(scale_scores(study), read_theory("alliance"))
    found = overlapping(problem)
    assert set(found) == ({"symptoms"} if told else set())
    assert all(told in text and "recall_days" in text for text in found.values())
    claims = answerable(study).set_index("claim")["reason"]
    assert ("is given every 7 days" in claims["W1.patient"]) == bool(told)
    assert "is given every" not in claims["V1"]
