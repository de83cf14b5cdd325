"""Peaks and valleys of a slow signal such as skin conductance, and the features that they delimit."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import savgol_filter

from dyadloop.signals.series import Floats
from dyadloop.signals.stretches import stretches

Indices = NDArray[np.int64]


class Features(NamedTuple):
    """Features of a series: sample of ``onset`` (valley), ``peak``, and ``end`` (half recovery or next valley)."""

    onset: Indices
    peak: Indices
    end: Indices


def features(values: Floats, width: int, correction: int, amplitude: float) -> Features:
    """Return the features of a series, stretch by stretch between gaps.

    Parameters
    ----------
    values
        Samples.
    width
        Samples of the local quadratic whose slope tells where the series turns.
    correction
        Samples around a turn within which the extreme of the raw series is looked for.
    amplitude
        Smallest rise from onset to peak [unit of the series].
    """
    found: list[list[Indices]] = [[], [], []]
    for low, high in stretches(~np.isnan(values)):
        if high - low <= width:
            continue
        part = values[low:high]
        places, peaks = extremes(part, width, correction, amplitude)
        for name, column in enumerate(_delimited(part, places, peaks)):
            found[name].append(column + low)
    return Features(*[np.concatenate(column) if column else np.empty(0, dtype=np.int64) for column in found])


def extremes(x: Floats, width: int, correction: int, amplitude: float) -> tuple[Indices, NDArray[np.bool_]]:
    """Return the samples of valleys and peaks in turn, and which are peaks; small peaks are dropped.

    A small peak goes with the higher of its two valleys; of valleys that then follow each other the last stays.
    """
    turn = np.sign(np.diff(np.asarray(savgol_filter(x, width, 2))))
    step = turn[:-1] - turn[1:]
    places = np.flatnonzero(np.abs(step) == 2) + 1
    peaks = step[places - 1] > 0
    for k in range(len(places)):
        low = max(places[k] - correction, places[k - 1] + 1 if k else 0, 0)
        high = min(places[k] + correction, places[k + 1] - 1 if k + 1 < len(places) else len(x) - 1, len(x) - 1)
        window = x[low : high + 1]
        places[k] = low + (np.argmax(window) if peaks[k] else np.argmin(window))
    keep = np.ones(len(places), dtype=bool)
    for k in range(1, len(places) - 1):
        if peaks[k] and x[places[k - 1] : places[k + 1] + 1].max() - x[places[k - 1]] < amplitude:
            keep[k] = False
            keep[k - 1 if x[places[k - 1]] >= x[places[k + 1]] else k + 1] = False
    places, peaks = places[keep], peaks[keep]
    last = np.append(peaks[1:] != peaks[:-1], True) if len(places) else np.empty(0, dtype=bool)
    return places[last], peaks[last]


def _delimited(x: Floats, places: Indices, peaks: NDArray[np.bool_]) -> tuple[Indices, Indices, Indices]:
    """Return onset, peak and end of every peak between two valleys; an end is half recovery where that comes first."""
    at = np.flatnonzero(peaks)
    at = at[(at > 0) & (at < len(places) - 1)]
    onset, peak, valley = places[at - 1], places[at], places[at + 1]
    end = valley.copy()
    for k in range(len(at)):
        half = x[peak[k]] - (x[peak[k]] - x[onset[k]]) / 2
        if x[valley[k]] <= half:
            end[k] = peak[k] + np.argmin(np.abs(x[peak[k] : valley[k] + 1] - half))
    return onset, peak, end
