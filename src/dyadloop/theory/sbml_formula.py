"""Expressions in the infix language of SBML Level 3, every number with its unit."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dyadloop.theory.sbml_units import NONE, Unit, unit_id, unit_in

if TYPE_CHECKING:
    import sympy


def formula_of(expression: "sympy.Expr", units: Mapping[str, Unit], own: Unit = NONE) -> str:
    """Return an expression of symbols with known units as a formula.

    A number that is added or compared has the unit of what stands beside it; a factor and a power are pure numbers.

    Parameters
    ----------
    expression
        Expression of real symbols.
    units
        Unit of each symbol by name.
    own
        Unit of a number that stands alone.
    """
    return _Formula(units).written(expression, own)


def number(value: float, unit: Unit) -> str:
    """Return a number with its unit."""
    return f"{float(value)!r} {unit_id(unit)}"


class _Formula:
    """Writes expressions; ``beside`` is the unit that a lone number takes."""

    def __init__(self, units: Mapping[str, Unit]) -> None:
        self.units = units

    def written(self, expression: Any, beside: Unit) -> str:  # noqa: ANN401 - a SymPy object
        """Return an expression or a condition as text."""
        import sympy

        if isinstance(expression, sympy.Symbol):
            return expression.name
        if expression.is_number:
            return (
                f"({number(float(expression), beside)})" if float(expression) < 0 else number(float(expression), beside)
            )
        writers = {
            sympy.Add: self._sum,
            sympy.Mul: self._product,
            sympy.Pow: self._power,
            sympy.Piecewise: self._pieces,
            sympy.core.relational.Relational: self._comparison,
            sympy.And: self._logic,
            sympy.Or: self._logic,
            sympy.Not: self._logic,
            sympy.ITE: self._choice,
        }
        for kind, write in writers.items():
            if isinstance(expression, kind):
                return write(expression)
        return self._function(expression)

    def _sum(self, expression: Any) -> str:  # noqa: ANN401
        unit = unit_in(expression, self.units) or NONE
        return "(" + " + ".join(self.written(part, unit) for part in expression.args) + ")"

    def _product(self, expression: Any) -> str:  # noqa: ANN401
        return "(" + " * ".join(self.written(part, NONE) for part in expression.args) + ")"

    def _power(self, expression: Any) -> str:  # noqa: ANN401
        base, power = expression.args
        if power == -1:
            return f"({number(1, NONE)} / {self.written(base, NONE)})"
        whole = str(int(power)) if power.is_Integer else self.written(power, NONE)
        return (
            f"pow({self.written(base, NONE)}, {whole} dimensionless)"
            if power.is_Integer
            else (f"pow({self.written(base, NONE)}, {whole})")
        )

    def _pieces(self, expression: Any) -> str:  # noqa: ANN401
        unit, parts = unit_in(expression, self.units) or NONE, []
        for value, condition in expression.args:
            parts.append(self.written(value, unit))
            if condition != True:  # noqa: E712 - a SymPy truth value
                parts.append(self.written(condition, NONE))
        return f"piecewise({', '.join(parts)})"

    def _comparison(self, expression: Any) -> str:  # noqa: ANN401
        left, right = expression.lhs, expression.rhs
        unit = unit_in(left, self.units) or unit_in(right, self.units) or NONE
        return f"({self.written(left, unit)} {expression.rel_op} {self.written(right, unit)})"

    def _logic(self, expression: Any) -> str:  # noqa: ANN401
        import sympy

        parts = [self.written(part, NONE) for part in expression.args]
        if isinstance(expression, sympy.Not):
            return f"!({parts[0]})"
        return "(" + (" && " if isinstance(expression, sympy.And) else " || ").join(parts) + ")"

    def _choice(self, expression: Any) -> str:  # noqa: ANN401
        condition, yes, no = (self.written(part, NONE) for part in expression.args)
        return f"(({condition} && {yes}) || (!({condition}) && {no}))"

    def _function(self, expression: Any) -> str:  # noqa: ANN401
        names = {"Abs": "abs", "log": "ln"}  # in the language of SBML `log` may be the logarithm to base ten
        name = type(expression).__name__
        unit = unit_in(expression.args[0], self.units) or NONE
        return f"{names.get(name, name)}({self.written(expression.args[0], unit)})"
