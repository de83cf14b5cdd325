"""Values that were carried forward are told from answers that stay the same by themselves."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from dyadloop.data import read_study
from dyadloop.data.carried_values import carried_values, overlapping_answers
from dyadloop.simulation import simulate_alliance

ROOT = Path(__file__).parents[2]


def _carried(study, name, share, seed):
    """The study with a share of the values of an indicator replaced by the value before."""
    table, rng = study.measurements.copy(), np.random.default_rng(seed)
    for (indicator, _), rows in table.groupby(["indicator", "participant_id"]).groups.items():
        if indicator == name:
            values = table.loc[rows, "value"].to_numpy().copy()
            for place in range(1, len(values)):
                values[place] = values[place - 1] if rng.random() < share else values[place]
            table.loc[rows, "value"] = values
    return dataclasses.replace(study, measurements=table)


@pytest.mark.parametrize("seed", range(4))
def test_a_third_of_the_values_carried_forward_is_told_with_its_rows(tmp_path, seed):
    study = read_study(simulate_alliance(tmp_path / "study", dyads=30, sessions=14, seed=seed))
    assert carried_values(study) == []
    (doubt,) = carried_values(_carried(study, "phq9", 0.3, seed))
    assert "'phq9' that repeat the value before; chance makes" in doubt.got


def test_slow_change_is_not_taken_for_copies(tmp_path):
    slow = {"tau_symptoms": 20.0, "error_phq9": 0.1}
    study = read_study(simulate_alliance(tmp_path / "study", dyads=30, sessions=14, values=slow, seed=1))
    assert carried_values(study) == []


@pytest.mark.parametrize("name", ["school", "diaries", "mindfulness"])
def test_real_answers_are_not_taken_for_copies(name):
    assert carried_values(read_study(ROOT / "examples" / name)) == []


@pytest.mark.parametrize("seed", range(4))
def test_last_values_that_are_carried_to_the_end_are_told(tmp_path, seed):
    study = read_study(simulate_alliance(tmp_path / "study", dyads=30, sessions=14, seed=seed))
    table = study.measurements.copy()
    for person, rows in table[table["indicator"].eq("phq9")].groupby("participant_id").groups.items():
        if int(str(person)[-2:]) % 3 == 0:
            table.loc[rows[-5:], "value"] = table.loc[rows[-5], "value"]
    (doubt,) = carried_values(dataclasses.replace(study, measurements=table))
    assert "that ends with 4 or more values alike in" in doubt.got


def test_answers_about_overlapping_days_are_told_where_they_are_declared(tmp_path):
    study = read_study(simulate_alliance(tmp_path / "study", dyads=8, sessions=8, seed=1))
    assert overlapping_answers(study) == [], "about the week since the last session"
    phq9 = study.info.indicators["phq9"].model_copy(update={"recall_days": 14.0})
    info = study.info.model_copy(update={"indicators": {**study.info.indicators, "phq9": phq9}})
    (doubt,) = overlapping_answers(dataclasses.replace(study, info=info))
    assert doubt.got == "'phq9' asks about 14 days and is given every 7"
