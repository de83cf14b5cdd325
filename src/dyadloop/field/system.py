"""A theory with numbers in it, nonlinear, for one dyad or many at once: the only place where its equations are code.

Node values may carry any trailing axes (dyads, draws), and so may the numbers; the first axis is the state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from dyadloop.field.plan import Plan, State, rate_factor, time_constant_days
from dyadloop.theory import FORMS, JOINTS, Coupling
from dyadloop.theory.nodes import constant_id, nodes_of, pairs_of

Gate = bool | Float[Array, ""] | float


@dataclass(frozen=True)
class Source:
    """One source of an arrow: its nodes (of which the mean acts), its form, and whether centred."""

    nodes: tuple[int, ...]
    form: str
    centred: bool


@dataclass(frozen=True)
class Arrow:
    """A coupling between nodes: sources, their joint form, targets, and where it enters.

    A plain one, linear in a single source and entering a rate, is also part of the matrices of the system.
    """

    id: str
    sources: tuple[Source, ...]
    joint: str | None
    targets: tuple[int, ...]
    gated: bool
    enters: Literal["rate", "argument"]
    transfer: bool
    plain: bool


@dataclass(frozen=True)
class Node:
    """A node as the equations need it."""

    id: str
    kind: str
    logistic: bool
    activation: str | None
    lower: float | None
    held: float | None
    noisy: bool


class System(eqx.Module):
    """The right-hand side of a theory. Rates are per day.

    Attributes
    ----------
    nodes
        States first, then contexts, then definitions in the order of their computation.
    n_states
        Number of states.
    arrows
        Couplings between nodes.
    frozen
        1 where a node acts on as it does but passes no derivative on, which cuts a loop without moving the state;
        0 elsewhere.
    decay
        Own decay rates of the states, what is transferred away included [1/d].
    levels
        Where each node rests without arrows [unit of the node].
    rates
        Signed coefficient of each arrow [target unit/d, or target unit where it enters an argument].
    constants
        Constants of the forms of each arrow's sources.
    activations
        Constants of the activation and the bias of each node, empty where it has none.
    always, session
        Rates of the plain arrows that act always and in session only, state by node [target unit/d per source unit].
    always_rest, session_rest
        What centred plain arrows take away, their sources at rest [state unit/d].
    pushes
        Push on each state while a session runs [state unit/d].
    fluctuation
        Stationary sd of the noise of each state that its own decay would leave, 0 where there is none [state unit].
    correlation
        Lower factor of the correlation of the noise, None where it is independent.
    """

    nodes: tuple[Node, ...] = eqx.field(static=True)
    n_states: int = eqx.field(static=True)
    arrows: tuple[Arrow, ...] = eqx.field(static=True)
    frozen: tuple[Array, ...]
    decay: tuple[Array, ...]
    own_decay: tuple[Array, ...]
    levels: tuple[Array, ...]
    rates: tuple[Array, ...]
    constants: tuple[tuple[dict[str, Array], ...], ...]
    activations: tuple[dict[str, Array], ...]
    always: Array
    session: Array
    always_rest: tuple[Array, ...]
    session_rest: tuple[Array, ...]
    pushes: tuple[Array, ...]
    fluctuation: tuple[Array, ...]
    correlation: Array | None

    @property
    def names(self) -> tuple[str, ...]:
        """State ids, in order."""
        return tuple(node.id for node in self.nodes[: self.n_states])

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kind of each state."""
        return tuple(node.kind for node in self.nodes[: self.n_states])

    def resting(self, index: int) -> Array:
        """Return the acting value of a node at its level."""
        level = self.levels[index]
        return jax.nn.sigmoid(level) if self.nodes[index].logistic else level

    def acting(self, state: Float[Array, "state ..."], gate: Gate, floors: bool = True) -> list[Array]:
        """Return the value with which every node acts on others, definitions included."""
        values = []
        for index, node in enumerate(self.nodes[: self.n_states]):
            value = jax.nn.sigmoid(state[index]) if node.logistic else state[index]
            if floors and node.lower is not None:
                value = jnp.where(value < node.lower, node.lower, value)
            values.append(value)
        into: dict[int, list[int]] = {}
        for place, arrow in enumerate(self.arrows):
            for target in arrow.targets:
                into.setdefault(target, []).append(place)
        for index in range(self.n_states, len(self.nodes)):
            level = self.levels[index] + jnp.zeros_like(state[0])
            argument = self._argument(index, into.get(index, []), values, gate)
            values.append(self._activated(index, argument) + level)
        return values

    def _argument(self, index: int, places: list[int], values: list[Array], gate: Gate) -> Array:
        total = jnp.zeros_like(values[0])
        for place in places:
            arrow = self.arrows[place]
            if arrow.enters == "argument" and not (arrow.gated and gate is False):
                total = total + self._weight(arrow, gate) * self.rates[place] * self._effect(place, index, values)
        return total

    def _activated(self, index: int, argument: Array) -> Array:
        node, numbers = self.nodes[index], self.activations[index]
        if node.activation is None:
            return argument
        constants = {name: value for name, value in numbers.items() if name != "bias"}
        return FORMS[node.activation].value(jnp, argument + numbers["bias"], **constants)

    @staticmethod
    def _weight(arrow: Arrow, gate: Gate) -> Array | float:
        return 1.0 if not arrow.gated or gate is True else jnp.asarray(gate, dtype=float)

    def _effect(self, place: int, target: int, values: list[Array]) -> Array:
        """Return what an arrow's sources do together, before the coefficient."""
        arrow = self.arrows[place]
        parts = []
        for source, constants in zip(arrow.sources, self.constants[place], strict=True):
            reached = [values[i] - self.resting(i) if source.centred else values[i] for i in source.nodes]
            reached = [self._passed(i, value) for i, value in zip(source.nodes, reached, strict=True)]
            value = sum(reached[1:], reached[0]) / len(reached)
            parts.append(FORMS[source.form].value(jnp, value, **constants))
        return JOINTS[arrow.joint].value(jnp, parts) if arrow.joint else parts[0]

    def _passed(self, index: int, value: Array) -> Array:
        """Return a value whose derivative is passed on unless the node is frozen."""
        if self.nodes[index].kind != "oxytocin":
            return value
        held = jax.lax.stop_gradient(value)
        return held + (1.0 - self.frozen[index]) * (value - held)

    def freeze_oxytocin(self) -> "System":
        """Return the system in which changes of oxytocin are not passed on."""
        frozen = tuple(jnp.asarray(float(node.kind == "oxytocin")) for node in self.nodes)
        return replace(self, frozen=frozen)

    def push(
        self,
        state: Float[Array, "state ..."],
        gate: Gate,
        floors: bool = True,
        pinned: Bool[Array, "state ..."] | None = None,
    ) -> Float[Array, "state ..."]:
        """Return everything but the own decay: x' = push - decay x [state unit/d].

        Without ``floors`` as if there were none; with ``pinned`` these states stay, instead of those at their floor.
        """
        rates, arguments = self._collected(state, gate, floors)
        for index, node in enumerate(self.nodes[: self.n_states]):
            if index in arguments:
                activated = self._activated(index, arguments[index])
                rates[index] = rates[index] + self.own_decay[index] * activated
            stay = self.decay[index] * state[index]
            if node.held is not None:
                rates[index] = stay
            elif node.lower is not None and floors:
                at_floor = (state[index] <= node.lower) & (rates[index] < stay)
                rates[index] = jnp.where(at_floor if pinned is None else pinned[index], stay, rates[index])
        return jnp.stack(rates)

    @property
    def has_floors(self) -> bool:
        """Whether any state has a floor."""
        return any(node.lower is not None for node in self.nodes[: self.n_states])

    def _lower(self, state: Array) -> Array:
        rows = [-jnp.inf if node.lower is None else node.lower for node in self.nodes[: self.n_states]]
        return jnp.array(rows).reshape(-1, *[1] * (state.ndim - 1))

    def at_floor(self, state: Float[Array, "state ..."], gate: Gate) -> Bool[Array, "state ..."]:
        """Return which states lie at their floor and are pushed down."""
        return (state <= self._lower(state)) & (self.drift(state, gate, floors=False) < 0)

    def missed_floor(
        self, state: Float[Array, "state ..."], gate: Gate, pinned: Bool[Array, "state ..."], h: Array
    ) -> Float[Array, "state ..."]:
        """Return by how much a step has passed a floor, or has kept a state there that wants to leave [state unit]."""
        passed = jnp.maximum(self._lower(state) - state, 0.0)
        kept = h * jnp.maximum(self.drift(state, gate, floors=False), 0.0)
        return jnp.where(pinned, kept, passed)

    def drive(self, state: Float[Array, "state ..."], gate: Gate, index: int) -> Array:
        """Return what drives a state before any activation: the argument of it, or the push as a distance."""
        rates, arguments = self._collected(state, gate)
        return arguments[index] if index in arguments else rates[index] / self.decay[index]

    def _collected(self, state: Array, gate: Gate, floors: bool = True) -> tuple[list[Array], dict[int, Array]]:
        """Return the rates of all states and the arguments of those with an activation."""
        values = self.acting(state, gate, floors)
        shape = jnp.zeros_like(values[0])
        rates = list(self._plain(values, gate))
        arguments = {i: shape for i in range(self.n_states) if self.nodes[i].activation is not None}
        for place, arrow in enumerate(self.arrows):
            if arrow.plain or (arrow.gated and gate is False) or arrow.targets[0] >= self.n_states:
                continue
            effect = self._weight(arrow, gate) * self.rates[place] * self._effect(place, arrow.targets[0], values)
            for target in arrow.targets:
                if arrow.enters == "argument":
                    arguments[target] = arguments[target] + effect
                else:
                    rates[target] = rates[target] + effect
        return rates, arguments

    def _plain(self, values: list[Array], gate: Gate) -> Array:
        """Return the rates that levels, pushes and plain arrows cause."""
        shape = jnp.zeros_like(values[0])
        stacked = jnp.stack([self._passed(index, value) for index, value in enumerate(values)])
        own = [level * decay for level, decay in zip(self.levels, self.own_decay, strict=False)]
        rates = jnp.stack([rest + value + shape for rest, value in zip(self.always_rest, own, strict=True)])
        rates = rates + _applied(self.always, stacked)
        if gate is False:
            return rates
        pushed = jnp.stack([rest + push + shape for rest, push in zip(self.session_rest, self.pushes, strict=True)])
        return rates + jnp.asarray(gate, dtype=float) * (pushed + _applied(self.session, stacked))

    def drift(self, state: Float[Array, "state ..."], gate: Gate, floors: bool = True) -> Float[Array, "state ..."]:
        """Return the rate of change of a state [state unit/d]."""
        push = self.push(state, gate, floors)
        return push - jnp.stack([jnp.broadcast_to(d, push.shape[1:]) for d in self.decay]) * state

    def jacobian(self, state: Float[Array, " state"], gate: Gate) -> Float[Array, "state state"]:
        """Return the derivative of the drift at a state [1/d]."""
        return jax.jacfwd(lambda z: self.drift(z, gate))(state)


def _applied(matrix: Array, values: Array) -> Array:
    """Return a matrix times node values; a third axis of the matrix is that of the dyads."""
    return jnp.tensordot(matrix, values, 1) if matrix.ndim == 2 else jnp.sum(matrix * values[None], axis=1)


def system_of(plan: Plan, values: Mapping[str, Any], offsets: dict[str, Array] | None = None) -> System:
    """Return the system of a plan for parameter values in the units of the theory file.

    Parameters
    ----------
    plan
        Compiled theory.
    values
        Parameter values; arrays give one value per dyad.
    offsets
        What is added to the level of a node, such as a dyad's own level, by node id.
    """
    contexts, definitions = nodes_of(plan.theory, "context"), nodes_of(plan.theory, "definition")
    nodes = (*plan.states, *contexts, *definitions)
    tau = {state.variable.id: time_constant_days(state.variable, values) for state in plan.states}
    own = [1.0 / jnp.asarray(tau[state.variable.id], dtype=float) for state in plan.states]
    arrows, rates, constants, decay = _arrows(plan, values, nodes, tau, own)
    pushes = [jnp.zeros(()) for _ in plan.states]
    for entry in plan.inputs:
        if entry.kind == "session":
            for index in plan.reached(entry):
                pushes[index] = pushes[index] + values[entry.id] / tau[entry.target]
    added = offsets or {}
    levels = [
        jnp.asarray(values.get(f"level_{node.variable.id}", 0.0) + added.get(node.id, 0.0), dtype=float)
        for node in nodes
    ]
    acting = [
        jax.nn.sigmoid(level) if node.variable.link == "logistic" else level
        for node, level in zip(nodes, levels, strict=True)
    ]
    always, always_rest = _matrix(arrows, rates, acting, len(plan.states), False)
    session, session_rest = _matrix(arrows, rates, acting, len(plan.states), True)
    return System(
        nodes=tuple(_node(node) for node in nodes),
        n_states=len(plan.states),
        arrows=tuple(arrows),
        frozen=tuple(jnp.zeros(()) for _ in nodes),
        decay=tuple(decay),
        own_decay=tuple(own),
        levels=tuple(levels),
        rates=tuple(rates),
        constants=tuple(constants),
        activations=tuple(_activation(node, values) for node in nodes),
        always=always,
        session=session,
        always_rest=always_rest,
        session_rest=session_rest,
        pushes=tuple(jnp.asarray(push, dtype=float) for push in pushes),
        fluctuation=tuple(
            jnp.asarray(values.get(f"sd_{state.variable.id}", 0.0), dtype=float) for state in plan.states
        ),
        correlation=plan.correlation("noise", values),
    )


def _arrows(
    plan: Plan, values: Mapping[str, Any], nodes: tuple[State, ...], tau: dict, own: list[Array]
) -> tuple[list[Arrow], list[Array], list[tuple[dict[str, Array], ...]], list[Array]]:
    """Return arrows, their rates and constants, and the decay rates with what is transferred away."""
    arrows, rates, constants, decay = [], [], [], list(own)
    for coupling in plan.couplings:
        rate = coupling.sign * jnp.asarray(values[coupling.id], dtype=float)
        activated = plan.theory.variable(coupling.target).activation is not None and coupling.is_gain
        argument = activated or coupling.target not in tau
        if not argument:
            rate = rate * rate_factor(coupling, tau[coupling.target])
        numbers = tuple(
            {key: jnp.asarray(values[constant_id(coupling, term.source, key)], dtype=float) for key in term.constants}
            for term in coupling.terms
        )
        for targets, reached in _grouped(coupling, nodes):
            sources = tuple(
                Source(indices, term.form, term.centred) for term, indices in zip(coupling.terms, reached, strict=True)
            )
            enters, gated = "argument" if argument else "rate", coupling.gate == "session"
            plain = coupling.is_linear and not argument
            arrows.append(Arrow(coupling.id, sources, coupling.joint, targets, gated, enters, coupling.transfer, plain))
            rates.append(rate)
            constants.append(numbers)
            if coupling.transfer:
                for index in reached[0]:
                    decay[index] = decay[index] + rate * len(targets) / len(reached[0])
    return arrows, rates, constants, decay


def _matrix(
    arrows: list[Arrow], rates: list[Array], acting: list[Array], n_states: int, gated: bool
) -> tuple[Array, tuple[Array, ...]]:
    """Return the rates of plain arrows, state by node, and what centring takes away from each state."""
    chosen = [(a, rate) for a, rate in zip(arrows, rates, strict=True) if a.plain and a.gated == gated]
    shape = jnp.broadcast_shapes(*(rate.shape for _, rate in chosen)) if chosen else ()
    matrix = jnp.zeros((n_states, len(acting), *shape))
    rest = [jnp.zeros(()) for _ in range(n_states)]
    for arrow, rate in chosen:
        (source,) = arrow.sources
        for target in arrow.targets:
            for index in source.nodes:
                share = rate / len(source.nodes)
                matrix = matrix.at[target, index].add(share)
                rest[target] = rest[target] - (share * acting[index] if source.centred else 0.0)
    return matrix, tuple(rest)


def _grouped(coupling: Coupling, nodes: tuple[State, ...]) -> list[tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]]:
    """Return targets with the same sources together, so that each effect is computed once."""
    groups: dict[tuple[tuple[int, ...], ...], list[int]] = {}
    for target, reached in pairs_of(coupling, nodes):
        groups.setdefault(reached, []).append(target)
    return [(tuple(targets), reached) for reached, targets in groups.items()]


def _node(node: State) -> Node:
    variable = node.variable
    activation = variable.activation.form if variable.activation is not None else None
    noisy = variable.fluctuation is not None and variable.held is None
    return Node(node.id, variable.kind, variable.link == "logistic", activation, variable.lower, variable.held, noisy)


def _activation(node: State, values: Mapping[str, Any]) -> dict[str, Array]:
    if node.variable.activation is None:
        return {}
    name = node.variable.id
    constants = node.variable.activation.constants
    found = {key: jnp.asarray(values[f"activation_{name}_{key}"], dtype=float) for key in constants}
    return found | {"bias": jnp.asarray(values.get(f"bias_{name}", 0.0), dtype=float)}
