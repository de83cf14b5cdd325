"""The form `product`: sources that act only together."""

from collections.abc import Sequence
from functools import reduce
from operator import mul
from types import ModuleType
from typing import TYPE_CHECKING, final

from dyadloop.theory.forms.base import Joint, Numbers, Shape

if TYPE_CHECKING:
    import sympy


@final
class Product(Joint):
    """Product of all sources."""

    name = "product"
    shape = Shape(monotone=1, curvature="neither", low=0.0)

    def value(self, xp: ModuleType, sources: Sequence[Numbers]) -> Numbers:
        """Return the product."""
        return reduce(mul, sources)

    def slopes(self, xp: ModuleType, sources: Sequence[Numbers]) -> list[Numbers]:
        """Return the product of the others, for each source."""
        one = xp.ones_like(sources[0])
        return [reduce(mul, (*sources[:i], *sources[i + 1 :]), one) for i in range(len(sources))]

    def expression(self, sources: "Sequence[sympy.Expr]") -> "sympy.Expr":
        """Return the SymPy expression."""
        return reduce(mul, sources)
