"""What a design takes: numbers of sessions, questionnaires, samples and events, and their costs."""

from dataclasses import dataclass

from dyadloop.design.schema import Design


@dataclass(frozen=True)
class Effort:
    """Numbers of a whole study as planned, nothing missing, and its cost in the design's currency."""

    sessions: int
    answers: int
    samples: int
    events: dict[str, float]
    cost: float


def effort(design: Design) -> Effort:
    """Return what a design takes if nothing is lost."""
    answers = samples = 0
    for entry in design.measures.values():
        per_session = sum(entry.per_interval if phase == "between" else 1 for phase in entry.phases)
        count = design.dyads * len(design.of_sessions(entry.sessions)) * per_session
        samples, answers = (samples + count, answers) if entry.is_sample else (samples, answers + count)
    events = {
        name: design.dyads * len(design.of_sessions(given.sessions)) * given.share
        for name, given in design.events.items()
    }
    sessions, costs = design.dyads * design.sessions.count, design.costs
    cost = costs.fixed + costs.per_dyad * design.dyads + costs.per_session * sessions + costs.per_sample * samples
    cost += sum(costs.per_event.get(name, 0.0) * count for name, count in events.items())
    return Effort(sessions, answers, samples, events, cost)
