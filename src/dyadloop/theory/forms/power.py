"""The form `power`: a power of the source; 0 below 0."""

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar, final

from dyadloop.theory.forms.base import Form, Numbers, Shape

if TYPE_CHECKING:
    import sympy


@final
class Power(Form):
    """``s^power`` for s > 0, else 0: a root for a power below 1."""

    name = "power"
    constants: ClassVar[Mapping[str, str]] = {"power": "1"}
    positive = ("power",)
    shape = Shape(monotone=1, curvature="neither", low=0.0)

    def value(self, xp: ModuleType, source: Numbers, power: Numbers) -> Numbers:
        """Return the value."""
        return xp.where(source > 0, xp.where(source > 0, source, 1.0) ** power, 0.0)

    def slope(self, xp: ModuleType, source: Numbers, power: Numbers) -> Numbers:
        """Return the slope."""
        return xp.where(source > 0, power * xp.where(source > 0, source, 1.0) ** (power - 1.0), 0.0)

    def expression(self, source: "sympy.Expr", power: "sympy.Expr") -> "sympy.Expr":
        """Return the SymPy expression."""
        import sympy

        return sympy.Piecewise((source**power, source > 0), (0, True))
