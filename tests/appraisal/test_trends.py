"""What persons have in common over a study: parts of it, and how far their means differ."""

import numpy as np
import pytest
import xarray as xr

from dyadloop.appraisal.trends import _cycles, _shared_course

N, T = 24, 15


def _scores(therapist):
    return xr.Dataset(coords={"therapist": ("dyad", np.array(therapist, dtype=str))})


def _clock(rng):
    return 7.0 * np.arange(T) + rng.integers(0, 3, size=(N, T)) + 7.0 * rng.integers(0, 4, size=(N, 1))


def test_weeks_that_patients_of_a_therapist_share_are_seen_by_therapist():
    rng = np.random.default_rng(1)
    clock, own = _clock(rng), rng.normal(size=(N, T, 1))
    therapist = np.arange(N) % 4
    weeks = rng.normal(size=(4, 30))[therapist[:, None], np.floor(clock / 7).astype(int)]
    cycles = _cycles(_scores([f"T{k}" for k in therapist]), clock)
    alone = {name: float(_shared_course(own, *part)[0]) for name, part in cycles.items()}
    shared = {name: float(_shared_course(own + weeks[..., None], *part)[0]) for name, part in cycles.items()}
    # means of at most six values of SD 1, beside weeks that make half of the variance
    assert alone["weeks of the therapist"] < 0.5
    assert shared["weeks of the therapist"] > 0.65
    assert shared["weeks of the calendar"] < 0.5


def test_a_course_counts_in_units_of_what_varies_within_persons():
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(N, T, 1)) * np.array([1.0, 40.0])
    part, fewest = _cycles(_scores([""] * N), _clock(rng))["weeks of the calendar"]
    found = _shared_course(scores, part, fewest)
    assert found[0] == pytest.approx(found[1])


@pytest.mark.parametrize("therapist", [[""] * N, ["T1"] * N, ["T1"] * (N - 1) + [""]])
def test_without_several_therapists_there_are_no_weeks_of_theirs(therapist):
    assert "weeks of the therapist" not in _cycles(_scores(therapist), _clock(np.random.default_rng(3)))
