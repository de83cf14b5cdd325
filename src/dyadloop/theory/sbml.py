"""A theory as SBML, for COPASI, Tellurium, libRoadRunner and other simulators of that standard. Time is in days."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from dyadloop.errors import TheoryError
from dyadloop.theory.calendar import Protocol
from dyadloop.theory.equations import GATE, equations
from dyadloop.theory.schema import Theory

if TYPE_CHECKING:
    import sympy


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
        If the extra ``sbml`` is not installed, or libSBML refuses an element.
    """
    if find_spec("libsbml") is None:
        raise TheoryError("SBML needs the extra 'sbml'; install it with: pip install 'dyadloop[sbml]'")
    import libsbml

    written = equations(theory)
    document = libsbml.SBMLDocument(3, 2)
    model = document.createModel()
    model.setId(theory.id)
    model.setName(theory.title)
    model.setNotes(f'<p xmlns="http://www.w3.org/1999/xhtml">{_escaped(theory.explanation)} Time in days.</p>')
    events = _events(theory, protocol or theory.protocol)
    starts = {name: float(value.subs(_symbols(written.values))) for name, value in written.starts.items()}
    for name, value in written.values.items():
        _parameter(model, name, value, constant=True)
    for name in written.rates:
        _parameter(model, name, starts[name] + events.pop((0.0, name), 0.0), constant=False, label=written.nodes[name])
    for name in written.definitions:
        _parameter(model, name, None, constant=False, label=written.nodes[name])
    _parameter(model, GATE, events.pop((0.0, GATE), 0.0), constant=False)
    for name, expression in written.definitions.items():
        _checked(model.createAssignmentRule(), "setVariable", name, libsbml, expression)
    for name, expression in written.rates.items():
        _checked(model.createRateRule(), "setVariable", name, libsbml, expression)
    for number, ((time, name), value) in enumerate(sorted(events.items())):
        _event(model, libsbml, f"event_{number}", time, name, value)
    return libsbml.writeSBMLToString(document)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _symbols(values: dict[str, float]) -> dict:
    import sympy

    plain = {sympy.Symbol(name, real=True): value for name, value in values.items()}
    return plain | {sympy.Symbol(name, real=True, positive=True): value for name, value in values.items()}


def _parameter(model: Any, name: str, value: float | None, *, constant: bool, label: Any = None) -> None:  # noqa: ANN401
    parameter = model.createParameter()
    parameter.setId(name)
    parameter.setConstant(constant)
    if label is not None:
        parameter.setName(label.variable.label)
    if value is not None:
        parameter.setValue(value)


def _checked(rule: Any, setter: str, name: str, libsbml: Any, expression: "sympy.Expr") -> None:  # noqa: ANN401
    getattr(rule, setter)(name)
    formula = formula_of(expression)
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
    for time, event, amount in protocol.happening(0):
        for entry in (e for e in active.inputs if e.event == event):
            variable = active.variable(entry.target)
            for person in variable.persons:
                if entry.person in (None, person):
                    name = variable.id if len(variable.persons) == 1 else f"{variable.id}_{person}"
                    jump = entry.coefficient.value * amount / entry.per
                    found[time, name] = found.get((time, name), 0.0) + jump
    return found


def _event(model: Any, libsbml: Any, name: str, time: float, symbol: str, value: float) -> None:  # noqa: ANN401
    event = model.createEvent()
    event.setId(name)
    event.setUseValuesFromTriggerTime(True)
    trigger = event.createTrigger()
    trigger.setInitialValue(True)
    trigger.setPersistent(True)
    trigger.setMath(libsbml.parseL3Formula(f"time >= {time!r}"))
    assignment = event.createEventAssignment()
    assignment.setVariable(symbol)
    text = f"{value!r}" if symbol == GATE else f"{symbol} + {value!r}"
    assignment.setMath(libsbml.parseL3Formula(text))


def formula_of(expression: "sympy.Expr") -> str:
    """Return an expression in the infix language of SBML Level 3."""
    from sympy.printing.str import StrPrinter

    class Printer(StrPrinter):
        """Writes powers, conditions and numbers as SBML reads them."""

        def _print_Pow(self, expr: Any, rational: bool = False) -> str:  # noqa: ANN401
            base, power = (self._print(part) for part in expr.args)
            return f"pow({base}, {power})"

        def _print_Piecewise(self, expr: Any) -> str:  # noqa: ANN401
            parts = []
            for value, condition in expr.args:
                parts.append(self._print(value))
                if condition != True:  # noqa: E712 - a SymPy truth value
                    parts.append(self._print(condition))
            return f"piecewise({', '.join(parts)})"

        def _print_Relational(self, expr: Any) -> str:  # noqa: ANN401
            return f"({self._print(expr.lhs)} {expr.rel_op} {self._print(expr.rhs)})"

        def _print_And(self, expr: Any) -> str:  # noqa: ANN401
            return "(" + " && ".join(self._print(part) for part in expr.args) + ")"

        def _print_Or(self, expr: Any) -> str:  # noqa: ANN401
            return "(" + " || ".join(self._print(part) for part in expr.args) + ")"

        def _print_Not(self, expr: Any) -> str:  # noqa: ANN401
            return f"!({self._print(expr.args[0])})"

        def _print_ITE(self, expr: Any) -> str:  # noqa: ANN401
            condition, yes, no = (self._print(part) for part in expr.args)
            return f"(({condition} && {yes}) || (!({condition}) && {no}))"

        def _print_Float(self, expr: Any) -> str:  # noqa: ANN401
            return repr(float(expr))

        def _print_Rational(self, expr: Any) -> str:  # noqa: ANN401
            return f"({expr.p}/{expr.q})"

        def _print_Abs(self, expr: Any) -> str:  # noqa: ANN401
            return f"abs({self._print(expr.args[0])})"

    return Printer().doprint(expression)
