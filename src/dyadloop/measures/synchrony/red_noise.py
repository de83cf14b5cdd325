"""Significance of wavelets against red noise: in closed form for common power, by surrogates for coherence."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.signal import lfilter
from scipy.special import k1

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import result
from dyadloop.measures.synchrony.phase import jackknife_error
from dyadloop.measures.synchrony.spectral import Wavelet, wavelet
from dyadloop.measures.synchrony.still import standardised
from dyadloop.measures.synchrony.surrogates import phase_randomised
from dyadloop.measures.synchrony.wavelets import PER_SCALE, cone, scales_of, transform
from dyadloop.signals.series import Floats, Pair

_POWER = "Torrence & Compo 1998, doi:10.1175/1520-0477(1998)079<0061:APGTWA>2.0.CO;2; Grinsted et al. 2004"
_COHERENCE = "Grinsted, Moore & Jevrejeva 2004, doi:10.5194/npg-11-561-2004"
_BINS = 500
_BLOCKS = 12
Band = tuple[float, float]


def cross_wavelet(
    pair: Pair,
    band: Band | None = None,
    per_octave: int = 12,
    shortest_period: float | None = None,
    level: float = 0.05,
) -> xr.Dataset:
    """Return where two series have common power in a rhythm beyond what two independent red noises have.

    Parameters
    ----------
    pair
        Two series without gaps.
    band
        Frequencies that count for the score [Hz]; default: all.
    per_octave, shortest_period
        Scales per octave, and shortest period [s]; default: two samples.
    level
        Share of cells of independent red noise above the border.

    Returns
    -------
    xarray.Dataset
        ``power`` (period, time): absolute product of the two transforms over both SDs; ``border`` (period): what
        independent AR(1) noises of the same autocorrelation exceed in a share ``level`` of cells; ``phase``: > 0
        where the first person leads within half a period [rad]; ``inside``: cells that the ends do not reach;
        ``score``: share of those cells in the band above the border, ``expected`` by chance: ``level``; ``error``
        by leaving out one twelfth of the time at a time; ``first_ar``, ``second_ar``: autocorrelation at one sample.

    Notes
    -----
    Common power is no coupling: two persons who are strong in one rhythm, each alone, share it. Coherence asks for a
    relation (method ``wavelet_test``). The border is that of a product of two chi-squares with 2 degrees of freedom.
    """
    _check(pair, level)
    one, two = standardised(pair.first, name="first series"), standardised(pair.second, name="second series")
    scales, inside = _cells(len(one), pair.fs, per_octave, shortest_period)
    period = scales / PER_SCALE
    cells = _inside_band(period, inside, band)
    product = transform(one, 1 / pair.fs, scales) * np.conj(transform(two, 1 / pair.fs, scales))
    reds = [autocorrelation(series) for series in (one, two)]
    chance = np.sqrt(np.prod([red_spectrum(ar, 1 / (pair.fs * period)) for ar in reds], axis=0))
    border = chance * product_quantile(1 - level) / 2
    above = np.abs(product) > border[:, None]
    return result(
        "cross_wavelet",
        float(above[cells].mean()),
        _over_time(above, cells),
        "share of cells with more common power than red noise",
        _POWER,
        {"band": list(band) if band else None, "per_octave": per_octave, "level": level, "fs": pair.fs},
        variables={
            "power": (("period", "time"), np.abs(product)),
            "phase": (("period", "time"), np.angle(product)),
            "inside": (("period", "time"), inside),
            "border": ("period", border),
            "expected": ((), level),
            "first_ar": ((), reds[0]),
            "second_ar": ((), reds[1]),
        },
        coords=_coords(period, len(one), pair.fs),
    )


def wavelet_test(
    pair: Pair,
    band: Band | None = None,
    per_octave: int = 12,
    shortest_period: float | None = None,
    level: float = 0.05,
    surrogates: int = 100,
    seed: int = 1,
    kind: Literal["red", "phase"] = "red",
) -> xr.Dataset:
    """Return where two series are more coherent than independent noises of the same memory.

    Parameters
    ----------
    pair, band, per_octave, shortest_period
        As in :func:`cross_wavelet`.
    level
        Share of the surrogates' cells of each period above the border.
    surrogates, seed
        Number of pairs of surrogates, and their seed.
    kind
        ``red``: AR(1) noise; ``phase``: the spectra of both series with random phases, for series that are smoother
        than AR(1), as movement at 25 Hz is.

    Returns
    -------
    xarray.Dataset
        ``coherence`` and ``phase`` (period, time), ``border`` (period), ``inside``; ``score``: share of cells inside
        the cone and the band above their border, ``expected`` by chance: ``level``; ``error`` by leaving out one
        twelfth of the time at a time; ``p_value``: (1 + surrogates with at least that share) / (surrogates + 1).

    Notes
    -----
    One in twenty cells is above the border by chance, and neighbours come together: read ``p_value``, not the islands.
    """
    _check(pair, level)
    if surrogates < 19 or kind not in ("red", "phase"):
        raise MeasureError(f"got {surrogates} surrogates, kind {kind!r}; expected at least 19, and red or phase")
    observed = _coherence(pair.first, pair.second, pair.fs, per_octave, shortest_period)
    cells = _inside_band(observed.period, observed.inside, band)
    generator = np.random.default_rng(seed)
    makers = [_maker(series, kind, generator) for series in (pair.first, pair.second)]
    counts = np.empty((surrogates, len(cells), _BINS), dtype=np.int32)
    for draw in range(surrogates):
        other = _coherence(makers[0](), makers[1](), pair.fs, per_octave, shortest_period)
        counts[draw] = _histograms(other.coherence, cells)
    border = _borders(counts.sum(axis=0, dtype=np.int64), level)
    above = observed.coherence >= border[:, None]
    beyond = np.arange(_BINS)[None, :] >= np.round(border * _BINS)[:, None]
    chance = (counts * beyond).sum(axis=(1, 2)) / cells.sum()
    share = float(above[cells].mean())
    return result(
        "wavelet_test",
        share,
        _over_time(above, cells),
        "share of cells more coherent than noise",
        _COHERENCE,
        {"band": list(band) if band else None, "per_octave": per_octave, "level": level, "surrogates": surrogates,
         "seed": seed, "kind": kind, "fs": pair.fs},
        variables={
            "coherence": (("period", "time"), observed.coherence),
            "phase": (("period", "time"), observed.phase),
            "inside": (("period", "time"), observed.inside),
            "border": ("period", border),
            "expected": ((), level),
            "surrogate": ("draw", chance),
            "p_value": ((), (1 + int((chance >= share).sum())) / (surrogates + 1)),
        },
        coords=_coords(observed.period, len(pair.first), pair.fs),
        null="independent noises of the same memory",
    )  # fmt: skip


def autocorrelation(x: Floats) -> float:
    """Return the autocorrelation at one sample, as an AR(1) noise has it, within 0 and 0.999."""
    centred = x - x.mean()
    return float(np.clip(centred[1:] @ centred[:-1] / (centred @ centred), 0.0, 0.999))


def red_spectrum(ar: float, frequency: Floats) -> Floats:
    """Return the spectrum of AR(1) noise of variance 1 over that of white noise, at frequencies per sample."""
    return (1 - ar**2) / (1 + ar**2 - 2 * ar * np.cos(2 * np.pi * frequency))


def product_quantile(probability: float) -> float:
    """Return the quantile of the root of a product of two chi-squares with 2 degrees of freedom; 3.999 at 0.95."""
    return np.asarray(brentq(lambda z: 1 - z * k1(z) - probability, 1e-6, 100.0), dtype=np.float64).item()


def _check(pair: Pair, level: float) -> None:
    if np.isnan(pair.first).any() or np.isnan(pair.second).any():
        raise MeasureError("wavelets know no gaps; cut the series to a stretch without, or use the method coherence")
    if not 0 < level < 1:
        raise MeasureError(f"level: got {level}; expected a share between 0 and 1, such as 0.05")


def _cells(n: int, fs: float, per_octave: int, shortest: float | None) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the scales [s] and which cells (period, time) the ends do not reach."""
    scales = scales_of(n, 1 / fs, per_octave, (2 / fs if shortest is None else shortest) * PER_SCALE)
    return scales, cone(n, 1 / fs, scales / PER_SCALE)


def _inside_band(period: Floats, inside: NDArray[np.bool_], band: Band | None) -> NDArray[np.bool_]:
    low, high = band or (0.0, np.inf)
    cells = inside & ((1 / period >= low) & (1 / period <= high))[:, None]
    if not cells.any():
        raise MeasureError(
            f"band {band} Hz: no cell lies inside the cone of influence; record longer or widen the band"
        )
    return cells


def _coherence(first: Floats, second: Floats, fs: float, per_octave: int, shortest: float | None) -> Wavelet:
    return wavelet(first, second, 1 / fs, per_octave, (2 / fs if shortest is None else shortest) * PER_SCALE)


def _maker(x: Floats, kind: str, generator: np.random.Generator) -> Callable[[], Floats]:
    """Return a function that draws a noise of the same memory as a series."""
    if kind == "phase":
        return lambda: phase_randomised(x, generator, 0)
    ar, n = autocorrelation(x), len(x)
    settle = min(round(10 / max(1 - ar, 1e-3)), 20_000)
    return lambda: np.asarray(lfilter([1.0], [1.0, -ar], generator.normal(size=n + settle)))[settle:]


def _histograms(coherence: Floats, cells: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how many cells of each period fall into each of equal steps of coherence."""
    bins = np.clip((coherence * _BINS).astype(np.int64), 0, _BINS - 1)
    rows = np.broadcast_to(np.arange(len(cells))[:, None], cells.shape)
    flat = rows[cells] * _BINS + bins[cells]
    return np.bincount(flat, minlength=len(cells) * _BINS).reshape(len(cells), _BINS)


def _borders(counts: NDArray[np.int64], level: float) -> Floats:
    """Return the smallest coherence of each period that a share of at most ``level`` reaches; 1 where none is known."""
    total = counts.sum(axis=1, keepdims=True)
    beyond = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1] / np.maximum(total, 1)
    enough = (beyond <= level) & (total > 0)
    return np.where(enough.any(axis=1), np.argmax(enough, axis=1) / _BINS, 1.0)


def _over_time(above: NDArray[np.bool_], cells: NDArray[np.bool_]) -> float:
    """Return the standard error of a share of cells, leaving out one block of time at a time."""
    parts = np.array_split(np.arange(cells.shape[1]), _BLOCKS)
    hits = np.array([(above & cells)[:, part].sum() for part in parts], dtype=np.float64)
    counts = np.array([cells[:, part].sum() for part in parts], dtype=np.float64)
    rest = counts.sum() - counts
    return jackknife_error((hits.sum() - hits) / rest) if (rest > 0).all() else float("nan")


def _coords(period: Floats, n: int, fs: float) -> dict:
    return {
        "period": ("period", period, {"units": "s"}),
        "time": ("time", np.arange(n) / fs, {"units": "s"}),
    }
