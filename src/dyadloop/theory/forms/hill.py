"""The form `hill`: saturating with a steepness; 0 below 0."""

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar, final

from dyadloop.theory.forms.base import Form, Kink, Numbers, Shape
from dyadloop.theory.forms.power import kink_at_0

if TYPE_CHECKING:
    import sympy


@final
class Hill(Form):
    """``s^power / (half^power + s^power)`` for s > 0, else 0."""

    name = "hill"
    constants: ClassVar[Mapping[str, str]] = {"half": "source", "power": "1"}
    positive = ("half", "power")
    shape = Shape(monotone=1, curvature="neither", low=0.0, high=1.0)

    def value(self, xp: ModuleType, source: Numbers, half: Numbers, power: Numbers) -> Numbers:
        """Return the value."""
        ratio = xp.where(source > 0, source, half) / half
        start = xp.where(source < 0, 0.0, source * xp.where(power == 1.0, 1.0 / half, 0.0))  # the slope at 0
        return xp.where(source > 0, ratio**power / (1.0 + ratio**power), start)

    def slope(self, xp: ModuleType, source: Numbers, half: Numbers, power: Numbers) -> Numbers:
        """Return the slope."""
        ratio = xp.where(source > 0, source, half) / half
        start = xp.where((source == 0) & (power == 1.0), 1.0 / half, 0.0)
        return xp.where(source > 0, power * ratio ** (power - 1.0) / (half * (1.0 + ratio**power) ** 2), start)

    def kinks(self, half: float, power: float) -> tuple[Kink, ...]:
        """Return the kink at 0 of a power of at most 1, and the curvature there of one of at most 2."""
        return kink_at_0(power, 1.0 / half)

    def expression(self, source: "sympy.Expr", half: "sympy.Expr", power: "sympy.Expr") -> "sympy.Expr":
        """Return the SymPy expression."""
        import sympy

        ratio = (source / half) ** power  # a power of a pure number, whatever the unit of the source
        return sympy.Piecewise((ratio / (1 + ratio), source > 0), (0, True))
