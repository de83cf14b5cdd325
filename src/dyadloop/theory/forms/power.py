"""The form `power`: a power of the source; 0 below 0."""

import math
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar, final

from dyadloop.theory.forms.base import Form, Kink, Numbers, Shape

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
        start = xp.where(source < 0, 0.0, source * xp.where(power == 1.0, 1.0, 0.0))  # the slope at 0
        return xp.where(source > 0, xp.where(source > 0, source, 1.0) ** power, start)

    def slope(self, xp: ModuleType, source: Numbers, power: Numbers) -> Numbers:
        """Return the slope."""
        start = xp.where((source == 0) & (power == 1.0), 1.0, 0.0)
        return xp.where(source > 0, power * xp.where(source > 0, source, 1.0) ** (power - 1.0), start)

    def kinks(self, power: float) -> tuple[Kink, ...]:
        """Return the kink at 0 of a power of at most 1, and the curvature there of one of at most 2."""
        return kink_at_0(power, 1.0)

    def expression(self, source: "sympy.Expr", power: "sympy.Expr") -> "sympy.Expr":
        """Return the SymPy expression."""
        import sympy

        return sympy.Piecewise((source**power, source > 0), (0, True))


def kink_at_0(power: float, slope: float) -> tuple[Kink, ...]:
    """Return the kink at 0 of what is 0 below and rises like ``(slope s)^power`` above."""
    if power > 2:
        return ()
    if power > 1:
        return (Kink(0.0, 2, 0.0, 0.0),)
    return (Kink(0.0, 1, 0.0, slope if power == 1 else math.inf),)
