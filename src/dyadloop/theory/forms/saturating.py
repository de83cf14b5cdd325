"""The form `saturating`: Michaelis-Menten, half of the full effect at `half`."""

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar, final

from dyadloop.theory.forms.base import Form, Kink, Numbers, Shape

if TYPE_CHECKING:
    import sympy


@final
class Saturating(Form):
    """``s / (half + |s|)``: the usual form for s >= 0, continued as an odd function below 0."""

    name = "saturating"
    constants: ClassVar[Mapping[str, str]] = {"half": "source"}
    positive = ("half",)
    shape = Shape(monotone=1, curvature="concave", low=-1.0, high=1.0)

    def value(self, xp: ModuleType, source: Numbers, half: Numbers) -> Numbers:
        """Return the value."""
        return source / (half + xp.abs(source))

    def slope(self, xp: ModuleType, source: Numbers, half: Numbers) -> Numbers:
        """Return the slope."""
        return half / (half + xp.abs(source)) ** 2

    def kinks(self, half: float) -> tuple[Kink, ...]:
        """Return where the odd continuation turns its curvature round."""
        return (Kink(0.0, 2, 1.0 / half, 1.0 / half),)

    def expression(self, source: "sympy.Expr", half: "sympy.Expr") -> "sympy.Expr":
        """Return the SymPy expression."""
        import sympy

        return source / (half + sympy.Abs(source))
