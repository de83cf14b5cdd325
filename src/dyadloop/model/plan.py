"""Compile a theory: keep the parts that a study measures and say how parameters become a process model or a system."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array

from dyadloop.errors import FitError
from dyadloop.model.correlations import correlation_factor, symmetric_factor
from dyadloop.model.nonlinear_terms import NonlinearTerms
from dyadloop.model.numbers import Number
from dyadloop.model.process_model import ProcessModel
from dyadloop.model.system import Arrow, Source
from dyadloop.theory import Coupling, Input, Quantity, Theory, Variable, hypothesis
from dyadloop.theory.nodes import Node, constant_id, coupling_numbers, nodes_of, pairs_of, variable_numbers
from dyadloop.theory.numbers import PARTNERS
from dyadloop.theory.smoothness import roughness
from dyadloop.units import days, per_day


@dataclass(frozen=True)
class Plan:
    """A theory reduced to some states: which parameters it has and how they make a process model.

    ``observed_contexts`` names the contexts whose values the study holds; they moderate arrows and are no parameters.
    ``fixed`` holds parameters fixed at these values, in the units of the theory file. ``partners`` are the states of
    partners who cannot be told apart, ``ties`` the names of parameters that are another by its name.
    """

    theory: Theory
    states: tuple[Node, ...]
    couplings: tuple[Coupling, ...]
    inputs: tuple[Input, ...]
    left_out: tuple[str, ...]
    observed_contexts: tuple[str, ...] = ()
    fixed: tuple[tuple[str, float], ...] = ()
    partners: tuple[tuple[int, int], ...] = ()
    ties: tuple[tuple[str, str], ...] = ()

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
        kept |= {
            source for coupling in self.couplings for source in coupling.sources if source not in self.observed_contexts
        }
        for variable in self.theory.variables:
            if variable.dynamics == "definition" or variable.id in kept:
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
        absent = {*dict(self.fixed), *dict(self.ties)}
        return {name: quantity for name, quantity in found.items() if name not in absent}

    def untied(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return values with those that are another by its name."""
        return {**values, **{name: values[own] for name, own in self.ties if own in values}}

    def _pairs(self, level: str) -> list[tuple[Node, Node]]:
        """Return the pairs of states that may correlate.

        Oxytocin pulses last minutes and levels last days: noise that both share leaves no trace, so it is absent. A
        factor is what correlates the others.
        """
        measured = [state for state in self.states if state.variable.kind != "factor"]
        pairs = [(later, earlier) for row, later in enumerate(measured) for earlier in measured[:row]]
        pairs = [(later, earlier) for later, earlier in pairs if self._is_symmetric(later, earlier)]
        if level == "between":
            return pairs
        return [
            (later, earlier)
            for later, earlier in pairs
            if (later.variable.kind == "oxytocin") == (earlier.variable.kind == "oxytocin")
        ]

    def _is_symmetric(self, later: Node, earlier: Node) -> bool:
        """Return whether a correlation is a parameter where partners cannot be told apart."""
        seconds = [self.states[second] for _, second in self.partners]
        pair = (self.states.index(earlier), self.states.index(later))
        return (later in seconds) == (earlier in seconds) or pair in self.partners

    def defaults(self) -> dict[str, float]:
        """Return the values of the theory file, in its units."""
        return {name: quantity.value for name, quantity in self.parameters().items()}

    def process_model(self, values: dict[str, Any]) -> ProcessModel:
        """Return the process model for parameter values given in the units of the theory file."""
        values = self.untied({**dict(self.fixed), **values})
        tau = {v.id: time_constant_days(v, values) for v in self.variables}
        sd = jnp.array([values[f"sd_{state.variable.id}"] for state in self.states])
        decay = jnp.array([1.0 / tau[state.variable.id] for state in self.states])
        noise = self._factor("noise", values, sd * jnp.sqrt(2.0 * decay))
        noise = noise @ noise.T
        starts = [values.get(f"start_{state.variable.id}", 0.0) for state in self.states]
        return ProcessModel(
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
                "between", values, jnp.array([values.get(f"between_{s.variable.id}", 0.0) for s in self.states])
            ),
            jumps=self._jumps(values),
            moderated=self._moderated(values, tau),
            nonlinear=self._bends(values, tau),
        )

    def process_by_dyad(self, values: dict[str, Any], own: Mapping[str, Array]) -> ProcessModel:
        """Return the process model of all dyads, or one for each where ``own`` has parameters with a value per dyad."""
        if not own:
            return self.process_model(values)
        each = jax.vmap(lambda part: self.process_model({**values, **part}))(dict(own))
        return replace(each, of_dyads=True)

    def _matrix(self, gate: str, values: dict, tau: dict) -> Array:
        """Return coupling rates, target by source."""
        matrix = jnp.zeros((len(self.states), len(self.states)))
        for coupling in self.couplings:
            if coupling.gate != gate or not coupling.is_linear:
                continue
            rate = coupling.sign * values[coupling.id] * rate_factor(coupling, tau.get(coupling.target))
            for target, (sources,) in pairs_of(coupling, self.states):
                matrix = matrix.at[target, jnp.array(sources)].add(rate / len(sources))
        return matrix

    def _moderated(self, values: dict, tau: dict) -> Array | None:
        """Return what one unit of each context adds to the coupling rates (context, gate, target by source)."""
        n, chosen = len(self.states), [c for c in self.couplings if c.moderated(self.observed_contexts)]
        if not chosen:
            return None
        found = jnp.zeros((len(self.observed_contexts), 2, n, n))
        for coupling in chosen:
            (layer,) = (
                self.observed_contexts.index(name) for name in coupling.sources if name in self.observed_contexts
            )
            rate = coupling.sign * values[coupling.id] * rate_factor(coupling, tau.get(coupling.target))
            for target, reached in pairs_of(coupling, self.states):
                (sources,) = (nodes for nodes in reached if nodes)  # a context is no state
                place = layer, int(coupling.gate == "session"), target, jnp.array(sources)
                found = found.at[place].add(rate / len(sources))
        return found

    def _bends(self, values: dict, tau: dict) -> NonlinearTerms | None:
        """Return the arrows that are not linear."""
        arrows, rates, constants = [], [], []
        for coupling in self.couplings:
            if coupling.is_linear or coupling.moderated(self.observed_contexts):
                continue
            rate = coupling.sign * values[coupling.id] * rate_factor(coupling, tau.get(coupling.target))
            for targets, reached in grouped(coupling, self.states):
                sources = tuple(
                    Source(nodes, term.form, term.centred) for term, nodes in zip(coupling.terms, reached, strict=True)
                )
                gated, rough = coupling.gate == "session", roughness(coupling, dict(self.fixed))
                arrows.append(Arrow(coupling.id, sources, coupling.joint, targets, gated, "rate", False, False, rough))
                rates.append(jnp.asarray(rate))
                constants.append(constants_of(coupling, values))
        return NonlinearTerms(tuple(arrows), tuple(rates), tuple(constants)) if arrows else None

    @property
    def is_linear(self) -> bool:
        """Whether every arrow is linear in the states, which makes the likelihood exact."""
        return all(coupling.is_linear or coupling.moderated(self.observed_contexts) for coupling in self.couplings)

    @property
    def has_kink(self) -> list[str]:
        """Arrows that jump or have a kink, so that nothing can be linearised."""
        rough = {c.id: roughness(c, dict(self.fixed)) for c in self.couplings}
        return [name for name, order in rough.items() if order is not None and order < 2]

    def _factor(self, level: str, values: Mapping[str, Any], sd: Array) -> Array:
        """Return sd times the Cholesky factor of a correlation matrix, from its partial correlations."""
        partial = jnp.zeros((len(sd), len(sd)))
        for later, earlier in self._pairs(level):
            place = self.states.index(later), self.states.index(earlier)
            partial = partial.at[place].set(jnp.tanh(values[f"rho_{level}_{later.id}_{earlier.id}"]))
        if self.partners:
            return sd[:, None] * symmetric_factor(partial, self.partners)
        return sd[:, None] * correlation_factor(partial)

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


def time_constant_days(variable: Variable, values: Mapping[str, Any]) -> Number | float:
    """Return the time constant of a variable [d], infinite where nothing decays."""
    if variable.time_constant is None:
        return jnp.inf
    return values[f"tau_{variable.id}"] * days(1.0, variable.time_constant.unit)


def grouped(coupling: Coupling, nodes: tuple[Node, ...]) -> list[tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]]:
    """Return targets with the same sources together, so that each effect is computed once."""
    groups: dict[tuple[tuple[int, ...], ...], list[int]] = {}
    for target, reached in pairs_of(coupling, nodes):
        groups.setdefault(reached, []).append(target)
    return [(tuple(targets), reached) for reached, targets in groups.items()]


def constants_of(
    coupling: Coupling,
    values: Mapping[str, Any],
    xp: Any = jnp,  # noqa: ANN401 - NumPy or JAX
) -> tuple[dict[str, Number], ...]:
    """Return the constants of the forms of a coupling's sources."""
    return tuple(
        {key: xp.asarray(values[constant_id(coupling, term.source, key)], dtype=float) for key in term.constants}
        for term in coupling.terms
    )


def rate_factor(coupling: Coupling, tau: Number | float | None) -> Number | float:
    """Return what turns a coefficient into a rate per day: a gain acts through the target's time constant."""
    if not coupling.is_gain:
        return per_day(1.0, coupling.coefficient.unit)
    return 1.0 if tau is None else 1.0 / tau


def compile_theory(
    theory: Theory,
    measured: set[tuple[str, str]] | None = None,
    events: tuple[str, ...] | None = None,
    contexts: tuple[str, ...] = (),
) -> Plan:
    """Reduce a theory to what is measured, or compile all of it that is switched on.

    Every result rests on 64-bit numbers, so this call switches JAX to them in the whole process. It is the door to all
    that computes with a theory: fits, simulations, dynamics. Nothing is switched by an import.

    Without oxytocin the direct network (M5) remains, with oxytocin the reciprocal hypothesis (M3), unless the
    theory is already restricted to a hypothesis or knows none of these names. A factor is never measured: it stays
    where it acts on something that is.

    Parameters
    ----------
    theory
        Theory to compile.
    measured
        Pairs of quantity and person that a study measures; None keeps every variable in every person.
    events
        Names of the events that the study holds; None keeps every input of the theory.
    contexts
        Names of the covariates of persons that the study holds; of no effect where ``measured`` is None.

    Raises
    ------
    FitError
        If nothing that the theory speaks of is measured; the message lists what it knows.
    """
    jax.config.update("jax_enable_x64", True)
    theory = theory.active()
    kept = {variable.id for variable in theory.variables}
    if measured is not None:
        seen = {s.variable.id for s in nodes_of(theory, "state") if _is_measured(s.variable, s.person, measured)}
        if not seen:
            got = ", ".join(sorted({quantity for quantity, _ in measured})) or "nothing"
            known = ", ".join(dict.fromkeys(variable.measured_as for variable in theory.variables))
            raise FitError(
                f"the study measures {got}; theory {theory.id!r} knows {known}; map an indicator in study.yaml"
            )
        theory = _chosen(theory, seen)
        factors = {variable.id for variable in theory.of_kind("factor") if variable.dynamics == "state"}
        kept = seen | {f for f in factors if any(f in c.sources and c.target in seen for c in theory.couplings)}
        kept |= {variable.id for variable in theory.variables if variable.dynamics == "context"} & set(contexts)
    states = tuple(
        state
        for state in nodes_of(theory, "state")
        if measured is None
        or (state.variable.id in kept and state.variable.kind == "factor")
        or _is_measured(state.variable, state.person, measured)
    )
    couplings = tuple(c for c in theory.couplings if {*c.sources, c.target} <= kept)
    inputs = tuple(
        entry
        for entry in theory.inputs
        if entry.target in kept and (entry.kind == "session" or events is None or entry.event in events)
    )
    given = tuple(v.id for v in theory.variables if v.dynamics == "context" and v.id in kept and measured is not None)
    return Plan(theory, states, couplings, inputs, tuple(_left_out(theory, kept, events or ())), given)


def _chosen(theory: Theory, measured: set[str]) -> Theory:
    """Return the theory restricted to the hypothesis that stands for the whole with what is measured."""
    if theory.hypothesis is not None:
        return theory
    has_oxytocin = any(variable.kind == "oxytocin" and variable.id in measured for variable in theory.variables)
    name = "reciprocal" if has_oxytocin else "network"
    return hypothesis(name, theory) if any(rival.name == name for rival in theory.hypotheses) else theory


def _left_out(theory: Theory, kept: set[str], events: tuple[str, ...]) -> list[str]:
    """Return what of a theory and of a study's events a plan does not use, in words."""
    absent = []
    for variable in theory.variables:
        if variable.id not in kept:
            how = f"no covariate of persons named {variable.id!r}" if variable.dynamics == "context" else "not measured"
            absent.append(f"{variable.label} is {how}")
    for event in events:
        reached = [entry.target for entry in theory.inputs if entry.kind == "event" and entry.event == event]
        missing = [target for target in dict.fromkeys(reached) if target not in kept]
        if not reached:
            absent.append(f"event {event!r} is no input of the theory")
        elif missing:
            what = f"{', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not measured"
            absent.append(f"event {event!r} acts on {what}: no effect in the fit")
    return absent


def _is_measured(variable: Variable, person: str, measured: set[tuple[str, str]]) -> bool:
    persons = PARTNERS if person == "dyad" else (person,)
    return any((variable.measured_as, who) in measured for who in persons)
