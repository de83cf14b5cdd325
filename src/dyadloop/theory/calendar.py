"""The protocol: when sessions are, what happens in them, and to whom."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, ValidationError, model_validator

from dyadloop.data.names import known_names
from dyadloop.data.wording import WHOLE, wrongs
from dyadloop.errors import TheoryError
from dyadloop.theory.numbers import Identifier, Record
from dyadloop.units import days, duration

if TYPE_CHECKING:
    from dyadloop.data import Study


class Event(Record):
    """Something that happens in some sessions: a dose, an antagonist, work on a component, a rupture, a repair.

    ``amount`` is in the unit of the input that the event feeds (IU for a dose).
    """

    event: Identifier
    sessions: tuple[int, ...]
    amount: float = 1.0
    minutes: float = Field(default=0.0, description="after the start of the session; negative is before it")
    arm: str | None = Field(default=None, description="only dyads of this arm")
    dyads: tuple[int, ...] | None = Field(default=None, description="only these dyads, counted from 0")


class Protocol(Record):
    """Calendar of sessions, the events in them, and the arms of a trial.

    Sessions come every ``every_days`` unless ``starts_days`` lists them: one calendar for all dyads, or one per dyad.
    """

    sessions: Annotated[int, Field(ge=1)]
    every_days: Annotated[float, Field(gt=0)]
    length_minutes: Annotated[float, Field(gt=0)]
    starts_days: tuple[tuple[float, ...], ...] = ()
    lengths_minutes: tuple[tuple[float, ...], ...] = ()
    events: tuple[Event, ...] = ()
    arms: tuple[str, ...] = ()

    def starts(self, dyad: int = 0) -> tuple[float, ...]:
        """Return the session starts of a dyad [d]."""
        if not self.starts_days:
            return tuple(self.every_days * index for index in range(self.sessions))
        return self.starts_days[dyad if len(self.starts_days) > 1 else 0]

    def lengths(self, dyad: int = 0) -> tuple[float, ...]:
        """Return the session lengths of a dyad [d]."""
        if not self.lengths_minutes:
            return (days(self.length_minutes, "min"),) * len(self.starts(dyad))
        chosen = self.lengths_minutes[dyad if len(self.lengths_minutes) > 1 else 0]
        return tuple(days(minutes, "min") for minutes in chosen)

    def arm(self, dyad: int) -> str | None:
        """Return the arm of a dyad; dyads take turns."""
        return self.arms[dyad % len(self.arms)] if self.arms else None

    def happening(self, dyad: int) -> list[tuple[float, str, float]]:
        """Return the events of a dyad in order: time [d], name, amount."""
        starts = self.starts(dyad)
        found = [
            (starts[session - 1] + days(event.minutes, "min"), event.event, event.amount)
            for event in self.events
            if event.arm in (None, self.arm(dyad)) and (event.dyads is None or dyad in event.dyads)
            for session in event.sessions
            if session <= len(starts)
        ]
        return sorted(found)

    @model_validator(mode="after")
    def _sound(self) -> "Protocol":
        faults = self._calendar_faults()
        if not faults:
            for event in self.events:
                faults += self._event_faults(event)
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def _calendar_faults(self) -> list[str]:
        if not self.starts_days and self.lengths_minutes:
            return ["lengths_minutes need starts_days"]
        if self.lengths_minutes and [len(row) for row in self.lengths_minutes] != [
            len(row) for row in self.starts_days
        ]:
            return ["lengths_minutes and starts_days differ in shape; give one length per start"]
        faults = []
        for dyad in range(max(1, len(self.starts_days))):
            starts, lengths = self.starts(dyad), self.lengths(dyad)
            for number, (start, length, following) in enumerate(zip(starts, lengths, starts[1:], strict=False), 1):
                if start + length > following:
                    faults.append(
                        f"session {number} of dyad {dyad} lasts from day {start:g} to {start + length:g}, beyond the "
                        f"start of the next at day {following:g}; sort the sessions or shorten them"
                    )
        return faults

    def _event_faults(self, event: Event) -> list[str]:
        faults = []
        last = max(len(self.starts(dyad)) for dyad in range(max(1, len(self.starts_days))))
        for session in event.sessions:
            early = session == 1 and event.minutes < 0
            if session < 1 or early:
                when = f"{-event.minutes:g} min before session 1" if early else f"in session {session}"
                faults.append(f"event {event.event!r} {when} lies before the first session, at which time begins")
            elif session > last:
                faults.append(f"event {event.event!r} in session {session} lies after the last session, {last}")
        if event.arm is not None and event.arm not in self.arms:
            faults.append(
                f"event {event.event!r} is for the arm {event.arm!r}; known: {known_names(self.arms, event.arm)}"
            )
        return faults


def protocol(
    sessions: int = 16,
    every: str = "7 d",
    length: str = "50 min",
    *,
    events: Iterable[Event | dict] = (),
    arms: Sequence[str] = (),
    starts: Sequence[Sequence[float]] = (),
    study: "Study | None" = None,
) -> Protocol:
    """Return a protocol: a calendar of sessions and what happens in them.

    Parameters
    ----------
    sessions
        Number of sessions.
    every, length
        Distance and length of sessions, such as ``"3.5 d"`` and ``"50 min"``.
    events
        Events, such as ``{"event": "dose", "sessions": [4, 8], "amount": 24, "arm": "oxytocin"}``.
    arms
        Names of the arms of a trial; dyads take turns.
    starts
        Irregular calendars: session starts [d], one list for all dyads or one per dyad.
    study
        Take calendars and events from a study folder instead.

    Raises
    ------
    TheoryError
        If sessions overlap, or an event lies before the first or after the last session; all faults at once.
    UnitError
        If a duration is not a number and a unit of time.

    Examples
    --------
    >>> dose = {"event": "dose", "sessions": [2, 4], "amount": 24, "arm": "drug"}
    >>> trial = dl.protocol(8, "3.5 d", events=[dose], arms=["drug", "placebo"])
    >>> trial.sessions, trial.starts()[:3], trial.events[0].sessions
    (8, (0.0, 3.5, 7.0), (2, 4))
    """
    content: dict[str, object] = {}
    try:
        if study is not None:
            return _of_study(study)
        content = {
            "sessions": len(starts[0]) if starts else sessions,
            "every_days": duration(every),
            "length_minutes": duration(length) / days(1.0, "min"),
            "starts_days": starts,
            "events": tuple(events),
            "arms": tuple(arms),
        }
        return Protocol.model_validate(content)
    except ValidationError as error:
        lines = [f"  {wrong}".replace(WHOLE, "protocol") for wrong in wrongs(error, content, Protocol)]
        raise TheoryError("\n".join([f"protocol: {len(lines)} faults", *lines])) from None


def _of_study(study: "Study") -> Protocol:
    starts, lengths, events = [], [], []
    for dyad, name in enumerate(study.dyads):
        calendar = study.sessions[study.sessions["dyad"] == name]
        first = float(calendar["start"].iloc[0]) if len(calendar) else 0.0
        starts.append(tuple(float(start) - first for start in calendar["start"]))
        lengths.append(tuple((calendar["end"] - calendar["start"]).astype(float) / days(1.0, "min")))
        events += [
            Event(event=event, sessions=(number,), amount=float(amount), dyads=(dyad,))
            for number, entry in enumerate(calendar["events"], 1)
            for event, amount in entry.items()
        ]
    most = max(map(len, starts))
    gaps = sorted(b - a for row in starts for a, b in pairwise(row))
    middle = sorted(minutes for row in lengths for minutes in row)
    return Protocol(
        sessions=most,
        every_days=gaps[len(gaps) // 2] if gaps else 7.0,
        length_minutes=middle[len(middle) // 2] or 1.0,
        starts_days=tuple(starts),
        lengths_minutes=tuple(lengths),
        events=tuple(events),
    )
