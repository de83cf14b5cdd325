"""The form `hump`: strongest at an optimum, weaker on both sides."""

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar, final

from dyadloop.theory.forms.base import Form, Numbers, Shape

if TYPE_CHECKING:
    import sympy


@final
class Hump(Form):
    """``exp(-((s - optimum) / width)^2 / 2)``."""

    name = "hump"
    constants: ClassVar[Mapping[str, str]] = {"optimum": "source", "width": "source"}
    positive = ("width",)
    shape = Shape(monotone=0, curvature="neither", low=0.0, high=1.0)

    def value(self, xp: ModuleType, source: Numbers, optimum: Numbers, width: Numbers) -> Numbers:
        """Return the value."""
        return xp.exp(-0.5 * ((source - optimum) / width) ** 2)

    def slope(self, xp: ModuleType, source: Numbers, optimum: Numbers, width: Numbers) -> Numbers:
        """Return the slope."""
        return -(source - optimum) / width**2 * self.value(xp, source, optimum, width)

    def expression(self, source: "sympy.Expr", optimum: "sympy.Expr", width: "sympy.Expr") -> "sympy.Expr":
        """Return the SymPy expression."""
        import sympy

        return sympy.exp(-(((source - optimum) / width) ** 2) / 2)
