"""The form `exponential`: constant relative growth or decay with the source."""

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar, final

from dyadloop.theory.forms.base import Form, Numbers, Shape

if TYPE_CHECKING:
    import sympy


@final
class Exponential(Form):
    """``exp(rate s)``: rises for a positive rate, falls for a negative one."""

    name = "exponential"
    constants: ClassVar[Mapping[str, str]] = {"rate": "1/source"}
    shape = Shape(monotone=0, curvature="convex", low=0.0)

    def value(self, xp: ModuleType, source: Numbers, rate: Numbers) -> Numbers:
        """Return the value."""
        return xp.exp(rate * source)

    def slope(self, xp: ModuleType, source: Numbers, rate: Numbers) -> Numbers:
        """Return the slope."""
        return rate * xp.exp(rate * source)

    def expression(self, source: "sympy.Expr", rate: "sympy.Expr") -> "sympy.Expr":
        """Return the SymPy expression."""
        import sympy

        return sympy.exp(rate * source)
