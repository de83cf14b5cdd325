"""What a simulation starts from: its moments, the numbers of each dyad, first states, and what events add."""

from collections.abc import Iterable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from dyadloop.data.names import known_names
from dyadloop.errors import TheoryError
from dyadloop.model import Plan, System
from dyadloop.model.numbers import Number
from dyadloop.simulation.calendar import Timeline, stretch, timeline
from dyadloop.simulation.integrate import Segments
from dyadloop.theory import Protocol, Quantity
from dyadloop.theory.nodes import nodes_of
from dyadloop.units import duration


def moments_of(
    plan: Plan, protocol: Protocol | None, dyads: int, span: str | None, points: tuple[int, int]
) -> Timeline:
    """Return the moments of a protocol, or of a stretch of time without sessions.

    Raises
    ------
    TheoryError
        If neither is given, or both.
    """
    if dyads < 1 or min(points) < 1:
        raise TheoryError(f"dyads={dyads}, points={points}: give at least one of each")
    if span is not None:
        if protocol is not None:
            raise TheoryError("give a protocol or a span, not both")
        return stretch(duration(span), dyads, points[1], len(plan.events))
    chosen = protocol or plan.theory.protocol
    if chosen is None:
        raise TheoryError(f"theory {plan.theory.id!r} has no protocol; give one, or a span such as '30 d'")
    return timeline(plan, chosen, dyads, points)


def numbers_of(
    theory: str, parameters: Mapping[str, Quantity], values: Mapping[str, Any] | None, dyads: int
) -> dict[str, Number]:
    """Return the number of every parameter, or one per dyad [units of the theory file].

    Raises
    ------
    TheoryError
        If a name is no parameter, or a number cannot be used.
    """
    refuse_unknown(theory, parameters, values or {})
    numbers: dict[str, Any] = {
        name: np.asarray((values or {}).get(name, q.value), dtype=float) for name, q in parameters.items()
    }
    wrong = [name for name, value in numbers.items() if value.shape not in ((), (dyads,))]
    if wrong:
        raise TheoryError(f"{', '.join(wrong)}: give a number, or an array of {dyads}, one per dyad")
    endless = [name for name, value in numbers.items() if not np.isfinite(value).all()]
    if endless:
        raise TheoryError(f"{', '.join(endless)}: got an infinite or missing value; give finite numbers")
    positive = [n for n, value in numbers.items() if n.startswith(("tau_", "sd_", "between_")) and (value <= 0).any()]
    if positive:
        raise TheoryError(f"{', '.join(positive)}: must be positive")
    return numbers


def refuse_unknown(theory: str, parameters: Mapping[str, Quantity], names: Iterable[str]) -> None:
    """Refuse names that are no parameter of a theory.

    Raises
    ------
    TheoryError
        If there are any.
    """
    unknown = sorted(set(names) - set(parameters))
    if unknown:
        known = known_names(parameters, *unknown)
        raise TheoryError(f"{', '.join(unknown)}: no parameter of {theory!r}; known: {known}")


def spread_out(
    parameters: Mapping[str, Quantity],
    numbers: Mapping[str, Number],
    spread: Mapping[str, float],
    dyads: int,
    generator: np.random.Generator,
) -> dict[str, Number]:
    """Return numbers of which some differ between dyads, those with a lognormal prior by a factor."""
    found = dict(numbers)
    for name, sd in spread.items():
        draws, prior = sd * generator.standard_normal(dyads), parameters[name].prior
        is_positive = prior is not None and prior.family == "lognormal"
        found[name] = found[name] * np.exp(draws) if is_positive else found[name] + draws
    return found


def offsets_of(plan: Plan, numbers: dict, dyads: int, generator: np.random.Generator) -> dict[str, Number]:
    """Draw how far the own level of each dyad lies from that of the theory."""
    nodes = [*plan.states, *nodes_of(plan.theory, "context")]
    draws = generator.standard_normal((len(nodes), dyads))
    factor = plan.correlation("between", numbers)
    if factor is not None:
        draws[: len(plan.states)] = np.asarray(factor) @ draws[: len(plan.states)]
    return {
        node.id: numbers[f"between_{node.variable.id}"] * draws[row]
        for row, node in enumerate(nodes)
        if node.variable.between is not None
    }


def start_of(plan: Plan, system: System, numbers: dict, start: Mapping[str, float] | None, dyads: int) -> Array:
    """Return the state of each dyad at the first moment, state by dyad [state unit].

    Raises
    ------
    TheoryError
        If ``start`` names no state.
    """
    unknown = sorted(set(start or {}) - set(plan.names))
    if unknown:
        listed = known_names(sorted(plan.names), *unknown)
        raise TheoryError(f"{', '.join(unknown)}: no state of {plan.theory.id!r}; known: {listed}")
    rows = []
    for index, state in enumerate(plan.states):
        usual = system.levels[index] + numbers.get(f"start_{state.variable.id}", 0.0)
        value = state.variable.clamped if state.variable.clamped is not None else (start or {}).get(state.id, usual)
        rows.append(jnp.broadcast_to(jnp.asarray(value, dtype=float), (dyads,)))
    return jnp.stack(rows)


def jumps_of(plan: Plan, numbers: dict, line: Timeline) -> np.ndarray:
    """Return what the events of each moment add to the states, moment by state by dyad [state unit]."""
    jumps = np.zeros((line.days.shape[1], len(plan.states), line.days.shape[0]))
    for column, entry in enumerate(plan.events):
        for index in plan.reached(entry):
            if plan.states[index].variable.clamped is None:
                jumps[:, index] += line.amounts[:, column] * np.asarray(numbers[entry.id]) / entry.per
    return jumps


def segments_of(line: Timeline, jumps: np.ndarray, multiple: int) -> Segments:
    """Return the stretches of a timeline, with empty ones at the end up to a multiple."""
    if multiple < 1:
        raise TheoryError(f"multiple={multiple}: give at least 1")
    parts = line.in_session[1:], np.diff(line.days, axis=1).T, jumps[:-1], line.opens[:-1], line.session[1:] <= 1
    empty = -len(parts[0]) % multiple
    return Segments(*(jnp.asarray(np.pad(part, [(0, empty)] + [(0, 0)] * (part.ndim - 1))) for part in parts))
