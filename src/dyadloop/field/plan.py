"""Compile a theory: keep the parts that a study measures and say how parameters become a field or a system."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array

from dyadloop.errors import FitError
from dyadloop.field.field import Field
from dyadloop.theory import Coupling, Input, Quantity, Theory, Variable, hypothesis
from dyadloop.theory.nodes import Node as State
from dyadloop.theory.nodes import coupling_numbers, nodes_of, pairs_of, variable_numbers
from dyadloop.units import days, per_day


@dataclass(frozen=True)
class Plan:
    """A theory reduced to some states: which parameters it has and how they make a field."""

    theory: Theory
    states: tuple[State, ...]
    couplings: tuple[Coupling, ...]
    inputs: tuple[Input, ...]
    left_out: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """State ids, in order."""
        return tuple(state.id for state in self.states)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Variables with at least one state, in order."""
        return tuple({state.variable.id: state.variable for state in self.states}.values())

    @property
    def events(self) -> tuple[Input, ...]:
        """Inputs that are events, in order."""
        return tuple(entry for entry in self.inputs if entry.kind == "event")

    def parameters(self) -> dict[str, Quantity]:
        """Return every parameter by id, with its default, unit, prior and source."""
        found: dict[str, Quantity] = {}
        kept = {variable.id for variable in self.variables}
        for variable in self.theory.variables:
            if variable.dynamics != "state" or variable.id in kept:
                found.update(variable_numbers(variable))
        for coupling in self.couplings:
            found.update(coupling_numbers(coupling))
        found.update({entry.id: entry.coefficient for entry in self.inputs})
        if self.theory.correlations is not None:
            for level in ("between", "noise"):
                quantity = getattr(self.theory.correlations, level)
                found.update(
                    {f"rho_{level}_{later.id}_{earlier.id}": quantity for later, earlier in self._pairs(level)}
                )
        for chance in (self.theory.ruptures, self.theory.dropout):
            if chance is not None:
                prefix = type(chance).__name__.lower()
                numbers = {name: getattr(chance, name) for name in type(chance).model_fields}
                found.update({f"{prefix}_{n}": number for n, number in numbers.items() if isinstance(number, Quantity)})
        return found

    def _pairs(self, level: str) -> list[tuple[State, State]]:
        """Return the pairs of states that may correlate.

        Oxytocin pulses last minutes and levels last days: noise that both share leaves no trace, so it is absent.
        """
        pairs = [(later, earlier) for row, later in enumerate(self.states) for earlier in self.states[:row]]
        if level == "between":
            return pairs
        return [
            (later, earlier)
            for later, earlier in pairs
            if (later.variable.kind == "oxytocin") == (earlier.variable.kind == "oxytocin")
        ]

    def defaults(self) -> dict[str, float]:
        """Return the values of the theory file, in its units."""
        return {name: quantity.value for name, quantity in self.parameters().items()}

    def field(self, values: dict[str, Array] | dict[str, float]) -> Field:
        """Return the field of a linear theory for parameter values given in the units of the theory file."""
        tau = {v.id: time_constant_days(v, values) for v in self.variables}
        sd = jnp.array([values[f"sd_{state.variable.id}"] for state in self.states])
        decay = jnp.array([1.0 / tau[state.variable.id] for state in self.states])
        noise = self._factor("noise", values, sd * jnp.sqrt(2.0 * decay))
        noise = noise @ noise.T
        starts = [values.get(f"start_{state.variable.id}", 0.0) for state in self.states]
        return Field(
            names=self.names,
            kinds=tuple(state.variable.kind for state in self.states),
            decay=decay,
            always=self._matrix("always", values, tau),
            session=self._matrix("session", values, tau),
            drive=self._drive(values, tau),
            noise=noise,
            start=jnp.array(starts, dtype=float),
            start_covariance=noise / (decay[:, None] + decay[None, :]),  # stationary without couplings
            between=self._factor(
                "between", values, jnp.array([values[f"between_{state.variable.id}"] for state in self.states])
            ),
            jumps=self._jumps(values),
        )

    def _matrix(self, gate: str, values: dict, tau: dict) -> Array:
        """Return coupling rates, target by source."""
        matrix = jnp.zeros((len(self.states), len(self.states)))
        for coupling in self.couplings:
            if coupling.gate != gate:
                continue
            rate = coupling.sign * values[coupling.id] * rate_factor(coupling, tau.get(coupling.target))
            for target, (sources,) in pairs_of(coupling, self.states):
                matrix = matrix.at[target, jnp.array(sources)].add(rate / len(sources))
        return matrix

    def _factor(self, level: str, values: Mapping[str, Any], sd: Array) -> Array:
        """Return sd times the Cholesky factor of a correlation matrix, from its partial correlations."""
        partial = jnp.zeros((len(sd), len(sd)))
        for later, earlier in self._pairs(level):
            place = self.states.index(later), self.states.index(earlier)
            partial = partial.at[place].set(jnp.tanh(values[f"rho_{level}_{later.id}_{earlier.id}"]))
        left = jnp.cumprod(1.0 - partial**2, axis=1)
        left = jnp.concatenate([jnp.ones((len(sd), 1)), left[:, :-1]], axis=1)
        return sd[:, None] * (partial + jnp.eye(len(sd))) * jnp.sqrt(left)

    def correlation(self, level: str, values: Mapping[str, Any]) -> Array | None:
        """Return the lower factor of the correlation of person means or noise, None where all are independent."""
        names = [f"rho_{level}_{later.id}_{earlier.id}" for later, earlier in self._pairs(level)]
        if self.theory.correlations is None:
            return None
        if not any(isinstance(values[name], Tracer) or float(values[name]) != 0.0 for name in names):
            return None
        return self._factor(level, values, jnp.ones(len(self.states)))

    def _drive(self, values: dict, tau: dict) -> Array:
        drive = jnp.zeros(len(self.states))
        for entry in self.inputs:
            if entry.kind == "session":
                reached = jnp.array(self.reached(entry), dtype=int)
                drive = drive.at[reached].add(values[entry.id] / tau[entry.target])
        return drive

    def _jumps(self, values: dict) -> Array:
        jumps = jnp.zeros((len(self.events), len(self.states)))
        for row, entry in enumerate(self.events):
            jumps = jumps.at[row, jnp.array(self.reached(entry), dtype=int)].add(values[entry.id] / entry.per)
        return jumps

    def reached(self, entry: Input) -> list[int]:
        """Return the states that an input acts on."""
        return [
            index
            for index, state in enumerate(self.states)
            if state.variable.id == entry.target and entry.person in (None, state.person)
        ]


def time_constant_days(variable: Variable, values: Mapping[str, Any]) -> Array | float:
    """Return the time constant of a variable [d], infinite where nothing decays."""
    if variable.time_constant is None:
        return jnp.inf
    return values[f"tau_{variable.id}"] * days(1.0, variable.time_constant.unit)


def rate_factor(coupling: Coupling, tau: Array | float | None) -> Array | float:
    """Return what turns a coefficient into a rate per day: a gain acts through the target's time constant."""
    if not coupling.is_gain:
        return per_day(1.0, coupling.coefficient.unit)
    return 1.0 if tau is None else 1.0 / tau


def compile_theory(
    theory: Theory, measured: set[tuple[str, str]] | None = None, events: tuple[str, ...] | None = None
) -> Plan:
    """Reduce a theory to what is measured, or compile all of it that is switched on.

    Without oxytocin the direct network (M5) remains, with oxytocin the reciprocal hypothesis (M3), unless the
    theory is already restricted to a hypothesis or knows none of these names.

    Parameters
    ----------
    theory
        Theory to compile.
    measured
        Pairs of quantity and person that a study measures; None keeps every variable in every person.
    events
        Names of the events that the study holds; None keeps every input of the theory.

    Raises
    ------
    FitError
        If nothing that the theory speaks of is measured; the message lists what it knows.
    """
    theory = theory.active()
    states = tuple(
        state
        for state in nodes_of(theory, "state")
        if measured is None or _is_measured(state.variable, state.person, measured)
    )
    if not states:
        known = ", ".join(variable.id for variable in theory.variables)
        got = ", ".join(sorted({quantity for quantity, _ in measured or ()})) or "nothing"
        raise FitError(f"the study measures {got}; theory {theory.id!r} knows {known}; map an indicator in study.yaml")
    kept = {state.variable.id for state in states}
    if measured is None:
        kept |= {variable.id for variable in theory.variables}
    if theory.hypothesis is None and measured is not None:
        has_oxytocin = any(variable.kind == "oxytocin" and variable.id in kept for variable in theory.variables)
        name = "reciprocal" if has_oxytocin else "network"
        if any(rival.name == name for rival in theory.hypotheses):
            theory = hypothesis(name, theory)
    couplings = tuple(c for c in theory.couplings if {*c.sources, c.target} <= kept)
    inputs = tuple(
        entry
        for entry in theory.inputs
        if entry.target in kept and (entry.kind == "session" or events is None or entry.event in events)
    )
    absent = [f"{variable.label} is not measured" for variable in theory.variables if variable.id not in kept]
    acting = {entry.event: entry.target for entry in theory.inputs if entry.kind == "event"}
    for event in events or ():
        if event not in acting:
            absent.append(f"event {event!r} is no input of the theory")
        elif acting[event] not in kept:
            absent.append(f"event {event!r} acts on {acting[event]}, which is not measured: no effect in the fit")
    return Plan(theory, states, couplings, inputs, tuple(absent))


def _is_measured(variable: Variable, person: str, measured: set[tuple[str, str]]) -> bool:
    persons = ("patient", "therapist") if person == "dyad" else (person,)
    return any((variable.id, who) in measured for who in persons)
