"""What speaks against chance in how events and arms were given."""

import numpy as np
import pytest
import xarray as xr

from dyadloop.inference.assignment import _partial_t, balance_fault, course_fault, covariate_faults, season_fault


def _scores(rng, n_dyads=40, n_sessions=16):
    """Two indicators that persist a little, once a session; no event acts on them."""
    score = np.zeros((n_dyads, n_sessions, 2))
    for k in range(n_sessions):
        score[:, k] = 0.5 * score[:, k - 1] * (k > 0) + rng.normal(size=(n_dyads, 2))
    numbers = np.arange(1, n_sessions + 1)[None].repeat(n_dyads, 0)
    return xr.Dataset(
        {"score": (("dyad", "time", "indicator"), score), "session": (("dyad", "time"), numbers)},
        coords={"indicator": ["trust", "phq"]},
    )


@pytest.mark.parametrize("way", ["coin", "half", "blocks", "rising"])
def test_chance_follows_nothing_however_it_is_drawn(way):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        scores = _scores(rng)
        held = np.ones((40, 16), dtype=bool)
        if way == "coin":
            given = rng.random((40, 16)) < 0.4
        elif way == "half":
            given = np.array([rng.permutation(np.arange(16) < 8) for _ in range(40)])
        elif way == "blocks":  # from some session on, and it works at once and for good
            given = np.arange(16)[None] >= rng.integers(4, 14, size=40)[:, None]
            scores["score"][..., 0] += 1.5 * given
        else:
            given = rng.random((40, 16)) < np.linspace(0.05, 0.95, 16)
        assert balance_fault(scores, given, held) == ""


@pytest.mark.parametrize("seed", range(5))
def test_an_event_that_is_given_after_bad_sessions_is_told(seed):
    rng = np.random.default_rng(seed)
    scores, held = _scores(rng), np.ones((40, 16), dtype=bool)
    bad = np.concatenate([np.zeros((40, 1), bool), scores["score"].values[:, :-1, 0] < -0.3], axis=1)
    given = rng.random((40, 16)) < np.where(bad, 0.75, 0.25)
    assert balance_fault(scores, given, held).startswith("was given rather after low values of trust (t = -")


@pytest.mark.parametrize("seed", range(5))
def test_an_event_after_which_fewer_answer_is_told(seed):
    rng = np.random.default_rng(seed)
    scores, held = _scores(rng), np.ones((40, 16), dtype=bool)
    given = rng.random((40, 16)) < 0.5
    skipped = rng.random((40, 16)) < 0.1 + 0.3 * given
    scores["score"][..., 1] = scores["score"][..., 1].where(~xr.DataArray(skipped, dims=("dyad", "time")))
    assert balance_fault(scores, given, held).startswith("goes with fewer values of phq in its session (t = -")
    alike = rng.random((40, 16)) < 0.2
    other = _scores(rng)
    other["score"][..., 1] = other["score"][..., 1].where(~xr.DataArray(alike, dims=("dyad", "time")))
    assert balance_fault(other, given, held) == ""


def test_what_is_measured_in_sessions_with_the_event_alone_was_planned_so():
    rng = np.random.default_rng(1)
    scores, held = _scores(rng), np.ones((40, 16), dtype=bool)
    given = rng.random((40, 16)) < 0.5
    scores["score"][..., 1] = scores["score"][..., 1].where(xr.DataArray(given, dims=("dyad", "time")))
    assert balance_fault(scores, given, held) == ""


def _dated(starts, n_sessions=16):
    """Weekly sessions of dyads that begin on different days."""
    n = len(starts)
    numbers = np.arange(1, n_sessions + 1)[None].repeat(n, 0)
    days = 7.0 * np.arange(n_sessions)[None].repeat(n, 0)
    return xr.Dataset(
        {"session": (("dyad", "time"), numbers), "days": (("dyad", "time"), days)},
        coords={"origin": ("dyad", np.asarray(starts, dtype=float))},
    )


def test_an_event_that_everybody_has_in_the_same_session_or_week_has_no_contrast():
    rng = np.random.default_rng(3)
    held = np.ones((20, 16), dtype=bool)
    together, staggered = _dated(np.zeros(20)), _dated(7.0 * rng.integers(0, 10, 20))
    assert course_fault(together, rng.random((20, 16)) < 0.5, held) == ""
    same = np.tile(rng.random(16) < 0.5, (20, 1))
    assert course_fault(together, same, held) == "follows from the number of the session"
    weeks = np.arange(16)[None] + (staggered["origin"].values[:, None] / 7).astype(int)
    given = (rng.random(26) < 0.5)[weeks]
    assert course_fault(staggered, given, held) == "follows from the week of the calendar"
    assert course_fault(staggered, rng.random((20, 16)) < 0.5, held) == ""
    assert (
        course_fault(together, np.tile(np.arange(16) >= 8, (20, 1)), held) == "follows from the number of the session"
    )


def _trial(values, therapist=None, randomised=(1, 0), score=None):
    values = np.asarray(values, dtype=float)
    given = {
        "covariate_value": (("dyad", "time", "covariate"), values),
        "covariate_randomised": ("covariate", np.array(randomised)),
        "days": (("dyad", "time"), np.arange(values.shape[1], dtype=float)[None].repeat(len(values), 0)),
        "score": (("dyad", "time", "indicator"), np.zeros((*values.shape[:2], 1)) if score is None else score),
    }
    if therapist is not None:
        given["therapist"] = ("dyad", np.array(therapist))
    return xr.Dataset(given, coords={"covariate": ["arm", "second"], "indicator": ["phq"]})


def _two_bursts(n=20, second=True):
    """Half of the persons have the arm in the second of two bursts."""
    values = np.zeros((n, 10, 2))
    values[: n // 2, 5:, 0] = 1.0
    values[:, 5:, 1] = float(second)
    return values


def test_an_arm_that_begins_needs_something_that_lets_others_change_too():
    assert covariate_faults(_trial(_two_bursts()), 5) == {}
    assert "declare a covariate that says when" in covariate_faults(_trial(_two_bursts(second=False)), 5)["arm"]


def test_an_arm_between_persons_needs_none():
    values = _two_bursts(second=False)
    values[:10, :, 0] = 1.0
    assert covariate_faults(_trial(values), 5) == {}
    assert "in 4 dyads at most" in covariate_faults(_trial(values[6:]), 5)["arm"]


def test_an_arm_of_therapists_counts_therapists():
    values = _two_bursts()
    many = [f"T{k // 2}" for k in range(20)]
    assert covariate_faults(_trial(values, many), 5) == {}
    mixed = [f"T{k % 4}" for k in range(20)]
    assert covariate_faults(_trial(values, mixed), 5) == {}
    few = [f"T{k // 5}" for k in range(20)]
    assert "assigned to 2 therapists and not to 2" in covariate_faults(_trial(values, few), 5)["arm"]


@pytest.mark.parametrize(("dyads", "sessions", "missing"), [(40, 16, 0.0), (40, 16, 0.4), (12, 9, 0.3)])
def test_its_t_is_that_of_the_whole_regression(dyads, sessions, missing):
    rng = np.random.default_rng(4)
    event = (rng.random((dyads, sessions)) < 0.4).astype(float)
    value = rng.normal(size=event.shape) - 0.3 * event
    before = np.concatenate([np.zeros((dyads, 1)), event[:, :-1]], axis=1)
    known = rng.random(event.shape) >= missing
    dyad, session = np.nonzero(known)
    others = [np.eye(dyads)[dyad], np.eye(sessions)[session][:, 1:], before[known][:, None], value[known][:, None]]
    design, y = np.concatenate(others, axis=1), event[known]
    slope, rest, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    assert rank == design.shape[1]
    error = np.sqrt(rest[0] / (len(y) - rank) * np.linalg.inv(design.T @ design)[-1, -1])
    assert _partial_t(event, value, before, known) == pytest.approx(slope[-1] / error, rel=1e-8)


def test_an_arm_that_more_persons_leave_is_told():
    """Most of those with the arm skip the second half; when as many skip in both arms, nothing is told."""
    values = _two_bursts(24)
    arm = values[..., 0].max(axis=1) > 0
    score = np.zeros((*values.shape[:2], 1))
    half = values.shape[1] // 2
    leaving = np.flatnonzero(arm)[: int(0.6 * arm.sum())]
    score[leaving, half:] = np.nan
    fault = covariate_faults(_trial(values, score=score), 5)["arm"]
    assert f"{len(leaving)} of {arm.sum()} dyads with it and 0 of {(~arm).sum()} without it" in fault
    both = np.concatenate([leaving, np.flatnonzero(~arm)[: len(leaving)]])
    score[both, half:] = np.nan
    assert covariate_faults(_trial(values, score=score), 5) == {}


def test_an_arm_that_those_get_who_were_worse_before_is_told():
    rng, values = np.random.default_rng(2), _two_bursts(40)
    arm = values[..., 0].max(axis=1) > 0
    score = rng.normal(size=(40, 1, 1)) + rng.normal(size=(*values.shape[:2], 1))
    assert covariate_faults(_trial(values, score=score), 5) == {}
    score[arm, 5:] += 3.0  # what it does is no fault
    assert covariate_faults(_trial(values, score=score), 5) == {}
    score[arm, :5] += 3.0
    assert (
        "has dyads with higher values of phq before it begins"
        in covariate_faults(_trial(values, score=score), 5)["arm"]
    )


def test_an_arm_that_answers_at_other_hours_is_told_unless_hours_are_taken_up():
    rng, values = np.random.default_rng(3), _two_bursts(40)
    arm = values[..., 0].max(axis=1) > 0
    trial = _trial(values)
    trial["days"] = trial["days"] + xr.DataArray(0.4 + 0.1 * rng.random((40, 10)), dims=("dyad", "time"))
    assert covariate_faults(trial, 5) == {}
    later = xr.DataArray(4 / 24 * arm[:, None] * (np.arange(10) >= 5), dims=("dyad", "time"))
    late = trial.assign(days=trial["days"] + later)
    assert "goes with the hour at which questions are answered (14." in covariate_faults(late, 5)["arm"]
    told = late.assign_coords(covariate_of=("covariate", np.array(["patient", "time_of_day"])))
    assert covariate_faults(told, 5) == {}


def test_one_patient_who_changes_over_does_not_make_six_therapists_many():
    values = np.zeros((48, 4, 2))
    values[:24, :, 0] = 1.0
    therapist = np.repeat([f"T{k}" for k in range(6)], 8)
    assert "assigned to 3 therapists and not to 3" in covariate_faults(_trial(values, therapist.tolist()), 5)["arm"]
    swapped = therapist.copy()
    swapped[[0, 47]] = swapped[[47, 0]]
    assert "assigned to 3 therapists and not to 3" in covariate_faults(_trial(values, swapped.tolist()), 5)["arm"]
    within = np.tile([f"T{k}" for k in range(6)], 8)
    assert covariate_faults(_trial(values, within.tolist()), 5) == {}


@pytest.mark.parametrize("seed", range(5))
def test_an_event_after_which_fewer_come_back_is_told(seed):
    rng = np.random.default_rng(seed)
    scores, held = _scores(rng), np.ones((40, 16), dtype=bool)
    given = rng.random((40, 16)) < 0.5
    absent = np.zeros((40, 16), dtype=bool)
    absent[:, 1:] = rng.random((40, 15)) < 0.05 + 0.25 * given[:, :-1]
    scores["score"] = scores["score"].where(~xr.DataArray(absent, dims=("dyad", "time")))
    assert balance_fault(scores, given, held).startswith("is followed by fewer values in the next session (t = -")


@pytest.mark.parametrize("seed", range(5))
def test_an_event_with_a_season_is_told_and_one_by_chance_is_not(seed):
    rng = np.random.default_rng(seed)
    scores = _dated(rng.uniform(0, 730, size=60))
    held = np.ones((60, 16), dtype=bool)
    days = scores["days"].values + scores["origin"].values[:, None]
    winter = 0.5 + 0.4 * np.cos(2 * np.pi * days / 365.25)
    assert "one time of the year" in season_fault(scores, rng.random((60, 16)) < winter, held)
    assert season_fault(scores, rng.random((60, 16)) < 0.5, held) == ""
    assert season_fault(scores, rng.random((60, 16)) < np.linspace(0.1, 0.9, 16), held) == ""


def test_those_who_leave_either_arm_for_opposite_reasons_are_told():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        scores, held = _scores(rng, 60, 16), np.arange(60) % 2 == 0
        level = rng.normal(size=60)
        leaves = np.where(held, level > 0.4, level < -0.4)
        scores["score"][..., 1] += 2.0 * level[:, None]
        gone = leaves[:, None] & (np.arange(16)[None] >= 8)
        scores["score"] = scores["score"].where(~xr.DataArray(gone, dims=("dyad", "time")))
        scores = scores.assign(
            days=(("dyad", "time"), 7.0 * np.arange(16)[None].repeat(60, 0)),
            covariate_value=(("dyad", "time", "covariate"), np.where(held, 1.0, 0.0)[:, None, None].repeat(16, 1)),
            covariate_randomised=("covariate", [1]),
        ).assign_coords(covariate=["arm"])
        (fault,) = covariate_faults(scores, 5).values()
        assert "has those leave who have high values of phq" in fault
        alike = scores.assign(score=_scores(rng, 60, 16)["score"])
        alike["score"] = alike["score"].where(~xr.DataArray(gone, dims=("dyad", "time")))
        assert covariate_faults(alike, 5) == {}
