"""The form `weakest_link`: the smallest source decides, so all are needed."""

from collections.abc import Sequence
from functools import reduce
from types import ModuleType
from typing import TYPE_CHECKING, final

from dyadloop.theory.forms.base import Joint, Numbers, Shape

if TYPE_CHECKING:
    import sympy


@final
class WeakestLink(Joint):
    """Minimum of all sources."""

    name = "weakest_link"
    ties = True
    shape = Shape(monotone=1, curvature="concave")

    def value(self, xp: ModuleType, sources: Sequence[Numbers]) -> Numbers:
        """Return the minimum."""
        return reduce(lambda a, b: xp.where(a <= b, a, xp.minimum(a, b)), sources)

    def slopes(self, xp: ModuleType, sources: Sequence[Numbers]) -> list[Numbers]:
        """Return 1 for the smallest source and 0 for the others; ties go to the first."""
        smallest = self.value(xp, sources)
        found: list[Numbers] = []
        taken = xp.zeros_like(smallest)
        for source in sources:
            here = xp.where(source == smallest, 1.0, 0.0) * (1.0 - taken)
            taken = taken + here
            found.append(here)
        return found

    def expression(self, sources: "Sequence[sympy.Expr]") -> "sympy.Expr":
        """Return the SymPy expression."""
        import sympy

        return reduce(lambda a, b: sympy.Piecewise((a, a <= b), (b, True)), sources)
