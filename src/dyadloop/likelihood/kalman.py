"""One pass of a Kalman filter over the moments of all dyads, and its derivative, as functions of JAX.

Both are compiled kernels, :mod:`dyadloop.kernels`, for the CPU. They take eight dyads at once, read the transition of
each interval where it lies, and add up the derivative by it there.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from dyadloop.kernels.targets import doubles, kernel

_LANES = 8


class Given(NamedTuple):
    """What a sweep needs.

    ``matrix``, ``noise`` and ``shift`` move the states over each distinct interval, of all dyads (owner: 1) or of each;
    ``pair`` tells which interval lies before each moment. ``score`` is what is observed less what it reads at a mean
    of 0, ``slopes`` how it reads what differs between dyads, ``variance`` that of its error, ``seen`` whether it is
    there. ``push`` moves the states after a moment. Where errors of one moment correlate, a score is a combination of
    scores: ``mix`` holds how it reads the states of the earlier ones, by pair of indicators. ``mean`` and ``cov`` are
    the first belief. Axes with a ? may have the length 1: the same for all.
    """

    matrix: Float[Array, "?owner interval state state"]
    noise: Float[Array, "?owner interval state state"]
    shift: Float[Array, "?owner interval state"]
    pair: Int[Array, "dyad time"]
    score: Float[Array, "dyad time indicator"]
    slopes: Float[Array, "?dyad ?time indicator effect"]
    loading: Float[Array, " indicator"]
    variance: Float[Array, "dyad time indicator"]
    seen: Bool[Array, "dyad time indicator"]
    push: Float[Array, "?dyad ?time state"]
    mix: Float[Array, "dyad time pair"]
    mean: Float[Array, "?dyad state"]
    cov: Float[Array, "?dyad state state"]


_DIFFERENTIATED = ("matrix", "noise", "shift", "score", "slopes", "loading", "variance", "push", "mix", "mean", "cov")


class Readings(NamedTuple):
    """The state that each indicator measures, and those of the earlier indicators that its score is combined with.

    The pairs of an indicator lie behind each other in ``mix``, and those of all indicators in their order.
    """

    states: tuple[int, ...]
    others: tuple[tuple[int, ...], ...]

    def numbers(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the states, where the pairs of each indicator end, and the states of the earlier indicators."""
        ends = np.cumsum([0, *(len(states) for states in self.others)])
        return np.array(self.states), ends, np.array([state for own in self.others for state in own], dtype=int)


class Swept(NamedTuple):
    """The variance of each innovation, 1 where there is no score, and the Gram matrix of the innovations of each dyad.

    An innovation and its slopes in what differs between dyads make one vector: the first column and the others.
    """

    variances: Float[Array, "dyad time indicator"]
    gram: Float[Array, "dyad column column"]


def sweep(readings: Readings, given: Given) -> Swept:
    """Return the variances of the innovations and their Gram matrix, weighed by the inverse of the variances.

    Parameters
    ----------
    readings
        Which states each score reads.
    given
        Numbers.
    """
    return Swept(*_sweep(readings, given))


@jax.custom_vjp
def _sweep_of(given: Given, numbers: tuple[Array, ...]) -> tuple[Array, Array]:
    return kernel("filter", _results(given), *given, *numbers)


def _sweep(readings: Readings, given: Given) -> Any:  # noqa: ANN401 - custom_vjp forgets the types
    return _sweep_of(given, tuple(jnp.asarray(part) for part in readings.numbers()))


def _forth(given: Given, numbers: tuple[Array, ...]) -> tuple[tuple[Array, Array], tuple]:
    (n_dyads, n_times, m), n = given.score.shape, given.matrix.shape[-1]
    lead, mixed = given.slopes.shape[-1] + 1, given.mix.shape[-1]
    entries = n * lead + n * n + (m + mixed) * (lead + n) + m
    kept = doubles(-(-n_dyads // _LANES), n_times, entries, _LANES)
    variances, gram, kept = kernel("filter", (*_results(given), kept), *given, *numbers)
    return (variances, gram), (given, numbers, kept)


def _back(memory: tuple, slopes: tuple[Array, Array]) -> tuple[Given, tuple]:
    """Return the derivatives of everything given, from those of the variances and of the Gram matrix."""
    given, numbers, kept = memory
    shapes = tuple(doubles(*getattr(given, name).shape) for name in _DIFFERENTIATED)
    found = kernel("filter_back", shapes, *given, *numbers, kept, *slopes)
    none: Any = {name: np.zeros(getattr(given, name).shape, jax.dtypes.float0) for name in ("pair", "seen")}
    whole = Given(**dict(zip(_DIFFERENTIATED, found, strict=True)), **none)
    return whole, tuple(np.zeros(part.shape, jax.dtypes.float0) for part in numbers)


_sweep_of.defvjp(_forth, _back)


def _results(given: Given) -> tuple[jax.ShapeDtypeStruct, jax.ShapeDtypeStruct]:
    lead = given.slopes.shape[-1] + 1
    return doubles(*given.score.shape), doubles(given.score.shape[0], lead, lead)
