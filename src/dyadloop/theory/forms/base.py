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


@dataclass(frozen=True)
class Kink:
    """A value of the source at which a form is not smooth.

    Attributes
    ----------
    at
        Value of the source [source unit].
    order
        The lowest derivative that is not continuous there: 0 where the value jumps, 1 where the slope does, 2 where
        the curvature jumps or has no bound.
    left, right
        Slope on either side, which a form may have without having a slope at the place itself.
    """

    at: float
    order: Literal[0, 1, 2]
    left: float
    right: float


class Form(ABC):
    """How one source acts.

    ``constants`` names the constants and their unit: ``source`` (that of the source), ``1``, or ``1/source``.
    ``xp`` is the array module: NumPy, or JAX inside a simulation; the source and the constants follow it.
    At a kink the slope, and that of automatic differentiation, is the one on the right where that is finite.
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

    def kinks(self, *args: Any, **kwargs: Any) -> tuple[Kink, ...]:  # noqa: ANN401 - each form names its own
        """Return where the form is not smooth for these constants, in order."""
        return ()

    @abstractmethod
    def expression(self, *args: Any, **kwargs: Any) -> "sympy.Expr":  # noqa: ANN401 - each form names its own
        """Return the value as a SymPy expression."""


class Joint(ABC):
    """How several sources act together. ``ties`` says whether it has a kink where sources are equal."""

    name: ClassVar[str]
    shape: ClassVar[Shape]
    ties: ClassVar[bool] = False

    @abstractmethod
    def value(self, xp: ModuleType, sources: Sequence[Numbers]) -> Numbers:
        """Return the joint value."""

    @abstractmethod
    def slopes(self, xp: ModuleType, sources: Sequence[Numbers]) -> list[Numbers]:
        """Return the derivative with respect to each source."""

    @abstractmethod
    def expression(self, sources: "Sequence[sympy.Expr]") -> "sympy.Expr":
        """Return the joint value as a SymPy expression."""
