"""What was to be expected of events: the mean over dyads in a session, at the time where the event takes place."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dyadloop.likelihood.expected_events import expected_amounts


def _study(seed, n_dyads=6, n_sessions=5, rows=3):
    """Amounts of two events in sessions of three times each; some dyads leave early."""
    rng = np.random.default_rng(seed)
    session = np.repeat(np.arange(1, n_sessions + 1), rows)[None].repeat(n_dyads, 0)
    for dyad in range(1, n_dyads):
        session[dyad, rows * rng.integers(1, n_sessions + 1) :] = 0
    event = np.zeros((*session.shape, 2))
    for dyad in range(n_dyads):
        for number in range(1, n_sessions + 1):
            for place, row in enumerate((0, 1)):
                here = np.flatnonzero(session[dyad] == number)
                if len(here) and rng.random() < 0.5:
                    event[dyad, here[row], place] = rng.choice([1.0, 24.0])
    return event, session


@given(st.integers(0, 400))
def test_what_differs_from_it_sums_to_nothing_in_every_session(seed):
    event, session = _study(seed)
    apart = event - expected_amounts(event, session)
    for number in range(1, 6):
        np.testing.assert_allclose(apart[session == number].sum(axis=0), 0.0, atol=1e-9)
    assert not expected_amounts(event, session)[session == 0].any()


@given(st.integers(0, 400))
def test_it_stands_where_the_event_takes_place(seed):
    event, session = _study(seed)
    expected = expected_amounts(event, session)
    for place, row in enumerate((0, 1)):
        _dyad, time = np.nonzero(expected[..., place])
        assert set(time % 3) <= {row}
        given_there = event[..., place] != 0
        assert (expected[..., place][given_there] > 0).all()


def test_what_all_have_in_the_same_sessions_tells_nothing():
    event, _session = _study(1)
    event[:] = 0.0
    whole = np.repeat(np.arange(1, 6), 3)[None].repeat(6, 0)
    event[:, [3, 9], 0] = 1.0
    np.testing.assert_array_equal(expected_amounts(event, whole), event)
