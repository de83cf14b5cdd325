"""Build a system: from a plan and parameter values in the units of the theory file to rates per day."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from scipy.special import expit

from dyadloop.model.numbers import Number
from dyadloop.model.plan import Plan, constants_of, grouped, rate_factor, time_constant_days
from dyadloop.model.system import Arrow, CompiledNode, Source, System
from dyadloop.theory.nodes import Node, nodes_of


def system_of(plan: Plan, values: Mapping[str, Any], offsets: Mapping[str, Number] | None = None) -> System:
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
    is_traced = any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves((dict(values), offsets or {})))
    xp = jnp if is_traced else np  # numbers need no JAX, which would dispatch hundreds of tiny operations
    if not is_traced:
        values = {name: np.asarray(value, dtype=float) for name, value in values.items()}
    system = _built(xp, plan, values, offsets or {})
    return system if is_traced else jax.device_put(system)


def _built(xp: Any, plan: Plan, values: Mapping[str, Any], added: Mapping[str, Any]) -> System:  # noqa: ANN401
    """Return the system with arrays of NumPy or JAX."""
    contexts, definitions = nodes_of(plan.theory, "context"), nodes_of(plan.theory, "definition")
    nodes = (*plan.states, *contexts, *definitions)
    tau = {state.variable.id: time_constant_days(state.variable, values) for state in plan.states}
    own = [1.0 / xp.asarray(tau[state.variable.id], dtype=float) for state in plan.states]
    arrows, rates, constants, decay = _arrows(xp, plan, values, nodes, tau, own)
    pushes = [xp.zeros(()) for _ in plan.states]
    for entry in plan.inputs:
        if entry.kind == "session":
            for index in plan.reached(entry):
                pushes[index] = pushes[index] + values[entry.id] / tau[entry.target]
    levels = [
        xp.asarray(values.get(f"level_{node.variable.id}", 0.0) + added.get(node.id, 0.0), dtype=float)
        for node in nodes
    ]
    squash = expit if xp is np else jax.nn.sigmoid
    acting = [
        squash(level) if node.variable.link == "logistic" else level for node, level in zip(nodes, levels, strict=True)
    ]
    always, always_rest = _matrix(xp, arrows, rates, acting, len(plan.states), False)
    session, session_rest = _matrix(xp, arrows, rates, acting, len(plan.states), True)
    return System(
        nodes=tuple(_node(node) for node in nodes),
        n_states=len(plan.states),
        arrows=tuple(arrows),
        frozen=tuple(xp.zeros(()) for _ in nodes),
        decay=tuple(decay),
        own_decay=tuple(own),
        levels=tuple(levels),
        rates=tuple(rates),
        constants=tuple(constants),
        activations=tuple(_activation(xp, node, values) for node in nodes),
        always=always,
        session=session,
        always_rest=always_rest,
        session_rest=session_rest,
        pushes=tuple(xp.asarray(push, dtype=float) for push in pushes),
        fluctuation=tuple(xp.asarray(values.get(f"sd_{state.variable.id}", 0.0), dtype=float) for state in plan.states),
        correlation=plan.correlation("noise", values),
    )


def _arrows(
    xp: Any,  # noqa: ANN401 - NumPy or JAX
    plan: Plan,
    values: Mapping[str, Any],
    nodes: tuple[Node, ...],
    tau: dict,
    own: list[Number],
) -> tuple[list[Arrow], list[Number], list[tuple[dict[str, Number], ...]], list[Number]]:
    """Return arrows, their rates and constants, and the decay rates with what is transferred away."""
    arrows, rates, constants, decay = [], [], [], list(own)
    for coupling in plan.couplings:
        rate = coupling.sign * xp.asarray(values[coupling.id], dtype=float)
        activated = plan.theory.variable(coupling.target).activation is not None and coupling.is_gain
        argument = activated or coupling.target not in tau
        if not argument:
            rate = rate * rate_factor(coupling, tau[coupling.target])
        numbers = constants_of(coupling, values, xp)
        for targets, reached in grouped(coupling, nodes):
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
    xp: Any,  # noqa: ANN401 - NumPy or JAX
    arrows: list[Arrow],
    rates: list[Number],
    acting: list[Number],
    n_states: int,
    gated: bool,
) -> tuple[Number, tuple[Number, ...]]:
    """Return the rates of plain arrows, state by node, and what centring takes away from each state."""
    chosen = [(a, rate) for a, rate in zip(arrows, rates, strict=True) if a.plain and a.gated == gated]
    shape = np.broadcast_shapes(*(rate.shape for _, rate in chosen)) if chosen else ()
    matrix = xp.zeros((n_states, len(acting), *shape))
    rest = [xp.zeros(()) for _ in range(n_states)]
    for arrow, rate in chosen:
        (source,) = arrow.sources
        for target in arrow.targets:
            for index in source.nodes:
                share = rate / len(source.nodes)
                if xp is np:
                    matrix[target, index] += share
                else:
                    matrix = matrix.at[target, index].add(share)
                rest[target] = rest[target] - (share * acting[index] if source.centred else 0.0)
    return matrix, tuple(rest)


def _node(node: Node) -> CompiledNode:
    variable = node.variable
    activation = variable.activation.form if variable.activation is not None else None
    noisy = variable.fluctuation is not None and variable.clamped is None
    return CompiledNode(
        node.id, variable.kind, variable.link == "logistic", activation, variable.lower, variable.clamped, noisy
    )


def _activation(xp: Any, node: Node, values: Mapping[str, Any]) -> dict[str, Number]:  # noqa: ANN401
    if node.variable.activation is None:
        return {}
    name = node.variable.id
    constants = node.variable.activation.constants
    found = {key: xp.asarray(values[f"activation_{name}_{key}"], dtype=float) for key in constants}
    return found | {"bias": xp.asarray(values.get(f"bias_{name}", 0.0), dtype=float)}
