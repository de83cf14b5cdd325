"""Groups window by window: how closely persons keep together, and how many joint patterns they go through."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike
from scipy import stats

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import error_of_mean, mean, result
from dyadloop.measures.synchrony.group import as_group
from dyadloop.measures.synchrony.phase import jackknife_error, phases
from dyadloop.signals.series import Floats, as_rate, samples

_HUDSON = "Hudson, Wiltshire & Atzmueller 2022, doi:10.3758/s13428-022-01855-y"
_RHO = "Richardson et al. 2012, doi:10.3389/fphys.2012.00405"
_KURAMOTO = "Frank & Richardson 2010, doi:10.1016/j.physd.2010.07.015"
_BLOCKS = 12


def symbolic_entropy(series: ArrayLike, fs: float, levels: int = 3) -> xr.Dataset:
    """Return by how much the joint patterns of a group are fewer than those of unrelated persons would be.

    Parameters
    ----------
    series
        Samples (sample, person); moments with a gap are left out.
    fs
        Rate [Hz].
    levels
        Number of levels of each person, with as many moments in each: terciles are low, middle, high.

    Returns
    -------
    xarray.Dataset
        ``entropy``: Shannon entropy [nats] of the patterns, multiSyncPy's symbolic entropy; ``independent``: sum of the
        persons' own entropies, which unrelated persons approach in a long recording; ``score``: that sum minus the
        entropy, the total correlation [nats], more where persons belong together; ``error`` by leaving out one twelfth
        of the recording at a time; ``patterns``: how many were seen.

    Raises
    ------
    MeasureError
        If ``levels`` is below 2, or no moment without a gap remains.

    Notes
    -----
    The entropy is biased down in short recordings, the score up: judge it by surrogates, or compare recordings of one
    length and group size.
    """
    group, rate = as_group(series), as_rate(fs)
    if levels < 2:
        raise MeasureError(f"levels: got {levels}; expected at least 2")
    group = group[~np.isnan(group).any(axis=1)]
    if len(group) < _BLOCKS * levels:
        raise MeasureError(f"{len(group)} moments without a gap; expected at least {_BLOCKS * levels}; record longer")
    symbols = np.stack([_levels(column, levels) for column in group.T], axis=1)
    parts = np.array_split(np.arange(len(symbols)), _BLOCKS)
    without = [_shared(np.delete(symbols, part, axis=0)) for part in parts]
    shared = _shared(symbols)
    entropy = _entropy(symbols)
    return result(
        "symbolic_entropy",
        shared,
        jackknife_error(np.array(without)),
        "entropies of the persons minus that of their joint patterns [nats]",
        _HUDSON,
        {"levels": levels, "fs": rate},
        variables={
            "entropy": ((), entropy, {"units": "nats"}),
            "independent": ((), entropy + shared, {"units": "nats"}),
            "patterns": ((), len(np.unique(symbols, axis=0))),
        },
    )


def _shared(symbols: Floats) -> float:
    return sum(_entropy(symbols[:, [k]]) for k in range(symbols.shape[1])) - _entropy(symbols)


def _levels(x: Floats, levels: int) -> Floats:
    """Return the level of each sample; a value on a border belongs above it."""
    borders = np.quantile(x, np.arange(1, levels) / levels)
    return np.searchsorted(borders, x, side="right").astype(np.float64)


def _entropy(symbols: Floats) -> float:
    counts = np.unique(symbols, axis=0, return_counts=True)[1]
    share = counts / counts.sum()
    return float(-(share * np.log(share)).sum())


def rho_windows(
    series: ArrayLike, fs: float, window: float = 30.0, step: float = 10.0, band: tuple[float, float] | None = None
) -> xr.Dataset:
    """Return cluster-phase synchrony in gliding windows: each has its own mean relative phases.

    Parameters
    ----------
    series
        Samples (sample, person).
    fs
        Rate [Hz].
    window, step
        Width and distance of the windows [s]; one with a gap is NaN.
    band
        Band-pass before the phases are taken [Hz].

    Returns
    -------
    xarray.Dataset
        ``course`` (window), ``person_rho`` (window, person), ``start`` (window) [s]; ``score``: mean of the course,
        ``error`` over dependent windows.
    """
    return _windows("rho_windows", _rho, _RHO, "mean cluster-phase rho of windows", series, fs, window, step, band)


def kuramoto_windows(
    series: ArrayLike, fs: float, window: float = 30.0, step: float = 10.0, band: tuple[float, float] | None = None
) -> xr.Dataset:
    """Return the Kuramoto order parameter in gliding windows: the mean length of the mean phase vector of each.

    Parameters
    ----------
    series, fs, window, step, band
        As in :func:`rho_windows`.

    Returns
    -------
    xarray.Dataset
        ``course`` (window), ``start`` (window) [s]; ``score``: mean of the course, ``error`` over dependent windows.
    """
    return _windows("kuramoto_windows", _order, _KURAMOTO, "mean order of windows", series, fs, window, step, band)


def _windows(
    name: str, of: Callable[[Floats], tuple[Floats, dict[str, Any]]], source: str, statistic: str,
    series: ArrayLike, fs: float, window: float, step: float, band: tuple[float, float] | None,
) -> xr.Dataset:  # fmt: skip
    group, rate = as_group(series), as_rate(fs)
    angles = np.stack([phases(column, rate, band) for column in group.T], axis=1)
    width, increment = samples(window, rate, "a window", 8), samples(step, rate, "a step")
    if len(angles) < width:
        raise MeasureError(f"{len(angles)} samples; expected at least the {width} of one window")
    cut = np.lib.stride_tricks.sliding_window_view(angles, width, axis=0)[::increment]
    course, more = of(np.swapaxes(cut, 1, 2))
    if np.isnan(course).all():
        raise MeasureError("every window has a gap; expected at least one without; use shorter windows")
    return result(
        name,
        mean(course),
        error_of_mean(course, max(-(-width // increment) - 1, 1)),
        statistic,
        source,
        {"window": window, "step": step, "band": list(band) if band else None, "fs": rate},
        variables={"course": ("window", course)} | more,
        coords={"start": ("window", np.arange(len(course)) * increment / rate, {"units": "s"})},
    )


def _rho(angles: Floats) -> tuple[Floats, dict[str, Any]]:
    """Return rho of windows (window, sample, person), and of each person."""
    cluster = np.angle(np.exp(1j * angles).mean(axis=2, keepdims=True))
    own = np.exp(1j * (angles - cluster)).mean(axis=1)
    together = np.exp(1j * (angles - cluster - np.angle(own)[:, None])).mean(axis=2)
    return np.abs(together).mean(axis=1), {"person_rho": (("window", "person"), np.abs(own))}


def _order(angles: Floats) -> tuple[Floats, dict[str, Any]]:
    return np.abs(np.exp(1j * angles).mean(axis=2)).mean(axis=1), {}


def kuramoto_test(
    groups: Sequence[ArrayLike], fs: float, band: tuple[float, float] | None = None, compatible: bool = False
) -> xr.Dataset:
    """Test over many groups whether their persons are in phase more than persons without a common phase would be.

    Parameters
    ----------
    groups
        Samples (sample, person) of each group, all of as many persons; lengths may differ.
    fs
        Rate [Hz].
    band
        Band-pass before the phases are taken [Hz].
    compatible
        Divide by the SD over n, as multiSyncPy does, instead of n - 1: p is then too small for few groups.

    Returns
    -------
    xarray.Dataset
        ``mean_square`` (group): mean squared length of the mean phase vector; ``score``: their mean minus 1 / persons,
        with ``error`` over groups; ``t``, ``df`` and ``p_value``: one-sided t test against 0 (the weak null).

    Raises
    ------
    MeasureError
        If there are fewer than 3 groups or their numbers of persons differ.

    References
    ----------
    .. [1] Frank & Richardson (2010). doi:10.1016/j.physd.2010.07.015
    """
    found = [as_group(group) for group in groups]
    sizes = sorted({group.shape[1] for group in found})
    if len(found) < 3 or len(sizes) != 1:
        raise MeasureError(f"{len(found)} groups of {sizes} persons; expected at least 3 groups, all of one size")
    rate = as_rate(fs)
    squares = np.array([_mean_square(group, rate, band) for group in found])
    excess = squares.mean() - 1 / sizes[0]
    error = squares.std(ddof=0 if compatible else 1) / math.sqrt(len(squares))
    if error == 0:
        raise MeasureError("all groups have the same value; a test over groups needs their spread")
    t = excess / error
    return result(
        "kuramoto_test",
        excess,
        error,
        "mean squared order minus 1 / persons",
        _KURAMOTO,
        {"band": list(band) if band else None, "fs": rate, "compatible": compatible},
        variables={
            "mean_square": ("group", squares),
            "t": ((), t),
            "df": ((), len(squares) - 1),
            "p_value": ((), float(stats.t.sf(t, len(squares) - 1))),
        },
        null="phases are independent between persons; groups are independent of each other",
    )


def _mean_square(group: Floats, fs: float, band: tuple[float, float] | None) -> float:
    angles = np.stack([phases(column, fs, band) for column in group.T], axis=1)
    return float(mean(np.abs(np.exp(1j * angles).mean(axis=1)) ** 2))
