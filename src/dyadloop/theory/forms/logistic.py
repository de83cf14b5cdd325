"""The form `logistic`: a switch with a soft threshold."""

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar, final

from dyadloop.theory.forms.base import Form, Numbers, Shape

if TYPE_CHECKING:
    import sympy


@final
class Logistic(Form):
    """``1 / (1 + exp(-steepness (s - threshold)))``."""

    name = "logistic"
    constants: ClassVar[Mapping[str, str]] = {"steepness": "1/source", "threshold": "source"}
    positive = ("steepness",)
    shape = Shape(monotone=1, curvature="neither", low=0.0, high=1.0)

    def value(self, xp: ModuleType, source: Numbers, steepness: Numbers, threshold: Numbers) -> Numbers:
        """Return the value."""
        return 0.5 * (1.0 + xp.tanh(0.5 * steepness * (source - threshold)))

    def slope(self, xp: ModuleType, source: Numbers, steepness: Numbers, threshold: Numbers) -> Numbers:
        """Return the slope."""
        rise = self.value(xp, source, steepness, threshold)
        return steepness * rise * (1.0 - rise)

    def expression(self, source: "sympy.Expr", steepness: "sympy.Expr", threshold: "sympy.Expr") -> "sympy.Expr":
        """Return the SymPy expression."""
        import sympy

        return 1 / (1 + sympy.exp(-steepness * (source - threshold)))
