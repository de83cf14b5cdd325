"""Compile a theory: keep the parts that a study measures and say how parameters become a field."""

from dataclasses import dataclass

import jax.numpy as jnp
from jaxtyping import Array

from dyadloop.errors import FitError
from dyadloop.field.field import Field
from dyadloop.theory import Coupling, Input, Quantity, Theory, Variable, hypothesis
from dyadloop.units import days, per_day


@dataclass(frozen=True)
class State:
    """One state of the compiled theory: a variable in a person or in the dyad."""

    id: str
    variable: Variable
    person: str


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
        return tuple(dict.fromkeys(state.variable for state in self.states))

    @property
    def events(self) -> tuple[Input, ...]:
        """Inputs that are events, in order."""
        return tuple(entry for entry in self.inputs if entry.kind == "event")

    def parameters(self) -> dict[str, Quantity]:
        """Return every parameter by id, with its default, unit, prior and source."""
        found: dict[str, Quantity] = {}
        for variable in self.variables:
            found[f"tau_{variable.id}"] = variable.time_constant
            found[f"sd_{variable.id}"] = variable.fluctuation
            found[f"between_{variable.id}"] = variable.between
            if variable.start is not None:
                found[f"start_{variable.id}"] = variable.start
        found.update({coupling.id: coupling.coefficient for coupling in self.couplings})
        found.update({entry.id: entry.coefficient for entry in self.inputs})
        for level in ("between", "noise"):
            quantity = getattr(self.theory.correlations, level)
            found.update({f"rho_{level}_{later.id}_{earlier.id}": quantity for later, earlier in self._pairs(level)})
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
        """Return the field for parameter values given in the units of the theory file."""
        tau = {v.id: values[f"tau_{v.id}"] * days(1.0, v.time_constant.unit) for v in self.variables}
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

    def _indices(self, variable: str) -> list[int]:
        return [index for index, state in enumerate(self.states) if state.variable.id == variable]

    def _matrix(self, gate: str, values: dict, tau: dict) -> Array:
        """Return coupling rates, target by source; a source in two persons counts with their mean."""
        matrix = jnp.zeros((len(self.states), len(self.states)))
        for coupling in self.couplings:
            if coupling.gate != gate:
                continue
            sources, targets = self._indices(coupling.source), self._indices(coupling.target)
            rate = 1.0 / tau[coupling.target] if coupling.is_gain else per_day(1.0, coupling.coefficient.unit)
            entry = coupling.sign * values[coupling.id] * rate / len(sources)
            rows, columns = jnp.array(targets)[:, None], jnp.array(sources)[None, :]
            matrix = matrix.at[rows, columns].add(entry)
        return matrix

    def _factor(self, level: str, values: dict, sd: Array) -> Array:
        """Return sd times the Cholesky factor of a correlation matrix, from its partial correlations."""
        partial = jnp.zeros((len(sd), len(sd)))
        for later, earlier in self._pairs(level):
            place = self.states.index(later), self.states.index(earlier)
            partial = partial.at[place].set(jnp.tanh(values[f"rho_{level}_{later.id}_{earlier.id}"]))
        left = jnp.cumprod(1.0 - partial**2, axis=1)
        left = jnp.concatenate([jnp.ones((len(sd), 1)), left[:, :-1]], axis=1)
        return sd[:, None] * (partial + jnp.eye(len(sd))) * jnp.sqrt(left)

    def _drive(self, values: dict, tau: dict) -> Array:
        drive = jnp.zeros(len(self.states))
        for entry in self.inputs:
            if entry.kind == "session":
                drive = drive.at[jnp.array(self._indices(entry.target))].add(values[entry.id] / tau[entry.target])
        return drive

    def _jumps(self, values: dict) -> Array:
        jumps = jnp.zeros((len(self.events), len(self.states)))
        for row, entry in enumerate(self.events):
            reached = [i for i in self._indices(entry.target) if entry.person in (None, self.states[i].person)]
            jumps = jumps.at[row, jnp.array(reached, dtype=int)].add(values[entry.id] / entry.per)
        return jumps


def compile_theory(
    theory: Theory, measured: set[tuple[str, str]] | None = None, events: tuple[str, ...] | None = None
) -> Plan:
    """Reduce a theory to what is measured, or compile all of it.

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
    states = tuple(
        State(variable.id if len(variable.persons) == 1 else f"{variable.id}_{person}", variable, person)
        for variable in theory.variables
        for person in variable.persons
        if measured is None or _is_measured(variable, person, measured)
    )
    if not states:
        known = ", ".join(variable.id for variable in theory.variables)
        got = ", ".join(sorted({quantity for quantity, _ in measured or ()})) or "nothing"
        raise FitError(f"the study measures {got}; theory {theory.id!r} knows {known}; map an indicator in study.yaml")
    kept = {state.variable.id for state in states}
    if theory.hypothesis is None and measured is not None:
        has_oxytocin = any(variable.kind == "oxytocin" and variable.id in kept for variable in theory.variables)
        name = "reciprocal" if has_oxytocin else "network"
        if any(rival.name == name for rival in theory.hypotheses):
            theory = hypothesis(name, theory)
    couplings = tuple(c for c in theory.couplings if c.source in kept and c.target in kept)
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
