"""What is made once for all problems that differ in their data alone: compiled programs above all."""

from collections.abc import Callable, Hashable
from functools import wraps
from operator import is_
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, runtime_checkable

from dyadloop.likelihood.panel import Panel

Made = TypeVar("Made")
Others = ParamSpec("Others")


class Cache:
    """What was made for one theory, observation model and table of priors, whatever the data.

    Parameters
    ----------
    parts
        The parts of a problem on which all that is kept here rests.
    """

    def __init__(self, *parts: object) -> None:
        self._parts = parts
        self._made: dict[Hashable, Any] = {}

    def serving(self, *parts: object) -> "Cache":
        """Return this cache where it was made for these very objects, otherwise a new one for them."""
        # by identity: parts are never changed, and comparing tables and arrays would cost more than it saves
        same = len(parts) == len(self._parts) and all(map(is_, parts, self._parts))
        return self if same else Cache(*parts)

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what was made under a key, made now if it is the first time."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


@runtime_checkable
class Cached(Protocol):
    """What has a cache and data."""

    @property
    def cache(self) -> Cache:
        """What was made for problems that differ from this one in their data alone."""
        ...

    @property
    def panel(self) -> Panel:
        """The data."""
        ...


Problem = TypeVar("Problem", bound=Cached)


def made_once(make: Callable[Concatenate[Problem, Others], Made]) -> Callable[Concatenate[Problem, Others], Made]:
    """Return a function of a problem that works once for all problems with the same cache and further arguments.

    What is made must not depend on the data of the problem, except for the number of values that are not seen as
    numbers: a program takes the panel as an argument. Further arguments must be hashable.
    """

    @wraps(make)
    def found(problem: Problem, *args: Others.args, **kwargs: Others.kwargs) -> Made:
        key = (make, problem.panel.n_latent, args, frozenset(kwargs.items()))
        return problem.cache.once(key, lambda: make(problem, *args, **kwargs))

    return found
