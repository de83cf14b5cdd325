"""The form `ojive`: little influence near 0, full influence beyond a threshold, on both sides."""

from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from dyadloop.theory.forms.base import Form, Kink, Numbers, Shape

if TYPE_CHECKING:
    import sympy


@final
class Ojive(Form):
    """``sign(s) / (1 + exp(-steepness (|s| - threshold)))``, the influence function of the marriage model."""

    name = "ojive"
    constants: ClassVar[Mapping[str, str]] = {"steepness": "1/source", "threshold": "source"}
    positive = ("steepness",)
    shape = Shape(monotone=1, curvature="neither", low=-1.0, high=1.0)

    def value(self, xp: ModuleType, source: Numbers, steepness: Numbers, threshold: Numbers) -> Numbers:
        """Return the value."""
        size = 0.5 * (1.0 + xp.tanh(0.5 * steepness * (xp.abs(source) - threshold)))
        middle = source * self.slope(xp, source, steepness, threshold)  # 0 at 0, where it passes the slope on
        return xp.where(source == 0, middle, xp.sign(source) * size)

    def slope(self, xp: ModuleType, source: Numbers, steepness: Numbers, threshold: Numbers) -> Numbers:
        """Return the slope."""
        size = 0.5 * (1.0 + xp.tanh(0.5 * steepness * (xp.abs(source) - threshold)))
        return steepness * size * (1.0 - size)

    def kinks(self, steepness: float, threshold: float) -> tuple[Kink, ...]:
        """Return the jump at 0, from minus to plus the influence that is left there."""
        slope = float(self.slope(np, np.float64(0.0), steepness, threshold))
        return (Kink(0.0, 0, slope, slope),)

    def expression(self, source: "sympy.Expr", steepness: "sympy.Expr", threshold: "sympy.Expr") -> "sympy.Expr":
        """Return the SymPy expression."""
        import sympy

        size = 1 / (1 + sympy.exp(-steepness * (sympy.Abs(source) - threshold)))
        return sympy.Piecewise((size, source > 0), (-size, source < 0), (0, True))
