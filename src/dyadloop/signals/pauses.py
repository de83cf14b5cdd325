"""Stretches in which two persons stand still at once, longer than persons do: a film that stopped.

A stopped film rarely gives exact zeros: compression and the sensor leave a noise floor. What is small is told by the
series itself, never in a unit.
"""

import math

import numpy as np
from numpy.typing import NDArray

from dyadloop.signals.stretches import stretches

COMMON_PAUSE = 10.0
"""Seconds for which two persons do not both stand still: 9.0 s was the longest exact rest of 32 recordings."""
NOISE_FLOOR = 0.05
"""Share of the usual range within 10 s below which a series stands still but for noise (assumed).

In 12 recordings of real motion energy the quietest 10 s of two persons at once span 7 % of it, in the median 23 %; the
0 and 1 that compression leaves in a stopped film span 1 to 4 %.
"""


def common_pauses(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    fs: float,
    seconds: float = COMMON_PAUSE,
    floor: float = NOISE_FLOOR,
) -> tuple[tuple[float, float], ...]:
    """Return the stretches (from, to) [s] in which neither series moves for so long, each at any value.

    One person who rests is still; two who rest for longer than persons do are a stopped film.

    Parameters
    ----------
    first, second
        Samples; a gap ends a stretch.
    fs
        Samples per second [Hz].
    seconds
        Shortest stretch [s].
    floor
        Share of the usual range that counts as no movement; 0: no change to the last digit.

    Notes
    -----
    The usual range is the median, over all stretches of that length, of the largest minus the smallest sample. The
    range of a whole recording would let every slow series, such as skin conductance, stand still. Where a series stands
    still for more than half of the time there is no usual range, and only rest to the last digit counts.
    """
    width = max(math.ceil(seconds * fs - 1e-9), 2)
    if len(first) < width:
        return ()
    exact = (np.diff(first) == 0) & (np.diff(second) == 0)
    still = np.zeros(len(first), dtype=np.bool_)
    for low, high in stretches(exact):
        still[low : high + 1] |= high + 1 - low >= width
    for low, high in stretches(_quiet(first, width, floor) & _quiet(second, width, floor)):
        still[low : high - 1 + width] = True
    return tuple((low / fs, high / fs) for low, high in stretches(still))


def _quiet(values: NDArray[np.float64], width: int, floor: float) -> NDArray[np.bool_]:
    """Return which windows of a series, one per start, span less than a share of what they usually span."""
    from scipy.ndimage import maximum_filter1d, minimum_filter1d

    inside = slice(width // 2, len(values) - width + 1 + width // 2)
    gaps = np.isnan(values)
    high = maximum_filter1d(np.where(gaps, np.inf, values), width)[inside]
    low = minimum_filter1d(np.where(gaps, -np.inf, values), width)[inside]
    span = high - low
    known = span[np.isfinite(span)]
    return span < floor * np.median(known) if len(known) else np.zeros(len(span), dtype=np.bool_)
