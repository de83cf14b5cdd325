"""The equations of a theory as SymPy expressions, from the same forms that a simulation uses. Time is in days."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dyadloop.theory.elements import Coupling
from dyadloop.theory.forms import FORMS, JOINTS
from dyadloop.theory.nodes import Node, constant_id, coupling_numbers, nodes_of, pairs_of, variable_numbers
from dyadloop.theory.schema import Theory
from dyadloop.units import days, per_day

if TYPE_CHECKING:
    import sympy

GATE = "session"
"""Symbol that is 1 while a session runs and 0 between sessions."""


@dataclass(frozen=True)
class Equations:
    """A theory written out.

    Attributes
    ----------
    rates
        Right-hand side per state [state unit/d].
    definitions
        Value per definition, in an order in which they can be computed.
    values
        Value per parameter in the unit of the theory file; contexts and starts are among them.
    starts
        First value per state, as an expression of parameters.
    nodes
        Node by id.
    """

    rates: "dict[str, sympy.Expr]"
    definitions: "dict[str, sympy.Expr]"
    values: dict[str, float]
    starts: "dict[str, sympy.Expr]"
    nodes: dict[str, Node]


def equations(theory: Theory, *, in_days: bool = False, floors: bool = True) -> Equations:
    """Write a theory out as equations, without noise and chance events; floors stop a rate where they are reached.

    With ``in_days`` time constants are in days and rates per day among the values, so that no equation needs a factor
    for units; else they are as in the theory file. Without ``floors`` as if no state could reach its own.
    """
    import sympy

    theory = theory.active()
    states, contexts = nodes_of(theory, "state"), nodes_of(theory, "context")
    definitions = nodes_of(theory, "definition")
    nodes = (*states, *contexts, *definitions)
    values = {
        name: number.value for variable in theory.variables for name, number in variable_numbers(variable).items()
    }
    for coupling in theory.couplings:
        values.update({name: number.value for name, number in coupling_numbers(coupling).items()})
    values.update({entry.id: entry.coefficient.value for entry in theory.inputs if entry.kind == "session"})
    kept = {name: value for name, value in values.items() if not name.startswith(("sd_", "between_"))}
    if in_days:
        kept |= {name: value * kept[name] for name, value in _day_factors(theory).items()}
    writer = _Writer(theory, nodes, {} if in_days else _day_factors(theory), floors)
    rates = {node.id: writer.rate(index) for index, node in enumerate(states)}
    defined = {
        node.id: writer.definition(index + len(states) + len(contexts)) for index, node in enumerate(definitions)
    }
    starts = {}
    for node in states:
        held = node.variable.clamped
        usual = writer.number("level", node) + writer.number("start", node)
        starts[node.id] = sympy.Float(held) if held is not None else usual
    for node in contexts:
        kept[node.id] = kept[f"level_{node.variable.id}"]
    return Equations(rates, defined, kept, starts, {node.id: node for node in nodes})


def arrow_effects(theory: Theory) -> "dict[str, sympy.Expr]":
    """Return what each arrow adds to its first target, with sign, coefficient and gate, before any time constant."""
    theory = theory.active()
    nodes = (*nodes_of(theory, "state"), *nodes_of(theory, "context"), *nodes_of(theory, "definition"))
    writer = _Writer(theory, nodes, {}, floors=False)
    found = {}
    for coupling in theory.couplings:
        for _, reached in pairs_of(coupling, nodes):
            found.setdefault(coupling.id, writer.effect(coupling, reached))
    return found


def _day_factors(theory: Theory) -> dict[str, float]:
    """Return what turns each time constant into days and each rate into one per day."""
    found = {
        f"tau_{variable.id}": days(1.0, variable.time_constant.unit)
        for variable in theory.variables
        if variable.time_constant is not None
    }
    return found | {c.id: per_day(1.0, c.coefficient.unit) for c in theory.couplings if not c.is_gain}


class _Writer:
    """Writes the right-hand sides of one theory; ``factors`` turn numbers of time into days."""

    def __init__(self, theory: Theory, nodes: tuple[Node, ...], factors: dict[str, float], floors: bool) -> None:
        import sympy

        self.sympy, self.theory, self.nodes, self.floors = sympy, theory, nodes, floors
        whole = {name: int(factor) if factor == int(factor) else factor for name, factor in factors.items()}
        self.factors = {name: sympy.sympify(factor) for name, factor in whole.items()}
        self.symbols = [sympy.Symbol(node.id, real=True) for node in nodes]

    def number(self, name: str, node: Node) -> "sympy.Expr":
        """Return a number of a node's variable, 0 where it has none."""
        known = f"{name}_{node.variable.id}"
        return self.symbol(known) if known in variable_numbers(node.variable) else self.sympy.Integer(0)

    def symbol(self, name: str) -> "sympy.Expr":
        """Return the symbol of a parameter."""
        return self.sympy.Symbol(name, real=True, positive=name.startswith("tau_") or None)

    def in_days(self, name: str) -> "sympy.Expr":
        """Return the symbol of a number of time, turned into days."""
        return self.symbol(name) * self.factors.get(name, 1)

    def acting(self, index: int) -> "sympy.Expr":
        """Return the value with which a node acts."""
        variable, state = self.nodes[index].variable, self.symbols[index]
        if variable.lower is not None and self.floors:
            return self.sympy.Piecewise((state, state > variable.lower), (variable.lower, True))
        return 1 / (1 + self.sympy.exp(-state)) if variable.link == "logistic" else state

    def resting(self, index: int) -> "sympy.Expr":
        """Return the value with which a node acts at its level."""
        level = self.number("level", self.nodes[index])
        is_share = self.nodes[index].variable.link == "logistic"
        return 1 / (1 + self.sympy.exp(-level)) if is_share else level

    def effect(self, coupling: Coupling, reached: tuple[tuple[int, ...], ...]) -> "sympy.Expr":
        """Return a coupling's effect with sign, coefficient and gate."""
        parts = []
        for term, indices in zip(coupling.terms, reached, strict=True):
            shown = [self.acting(i) - self.resting(i) if term.centred else self.acting(i) for i in indices]
            value = sum(shown[1:], shown[0]) / len(shown)
            constants = {name: self.symbol(constant_id(coupling, term.source, name)) for name in term.constants}
            parts.append(FORMS[term.form].expression(value, **constants))
        joint = JOINTS[coupling.joint].expression(parts) if coupling.joint else parts[0]
        gate = self.sympy.Symbol(GATE, real=True) if coupling.gate == "session" else self.sympy.Integer(1)
        return coupling.sign * gate * self.symbol(coupling.id) * joint

    def into(self, index: int) -> "list[tuple[Coupling, sympy.Expr]]":
        """Return the couplings into a node with their effects."""
        return [
            (coupling, self.effect(coupling, reached))
            for coupling in self.theory.couplings
            for target, reached in pairs_of(coupling, self.nodes)
            if target == index
        ]

    def activated(self, index: int, argument: "sympy.Expr") -> "sympy.Expr":
        """Return the activation of a node's argument, or the argument itself."""
        activation = self.nodes[index].variable.activation
        if activation is None:
            return argument
        name = self.nodes[index].variable.id
        constants = {key: self.symbol(f"activation_{name}_{key}") for key in activation.constants}
        return FORMS[activation.form].expression(argument + self.number("bias", self.nodes[index]), **constants)

    def definition(self, index: int) -> "sympy.Expr":
        """Return the value of a definition."""
        argument = sum((effect for _, effect in self.into(index)), self.sympy.Integer(0))
        return self.activated(index, argument) + self.number("level", self.nodes[index])

    def rate(self, index: int) -> "sympy.Expr":
        """Return the rate of a state [state unit/d]."""
        node, state = self.nodes[index], self.symbols[index]
        variable = node.variable
        if variable.clamped is not None:
            return self.sympy.Integer(0)
        rate, argument = self.sympy.Integer(0), self.sympy.Integer(0)
        decay = self.sympy.Integer(0)
        if variable.time_constant is not None:
            decay = 1 / self.in_days(f"tau_{variable.id}")
        for coupling, effect in self.into(index):
            if not coupling.is_gain:
                rate += effect * self.factors.get(coupling.id, 1)
            elif variable.activation is not None:
                argument += effect
            else:
                rate += effect * decay
        level = self.number("level", node)
        if variable.activation is not None:
            level = level + self.activated(index, argument)
        rate += (level - state) * decay
        for entry in self.theory.inputs:
            if entry.kind == "session" and entry.target == variable.id and entry.person in (None, node.person):
                rate += self.sympy.Symbol(GATE, real=True) * self.symbol(entry.id) * decay
        rate -= sum((self.leaving(coupling, index) for coupling in self.theory.couplings), self.sympy.Integer(0))
        if variable.lower is not None and self.floors:
            stopped = self.sympy.And(state <= variable.lower, rate < 0)
            return self.sympy.Piecewise((0, stopped), (rate, True))
        return rate

    def leaving(self, coupling: Coupling, index: int) -> "sympy.Expr":
        """Return what a transfer takes away from a state."""
        if not coupling.transfer:
            return self.sympy.Integer(0)
        total = self.sympy.Integer(0)
        for _, (sources,) in pairs_of(coupling, self.nodes):
            if index in sources:
                gate = self.sympy.Symbol(GATE, real=True) if coupling.gate == "session" else self.sympy.Integer(1)
                total += gate * self.in_days(coupling.id) * self.symbols[index] / len(sources)
        return total
