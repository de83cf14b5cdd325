"""A theory with numbers in it, nonlinear, for one dyad or many at once: the only place where its equations are code.

CompiledNode values may carry any trailing axes (dyads, draws), and so may the numbers; the first axis is the state.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from dyadloop.model.numbers import Number
from dyadloop.theory import FORMS, JOINTS

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
    ``roughness`` is the lowest derivative that is not continuous everywhere, None where all are.
    """

    id: str
    sources: tuple[Source, ...]
    joint: str | None
    targets: tuple[int, ...]
    gated: bool
    enters: Literal["rate", "argument"]
    transfer: bool
    plain: bool
    roughness: int | None = None


@dataclass(frozen=True)
class CompiledNode:
    """A node as the equations need it."""

    id: str
    kind: str
    logistic: bool
    activation: str | None
    lower: float | None
    clamped: float | None
    noisy: bool


def joined(arrow: Arrow, constants: tuple[dict[str, Array], ...], reached: list[list[Array]]) -> Array:
    """Return what the sources of an arrow do together, before the coefficient; ``reached`` holds their values."""
    parts = []
    for source, numbers, values in zip(arrow.sources, constants, reached, strict=True):
        value = sum(values[1:], values[0]) / len(values)
        parts.append(FORMS[source.form].value(jnp, value, **numbers))
    return JOINTS[arrow.joint].value(jnp, parts) if arrow.joint else parts[0]


_MATRICES = ("always", "session", "correlation")


def differs(number: Number, rank: int = 0) -> bool:
    """Return whether a number, or a matrix where ``rank`` is 2, differs between dyads: these are then its last axis."""
    return jnp.ndim(number) > rank


def at_dyads(numbers: Any, chosen: np.ndarray, rank: int = 0) -> Any:  # noqa: ANN401 - a tree of numbers
    """Return numbers, or matrices where ``rank`` is 2, of some dyads."""
    return jax.tree.map(lambda number: number[..., chosen] if differs(number, rank) else number, numbers)


class System(eqx.Module):
    """The right-hand side of a theory. Rates are per day. A number that differs between dyads has them as last axis.

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

    nodes: tuple[CompiledNode, ...] = eqx.field(static=True)
    n_states: int = eqx.field(static=True)
    arrows: tuple[Arrow, ...] = eqx.field(static=True)
    frozen: tuple[Number, ...]
    decay: tuple[Number, ...]
    own_decay: tuple[Number, ...]
    levels: tuple[Number, ...]
    rates: tuple[Number, ...]
    constants: tuple[tuple[dict[str, Number], ...], ...]
    activations: tuple[dict[str, Number], ...]
    always: Number
    session: Number
    always_rest: tuple[Number, ...]
    session_rest: tuple[Number, ...]
    pushes: tuple[Number, ...]
    fluctuation: tuple[Number, ...]
    correlation: Number | None

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
        reached = [
            [self._passed(i, values[i] - self.resting(i) if source.centred else values[i]) for i in source.nodes]
            for source in arrow.sources
        ]
        return joined(arrow, self.constants[place], reached)

    def _passed(self, index: int, value: Array) -> Array:
        """Return a value whose derivative is passed on unless the node is frozen."""
        if self.nodes[index].kind != "oxytocin":
            return value
        held = jax.lax.stop_gradient(value)
        return held + (1.0 - self.frozen[index]) * (value - held)

    def freeze_oxytocin(self) -> "System":
        """Return the system in which changes of oxytocin are not passed on."""
        # the same type as what it replaces, so that one compiled program does for both
        frozen = tuple(jnp.asarray(node.kind == "oxytocin", dtype=float) for node in self.nodes)
        return replace(self, frozen=frozen)

    def at_dyads(self, chosen: np.ndarray) -> "System":
        """Return the system of some dyads."""
        numbers = {entry.name: getattr(self, entry.name) for entry in fields(self) if not entry.metadata.get("static")}
        return replace(self, **{n: at_dyads(part, chosen, 2 if n in _MATRICES else 0) for n, part in numbers.items()})

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
            if node.clamped is not None:
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

    def argument(self, state: Float[Array, "state ..."], gate: Gate, index: int) -> Array:
        """Return what enters the activation of a node, before its bias."""
        if index < self.n_states:
            return self._collected(state, gate)[1][index]
        places = [place for place, arrow in enumerate(self.arrows) if index in arrow.targets]
        return self._argument(index, places, self.acting(state, gate), gate)

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
    """Return a matrix times node values."""
    return jnp.sum(matrix * values[None], axis=1) if differs(matrix, 2) else jnp.tensordot(matrix, values, 1)
