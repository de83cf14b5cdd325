"""What was to be expected of events, session by session: only what differs from it is due to chance.

An event that is randomised leaves its mark at some time of the study, and so does everything else that changes over the
study in all persons. What sets a randomised event apart from these is who has it and who has not in the same session.
"""

import numpy as np
from jaxtyping import Float, Int


def expected_amounts(
    event: Float[np.ndarray, "dyad time event"], session: Int[np.ndarray, "dyad time"]
) -> Float[np.ndarray, "dyad time event"]:
    """Return the mean amount of each event over the dyads that hold a session, at one time of each of its sessions.

    That is the time at which the dyad has the event or, where it has none, the time of the session at which most others
    have it. Times that belong to no session (number 0) have no expectation.

    Parameters
    ----------
    event
        Amounts.
    session
        Number of the session that a time belongs to, 0 where it belongs to none.
    """
    found, dyads = np.zeros(event.shape), np.arange(len(event))
    for number in np.unique(session[session > 0]):
        here = session == number
        holds = here.any(axis=1)
        first = here.argmax(axis=1)
        inside = np.where(here[..., None], event, 0.0)
        for place in range(event.shape[2]):
            amount = inside[..., place]
            given = (amount != 0).any(axis=1)
            if not given.any():
                continue
            at = np.abs(amount).argmax(axis=1)
            usual = np.bincount((at - first)[given]).argmax()
            other = np.where(here[dyads, np.minimum(first + usual, here.shape[1] - 1)], first + usual, first)
            rows = np.where(given, at, other)
            found[dyads[holds], rows[holds], place] = amount.sum(axis=1)[holds].mean()
    return found
