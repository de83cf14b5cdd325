"""The form `inhibition`: what is left of an effect beside a blocker."""

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar, final

from dyadloop.theory.forms.base import Form, Kink, Numbers, Shape

if TYPE_CHECKING:
    import sympy


@final
class Inhibition(Form):
    """``half / (half + s)`` for s > 0, else 1."""

    name = "inhibition"
    constants: ClassVar[Mapping[str, str]] = {"half": "source"}
    positive = ("half",)
    shape = Shape(monotone=-1, curvature="convex", low=0.0, high=1.0)

    def value(self, xp: ModuleType, source: Numbers, half: Numbers) -> Numbers:
        """Return the value."""
        return half / (half + xp.where(source < 0, 0.0, source))

    def slope(self, xp: ModuleType, source: Numbers, half: Numbers) -> Numbers:
        """Return the slope."""
        return xp.where(source < 0, 0.0, -half / (half + xp.where(source < 0, 0.0, source)) ** 2)

    def kinks(self, half: float) -> tuple[Kink, ...]:
        """Return the kink at 0, from where on it falls."""
        return (Kink(0.0, 1, 0.0, -1.0 / half),)

    def expression(self, source: "sympy.Expr", half: "sympy.Expr") -> "sympy.Expr":
        """Return the SymPy expression."""
        import sympy

        return sympy.Piecewise((half / (half + source), source > 0), (1, True))
