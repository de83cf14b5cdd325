"""Nodes of a theory: its variables in the persons that have them, what joins them, and the ids of its numbers."""

from dataclasses import dataclass
from graphlib import TopologicalSorter

from dyadloop.theory.elements import Coupling, Variable
from dyadloop.theory.numbers import Quantity
from dyadloop.theory.schema import Theory


@dataclass(frozen=True)
class Node:
    """One node of the compiled theory: a variable in a person or in the dyad."""

    id: str
    variable: Variable
    person: str


def nodes_of(theory: Theory, dynamics: str) -> tuple[Node, ...]:
    """Return the nodes of one kind of dynamics, definitions in an order in which they can be computed."""
    variables = [variable for variable in theory.variables if variable.dynamics == dynamics]
    if dynamics == "definition":
        names = {variable.id for variable in variables}
        needs = {name: set[str]() for name in names}
        for coupling in theory.couplings:
            if coupling.target in names:
                needs[coupling.target] |= names & set(coupling.sources)
        order = list(TopologicalSorter(needs).static_order())
        variables.sort(key=lambda variable: order.index(variable.id))
    return tuple(
        Node(variable.id if len(variable.persons) == 1 else f"{variable.id}_{person}", variable, person)
        for variable in variables
        for person in variable.persons
    )


def pairs_of(coupling: Coupling, nodes: tuple[Node, ...]) -> list[tuple[int, tuple[tuple[int, ...], ...]]]:
    """Return what a coupling joins: each target with the nodes of each source.

    A source that both persons have acts on the same person; on the dyad it counts with its mean.
    """
    found = []
    for index, target in enumerate(nodes):
        if target.variable.id != coupling.target:
            continue
        reached = []
        for source in coupling.sources:
            own = [i for i, node in enumerate(nodes) if node.variable.id == source]
            same = [i for i in own if nodes[i].person == target.person]
            reached.append(tuple(same or own))
        found.append((index, tuple(reached)))
    return found


def variable_numbers(variable: Variable) -> dict[str, Quantity]:
    """Return the numbers of a variable by parameter id."""
    named = {
        f"tau_{variable.id}": variable.time_constant,
        f"sd_{variable.id}": variable.fluctuation,
        f"between_{variable.id}": variable.between,
        f"start_{variable.id}": variable.start,
        f"level_{variable.id}": variable.level,
        f"bias_{variable.id}": variable.bias,
    }
    found = {name: number for name, number in named.items() if number is not None}
    constants = variable.activation.constants if variable.activation is not None else {}
    return found | {f"activation_{variable.id}_{name}": number for name, number in constants.items()}


def coupling_numbers(coupling: Coupling) -> dict[str, Quantity]:
    """Return the coefficient and the constants of a coupling by parameter id."""
    found = {coupling.id: coupling.coefficient}
    for term in coupling.terms:
        found.update({constant_id(coupling, term.source, name): number for name, number in term.constants.items()})
    return found


def constant_id(coupling: Coupling, source: str, name: str) -> str:
    """Return the parameter id of a constant of a coupling's form."""
    return f"{coupling.id}_{name}" if coupling.joint is None else f"{coupling.id}_{source}_{name}"
