"""A theory as SBML, for COPASI, Tellurium, libRoadRunner and other simulators of that standard. Time is in days."""

from importlib.util import find_spec
from typing import Any

from dyadloop.errors import TheoryError
from dyadloop.theory.calendar import Protocol
from dyadloop.theory.equations import GATE, equations
from dyadloop.theory.nodes import Node
from dyadloop.theory.sbml_formula import formula_of, number
from dyadloop.theory.sbml_units import DAY, NONE, Unit, define, times, to_the, unit_id, units_of
from dyadloop.theory.schema import Theory


def to_sbml(theory: Theory, protocol: Protocol | None = None) -> str:
    """Return a theory as SBML Level 3: rate rules for states, assignment rules for definitions, events for sessions.

    Parameters
    ----------
    theory
        Any theory; noise and chance events are left out.
    protocol
        Calendar of one dyad; default: that of the theory. Without one no session ever runs.

    Raises
    ------
    TheoryError
        If the extra ``sbml`` is not installed, the protocol has an event that is no input of the theory, or libSBML
        refuses an element.
    """
    if find_spec("libsbml") is None:
        raise TheoryError("SBML needs the extra 'sbml'; install it with: pip install 'dyadloop[sbml]'")
    import libsbml

    written = equations(theory, in_days=True)
    units = units_of(theory.active(), written.nodes, GATE)
    document = libsbml.SBMLDocument(3, 2)
    model = document.createModel()
    model.setId(theory.id)
    model.setName(theory.title)
    model.setNotes(f'<p xmlns="http://www.w3.org/1999/xhtml">{_escaped(theory.explanation)} Time in days.</p>')
    for unit in (DAY, *units.values(), *(times(units[name], to_the(DAY, -1)) for name in written.rates)):
        define(model, unit)
    model.setTimeUnits(unit_id(DAY))
    events = _events(theory, protocol or theory.protocol)
    starts = {name: float(value.subs(_symbols(written.values))) for name, value in written.starts.items()}
    for name, value in written.values.items():
        _parameter(model, name, value, units[name], constant=True, label=written.nodes.get(name))
    for name in written.rates:
        first = starts[name] + events.pop((0.0, name), 0.0)
        _parameter(model, name, first, units[name], constant=False, label=written.nodes[name])
    for name in written.definitions:
        _parameter(model, name, None, units[name], constant=False, label=written.nodes[name])
    _parameter(model, GATE, events.pop((0.0, GATE), 0.0), NONE, constant=False)
    for name, expression in written.definitions.items():
        formula = formula_of(expression, units, units[name])
        _checked(model.createAssignmentRule(), name, libsbml, formula)
    for name, expression in written.rates.items():
        formula = formula_of(expression, units, times(units[name], to_the(DAY, -1)))
        _checked(model.createRateRule(), name, libsbml, formula)
    for place, ((time, name), value) in enumerate(sorted(events.items())):
        _event(model, libsbml, f"event_{place}", time, name, value, units[name])
    return libsbml.writeSBMLToString(document)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _symbols(values: dict[str, float]) -> dict:
    import sympy

    plain = {sympy.Symbol(name, real=True): value for name, value in values.items()}
    return plain | {sympy.Symbol(name, real=True, positive=True): value for name, value in values.items()}


def _parameter(
    model: Any,  # noqa: ANN401 - a libSBML model
    name: str,
    value: float | None,
    unit: Unit,
    *,
    constant: bool,
    label: Node | None = None,
) -> None:
    parameter = model.createParameter()
    parameter.setId(name)
    parameter.setConstant(constant)
    parameter.setUnits(unit_id(unit))
    if label is not None:
        parameter.setName(f"{label.variable.label} ({label.person})")
    if value is not None:
        parameter.setValue(value)


def _checked(rule: Any, name: str, libsbml: Any, formula: str) -> None:  # noqa: ANN401 - objects of libSBML
    rule.setVariable(name)
    tree = libsbml.parseL3Formula(formula)
    if tree is None or rule.setMath(tree) != libsbml.LIBSBML_OPERATION_SUCCESS:
        raise TheoryError(f"{name}: libSBML does not take the formula {formula}: {libsbml.getLastParseL3Error()}")


def _events(theory: Theory, protocol: Protocol | None) -> dict[tuple[float, str], float]:
    """Return when the gate opens and closes and by how much states jump, by time [d] and symbol."""
    found: dict[tuple[float, str], float] = {}
    if protocol is None:
        return found
    for start, length in zip(protocol.starts(), protocol.lengths(), strict=True):
        found[start, GATE], found[start + length, GATE] = 1.0, 0.0
    active = theory.active()
    known = {entry.event for entry in active.inputs if entry.event is not None}
    if unknown := sorted({event.event for event in protocol.events} - known):
        raise TheoryError(
            f"events {', '.join(unknown)}: no input of the theory {theory.id!r}; "
            f"known: {', '.join(sorted(known)) or 'none'}"
        )
    for time, event, amount in protocol.happening(0):
        for entry in (e for e in active.inputs if e.event == event):
            variable = active.variable(entry.target)
            for person in variable.persons:
                if entry.person in (None, person):
                    name = variable.id if len(variable.persons) == 1 else f"{variable.id}_{person}"
                    jump = entry.coefficient.value * amount / entry.per
                    found[time, name] = found.get((time, name), 0.0) + jump
    return found


def _event(model: Any, libsbml: Any, name: str, time: float, symbol: str, value: float, unit: Unit) -> None:  # noqa: ANN401
    event = model.createEvent()
    event.setId(name)
    event.setUseValuesFromTriggerTime(True)
    trigger = event.createTrigger()
    trigger.setInitialValue(True)
    trigger.setPersistent(True)
    trigger.setMath(libsbml.parseL3Formula(f"time >= {number(time, DAY)}"))
    assignment = event.createEventAssignment()
    assignment.setVariable(symbol)
    text = number(value, unit) if symbol == GATE else f"{symbol} + {number(value, unit)}"
    assignment.setMath(libsbml.parseL3Formula(text))
