"""Surrogates of one series: each kind keeps something, breaks something, and thereby names a null hypothesis."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dyadloop.errors import MeasureError
from dyadloop.signals.series import Floats


@dataclass(frozen=True)
class Surrogate:
    """A kind of surrogate: its null hypothesis and the function (series, generator, guard) -> surrogate.

    ``guard`` is the number of samples within which two moments count as the same time: the largest lag and window.
    """

    null: str
    function: Callable[[Floats, np.random.Generator, int], Floats]
    of_spectrum: bool = False

    def draw(self, moving: Floats, whole: Floats, generator: np.random.Generator, guard: int, joint: int = 0) -> Floats:
        """Return a surrogate of a series whose rests are left out; one of the spectrum rests where the person did.

        ``joint`` samples around the place where a shifted series begins anew are made missing: a window across it would
        know the surrogate, the more so the slower the series is.
        """
        if self.function is shifted:
            return turned(moving, _turn(len(moving), generator, guard), joint)
        if not self.of_spectrum:
            return self.function(moving, generator, guard)
        return np.where(np.isnan(moving), np.nan, self.function(whole, generator, guard))


def shifted(values: Floats, generator: np.random.Generator, guard: int) -> Floats:
    """Return the series turned by a random time longer than ``guard``; gaps move along."""
    return turned(values, _turn(len(values), generator, guard))


def _turn(n: int, generator: np.random.Generator, guard: int) -> int:
    if n <= 2 * guard + 1:
        raise MeasureError(f"{n} samples are too short for a shift beyond {guard} samples; record longer")
    return int(generator.integers(guard, n - guard))


def turned(values: Floats, by: int, joint: int = 0) -> Floats:
    """Return the series turned by some samples, with ``joint`` samples around its joint made missing."""
    found = np.roll(values, by)
    found[max(by - joint // 2, 0) : by + joint - joint // 2] = np.nan
    return found


def permuted(values: Floats, generator: np.random.Generator, guard: int) -> Floats:
    """Return the series with its pieces in random order.

    A piece may stay where it was: leaving such orders out would make the null too narrow.

    A piece has ``guard`` samples; the remainder, where the length is no multiple, keeps its place at the end, so that
    pieces stay on the grid of the windows.
    """
    width = max(guard, 2)
    count = len(values) // width
    pieces = [values[k * width : (k + 1) * width] for k in range(count)]
    if count < 4:
        raise MeasureError(f"{count} pieces of {width} samples; a permutation needs at least 4; record longer")
    order = generator.permutation(count)
    return np.concatenate([*(pieces[k] for k in order), values[count * width :]])


def phase_randomised(values: Floats, generator: np.random.Generator, guard: int) -> Floats:
    """Return a series with the same spectrum and random phases."""
    centre = _whole(values).mean()
    spectrum = np.fft.rfft(values - centre)
    turn = np.exp(2j * np.pi * generator.random(len(spectrum)))
    turn[0] = 1.0
    if len(values) % 2 == 0:
        turn[-1] = 1.0
    return np.fft.irfft(spectrum * turn, len(values)) + centre


def amplitude_adjusted(values: Floats, generator: np.random.Generator, guard: int, rounds: int = 100) -> Floats:
    """Return a series with the same values and nearly the same spectrum (IAAFT).

    References
    ----------
    .. [1] Schreiber & Schmitz (1996). doi:10.1103/PhysRevLett.77.635
    """
    ordered = np.sort(_whole(values))
    amplitude = np.abs(np.fft.rfft(values))
    found = generator.permutation(values)
    misfit = np.inf
    for _ in range(rounds):
        turned = np.fft.rfft(found)
        size = np.abs(turned)
        before, misfit = misfit, float(((size - amplitude) ** 2).sum())
        if misfit > before * (1 - 1e-3):
            break
        turned = amplitude * np.divide(turned, size, out=np.ones_like(turned), where=size > 0)
        found = np.empty_like(ordered)
        found[np.argsort(np.fft.irfft(turned, len(values)))] = ordered
    return found


def _whole(values: Floats) -> Floats:
    if np.isnan(values).any():
        raise MeasureError(
            f"{int(np.isnan(values).sum())} samples are missing; surrogates of the spectrum need a whole series; "
            "use shift or permutation, or cut to a stretch without gaps"
        )
    return values


SURROGATES: dict[str, Surrogate] = {
    "shift": Surrogate("the two series are not related in time; each may be of any kind, if stationary", shifted),
    "permutation": Surrogate(
        "the pieces of the second series may stand in any order; windows do not overlap and lie within pieces", permuted
    ),
    "phase": Surrogate(
        "the second series is a linear Gaussian process independent of the first", phase_randomised, True
    ),
    "iaaft": Surrogate(
        "the second series is a monotone function of a linear Gaussian process independent of the first",
        amplitude_adjusted,
        True,
    ),
}
"""Kinds of surrogates within a dyad, by name; pairs between dyads are in ``pseudo``."""
