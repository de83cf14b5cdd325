"""Windowed cross-correlation: the field's measure of movement synchrony, corrected, and as rMEA computes it."""

import math

import numpy as np
import xarray as xr

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import error_of_mean, fisher_z, mean, result
from dyadloop.measures.synchrony.lagged import Grid, windowed_correlation, windows_of
from dyadloop.measures.synchrony.still import still_parts
from dyadloop.signals.series import Floats, Pair

_STATISTIC = "mean |z| of all windows and lags"
_RMEA = "Kleinbub & Ramseyer 2020, doi:10.1080/10503307.2020.1844334"


def windowed(
    pair: Pair, window: float = 60.0, step: float = 30.0, lag: float = 5.0, min_share: float = 0.5
) -> xr.Dataset:
    """Return windowed lagged cross-correlations of two series, with any frame rate and with gaps.

    Parameters
    ----------
    pair
        Two series.
    window, step, lag
        Width, distance and largest lag of the windows [s]; taken as the nearest whole number of samples, which the
        attributes ``*_samples`` tell.
    min_share
        Smallest share of a window's samples that both persons must have; below it a cell is NaN.

    Returns
    -------
    xarray.Dataset
        ``r`` (window, lag), ``start`` (window) [s], ``window_z`` (window), ``peak_lag`` (window) [s], ``signed``
        (mean z), ``share_missing``; ``score`` is the mean over windows of a window's mean |z|, ``error`` its standard
        error over windows, ``lead`` the mean |z| of positive minus that of negative lags.

    Notes
    -----
    Unlike rMEA: every window weighs the same however many of its cells are known; the lag 0 exists at any rate;
    windows with gaps are kept pair by pair. |z| is above 0 for unrelated persons too: judge it by surrogates.
    """
    cells, _ = windows_of(pair, window, step, lag, 0)
    r = windowed_correlation(pair.first, pair.second, cells, min_share)
    per_window, signed, peak, lead, missing = _summary(r, cells.max_lag)
    overlap = math.ceil(cells.width / max(int(np.diff(cells.starts[:2]).sum()), 1)) - 1
    return result(
        "windowed",
        mean(per_window),
        error_of_mean(per_window, overlap),
        _STATISTIC,
        _RMEA,
        {"window": window, "step": step, "lag": lag, "min_share": min_share, "fs": pair.fs},
        lead=lead,
        variables={
            "r": (("window", "lag"), r, {"units": "1"}),
            "window_z": ("window", per_window, {"units": "1"}),
            "peak_lag": ("window", peak / pair.fs, {"units": "s"}),
            "signed": ((), mean(signed), {"units": "1"}),
            "share_missing": ((), missing, {"units": "1"}),
        },
        coords=_coords(cells, pair.fs),
        window_samples=cells.width,
        lag_samples=cells.max_lag,
    )


def _summary(r: Floats, max_lag: int) -> tuple[Floats, Floats, Floats, float, float]:
    """Return mean |z|, mean z and peak lag [samples] of each window, and two numbers of all cells.

    These are the mean |z| at positive minus that at negative lags, and the share of cells that are unknown.
    """
    from dyadloop.measures.synchrony.running import strengths

    sums, best = np.empty((len(r), 6)), np.empty(len(r), dtype=np.int64)
    strengths(r, sums, best)
    cells = sums[:, 4] + sums[:, 5] + ~np.isnan(r[:, max_lag])
    known = np.where(cells > 0, cells, np.nan)
    sides = [float(sums[:, k].sum()) / n if (n := float(sums[:, c].sum())) else math.nan for k, c in ((2, 5), (0, 4))]
    lead = sides[0] - sides[1] if max_lag else 0.0
    peak = np.where(best < 0, np.nan, best - max_lag)
    return sums[:, :3].sum(axis=1) / known, sums[:, 3] / known, peak, lead, 1 - float(cells.sum()) / r.size


def _coords(cells: Grid, fs: float) -> dict:
    return {
        "start": ("window", cells.starts / fs, {"units": "s"}),
        "lag": ("lag", cells.lags / fs, {"units": "s"}),
    }


def _peaks(strength: Floats, cells: Grid) -> Floats:
    """Return the lag [samples] of the strongest cell of each window, NaN where none is known."""
    empty = np.isnan(strength).all(axis=1)
    found = cells.lags[np.argmax(np.where(np.isnan(strength), -np.inf, strength), axis=1)].astype(np.float64)
    return np.where(empty, np.nan, found)


def rmea(
    pair: Pair,
    window: float = 60.0,
    step: float = 30.0,
    lag: float = 5.0,
    absolute: bool = True,
    z: bool = True,
    outlier: float | None = None,
    mea_smooth: float = 0.0,
    mea_scale: bool = False,
    artefact: float | None = None,
) -> xr.Dataset:
    """Return what rMEA's ``MEAccf`` computes, to rounding, with its preparation where asked.

    Parameters
    ----------
    pair
        Two series; the first is rMEA's s1.
    window, step, lag
        ``winSec``, ``incSec`` and ``lagSec`` [s].
    absolute, z
        ``ABS`` and ``r2Z``.
    outlier
        ``MEAoutlier``: samples above so many SDs of both persons' samples are made missing.
    mea_smooth
        ``MEAsmooth``: width of rMEA's moving average [s]; 0: none.
    mea_scale
        ``MEAscale``: divide each series by its SD.
    artefact
        ``CCFartefacts`` and ``MEAreplace``: runs of windows whose correlation at lag 0 is above this are made missing,
        and all is computed again; the attribute ``artefacts`` tells them [s].

    Returns
    -------
    xarray.Dataset
        ``ccf`` (window, lag) and rMEA's columns per window: ``lag_zero``, ``all_lags``, ``s1_lead``, ``s2_lead``,
        ``s1_lead_0``, ``s2_lead_0``, ``best_lag`` [s], the lag of the largest value, of the largest signed value where
        ``absolute`` is false; ``score`` is ``grandAver``, the mean of all known cells.

    Notes
    -----
    A window in which, lags included, more than half of a person's samples are missing is NaN, as in rMEA 1.2.2 (1.3.0
    stops); lags are whole samples, so that a lag of 0 exists at 29.97 frames per second, where rMEA shows its
    neighbour.
    """
    cells, _ = windows_of(pair, window, step, lag, 0)
    pair = rmea_prepared(pair, outlier, mea_smooth, mea_scale)
    r = windowed_correlation(pair.first, pair.second, cells, 0.5, each=True)
    zero = fisher_z(r[:, cells.max_lag]) if z else r[:, cells.max_lag]
    epochs = [] if artefact is None else rmea_artefacts(zero, artefact)
    if epochs:
        pair = _without(pair, epochs, step)
        r = windowed_correlation(pair.first, pair.second, cells, 0.5, each=True)
    found = fisher_z(r) if z else r
    found = np.abs(found) if absolute else found
    per_window = _rmea_columns(found, cells.max_lag) | {"best_lag": _peaks(found, cells) / pair.fs}
    overlap = math.ceil(window / step) - 1
    return result(
        "rmea",
        mean(found),
        error_of_mean(per_window["all_lags"], overlap),
        "grandAver: mean of all cells",
        _RMEA,
        {"window": window, "step": step, "lag": lag, "absolute": absolute, "z": z, "fs": pair.fs}
        | {"outlier": outlier, "mea_smooth": mea_smooth, "mea_scale": mea_scale, "artefact": artefact},
        lead=mean(per_window["s1_lead"]) - mean(per_window["s2_lead"]),
        variables={
            "ccf": (("window", "lag"), found, {"units": "1"}),
            **{name: ("window", values) for name, values in per_window.items()},
        },
        coords=_coords(cells, pair.fs),
        artefacts="; ".join(f"{first * step:g} to {(last + 1) * step:g}" for first, last in epochs) or "none",
    )


def _rmea_columns(found: Floats, centre: int) -> dict[str, Floats]:
    """Return rMEA's means over lags of each window."""
    parts = {
        "all_lags": found,
        "s1_lead": found[:, centre + 1 :],
        "s2_lead": found[:, :centre],
        "s1_lead_0": found[:, centre:],
        "s2_lead_0": found[:, : centre + 1],
    }
    return {"lag_zero": found[:, centre]} | {name: mean(part, 1) for name, part in parts.items()}


def rmea_prepared(pair: Pair, outlier: float | None = None, smooth: float = 0.0, scale: bool = False) -> Pair:
    """Return the pair without outliers, smoothed and scaled, in that order and each as rMEA does it."""
    one, two = pair.first, pair.second
    if outlier is not None:
        bound = outlier * float(np.nanstd(np.concatenate([one, two]), ddof=1))
        one, two = np.where(one > bound, np.nan, one), np.where(two > bound, np.nan, two)
    if smooth:
        one, two = rmea_smoothed(one, pair.fs, smooth), rmea_smoothed(two, pair.fs, smooth)
    if scale:
        one, two = rmea_scaled(one), rmea_scaled(two)
    return Pair(one, two, pair.fs)


def rmea_artefacts(lag_zero: Floats, threshold: float, delta: int = 1) -> list[tuple[int, int]]:
    """Return the first and last window of runs above a threshold, as rMEA's ``CCFartefacts`` finds them.

    Parameters
    ----------
    lag_zero
        Value at lag 0 of each window.
    threshold
        Value above which a window is suspect: one camera may have seen both persons.
    delta
        Distance of suspect windows that still belong to one run.
    """
    high = np.flatnonzero(lag_zero > threshold)
    if not len(high):
        return []
    breaks = np.flatnonzero(np.diff(high) > delta)
    return [(int(high[a]), int(high[b])) for a, b in zip([0, *(breaks + 1)], [*breaks, len(high) - 1], strict=True)]


def _without(pair: Pair, epochs: list[tuple[int, int]], step: float) -> Pair:
    one, two = pair.first.copy(), pair.second.copy()
    for first, last in epochs:
        rows = slice(max(round(first * step * pair.fs) - 1, 0), round((last + 1) * step * pair.fs))
        one[rows] = two[rows] = np.nan
    return Pair(one, two, pair.fs)


def rmea_smoothed(values: Floats, fs: float, seconds: float = 0.5) -> Floats:
    """Return what rMEA's ``MEAsmooth`` returns: 4 % low at 25 Hz, half a sample early, 0 beside gaps and at the end.

    Use :func:`dyadloop.signals.series.smoothed` for a centred average of full weight.
    """
    width = seconds * fs
    half = (width - 1) / 2
    back, ahead = math.ceil(half), math.floor(half)
    filled = np.where(np.isnan(values), 0.0, values)
    sums = np.concatenate([[0.0], np.cumsum(filled)])
    places = np.arange(len(values))
    total = sums[np.minimum(places + ahead + 1, len(values))] - sums[np.maximum(places - back, 0)]
    gaps = np.concatenate([[0], np.cumsum(np.isnan(values))])
    beside = gaps[np.minimum(places + ahead + 1, len(values))] > gaps[np.maximum(places - back, 0)]
    found = np.where(beside, 0.0, total / width)
    found[len(values) - ahead :] = 0.0
    return np.where(np.isnan(values), np.nan, found)


def rmea_scaled(values: Floats) -> Floats:
    """Return what rMEA's ``MEAscale`` returns: the values over their SD (n - 1), not centred."""
    if still_parts(values):
        raise MeasureError("rMEA's scaling divides by the SD; got a series that does not vary; expected movement")
    return values / np.nanstd(values, ddof=1)
