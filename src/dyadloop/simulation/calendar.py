"""From a protocol to the segments that all dyads go through, each on its own calendar."""

from dataclasses import dataclass

import numpy as np

from dyadloop.data.names import known_names
from dyadloop.errors import TheoryError
from dyadloop.model import Plan
from dyadloop.theory import Protocol
from dyadloop.units import days


@dataclass(frozen=True)
class Timeline:
    """Moments of every dyad and what happens between them.

    Attributes
    ----------
    days
        Moments, dyad by moment [d]; the first is the start.
    session
        Number of the session a moment belongs to, from its start to the start of the next, by moment.
    in_session
        Whether the segment before a moment lies in a session, by moment (False for the first).
    opens
        Whether a moment is the start of a session, by moment.
    amounts
        Amount of each event at the moment, by moment, event and dyad.
    present
        Whether a dyad has this session at all, dyad by moment.
    """

    days: np.ndarray
    session: np.ndarray
    in_session: np.ndarray
    opens: np.ndarray
    amounts: np.ndarray
    present: np.ndarray


def timeline(plan: Plan, protocol: Protocol, n_dyads: int, points: tuple[int, int]) -> Timeline:
    """Return the moments of a protocol: edges of sessions, ``points`` per session and gap, and every event.

    Raises
    ------
    TheoryError
        If the protocol has calendars for another number of dyads, or an event that the theory does not know.
    """
    if len(protocol.starts_days) not in (0, 1, n_dyads):
        raise TheoryError(
            f"the protocol has {len(protocol.starts_days)} calendars; expected 1 or {n_dyads}, one per dyad"
        )
    known = [entry.event for entry in plan.events]
    unknown = sorted({event.event for event in protocol.events} - set(known))
    if unknown:
        listed = known_names(sorted({str(name) for name in known}), *unknown)
        raise TheoryError(f"event {', '.join(unknown)}: no input of the theory {plan.theory.id!r}; known: {listed}")
    edges = _edges(protocol, n_dyads)
    happening = [protocol.happening(dyad) for dyad in range(n_dyads)]
    parts, session, gates, opens = [edges[:, :1]], [1], [False], [True]
    for slot in range(edges.shape[1] // 2):
        for gate, first, count in ((True, 2 * slot, points[0]), (False, 2 * slot + 1, points[1])):
            low, high = edges[:, first], edges[:, first + 1]
            inside = [[t for t, *_ in row if low[d] < t < high[d]] for d, row in enumerate(happening)]
            extra = max(map(len, inside))
            grid = low[:, None] + (high - low)[:, None] * np.arange(1, count + 1) / count
            filled = np.array([row + [high[d]] * (extra - len(row)) for d, row in enumerate(inside)]).reshape(
                n_dyads, extra
            )
            moments = np.sort(np.concatenate([grid, filled], axis=1), axis=1)
            moments[:, -1] = high
            parts.append(moments)
            session += [slot + 1] * moments.shape[1]
            gates += [gate] * moments.shape[1]
            opens += [False] * moments.shape[1]
        opens[-1] = slot + 1 < edges.shape[1] // 2
    moments = np.concatenate(parts, axis=1)
    amounts = np.zeros((moments.shape[1], len(known), n_dyads))
    for dyad, row in enumerate(happening):
        for time, name, amount in row:
            place = int(np.argmin(np.abs(moments[dyad] - time)))
            place = int(np.flatnonzero(moments[dyad] == moments[dyad, place])[-1])
            for column in (i for i, event in enumerate(known) if event == name):
                amounts[place, column, dyad] += amount
    present = _present(protocol, np.array(session), n_dyads)
    return Timeline(moments, np.array(session), np.array(gates), np.array(opens), amounts, present)


def stretch(duration_days: float, n_dyads: int, n_points: int, n_events: int) -> Timeline:
    """Return the moments of a stretch of time without sessions."""
    moments = np.broadcast_to(np.linspace(0.0, duration_days, n_points + 1), (n_dyads, n_points + 1))
    nothing = np.zeros(n_points + 1, dtype=bool)
    return Timeline(
        moments,
        np.zeros(n_points + 1, dtype=int),
        nothing,
        nothing,
        np.zeros((n_points + 1, n_events, n_dyads)),
        np.ones((n_dyads, n_points + 1), dtype=bool),
    )


def _edges(protocol: Protocol, n_dyads: int) -> np.ndarray:
    """Return session starts and ends in turn, dyad by edge [d], closed by one more interval after the last session."""
    most = max(len(protocol.starts(dyad)) for dyad in range(max(1, len(protocol.starts_days))))
    edges = np.zeros((n_dyads, 2 * most + 1))
    after = max(protocol.every_days, days(protocol.length_minutes, "min"))
    for dyad in range(n_dyads):
        starts, lengths = np.array(protocol.starts(dyad)), np.array(protocol.lengths(dyad))
        last = starts[-1] + max(after, lengths[-1]) if len(starts) else 0.0
        edges[dyad] = last
        edges[dyad, 0 : 2 * len(starts) : 2] = starts
        edges[dyad, 1 : 2 * len(starts) : 2] = starts + lengths
    return edges


def _present(protocol: Protocol, session: np.ndarray, n_dyads: int) -> np.ndarray:
    counts = np.array([len(protocol.starts(dyad)) for dyad in range(n_dyads)])
    return session[None, :] <= counts[:, None]
