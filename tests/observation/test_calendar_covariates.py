"""Covariates of the calendar: columns from times, by dates and by days, and what is refused."""

import numpy as np
import pytest

from dyadloop.data import StudyInfo, read_study, write_study
from dyadloop.errors import DataError
from dyadloop.observation.scaling import scale_scores

PHASES = ("2024-03-01T08:00:00", "2024-03-02T20:00:00", "2024-03-03T14:00:00", "2024-03-04T08:00:00")
"""A Friday, Saturday, Sunday and Monday."""


def study(path, moments, covariates, **more):
    about = {"schema_version": 1, "name": "calendar", "title": "SIMULATED", "licence": "CC0-1.0", "simulated": True}
    indicators = {"mood": {"quantity": "sad", "person": "patient", "unit": "points"}}
    content = {**about, "theory": "affect", "indicators": indicators, "covariates": covariates, **more}
    people = [{"participant_id": f"P{d}", "dyad": f"D{d}", "role": "patient"} for d in (1, 2)]
    rows = [
        {"dyad": f"D{d}", "participant_id": f"P{d}", "time": time, "phase": "between", "indicator": "mood",
         "value": str(k + d)}
        for d in (1, 2) for k, time in enumerate(moments)
    ]  # fmt: skip
    sessions = [{"dyad": f"D{d}", "session": 1, "start": moments[0], "length_min": 0.0} for d in (1, 2)]
    return read_study(write_study(path, StudyInfo.model_validate(content), people, sessions, rows))


def shift(path, moments, covariates, **more):
    scores = scale_scores(study(path, moments, covariates, **more))
    return scores, scores["covariate_value"].values[0]


def test_weekends_by_dates(tmp_path):
    _, found = shift(tmp_path / "s", PHASES, {"free": {"of": "weekend"}})
    np.testing.assert_allclose(found[:, 0], [-0.5, 0.5, 0.5, -0.5])


def test_weekends_by_days_need_the_weekday_of_the_first(tmp_path):
    days = ["0.3", "1.8", "2.6", "3.3"]
    _, found = shift(tmp_path / "s", days, {"free": {"of": "weekend"}}, times={"first_day": "friday"})
    np.testing.assert_allclose(found[:, 0], [-0.5, 0.5, 0.5, -0.5])
    with pytest.raises(DataError, match=r"first_day: monday"):
        scale_scores(study(tmp_path / "t", days, {"free": {"of": "weekend"}}))


def test_the_course_of_the_day_is_waves_of_the_hour(tmp_path):
    scores, found = shift(tmp_path / "s", PHASES, {"hours": {"of": "time_of_day", "harmonics": 2, "per": 2}})
    assert scores["covariate"].values.tolist() == ["hours_cos1", "hours_sin1", "hours_cos2", "hours_sin2"]
    assert set(scores["covariate_declared"].values.tolist()) == {"hours"}
    turn = 2 * np.pi * np.array([8, 20, 14, 8]) / 24
    expected = np.stack([np.cos(turn), np.sin(turn), np.cos(2 * turn), np.sin(2 * turn)], axis=1)
    np.testing.assert_allclose(found, (expected - expected.mean(axis=0)) / 2, atol=1e-9)


def test_one_hour_of_the_day_or_no_weekend_is_refused(tmp_path):
    same = [f"2024-03-0{day}T08:00:00" for day in (4, 5, 6, 7)]
    for number, kind in enumerate(("weekend", "time_of_day")):
        with pytest.raises(DataError, match="the same at every moment"):
            scale_scores(study(tmp_path / str(number), same, {"x": {"of": kind}}))


def test_the_clock_of_each_dyad_is_kept(tmp_path):
    scores, _ = shift(tmp_path / "s", PHASES, {})
    np.testing.assert_allclose(scores["origin"].values % 1, 8 / 24)
