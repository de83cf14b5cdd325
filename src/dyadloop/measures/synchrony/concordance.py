"""Marci's concordance of skin conductance: slopes that agree against slopes that disagree."""

import numpy as np
import xarray as xr

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import result
from dyadloop.measures.synchrony.lagged import grid, windowed_correlation
from dyadloop.measures.synchrony.phase import jackknife_error
from dyadloop.signals.series import Floats, Pair, samples

_SOURCE = "Marci et al. 2007, doi:10.1097/01.nmd.0000253731.71025.fc"
_LARGEST = 10.0  # where no window disagrees the ratio has no end; DyadSync's bound
_BLOCKS = 12


def concordance(pair: Pair, window: float = 15.0, step: float = 1.0, slope_window: float = 5.0) -> xr.Dataset:
    """Return the single-session index of concordance: ln of the positive over the negative correlations of slopes.

    Parameters
    ----------
    pair
        Two series, such as skin conductance levels.
    window
        Width of the windows in which slopes are correlated [s].
    step
        Distance of windows and of slopes [s].
    slope_window
        Width of the windows from which a slope is taken [s].

    Returns
    -------
    xarray.Dataset
        ``course`` (window): correlation of the slopes, at lag 0; ``start`` (window) [s]; ``score``: ln of the sum of
        the positive correlations over the absolute sum of the negative ones, at most 10 either way; ``error`` by
        leaving out one twelfth of the windows at a time, unknown at that bound; ``share_positive``; ``high``: median of
        the positive
        correlations times their share, which DyadSync calls Kleinbub's index.

    Raises
    ------
    MeasureError
        If the recording is too short, or no window has a correlation.

    Notes
    -----
    A slope is the least-squares slope of its window (assumption: the paper says average slope). 0 means as much
    agreement as disagreement. A window with a gap, or in which a person's slope does not vary, is left out.
    """
    lines, increment = slopes(pair, slope_window, step)
    width = round(window / step)
    if width < 3:
        raise MeasureError(f"window of {window:g} s holds {width} slopes at a step of {step:g} s; expected at least 3")
    course = windowed_correlation(lines[0], lines[1], grid(len(lines[0]), width, 1, 0), 1.0)[:, 0]
    still = (np.ptp(np.lib.stride_tricks.sliding_window_view(lines, width, axis=1), axis=2) == 0).any(axis=0)
    course = np.where(still, np.nan, course)
    known = course[~np.isnan(course)]
    if not len(known):
        raise MeasureError("no window without a gap in which both persons' slopes vary; expected at least one")
    parts = np.array_split(known, min(_BLOCKS, len(known)))
    without = [np.concatenate([*parts[:k], *parts[k + 1 :]]) for k in range(len(parts) if len(parts) > 1 else 0)]
    positive, score = known[known > 0], index(known)
    error = jackknife_error(np.array([index(rest) for rest in without])) if abs(score) < _LARGEST else float("nan")
    starts = np.arange(len(course)) * increment / pair.fs
    return result(
        "concordance",
        score,
        error,
        "ln of positive over negative correlations of slopes",
        _SOURCE,
        {"window": window, "step": step, "slope_window": slope_window, "fs": pair.fs},
        variables={
            "course": ("window", course, {"units": "1"}),
            "share_positive": ((), len(positive) / len(known)),
            "high": ((), float(np.median(positive)) * len(positive) / len(known) if len(positive) else 0.0),
        },
        coords={"start": ("window", starts, {"units": "s"})},
        windows=len(known),
    )


def index(r: Floats) -> float:
    """Return ln of the sum of the positive over the absolute sum of the negative correlations, within +-10."""
    positive, negative = r[r > 0].sum(), -r[r < 0].sum()
    if positive == negative:
        return 0.0
    with np.errstate(divide="ignore"):
        return float(np.clip(np.log(positive) - np.log(negative), -_LARGEST, _LARGEST))


def slopes(pair: Pair, width: float, step: float) -> tuple[Floats, int]:
    """Return the least-squares slopes (person, window) [unit per s] of gliding windows, and their distance [samples].

    Raises
    ------
    MeasureError
        If the recording is shorter than one such window.
    """
    count, increment = samples(width, pair.fs, "a window for slopes", 2), samples(step, pair.fs, "a step")
    if len(pair.first) < count:
        raise MeasureError(f"{len(pair.first)} samples; expected at least the {count} of one window for slopes")
    time = (np.arange(count) - (count - 1) / 2) / pair.fs
    weights = time / (time @ time)
    both = np.stack([pair.first, pair.second])
    windows = np.lib.stride_tricks.sliding_window_view(both, count, axis=1)[:, ::increment]
    centred = windows - windows.mean(axis=2, keepdims=True)  # a constant has slope 0 exactly
    return centred @ weights, increment
