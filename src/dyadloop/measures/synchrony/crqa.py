"""Cross-recurrence as the program crqa has it: sides, scales, windows, categories, and several channels at once."""

from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import mean, result
from dyadloop.measures.synchrony.guard import checked
from dyadloop.measures.synchrony.recurrence import (
    METRICS,
    Norm,
    RecurrenceCounts,
    count_recurrences,
    embed,
    profile,
    rows_within,
)
from dyadloop.signals.series import Floats, Pair, as_rate, as_series, samples

_SOURCE = "Coco & Dale 2014, doi:10.3389/fpsyg.2014.00510; Coco et al. 2021, doi:10.32614/RJ-2021-062"
_MD = "Wallot 2019, doi:10.1080/00273171.2018.1512846"
_PERCENT = ("RR", "DET", "LAM")
_ROWS = 500  # of distances at once
Side = Literal["both", "upper", "lower"]
Rescale = Literal["none", "mean", "maximum", "minimum", "pairs"]
Standardise = bool | Literal["unit"]


def crqa(
    pair: Pair,
    radius: float,
    dimension: int = 1,
    delay: int = 1,
    standardise: Standardise = True,
    theiler: int = 0,
    shortest: int = 2,
    full: bool = True,
    lag: float | None = None,
    norm: Norm = "euclidean",
    side: Side = "both",
    rescale: Rescale = "none",
    window: float | None = None,
    step: float | None = None,
    categorical: bool = False,
) -> xr.Dataset:
    """Return what crqa computes: RR, DET and LAM in percent, the diagonal profile, windows and blocks.

    Parameters
    ----------
    pair
        Two series without gaps.
    radius
        Largest distance of two states, in units of the z-scores where ``standardise``.
    dimension, delay
        Embedding; the delay in samples.
    standardise
        z-score both series (n - 1), crqa's ``normalize = 2``; ``unit``: onto 0 to 1, its 1; false: neither.
    theiler
        ``tw``: the band |i - j| < tw is dropped from everything [samples].
    shortest
        ``mindiagline`` and ``minvertline`` [samples].
    full
        ``rr_denom = "full"``: relate points to all cells in spite of band and side; crqa 2.1 says ``valid``.
    lag
        Half width of the profile [s]; default: ten samples. crqa counts it in samples.
    norm, side, rescale
        ``metric``; ``upper``: only cells in which the second person's moment is the earlier one, ``lower``: the
        later; ``rescale``: what the radius is multiplied by, the mean, maximum or minimum distance, or their sum over
        n (n - 1) (``pairs``), crqa's 1 to 4.
    window, step
        Width and distance of windows, each standardised by itself [s]; default: none.
    categorical
        Values are codes: adds the entropy of blocks; give ``standardise = false`` and a radius of at most 0.1.

    Returns
    -------
    xarray.Dataset
        RR, DET, NRLINE, L, maxL, ENTR, rENTR, LAM, TT, maxV; ``profile`` (lag); with windows ``course`` (window,
        measure) and ``course_profile`` (window, lag), NaN rows where nothing recurs; with categories ``catH``,
        ``blocks``, ``block_mean`` and ``block_largest`` (areas beyond one cell); ``score``: DET, ``error`` by leaving
        out one twelfth of the recording at a time; ``lead``: mean of the profile at positive minus negative
        lags, of both sides only.

    Raises
    ------
    MeasureError
        If a sample is missing, a setting does not exist, or nothing recurs.
    """
    series = [pair.first, pair.second]
    if np.isnan(series).any():
        raise MeasureError("crqa knows no gaps; fill or cut them, or use the method recurrence")
    if categorical and (standardise is not False or radius > 0.1):
        raise MeasureError(
            "categorical: codes are equal or not; expected standardise = false and a radius of at most 0.1"
        )
    options = {"norm": norm, "side": side, "rescale": rescale, "theiler": theiler, "shortest": shortest, "full": full}
    x, y = (embed(scaled(s, standardise), dimension, delay) for s in series)
    whole, far, variables, coords, lead = _whole(x, y, pair.fs, radius, lag, options)
    if window is not None:
        more, starts = _windows(
            series, pair.fs, window, step or window, far, (standardise, dimension, delay), radius, options
        )
        variables |= more
        coords |= {"start": ("window", starts, {"units": "s"}), "measure": list(_percent(whole))}
    if categorical:
        variables |= {name: ((), value) for name, value in blocks(x, y, radius, norm, theiler).items()}
    return result(
        "crqa",
        float(variables["DET"][1]),
        100 * whole.error(),
        "DET: percent of recurrent points on diagonal lines",
        _SOURCE,
        {"radius": radius, "dimension": dimension, "delay": delay, "standardise": standardise, **options,
         "categorical": categorical, "fs": pair.fs},
        lead=lead,
        variables=variables,
        coords=coords,
    )  # fmt: skip


def mdcrqa(
    first: ArrayLike,
    second: ArrayLike,
    fs: float,
    radius: float,
    dimension: int = 1,
    delay: int = 1,
    standardise: Standardise = True,
    theiler: int = 0,
    shortest: int = 2,
    full: bool = True,
    lag: float | None = None,
    norm: Norm = "euclidean",
    side: Side = "both",
    rescale: Rescale = "none",
) -> xr.Dataset:
    """Return multidimensional cross-recurrence: when two persons, each with several channels, are in the same state.

    Parameters
    ----------
    first, second
        Samples (sample, channel) of the two persons, as many channels of the same kind in the same order.
    fs
        Rate [Hz].
    radius, dimension, delay, standardise, theiler, shortest, full, lag, norm, side, rescale
        As in :func:`crqa`; each channel is scaled by itself.

    Returns
    -------
    xarray.Dataset
        As :func:`crqa` without windows and categories.

    Raises
    ------
    MeasureError
        If the persons differ in samples or channels, a sample is missing, or nothing recurs.
    """
    rate = as_rate(fs)
    both = [np.asarray(values, dtype=np.float64) for values in (first, second)]
    if both[0].ndim != 2 or both[0].shape != both[1].shape:
        raise MeasureError(
            f"got shapes {both[0].shape} and {both[1].shape}; expected (samples, channels) twice the same"
        )
    states = []
    for values, name in zip(both, ("first", "second"), strict=True):
        columns = [as_series(column, f"{name} person, channel {k + 1}") for k, column in enumerate(values.T)]
        if np.isnan(values).any():
            raise MeasureError(
                f"{name} person: {int(np.isnan(values).sum())} samples are missing; mdcrqa knows no gaps"
            )
        scaled_columns = np.stack([scaled(column, standardise) for column in columns], axis=1)
        states.append(embed(scaled_columns, dimension, delay))
    x, y = states
    options = {"norm": norm, "side": side, "rescale": rescale, "theiler": theiler, "shortest": shortest, "full": full}
    whole, _, variables, coords, lead = _whole(x, y, rate, radius, lag, options)
    found = result(
        "mdcrqa",
        float(variables["DET"][1]),
        100 * whole.error(),
        "DET: percent of recurrent points on diagonal lines",
        _MD,
        {"radius": radius, "dimension": dimension, "delay": delay, "standardise": standardise, **options, "fs": rate},
        lead=lead,
        variables=variables,
        coords=coords,
    )
    return checked(found)


def _whole(
    x: Floats, y: Floats, fs: float, radius: float, lag: float | None, options: dict[str, Any]
) -> tuple[RecurrenceCounts, int, dict[str, Any], dict[str, Any], float | None]:
    """Return the recurrences of a recording, the half width of its profile, variables, coordinates, and the lead."""
    whole = sided_plot(x, y, radius, **options)
    if whole.points == 0:
        raise MeasureError(f"nothing recurs within a radius of {radius:g}; expected some points; enlarge the radius")
    wanted = 10 if lag is None else samples(lag, fs, "the lag of the profile", 0)
    far = min(wanted, min(x.shape[1], y.shape[1]) - 1)
    rates = _profile(x, y, whole, far, options["side"], options["theiler"])
    variables: dict[str, Any] = {name: ((), value) for name, value in _percent(whole).items()}
    variables["profile"] = ("lag", rates)
    coords = {"lag": ("lag", np.arange(-far, far + 1) / fs, {"units": "s"})}
    return whole, far, variables, coords, _lead(rates, far) if options["side"] == "both" else None


def sided_plot(
    x: Floats, y: Floats, radius: float, norm: str, side: str, rescale: str, theiler: int, shortest: int, full: bool
) -> RecurrenceCounts:
    """Return the recurrence count_recurrences of two sequences of states (dimension, time), or of one side of it.

    Raises
    ------
    MeasureError
        If norm, side or rescale does not exist, or the radius is no distance above 0.
    """
    scales = ("none", "mean", "maximum", "minimum", "pairs")
    if rescale not in scales:
        raise MeasureError(f"rescale {rescale!r} does not exist; expected one of {', '.join(scales)}")
    return count_recurrences(x, y, radius * _distance(x, y, norm, rescale), norm, theiler, shortest, full, side)


def _distance(x: Floats, y: Floats, norm: str, rescale: str) -> float:
    """Return what the radius is multiplied by: a summary of all distances, a few rows of them at a time."""
    if rescale == "none" or norm not in METRICS:
        return 1.0
    parts = [x[:, low : low + _ROWS].T for low in range(0, x.shape[1], _ROWS)]
    tables = (cdist(part, y.T, METRICS[norm]) for part in parts)
    found = np.array([(table.sum(), table.max(), table.min()) for table in tables])
    n, cells = x.shape[1], x.shape[1] * y.shape[1]
    total = float(found[:, 0].sum())
    of = {
        "mean": total / cells,
        "maximum": found[:, 1].max(),
        "minimum": found[:, 2].min(),
        "pairs": total / (n * n - n),
    }
    if of[rescale] <= 0:
        raise MeasureError(f"rescale: the {rescale} distance is 0; expected another rescaling")
    return float(of[rescale])


def scaled(x: Floats, standardise: Standardise) -> Floats:
    """Return z-scores (n - 1), values from 0 to 1, or the series as it is."""
    if standardise not in (True, False, "unit"):
        raise MeasureError(f"standardise: got {standardise!r}; expected true, false or unit")
    if not standardise:
        return x
    if np.ptp(x) == 0:
        return np.full_like(x, np.nan)  # states that never recur: a still window has no scale
    return (x - x.mean()) / x.std(ddof=1) if standardise is True else (x - x.min()) / np.ptp(x)


def _windows(
    series: list[Floats], fs: float, window: float, step: float, far: int, how: tuple[Standardise, int, int],
    radius: float, options: dict[str, Any],
) -> tuple[dict[str, Any], Floats]:  # fmt: skip
    """Return the measures and profiles of windows, and their starts [s]."""
    standardise, dimension, delay = how
    width = samples(window, fs, "a window", 10)
    starts = np.arange(0, len(series[0]) - width + 1, samples(step, fs, "a step"))
    if not len(starts):
        raise MeasureError(f"a window of {window:g} s does not fit into {len(series[0]) / fs:g} s; shorten it")
    if far >= width - (dimension - 1) * delay:
        raise MeasureError(f"a window of {window:g} s is shorter than the lags of the profile; shorten the lag")
    measures, profiles = [], []
    for start in starts:
        x, y = (embed(scaled(s[start : start + width], standardise), dimension, delay) for s in series)
        found = sided_plot(x, y, radius, **options) if np.isfinite(x).all() and np.isfinite(y).all() else None
        some = found is not None and found.points > 0
        measures.append(list(_percent(found).values()) if found and some else [np.nan] * 10)
        rates = _profile(x, y, found, far, options["side"], options["theiler"]) if found and some else None
        profiles.append([np.nan] * (2 * far + 1) if rates is None else rates)
    return {
        "course": (("window", "measure"), np.array(measures)),
        "course_profile": (("window", "lag"), np.array(profiles)),
    }, starts / fs


def blocks(x: Floats, y: Floats, radius: float, norm: str, theiler: int = 0) -> dict[str, float]:
    """Return ``catH``, the entropy [nats] of the areas of blocks beyond one cell, their number, mean and largest."""
    from dyadloop.measures.synchrony.lines import block_areas

    large = block_areas(rows_within(x, y, radius, norm), theiler)
    large = large[large > 1]
    if not len(large):
        return {"catH": float("nan"), "blocks": 0, "block_mean": float("nan"), "block_largest": 0}
    share = np.unique(large, return_counts=True)[1] / len(large)
    entropy = float(-(share * np.log(share)).sum())
    return {"catH": entropy, "blocks": len(large), "block_mean": float(large.mean()), "block_largest": int(large.max())}


def _percent(found: RecurrenceCounts) -> dict[str, float]:
    return {name: value * (100 if name in _PERCENT else 1) for name, value in found.numbers().items()}


def _profile(x: Floats, y: Floats, found: RecurrenceCounts, far: int, side: str, theiler: int) -> Floats:
    """Return the recurrence rate of the diagonals -far..far, NaN on those that are left out."""
    lags = np.arange(-far, far + 1)
    left_out = (np.abs(lags) < theiler) | ((lags >= 0) & (side == "upper")) | ((lags <= 0) & (side == "lower"))
    return np.where(left_out, np.nan, profile(x, y, found, far))


def _lead(rates: Floats, far: int) -> float:
    return float(mean(rates[far + 1 :]) - mean(rates[:far])) if far else 0.0
