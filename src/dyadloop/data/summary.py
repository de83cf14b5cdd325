"""What a study holds: counts, spans and missingness."""

from dataclasses import dataclass

import numpy as np

from dyadloop.data.calendar_doubts import covered
from dyadloop.data.schema import Study

_BLOCKS = 20


@dataclass(frozen=True)
class IndicatorSummary:
    """One indicator: how much of it there is, between which values, and where it is missing.

    ``missing`` is the share of sessions without a value; ``map`` holds that share for up to 20 blocks of
    sessions in their order, from the first to the last.
    """

    name: str
    quantity: str
    person: str
    values: int
    dyads: int
    missing: float
    censored: int
    unit: str
    lowest: float
    median: float
    highest: float
    distinct: int
    map: tuple[float, ...]


@dataclass(frozen=True)
class StudySummary:
    """Counts, spans and missingness of one study.

    ``first`` and ``last`` are its first and last time as people read them, ``days`` the days between.
    """

    name: str
    simulated: bool
    clock: str
    first: str
    last: str
    days: float
    persons: int
    dyads: int
    sessions: int
    sessions_per_dyad: tuple[int, float, int]
    span_days: tuple[float, float, float]
    events: dict[str, int]
    indicators: tuple[IndicatorSummary, ...]


def summarise(study: Study) -> StudySummary:
    """Count persons, dyads, sessions and values of a study, and map what is missing.

    Examples
    --------
    >>> counts = dl.summarise(dl.read_study("examples/survival"))
    >>> counts.persons, counts.dyads, counts.sessions
    (24, 12, 12)
    """
    calendar, values = study.sessions, study.measurements
    counts = calendar.groupby("dyad").size().reindex(study.dyads, fill_value=0)
    last_session = calendar.groupby("dyad")["end"].max().reindex(study.dyads, fill_value=0.0)
    last_value = values.groupby("dyad")["time"].max().reindex(study.dyads, fill_value=0.0)
    spans = np.maximum(last_session, last_value)
    events: dict[str, int] = {}
    first, last, days = covered(study)
    for entry in calendar["events"]:
        for name in entry:
            events[name] = events.get(name, 0) + 1
    return StudySummary(
        name=study.info.name,
        simulated=study.info.simulated,
        clock=study.trace.kind,
        first=first,
        last=last,
        days=days,
        persons=len(study.participants),
        dyads=len(study.dyads),
        sessions=len(calendar),
        sessions_per_dyad=(int(counts.min()), float(counts.median()), int(counts.max())),
        span_days=(float(spans.min()), float(np.median(spans)), float(spans.max())),
        events=events,
        indicators=tuple(_indicator(study, name) for name in study.info.indicators),
    )


def unmeasured(study: Study) -> list[str]:
    """Return the indicators whose raw files are declared under ``measures`` and that have no value yet."""
    seen = set(study.measurements["indicator"])
    return [name for name in study.info.measures if name not in seen]


def _indicator(study: Study, name: str) -> IndicatorSummary:
    declared = study.info.indicators[name]
    values = study.measurements[study.measurements["indicator"] == name]
    with_value = set(zip(values["dyad"], values["session"], strict=True))
    order = study.sessions.groupby("dyad").cumcount()
    missing = np.array(
        [key not in with_value for key in zip(study.sessions["dyad"], study.sessions["session"], strict=True)]
    )
    blocks = np.minimum(order * _BLOCKS // max(int(order.max()) + 1, _BLOCKS), _BLOCKS - 1) if len(order) else order
    shares = tuple(float(missing[blocks == block].mean()) for block in sorted(set(blocks)))
    return IndicatorSummary(
        name=name,
        quantity=declared.quantity,
        person=declared.person,
        values=len(values),
        dyads=values["dyad"].nunique(),
        missing=float(missing.mean()) if len(missing) else float("nan"),
        censored=int(values["limit"].isin(["below", "above"]).sum()),
        unit=declared.unit,
        lowest=float(values["value"].min()),
        median=float(values["value"].median()),
        highest=float(values["value"].max()),
        distinct=int(values["value"].nunique()),
        map=shares,
    )
