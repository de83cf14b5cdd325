"""Still is missing: a person who does not move is neither in step nor out of it.

Every method that divides by a spread asks here whether there is one. Where a person is still a cell, window or segment
is NaN or left out, never 0. That both rest at the same time is told, and tested, apart from it (:func:`still_time`).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import result
from dyadloop.measures.synchrony.guard import checked
from dyadloop.signals.series import Floats, Missing, Pair, make_pair, samples

_ROUNDING = 256 * np.finfo(np.float64).eps
_SOURCE = "own; phi coefficient, all circular shifts"
SHORTEST = 1.0
"""Seconds without any change from which a person counts as still."""


def tolerance(values: Floats) -> float:
    """Return the largest difference that rounding alone leaves in a series, from its largest magnitude.

    A constant such as 0.1 rarely equals its own mean, and smoothing or whitening a constant leaves rounding.
    """
    return float(_ROUNDING * np.nanmax(np.abs(values), initial=0.0))


def still_parts(parts: Floats, limit: float | None = None, axis: int = -1) -> NDArray[np.bool_]:
    """Return which parts, such as segments along ``axis``, do not vary; without two known samples none does.

    Parameters
    ----------
    parts
        Samples; NaN where missing.
    limit
        Largest difference that counts as none; default: the :func:`tolerance` of all parts.
    axis
        Axis of time.
    """
    bound = tolerance(parts) if limit is None else limit
    known = ~np.isnan(parts)
    low, high = np.where(known, parts, np.inf).min(axis=axis), np.where(known, parts, -np.inf).max(axis=axis)
    return ~(high - low > bound)


def still_windows(values: Floats, width: int) -> NDArray[np.bool_]:
    """Return which windows of a series, one per start, do not vary."""
    n, moving = len(values), moves(values)
    if not np.isnan(values).any():
        edges = np.concatenate([[0], np.flatnonzero(moving), [n]])
        if np.diff(edges).max() < width:  # no rest is as long as a window
            return np.zeros(n - width + 1, dtype=np.bool_)
    count = np.concatenate([[0], np.cumsum(moving)])
    known = np.flatnonzero(~np.isnan(values))
    first = np.append(known, n)[np.searchsorted(known, np.arange(n - width + 1))]
    ends = np.arange(width, n + 1)
    return count[ends] <= count[np.minimum(first + 1, ends)]


def moves(values: Floats) -> NDArray[np.bool_]:
    """Return which samples differ from the last known one before them."""
    gaps, found = np.isnan(values), np.zeros(len(values), dtype=np.bool_)
    if not gaps.any():
        found[1:] = np.abs(np.diff(values)) > tolerance(values)
        return found
    known = np.flatnonzero(~gaps)
    found[known[1:]] = np.abs(np.diff(values[known])) > tolerance(values)
    return found


def still_samples(values: Floats, shortest: int) -> NDArray[np.bool_]:
    """Return which known samples lie in a stretch of at least ``shortest`` samples without any change."""
    known = ~np.isnan(values)
    edges = np.flatnonzero(moves(values) | (known & ~np.concatenate([[False], known[:-1]])) | ~known)
    bounds = (
        np.append(edges, len(values)) if len(edges) and edges[0] == 0 else np.concatenate([[0], edges, [len(values)]])
    )
    length = np.diff(bounds)
    return np.repeat(length >= max(shortest, 2), length) & known


def standardised(values: Floats, freedom: int = 0, name: str = "series") -> Floats:
    """Return deviations from the mean in SDs over time (the first axis).

    Raises
    ------
    MeasureError
        If a series does not vary.
    """
    if np.any(still_parts(values, axis=0)):
        raise MeasureError(f"{name}: does not vary; expected movement; a person who is still has no synchrony")
    return (values - np.nanmean(values, axis=0)) / np.nanstd(values, axis=0, ddof=freedom)


def shares_of(first: ArrayLike, second: ArrayLike, fs: float) -> dict[str, float]:
    """Return the :func:`shares` of two series as they were recorded, the longer cut to the shorter."""
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    n = min(len(one), len(two))
    return shares(Pair(one[:n], two[:n], fs))


def shares(pair: Pair, shortest: float = SHORTEST) -> dict[str, float]:
    """Return the shares of still time of the first, the second, and both, of the time that both are known."""
    one, two, known = _flags(pair, shortest)
    total = max(int(known.sum()), 1)
    return {
        "still_first": float((one & known).sum() / total),
        "still_second": float((two & known).sum() / total),
        "still_both": float((one & two).sum() / total),
    }


def _flags(pair: Pair, shortest: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    length = max(round(shortest * pair.fs), 2)
    known = ~np.isnan(pair.first) & ~np.isnan(pair.second)
    return still_samples(pair.first, length), still_samples(pair.second, length), known


def still_time(
    first: ArrayLike,
    second: ArrayLike,
    fs: float,
    shortest: float = SHORTEST,
    missing: Missing = "pairwise",
    cut: bool = False,
) -> xr.Dataset:
    """Return how much two persons rest at the same time, and whether that is more than chance.

    Parameters
    ----------
    first, second, fs, missing, cut
        As in :func:`synchrony`.
    shortest
        Time without any change from which a person counts as still [s].

    Returns
    -------
    xarray.Dataset
        ``still_first``, ``still_second``, ``still_both``: shares of the known time; ``expected``: what all circular
        shifts give in the mean; ``score``: the phi coefficient of the two still times; ``effect``: in SDs over the
        shifts; ``p_value``: the share of circular shifts with at least as much rest in common.

    Raises
    ------
    MeasureError
        If one of the two is never still, or always.

    Notes
    -----
    Null: the rests of the two persons are not related in time, if stationary. A session that demands rest of both
    makes them related.
    """
    pair = make_pair(first, second, fs, missing, cut)
    one, two, _ = _flags(pair, samples(shortest, pair.fs, "the shortest rest", 2) / pair.fs)
    found = shares(pair, shortest)
    for name in ("first", "second"):
        share = found[f"still_{name}"]
        if not 0 < share < 1:
            what = "never" if share == 0 else "always"
            raise MeasureError(f"{name} series: {what} still for {shortest:g} s; expected rest and movement; no test")
    both = _circular(one, two) / np.maximum(_circular(~np.isnan(pair.first), ~np.isnan(pair.second)), 1.0)
    p, q = found["still_first"], found["still_second"]
    found_score = (found["still_both"] - p * q) / np.sqrt(p * (1 - p) * q * (1 - q))
    told = result(
        "still_time",
        found_score,
        float("nan"),
        "phi coefficient of being still",
        _SOURCE,
        {"shortest": shortest, "fs": pair.fs},
        variables={
            **{name: ((), value) for name, value in found.items()},
            "expected": ((), both[1:].mean()),
            "effect": ((), (both[0] - both[1:].mean()) / max(both[1:].std(ddof=1), 1e-12), {"units": "SD of the null"}),
            "p_value": ((), float((both >= both[0] - 1e-12).mean())),
        },
        null="the rests of the two persons are not related in time, if stationary",
        error_status="told by p_value instead",
    )
    return checked(told)


def _circular(one: NDArray[np.bool_], two: NDArray[np.bool_]) -> Floats:
    """Return how many moments are true of both, for every circular shift of the second."""
    turned = np.fft.rfft(one.astype(np.float64)) * np.conj(np.fft.rfft(two.astype(np.float64)))
    return np.rint(np.fft.irfft(turned, len(one)))


_WITH_GAPS = (
    "windowed",
    "rmea",
    "wcc",
    "segments",
    "recurrence",
    "phase",
    "hilbert",
    "coherence",
    "dtw",
    "granger",
    "regression",
)  # the others refuse gaps, or glue what is left


def rest_seconds(method: str, settings: Mapping[str, Any]) -> float:
    """Return the rest from which a test leaves samples out: half a window, segment or piece, 5 s without one."""
    if method not in _WITH_GAPS:
        return float("inf")
    spans = [settings.get(name) for name in ("window", "segment", "piece")]
    return max([float(span) / 2 for span in spans if isinstance(span, int | float)] or [5.0])


def common_rest(first: ArrayLike, second: ArrayLike, fs: float) -> dict[str, tuple[tuple[()], float]]:
    """Return share, expected share and p value of rest in common; nothing where one is never still, or always."""
    share = shares_of(first, second, fs)
    if not all(0 < share[name] < 1 for name in ("still_first", "still_second")):
        return {}
    found = still_time(first, second, fs, cut=True)
    names = {"still_both": "still_both", "expected": "still_expected", "p_value": "still_p_value"}
    return {ours: ((), float(found[theirs])) for theirs, ours in names.items()}


def without_rests(values: Floats, fs: float, longest: float) -> Floats:
    """Return the series with every rest of at least ``longest`` seconds made missing, unless nothing would stay."""
    if not np.isfinite(longest):
        return values
    rest = still_samples(values, max(round(longest * fs), 2))
    moving = np.where(rest, np.nan, values)
    return values if np.isnan(moving).all() else moving
