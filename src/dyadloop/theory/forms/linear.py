"""The form `linear`: the source itself."""

from types import ModuleType
from typing import TYPE_CHECKING, final

from dyadloop.theory.forms.base import Form, Numbers, Shape

if TYPE_CHECKING:
    import sympy


@final
class Linear(Form):
    """``s``."""

    name = "linear"
    shape = Shape(monotone=1, curvature="linear")

    def value(self, xp: ModuleType, source: Numbers) -> Numbers:
        """Return the value."""
        return source

    def slope(self, xp: ModuleType, source: Numbers) -> Numbers:
        """Return the slope."""
        return xp.ones_like(source)

    def expression(self, source: "sympy.Expr") -> "sympy.Expr":
        """Return the SymPy expression."""
        return source
