"""The form `threshold`: nothing below a threshold, then a straight line."""

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar, final

from dyadloop.theory.forms.base import Form, Kink, Numbers, Shape

if TYPE_CHECKING:
    import sympy


@final
class Threshold(Form):
    """``max(s - threshold, 0)``."""

    name = "threshold"
    constants: ClassVar[Mapping[str, str]] = {"threshold": "source"}
    shape = Shape(monotone=1, curvature="convex", low=0.0)

    def value(self, xp: ModuleType, source: Numbers, threshold: Numbers) -> Numbers:
        """Return the value."""
        return xp.where(source < threshold, 0.0, source - threshold)

    def slope(self, xp: ModuleType, source: Numbers, threshold: Numbers) -> Numbers:
        """Return the slope."""
        return xp.where(source >= threshold, 1.0, 0.0)

    def kinks(self, threshold: float) -> tuple[Kink, ...]:
        """Return the kink at the threshold."""
        return (Kink(threshold, 1, 0.0, 1.0),)

    def expression(self, source: "sympy.Expr", threshold: "sympy.Expr") -> "sympy.Expr":
        """Return the SymPy expression."""
        import sympy

        return sympy.Piecewise((source - threshold, source > threshold), (0, True))
