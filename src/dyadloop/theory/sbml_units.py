"""Units of everything in an SBML file: those of states from the theory, those of numbers from where they enter."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dyadloop.theory.elements import Coupling, Variable
from dyadloop.theory.nodes import Node, constant_id
from dyadloop.theory.schema import Theory

if TYPE_CHECKING:
    import sympy

Unit = tuple[tuple[str, int], ...]
"""Powers of base units by name, in order of names; empty for pure numbers, SDs, logits and ratios."""

NONE: Unit = ()
DAY: Unit = (("d", 1),)
_BASE = {
    "d": ("second", 0, 86400.0),
    "g": ("gram", 0, 1.0),
    "mg": ("gram", -3, 1.0),
    "ug": ("gram", -6, 1.0),
    "ng": ("gram", -9, 1.0),
    "pg": ("gram", -12, 1.0),
    "l": ("litre", 0, 1.0),
    "ml": ("litre", -3, 1.0),
}
"""Base units: kind of SBML, power of ten, multiplier. What is not listed, such as SD or dose, is a pure number."""


def unit_named(text: str) -> Unit:
    """Return the unit that a theory file calls by a name such as ``pg/ml``; a pure number where it is no amount."""
    above, _, below = text.partition("/")
    if above.strip() not in _BASE or (below and below.strip() not in _BASE):
        return NONE
    found = ((above.strip(), 1),)
    return times(found, ((below.strip(), -1),)) if below else found


def times(*units: Unit) -> Unit:
    """Return the product of units."""
    powers: dict[str, int] = {}
    for unit in units:
        for name, power in unit:
            powers[name] = powers.get(name, 0) + power
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def to_the(unit: Unit, power: int) -> Unit:
    """Return a power of a unit."""
    return tuple((name, own * power) for name, own in unit if power)


def unit_id(unit: Unit) -> str:
    """Return the id of a unit in the file, such as ``ng_per_d``."""
    if not unit:
        return "dimensionless"
    above = [name if power == 1 else f"{name}{power}" for name, power in unit if power > 0]
    below = [name if power == -1 else f"{name}{-power}" for name, power in unit if power < 0]
    return "_per_".join(["_".join(above), "_".join(below)] if below else ["_".join(above)]).lstrip("_")


def define(model: Any, unit: Unit) -> None:  # noqa: ANN401 - a libSBML model
    """Define a unit in a model, once."""
    name = unit_id(unit)
    if not unit or model.getUnitDefinition(name) is not None:
        return
    definition = model.createUnitDefinition()
    definition.setId(name)
    import libsbml

    for base, power in unit:
        kind, scale, multiplier = _BASE[base]
        part = definition.createUnit()
        part.setKind(libsbml.UnitKind_forName(kind))
        part.setExponent(power)
        part.setScale(scale)
        part.setMultiplier(multiplier)


def units_of(theory: Theory, nodes: Mapping[str, Node], gate: str) -> dict[str, Unit]:
    """Return the unit of every symbol of the equations of a theory whose time is written in days."""
    found = {gate: NONE} | {name: unit_named(node.variable.unit) for name, node in nodes.items()}
    for variable in theory.variables:
        own = unit_named(variable.unit)
        named = {"tau": DAY, "sd": own, "between": own, "start": own, "level": own, "bias": NONE}
        found |= {f"{prefix}_{variable.id}": unit for prefix, unit in named.items()}
        constants = variable.activation.constants if variable.activation is not None else {}
        found |= {f"activation_{variable.id}_{name}": NONE for name in constants}
    variables = {variable.id: variable for variable in theory.variables}
    for coupling in theory.couplings:
        found |= _coupling_units(coupling, variables)
    found |= {entry.id: unit_named(variables[entry.target].unit) for entry in theory.inputs}
    return found


def _coupling_units(coupling: Coupling, variables: Mapping[str, Variable]) -> dict[str, Unit]:
    from dyadloop.theory.forms import FORMS

    found, effect = {}, NONE
    for term in coupling.terms:
        source = unit_named(variables[term.source].acting_unit)
        kinds = {"source": source, "1/source": to_the(source, -1), "1": NONE}
        for name in term.constants:
            found[constant_id(coupling, term.source, name)] = kinds[FORMS[term.form].constants[name]]
        if term.form in ("linear", "threshold"):
            effect = times(effect, source)
    target = variables[coupling.target]
    into = NONE if target.activation is not None and coupling.is_gain else unit_named(target.unit)
    rate = NONE if coupling.is_gain else to_the(DAY, -1)
    return found | {coupling.id: times(into, to_the(effect, -1), rate)}


def unit_in(expression: "sympy.Expr", units: Mapping[str, Unit]) -> Unit | None:
    """Return the unit of an expression, None where it holds nothing but numbers, which take any."""
    import sympy

    if isinstance(expression, sympy.Symbol):
        return units[expression.name]
    if expression.is_number:
        return None
    if isinstance(expression, sympy.Mul):
        return times(*(unit_in(part, units) or NONE for part in expression.args))
    if isinstance(expression, sympy.Pow):
        base, power = expression.args
        return to_the(unit_in(base, units) or NONE, int(power)) if power.is_Integer else NONE  # pyright: ignore[reportArgumentType]
    if isinstance(expression, sympy.Add | sympy.Abs):
        return _first(expression.args, units)
    if isinstance(expression, sympy.Piecewise):
        return _first([value for value, _ in expression.args], units)  # pyright: ignore[reportGeneralTypeIssues]
    return NONE


def _first(parts: Any, units: Mapping[str, Unit]) -> Unit | None:  # noqa: ANN401 - expressions
    known = [unit_in(part, units) for part in parts]
    return next((unit for unit in known if unit is not None), None)
