"""The form `tanh`: saturates on both sides of 0."""

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar, final

from dyadloop.theory.forms.base import Form, Numbers, Shape

if TYPE_CHECKING:
    import sympy


@final
class Tanh(Form):
    """``tanh(s / scale)``, as in PeaceMath (doi:10.1088/1367-2630/ab2a96)."""

    name = "tanh"
    constants: ClassVar[Mapping[str, str]] = {"scale": "source"}
    positive = ("scale",)
    shape = Shape(monotone=1, curvature="concave", low=-1.0, high=1.0)

    def value(self, xp: ModuleType, source: Numbers, scale: Numbers) -> Numbers:
        """Return the value."""
        return xp.tanh(source / scale)

    def slope(self, xp: ModuleType, source: Numbers, scale: Numbers) -> Numbers:
        """Return the slope."""
        return (1.0 - xp.tanh(source / scale) ** 2) / scale

    def expression(self, source: "sympy.Expr", scale: "sympy.Expr") -> "sympy.Expr":
        """Return the SymPy expression."""
        import sympy

        return sympy.tanh(source / scale)
