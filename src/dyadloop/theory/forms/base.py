"""What a form is: how a source acts, as one object with a value, a slope, an expression and a shape."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    import sympy

Numbers = Any
"""A number or an array of the array module in use."""


@dataclass(frozen=True)
class Shape:
    """What a form promises for sources of 0 and more and for every admissible constant.

    Attributes
    ----------
    monotone
        1 never falls, -1 never rises, 0 may do both.
    curvature
        ``linear``, ``concave``, ``convex`` or ``neither``.
    low, high
        Bounds of the value, None where unbounded. A bound of 1 is in units of the coefficient.
    """

    monotone: Literal[-1, 0, 1]
    curvature: Literal["linear", "concave", "convex", "neither"]
    low: float | None = None
    high: float | None = None


class Form(ABC):
    """How one source acts.

    ``constants`` names the constants and their unit: ``source`` (that of the source), ``1``, or ``1/source``.
    ``xp`` is the array module: NumPy, or JAX inside a simulation; the source and the constants follow it.
    """

    name: ClassVar[str]
    constants: ClassVar[Mapping[str, str]] = {}
    positive: ClassVar[tuple[str, ...]] = ()
    shape: ClassVar[Shape]

    @abstractmethod
    def value(self, xp: ModuleType, *args: Any, **kwargs: Any) -> Numbers:  # noqa: ANN401 - each form names its own
        """Return the value of the form [1, or the unit of the source if linear]."""

    @abstractmethod
    def slope(self, xp: ModuleType, *args: Any, **kwargs: Any) -> Numbers:  # noqa: ANN401 - each form names its own
        """Return the derivative of the value with respect to the source."""

    @abstractmethod
    def expression(self, *args: Any, **kwargs: Any) -> "sympy.Expr":  # noqa: ANN401 - each form names its own
        """Return the value as a SymPy expression."""


class Joint(ABC):
    """How several sources act together."""

    name: ClassVar[str]
    shape: ClassVar[Shape]

    @abstractmethod
    def value(self, xp: ModuleType, sources: Sequence[Numbers]) -> Numbers:
        """Return the joint value."""

    @abstractmethod
    def slopes(self, xp: ModuleType, sources: Sequence[Numbers]) -> list[Numbers]:
        """Return the derivative with respect to each source."""

    @abstractmethod
    def expression(self, sources: "Sequence[sympy.Expr]") -> "sympy.Expr":
        """Return the joint value as a SymPy expression."""
