"""Segment-wise cross-correlation (surrogate synchrony): corrected, with a calibrated effect, and as SUSY computes it.

Every segment of one person is correlated with every segment of the other. Segments of the same time are real, all
others pseudo: their mean |z| is what the two series give without being in step.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.fft import next_fast_len

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import error_of_mean, mean, quick_z, result
from dyadloop.measures.synchrony.slowness import carried_over
from dyadloop.measures.synchrony.still import still_parts, still_samples, tolerance
from dyadloop.signals.series import Floats, Pair, samples

_SOURCE = "Tschacher & Meier 2020, doi:10.1080/10503307.2019.1612114"
_CHUNK_ROWS = 16
_LOST_TOGETHER = 0.05  # gaps in common make real pairs overlap more than pseudo pairs, which passes for being in step
_CARRIED = 0.1  # share of what persons share that may reach into the next segment


@dataclass(frozen=True)
class Profiles:
    """Sums over segments: what all summaries need, and no array of all pairs by lags.

    Attributes
    ----------
    lags
        Lags [samples], positive where the first person leads.
    strength, strength_r
        Mean |z| and mean |r| over lags of every segment pair (first, second).
    real, real_signed, pseudo, pseudo_signed
        Profiles over lags: mean over real or pseudo pairs of |z| and z.
    real_r, pseudo_r
        Profiles of |r|.
    """

    lags: NDArray[np.int64]
    strength: Floats
    strength_r: Floats
    real: Floats
    real_signed: Floats
    pseudo: Floats
    pseudo_signed: Floats
    real_r: Floats
    pseudo_r: Floats


def profiles(first: Floats, second: Floats, max_lag: int) -> Profiles:
    """Correlate all segments (segment, sample) of one person with all of the other.

    The cross-correlation at a lag uses the means and the SDs of the whole segments; gaps count as their mean.
    """
    n, width = first.shape
    size = int(next_fast_len(width + max_lag, real=True) or 0)
    one, two = (np.fft.rfft(_standard(part), size, axis=1) for part in (first, second))
    one = np.conj(one)
    n_lags = 2 * max_lag + 1
    strength, strength_r = np.empty((n, n)), np.empty((n, n))
    sums = np.zeros((2, 3, n_lags))  # real and pseudo: |z|, z, |r|
    for low in range(0, n, _CHUNK_ROWS):
        rows = slice(low, min(low + _CHUNK_ROWS, n))
        found = np.fft.irfft(one[rows, None, :] * two[None, :, :], size, axis=2)
        r = np.concatenate([found[..., size - max_lag :], found[..., : max_lag + 1]], axis=2)
        _add(sums, r, low, strength[rows], strength_r[rows])
    pairs = np.array([n, n * (n - 1)], dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        real, pseudo = sums / pairs[:, None, None]
    lags = np.arange(-max_lag, max_lag + 1)
    return Profiles(lags, strength, strength_r, real[0], real[1], pseudo[0], pseudo[1], real[2], pseudo[2])


def _standard(segments: Floats) -> Floats:
    """Return deviations of unit length per segment, gaps and still segments 0."""
    gaps = np.isnan(segments)
    centred = np.where(gaps, 0.0, segments - np.atleast_1d(mean(segments, 1))[:, None])
    length = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    moving = ~still_parts(segments)[:, None]
    return np.divide(centred, length, out=np.zeros_like(centred), where=moving)


def _add(sums: Floats, r: Floats, low: int, strength: Floats, strength_r: Floats) -> None:
    """Add a piece of pairs (first, second, lag) to the sums over pairs and write its means over lags."""
    np.clip(r, -1.0, 1.0, out=r)
    own = np.arange(len(r))
    z = quick_z(r)
    signed_real, signed_all = z[own, low + own].sum(axis=0), z.sum(axis=(0, 1))
    np.abs(z, out=z)
    np.abs(r, out=r)
    strength[:], strength_r[:] = z.mean(axis=2), r.mean(axis=2)
    for kind, (real, everything) in enumerate(
        (
            (z[own, low + own].sum(axis=0), z.sum(axis=(0, 1))),
            (signed_real, signed_all),
            (r[own, low + own].sum(axis=0), r.sum(axis=(0, 1))),
        )
    ):
        sums[0, kind] += real
        sums[1, kind] += everything - real


def segments(
    pair: Pair, segment: float = 30.0, lag: float = 5.0, min_share: float = 0.5, draws: int = 2000, seed: int = 1
) -> xr.Dataset:
    """Return surrogate synchrony with an effect size that has SD 1 where there is none.

    Parameters
    ----------
    pair
        Two series.
    segment, lag
        Length of a segment and largest lag [s].
    min_share
        Smallest share of a segment that both persons must have; segments below it, those in which one
        person rests for half a segment or more, and those of which both miss the same twentieth, are left out.
    draws
        Permutations of the segments.
    seed
        Seed of the permutations.

    Returns
    -------
    xarray.Dataset
        ``real_z``, ``pseudo_z`` (lag): profiles of mean |z|; ``segment_z`` (segment); ``surrogate`` (draw); ``effect``:
        real minus the mean of the permutations, in their SD; ``p_value`` (one-sided); ``score``: mean |z| of real
        segments, ``error`` its standard error over segments; ``lead``: positive minus negative lags.

    Raises
    ------
    MeasureError
        If fewer than 4 segments can be used.

    Notes
    -----
    Null: the segments of the two persons are exchangeable in time; where both are too slow for that ``effect`` and
    ``p_value`` are NaN, and ``status`` says so. SUSY's effect size divides by the SD over lags
    instead, which is no standard error: unrelated series exceed 0.8 in half of the cases.
    """
    width, max_lag = samples(segment, pair.fs, "a segment", 3), samples(lag, pair.fs, "the largest lag", 0)
    _check_lag(width, max_lag)
    count = len(pair.first) // width
    cut = [s[: count * width].reshape(count, width) for s in (pair.first, pair.second)]
    known = ~np.isnan(cut[0]) & ~np.isnan(cut[1])
    moving = [
        ~still_parts(np.where(known, part, np.nan), tolerance(s))
        for part, s in zip(cut, (pair.first, pair.second), strict=True)
    ]
    together = (np.isnan(cut[0]) & np.isnan(cut[1])).mean(axis=1) > _LOST_TOGETHER
    used = (known.mean(axis=1) >= min_share) & moving[0] & moving[1] & ~_at_rest(pair, width, count) & ~together
    if used.sum() < 4:
        raise MeasureError(
            f"{int(used.sum())} of {count} segments of {segment:g} s can be used, in which both persons are recorded "
            "and neither rests for half a segment; expected at least 4; choose shorter segments"
        )
    found = profiles(cut[0][used], cut[1][used], max_lag)
    own = np.diag(found.strength)
    if draws < 2:
        raise MeasureError(f"draws: got {draws}; expected at least 2, whose spread tells the size of an effect")
    surrogate = _permuted(found.strength, draws, seed)
    why = _dependent(pair, width) or _all_alike(surrogate)
    p = float("nan") if why else (1 + (surrogate >= own.mean()).sum()) / (draws + 1)
    effect = float("nan") if why else (own.mean() - surrogate.mean()) / surrogate.std(ddof=1)
    lead = mean(found.real[max_lag + 1 :]) - mean(found.real[:max_lag]) if max_lag else 0.0
    return result(
        "segments",
        own.mean(),
        error_of_mean(own),
        "mean |z| of segments of the same time",
        _SOURCE,
        {"segment": segment, "lag": lag, "min_share": min_share, "draws": draws, "seed": seed, "fs": pair.fs},
        lead=lead,
        variables={
            "real_z": ("lag", found.real, {"units": "1"}),
            "pseudo_z": ("lag", found.pseudo, {"units": "1"}),
            "segment_z": ("segment", own, {"units": "1"}),
            "surrogate": ("draw", surrogate, {"units": "1"}),
            "effect": ((), effect, {"units": "SD of the null"}),
            "p_value": ((), p),
        },
        coords={
            "lag": ("lag", found.lags / pair.fs, {"units": "s"}),
            "start": ("segment", np.flatnonzero(used) * width / pair.fs, {"units": "s"}),
        },
        null="the segments of the two persons are exchangeable in time",
        segments_left_out=int(count - used.sum()),
        effect_status=why or "ok",
        p_value_status=why or "ok",
    )


def _at_rest(pair: Pair, width: int, count: int) -> NDArray[np.bool_]:
    """Return in which segments one of the two rests for a while of half a segment or more.

    Persons who rest at the same times share the edges of their rests, which would pass for being in step.
    """
    rest = still_samples(pair.first, max(width // 2, 2)) | still_samples(pair.second, max(width // 2, 2))
    return np.any(rest[: count * width].reshape(count, width), axis=1)


def _dependent(pair: Pair, width: int) -> str:
    """Return why the segments are not exchangeable, nothing where they are."""
    share = carried_over(pair.first, pair.second, width)
    if share <= _CARRIED:
        return ""
    return (
        f"both persons are so slow that neighbouring segments know of each other ({share:.0%} of what they share), so "
        "that a permutation rejects too often; choose longer segments, or test by surrogates of shift"
    )


def _all_alike(surrogate: Floats) -> str:
    """Return why permutations tell nothing, nothing where they differ."""
    spread = float(np.ptp(surrogate))
    return "" if spread > 1e-12 * float(np.abs(surrogate).max()) else "all permutations of the segments are alike"


def _check_lag(width: int, max_lag: int) -> None:
    if max_lag >= width:
        raise MeasureError(f"the largest lag ({max_lag} samples) must be shorter than a segment ({width} samples)")


def _permuted(strength: Floats, draws: int, seed: int) -> Floats:
    generator = np.random.default_rng(seed)
    rows = np.arange(len(strength))
    return np.array([strength[rows, generator.permutation(len(strength))].mean() for _ in range(draws)])


def susy(pair: Pair, segment: float = 30.0, lag: float = 5.0) -> xr.Dataset:
    """Return what SUSY's ``susy`` computes with all pseudo segments, to rounding.

    Parameters
    ----------
    pair
        Two series; rows with a gap are dropped and the rest is glued, as SUSY does.
    segment, lag
        ``segment`` and ``maxlag`` [s]; like the rate, they are cut to integers, as SUSY does.

    Returns
    -------
    xarray.Dataset
        ``score`` is SUSY's Z; further its columns in words. Lags are turned to this package's sign: SUSY's lag -k is
        k here, so ``lead1`` (first person leads) is at positive lags.

    Notes
    -----
    ``effect`` is SUSY's ES, which is not calibrated; use the method ``segments`` for one that is.
    """
    rate, seconds, far = int(pair.fs), int(segment), int(lag)
    kept = ~np.isnan(pair.first) & ~np.isnan(pair.second)
    width, max_lag = rate * seconds, rate * far
    if width < 3:
        raise MeasureError(
            f"SUSY cuts {pair.fs:g} Hz and {segment:g} s to integers, {width} samples; expected at least 3; "
            "use the method segments"
        )
    _check_lag(width, max_lag)
    count = int(kept.sum()) // width
    if count < 2:
        raise MeasureError(f"{int(kept.sum())} samples hold {count} segments of {width}; expected at least 2")
    cut = [s[kept][: count * width].reshape(count, width) for s in (pair.first, pair.second)]
    found = profiles(cut[0], cut[1], max_lag)
    with np.errstate(divide="ignore", invalid="ignore"):
        numbers = {
            "z_pseudo": found.pseudo.mean(),
            "sd_z": _sd(found.real),
            "sd_z_pseudo": _sd(found.pseudo),
            "percent_above_pseudo": 100 * (found.real > found.pseudo).mean(),
            "effect": _effect(found.real, found.pseudo),
            "z_lead1": mean(found.real[max_lag + 1 :]),
            "z_lead2": mean(found.real[:max_lag]),
            "effect_lead1": _effect(found.real[max_lag + 1 :], found.pseudo[max_lag + 1 :]),
            "effect_lead2": _effect(found.real[:max_lag], found.pseudo[:max_lag]),
            "z_in_phase": mean(found.real_signed[found.real_signed > 0]),
            "z_anti_phase": mean(found.real_signed[found.real_signed < 0]),
            "lags_in_phase": int((found.real_signed > 0).sum()),
            "lags_anti_phase": int((found.real_signed < 0).sum()),
            "z_signed": found.real_signed.mean(),
            "z_pseudo_signed": found.pseudo_signed.mean(),
            "percent_above_pseudo_signed": 100 * (found.real_signed > found.pseudo_signed).mean(),
            "effect_signed": _effect(found.real_signed, found.pseudo_signed),
        }
    n = len(found.strength)
    own = np.diag(found.strength_r).copy()
    return result(
        "susy",
        found.real.mean(),
        error_of_mean(np.diag(found.strength)),
        "Z: mean |z| of real segments",
        _SOURCE,
        {"segment": seconds, "lag": far, "fs": rate},
        lead=numbers["z_lead1"] - numbers["z_lead2"],
        variables={
            **{name: ((), value) for name, value in numbers.items()},
            "real_z": ("lag", found.real),
            "pseudo_z": ("lag", found.pseudo),
            "real_signed": ("lag", found.real_signed),
            "pseudo_signed": ("lag", found.pseudo_signed),
            "real_r": ("lag", found.real_r),
            "pseudo_r": ("lag", found.pseudo_r),
            "segment_r": ("segment", own),
            "segment_r_pseudo": ("segment", (found.strength_r.sum(axis=1) - own) / (n - 1)),
        },
        coords={"lag": ("lag", found.lags / rate, {"units": "s"})},
        n_samples=count * width,
    )


def _effect(real: Floats, pseudo: Floats) -> float:
    """Return SUSY's effect size: the distance of two profiles in SDs over the lags of the pseudo profile."""
    spread = _sd(pseudo)
    return float((real.mean() - pseudo.mean()) / spread) if spread > 0 else float("nan")


def _sd(profile: Floats) -> float:
    return float(profile.std(ddof=1)) if len(profile) > 1 else float("nan")
