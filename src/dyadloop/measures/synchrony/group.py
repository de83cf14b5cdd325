"""Synchrony of two or more persons at once: shared variance of segments, cluster phase, Kuramoto order."""

import math
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import error_of_mean, mean, result
from dyadloop.measures.synchrony.phase import phases
from dyadloop.measures.synchrony.still import still_parts, tolerance
from dyadloop.signals.series import Floats, as_rate, as_series, samples

_MVSUSY = "Meier & Tschacher 2021, doi:10.3390/e23111385"
_RHO = "Richardson et al. 2012, doi:10.3389/fphys.2012.00405"
_KURAMOTO = "Frank & Richardson 2010, doi:10.1016/j.physd.2010.07.015"


def as_group(series: ArrayLike) -> Floats:
    """Return series (sample, person) of at least two persons, each checked.

    Raises
    ------
    MeasureError
        If the array has not two dimensions, fewer than two persons, or a series is unusable.
    """
    found = np.asarray(series)
    if found.ndim != 2 or found.shape[1] < 2:
        raise MeasureError(f"group: got an array of shape {found.shape}; expected (samples, persons) with 2 or more")
    return np.stack([as_series(found[:, k], f"series of person {k + 1}") for k in range(found.shape[1])], axis=1)


def shared_variance(parts: Floats, kind: Literal["lambda_max", "omega"] = "lambda_max") -> Floats:
    """Return how much of the variance of segments (segment, sample, person) is shared.

    ``lambda_max``: 100 x the largest eigenvalue of the correlations over their number; ``omega``: 1 - det |C| / product
    of the variances with the magnitudes of the covariances, as mvSUSY has it. A still person is correlated with
    nobody and keeps 1 on the diagonal, as mvSUSY has it; omega of such a segment is NaN.
    """
    limits = np.array([tolerance(parts[..., k]) for k in range(parts.shape[2])])
    still = np.stack([still_parts(parts[..., k], limit, axis=1) for k, limit in enumerate(limits)], axis=1)
    centred = parts - parts.mean(axis=1, keepdims=True)
    covariance = np.einsum("stp,stq->spq", centred, centred) / (parts.shape[1] - 1)
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    if kind == "omega":
        spread = np.where(still, 1.0, variance).prod(axis=1)
        return np.where(still.any(axis=1), np.nan, 1 - np.linalg.det(np.abs(covariance)) / spread)
    scale = np.sqrt(np.where(still, 1.0, variance))
    together = ~(still[:, :, None] | still[:, None, :])
    correlation = np.where(together, covariance / (scale[:, :, None] * scale[:, None, :]), 0.0)
    correlation[:, np.arange(parts.shape[2]), np.arange(parts.shape[2])] = 1.0
    return 100 * np.linalg.eigvalsh(correlation)[:, -1] / parts.shape[2]


def mvsusy(
    series: ArrayLike,
    fs: float,
    segment: float = 30.0,
    kind: Literal["lambda_max", "omega"] = "lambda_max",
    draws: int = 1000,
    seed: int = 1,
    surrogate_segments: NDArray[np.int64] | None = None,
) -> xr.Dataset:
    """Return multivariate surrogate synchrony, as mvSUSY computes it.

    Parameters
    ----------
    series
        Samples (sample, person); rows with a gap are dropped and the rest is glued.
    fs, segment
        Rate [Hz] and length of a segment [s].
    kind
        ``lambda_max`` or ``omega``.
    draws, seed
        Number and seed of surrogates: another segment from each person.
    surrogate_segments
        Segment numbers (draw, person), from 0, in place of random ones.

    Returns
    -------
    xarray.Dataset
        ``segment_value`` (segment), ``surrogate`` (draw), ``effect`` and ``p_value`` (share of draws whose mean over
        as many segments is at least the real one); mvSUSY's ``es`` (in SDs of single surrogate values), ``welch_t``,
        ``wilcoxon_w`` and their p values, which take surrogates for data: more draws make them smaller.

    Raises
    ------
    MeasureError
        If there are fewer segments than persons, or fewer than 2, or fewer than 2 have a value.
    """
    group, rate = as_group(series), as_rate(fs)
    group = group[~np.isnan(group).any(axis=1)]
    width = samples(segment, rate, "a segment", 3)
    count, persons = len(group) // width, group.shape[1]
    if count < max(persons, 2):
        raise MeasureError(f"{count} segments of {segment:g} s for {persons} persons; expected at least {persons}")
    cut = group[: count * width].reshape(count, width, persons)
    generator = np.random.default_rng(seed)
    if surrogate_segments is None:
        chosen = np.argsort(generator.random((draws, count)), axis=1)[:, :persons]
    else:
        chosen = _given(surrogate_segments, count, persons)
    real = _known(shared_variance(cut, kind), "segments")
    surrogate = shared_variance(np.stack([cut[chosen[:, p], :, p] for p in range(persons)], axis=2), kind)
    surrogate = _known(surrogate, "surrogates")
    welch = _welch(surrogate, real)
    ranks = stats.mannwhitneyu(surrogate, real, method="asymptotic")
    means = np.array([generator.choice(surrogate, len(real)).mean() for _ in range(draws)])
    _check_spread(surrogate, means)
    return result(
        "mvsusy",
        real.mean(),
        error_of_mean(real),
        f"{kind} per segment, mean",
        _MVSUSY,
        {"segment": segment, "kind": kind, "draws": draws, "seed": seed, "fs": rate},
        variables={
            "segment_value": ("segment", real),
            "surrogate": ("draw", surrogate),
            "es": ((), (real.mean() - surrogate.mean()) / surrogate.std(ddof=1)),
            "welch_t": ((), welch[0]),
            "welch_p": ((), welch[1]),
            "wilcoxon_w": ((), ranks.statistic),
            "wilcoxon_p": ((), ranks.pvalue),
            "effect": ((), (real.mean() - means.mean()) / means.std(ddof=1)),
            "p_value": ((), (1 + (means >= real.mean()).sum()) / (draws + 1)),
        },
        null="each person's segments are exchangeable in time",
        segments_left_out=count - len(real),
    )


def _given(numbers: ArrayLike, count: int, persons: int) -> NDArray[np.int64]:
    """Return segment numbers (draw, person) that exist."""
    found = np.asarray(numbers)
    if found.ndim != 2 or found.shape[1] != persons or len(found) < 2 or found.dtype.kind not in "iu":
        raise MeasureError(
            f"surrogate_segments: got shape {found.shape}; expected whole numbers (draws, {persons} persons)"
        )
    if found.min() < 0 or found.max() >= count:
        raise MeasureError(
            f"surrogate_segments: got {found.min()} to {found.max()}; expected segments from 0 to {count - 1}"
        )
    return found


def _known(values: Floats, what: str) -> Floats:
    found = values[np.isfinite(values)]
    if len(found) < 2:
        raise MeasureError(
            f"{len(found)} of {len(values)} {what} have a value, because persons are still; expected at least 2; "
            "choose longer segments, or kind lambda_max"
        )
    return found


def _check_spread(*drawn: Floats) -> None:
    if any(np.ptp(values) <= 1e-10 * np.abs(values).max() for values in drawn):
        raise MeasureError("all surrogates are alike: no test; expected persons who move in several segments")


def _welch(one: Floats, two: Floats) -> tuple[float, float]:
    a, b = one.var(ddof=1) / len(one), two.var(ddof=1) / len(two)
    if a + b <= 0:
        return math.nan, math.nan
    t = (one.mean() - two.mean()) / math.sqrt(a + b)
    freedom = (a + b) ** 2 / (a**2 / (len(one) - 1) + b**2 / (len(two) - 1))
    return float(t), float(2 * stats.t.sf(abs(t), freedom))


def rho(series: ArrayLike, fs: float, band: tuple[float, float] | None = None) -> xr.Dataset:
    """Return cluster-phase synchrony: how closely the persons keep their phase to the phase of the group.

    Parameters
    ----------
    series
        Samples (sample, person); moments with a gap are left out.
    fs
        Rate [Hz].
    band
        Band-pass before the phases are taken [Hz]; default: none.

    Returns
    -------
    xarray.Dataset
        ``course`` (time), ``person_rho`` (person); ``score`` is the mean of the course.
    """
    angles = _phases(series, fs, band)
    cluster = np.angle(np.exp(1j * angles).mean(axis=1))
    relative = angles - cluster[:, None]
    together = np.exp(1j * relative)
    own = mean(together.real, 0) + 1j * mean(together.imag, 0)
    course = np.abs(np.exp(1j * (relative - np.angle(own))).mean(axis=1))
    return result(
        "rho",
        mean(course),
        error_of_mean(_blocks(course)),
        "mean of the cluster-phase course",
        _RHO,
        {"fs": fs, "band": list(band) if band else None},
        variables={"course": ("time", course), "person_rho": ("person", np.abs(own))},
        coords={"time": ("time", np.arange(len(course)) / fs, {"units": "s"})},
    )


def kuramoto(series: ArrayLike, fs: float, band: tuple[float, float] | None = None) -> xr.Dataset:
    """Return the Kuramoto order parameter and a test against persons without a common phase.

    Returns
    -------
    xarray.Dataset
        ``course`` (time): length of the mean phase vector; ``t_weak``, ``p_weak``: one-sided t of the mean squared
        course against 1 / n, which takes moments for independent and is therefore far too ready to reject;
        ``p_value``: the same with the standard error over dependent moments, which is the one to read.
    """
    angles = _phases(series, fs, band)
    course = np.abs(np.exp(1j * angles).mean(axis=1))
    squared, persons = course[~np.isnan(course)] ** 2, angles.shape[1]
    if len(squared) < 2:
        raise MeasureError(f"{len(squared)} moments at which all persons are known and move; expected at least 2")
    excess = squared.mean() - 1 / persons
    t_weak = _ratio(excess, squared.std(ddof=0) / math.sqrt(len(squared)))
    pieces = _blocks(course**2)
    pieces = pieces[~np.isnan(pieces)]
    return result(
        "kuramoto",
        mean(course),
        error_of_mean(_blocks(course)),
        "mean length of the mean phase vector",
        _KURAMOTO,
        {"fs": fs, "band": list(band) if band else None},
        variables={
            "course": ("time", course),
            "t_weak": ((), t_weak),
            "p_weak": ((), stats.t.sf(t_weak, len(squared) - 1)),
            "p_value": ((), stats.t.sf(_ratio(excess, error_of_mean(pieces)), max(len(pieces) - 1, 1))),
        },
        coords={"time": ("time", np.arange(len(course)) / fs, {"units": "s"})},
        null="phases are independent between persons",
    )


def _ratio(excess: float, error: float) -> float:
    return float(excess / error) if error > 0 else math.nan


def _phases(series: ArrayLike, fs: float, band: tuple[float, float] | None) -> Floats:
    group, rate = as_group(series), as_rate(fs)
    return np.stack([phases(group[:, k], rate, band) for k in range(group.shape[1])], axis=1)


def _blocks(course: Floats, count: int = 30) -> Floats:
    """Return means of consecutive blocks, long enough that what depends lies within one."""
    parts = np.array_split(course, min(count, max(len(course) // 4, 1)))
    return np.array([mean(part) for part in parts])
