"""Coherence: Welch's, over segments without gaps, and wavelet coherence over time and period."""

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import error_of_mean, mean, result
from dyadloop.measures.synchrony.leads import effective, lead_in, lead_of, spectra, told_of
from dyadloop.measures.synchrony.phase import jackknife_error
from dyadloop.measures.synchrony.still import SHORTEST, standardised, still_samples
from dyadloop.measures.synchrony.wavelets import PER_SCALE, cone, scale_fields, scales_of, stride_of, transform
from dyadloop.signals.series import Floats, Pair, samples

_WAVELET = "Grinsted, Moore & Jevrejeva 2004, doi:10.5194/npg-11-561-2004"
_SCALE_WIDTH = 0.6  # decorrelation length of scales in octaves


def coherence(
    pair: Pair, segment: float = 30.0, band: tuple[float, float] | None = None, lag: float = 4.0
) -> xr.Dataset:
    """Return magnitude-squared coherence by Welch's method: Hann segments that overlap by half.

    Parameters
    ----------
    pair
        Two series; segments with a gap, or in which one person is still, are left out.
    segment
        Length of a segment [s].
    band
        Frequencies averaged to the score [Hz]; default: all above 0.
    lag
        Largest lead in question [s].

    Returns
    -------
    xarray.Dataset
        ``coherence`` and ``phase`` (frequency) [Hz], phase > 0 where the first person leads [rad]; ``score``: mean
        coherence of the band; ``error`` by leaving out one tenth of the segments at a time; ``expected``: what
        unrelated series give, the inverse of the effective number of segments; ``lead`` and ``lead_error`` [s]: from
        the mean phase where half a period of the shared rhythm exceeds ``lag``, else from the slope of the phase over
        the band, within a quarter of a segment; NaN where neither is certain.

    Raises
    ------
    MeasureError
        If fewer than 4 segments are whole.
    """
    width = min(samples(segment, pair.fs, "a segment", 8), len(pair.first) + 1)
    found = spectra(pair, width)
    count, frequency = len(found.first), found.frequency
    if count < 4:
        raise MeasureError(
            f"{count} whole segments of {segment:g} s in which both persons move; expected at least 4; "
            "choose shorter ones"
        )
    inside, (low, high) = _inside(frequency, band, segment)
    terms = found.second * np.conj(found.first), np.abs(found.first) ** 2, np.abs(found.second) ** 2
    cross, one, two = (term.sum(axis=0) for term in terms)
    without = []
    for block in np.array_split(np.arange(count), min(10, count)):
        c, a, b = (total - term[block].sum(axis=0) for total, term in zip((cross, one, two), terms, strict=True))
        without.append(mean(_squared(c, a, b)[inside]))
    level = _squared(cross, one, two)
    lead = lead_in(found, inside, pair.fs, lag)
    return result(
        "coherence",
        mean(level[inside]),
        jackknife_error(np.array(without)),
        "mean coherence of the band",
        "Welch 1967, doi:10.1109/TAU.1967.1161901",
        {"segment": segment, "band": [float(low), float(high)], "lag": lag, "fs": pair.fs},
        lead=lead.seconds,
        variables={
            "coherence": ("frequency", level),
            "phase": ("frequency", -np.angle(cross)),  # y(t) = x(t - d) turns the cross-spectrum by -2 pi f d
            "expected": ((), 1 / effective(count, width)),
            "lead_error": ((), lead.error, {"units": "s"}),
        },
        coords={"frequency": ("frequency", frequency, {"units": "Hz"})},
        segments=count,
        lead_units="s",
        lead_status=lead.why,
    )


def _inside(
    frequency: Floats, band: tuple[float, float] | None, segment: float
) -> tuple[NDArray[np.bool_], tuple[float, float]]:
    low, high = band or (frequency[1], frequency[-1])
    inside = (frequency >= low) & (frequency <= high) & (frequency > 0)
    if not inside.any():
        raise MeasureError(f"band {band} Hz holds no frequency of segments of {segment:g} s; choose longer segments")
    return inside, (low, high)


def _squared(cross: NDArray[np.complex128], one: Floats, two: Floats) -> Floats:
    """Return the coherence, NaN at frequencies at which one person has no power."""
    product = one * two
    none = product <= np.finfo(np.float64).tiny
    return np.where(none, np.nan, np.abs(cross) ** 2 / np.where(none, 1.0, product))


class Wavelet(NamedTuple):
    """Wavelet coherence of two series: cells (scale, time), ``period`` (scale), and samples between moments."""

    coherence: Floats
    phase: Floats
    period: Floats
    inside: NDArray[np.bool_]
    stride: int = 1


def wavelet_coherence(
    pair: Pair,
    band: tuple[float, float] | None = None,
    per_octave: int = 12,
    shortest: float | None = None,
    lag: float = 4.0,
) -> xr.Dataset:
    """Return wavelet coherence (Morlet, omega 6) over time and period.

    Parameters
    ----------
    pair
        Two series without gaps.
    band
        Frequencies averaged to the score [Hz]; default: all.
    per_octave
        Scales per octave.
    shortest
        Shortest period [s]; default: two samples.
    lag
        Largest lead in question [s].

    Returns
    -------
    xarray.Dataset
        ``coherence``, ``phase`` (period, time): phase > 0 where the first person leads [rad]; ``inside``: cells that
        the ends of the recording do not reach and in which no person is still; ``score``: mean of those cells in the
        band, ``error`` over time; ``lead`` [cycles]: mean phase weighted by coherence, NaN where half a period does
        not exceed the lead; ``delay`` [s]: the lead as in :func:`coherence`.

    Notes
    -----
    Recordings of more than 16,384 samples are told at every second, fourth ... sample, scale by scale.
    High by chance: smoothing over few cycles makes unrelated series coherent (about 0.3 to 0.5). Judge by surrogates.
    """
    if np.isnan(pair.first).any() or np.isnan(pair.second).any():
        raise MeasureError("wavelet coherence knows no gaps; cut the series to a stretch without, or use coherence")
    period = 2 / pair.fs if shortest is None else shortest
    found = wavelet(pair.first, pair.second, 1 / pair.fs, per_octave, period * PER_SCALE)
    low, high = band or (0.0, np.inf)
    rows = (1 / found.period >= low) & (1 / found.period <= high)
    moving = [_moving(s, pair.fs, found.period, found.stride) for s in (pair.first, pair.second)]
    cells = found.inside & rows[:, None] & moving[0] & moving[1] & np.isfinite(found.coherence)
    if not cells.any():
        raise MeasureError(
            f"band {band} Hz: no cell lies inside the cone of influence where both move; "
            "record longer or widen the band"
        )
    course = mean(np.where(cells, found.coherence, np.nan), 0)
    weight = np.where(cells, found.coherence, 0.0)
    cycles = float(np.angle((weight * np.exp(1j * found.phase)).sum()) / (2 * np.pi))
    lead = lead_of(pair, band, lag)
    return result(
        "wavelet",
        mean(np.where(cells, found.coherence, np.nan)),
        error_of_mean(np.array([mean(part) for part in np.array_split(course, 30)])),
        "mean coherence inside the cone of influence",
        _WAVELET,
        {"band": list(band) if band else None, "per_octave": per_octave, "fs": pair.fs},
        lead=cycles if np.isfinite(lead.cycles) and np.sign(cycles) == np.sign(lead.cycles) else float("nan"),
        variables={
            "coherence": (("period", "time"), found.coherence),
            "phase": (("period", "time"), found.phase),
            "inside": (("period", "time"), cells if band is None else found.inside & moving[0] & moving[1]),
            "delay": ((), lead.seconds, {"units": "s"}),
        },
        coords={
            "period": ("period", found.period, {"units": "s"}),
            "time": ("time", np.arange(0, len(pair.first), found.stride) / pair.fs, {"units": "s"}),
        },
        lead_units="cycles",
        lead_status=lead.why if np.isfinite(lead.cycles) else told_of(lead),
    )


def _moving(values: Floats, fs: float, period: Floats, stride: int) -> NDArray[np.bool_]:
    """Return the cells (period, time) whose wavelet reaches a moment at which the person is not still."""
    from scipy.ndimage import distance_transform_edt

    rest = still_samples(values, max(round(SHORTEST * fs), 2))
    if not rest.any():
        return np.ones((len(period), -(-len(values) // stride)), dtype=np.bool_)
    away = np.asarray(distance_transform_edt(rest))[::stride] / fs
    return away < (period * PER_SCALE * np.sqrt(2))[:, None]


def wavelet(first: Floats, second: Floats, dt: float, per_octave: int = 12, smallest: float | None = None) -> Wavelet:
    """Return the wavelet coherence of two series.

    Parameters
    ----------
    first, second
        Samples without gaps.
    dt
        Time between samples [s].
    per_octave
        Scales per octave.
    smallest
        Smallest scale [s]; default: that of a period of two samples.
    """
    n, stride = len(first), stride_of(len(first))
    scale = 2 * dt * PER_SCALE if smallest is None else smallest
    scales = scales_of(n, dt, per_octave, scale)
    ready = standardised(first), standardised(second)
    if stride == 1:
        one, two = (transform(s, dt, scales) for s in ready)
        weight = 1 / scales[:, None]
        raw = one * np.conj(two)
        cross = _smooth(weight * raw, dt, scales, per_octave)
        power = [_smooth(weight * np.abs(w) ** 2, dt, scales, per_octave).real for w in (one, two)]
    else:
        cross, power, raw = _streamed(ready, dt, scales, per_octave, stride)
    level, period = _squared(cross, power[0], power[1]), scales / PER_SCALE
    return Wavelet(level, np.angle(raw).astype(float), period, cone(n, dt, period, stride), stride)


def _streamed(
    ready: tuple[Floats, Floats], dt: float, scales: Floats, per_octave: int, stride: int
) -> tuple[NDArray[np.complex128], list[Floats], NDArray[np.complex64]]:
    """Return smoothed cross product and powers, and the raw cross product, scale by scale at some moments."""
    n = len(ready[0])
    size = 2 ** int(np.ceil(np.log2(n)))
    spectra = np.fft.fft(ready[0], size), np.fft.fft(ready[1], size)
    shape = len(scales), -(-n // stride)
    cross, power = np.empty(shape, dtype=np.complex128), [np.empty(shape), np.empty(shape)]
    raw = np.empty(shape, dtype=np.complex64)  # told as a phase only
    for row, scale in enumerate(scales):
        cross[row], power[0][row], power[1][row], raw[row] = scale_fields(spectra, n, scale / dt, stride)
    return _over_scales(cross, per_octave), [_over_scales(p, per_octave) for p in power], raw


def _smooth(cells: NDArray, dt: float, scales: Floats, per_octave: int) -> NDArray[np.complex128]:
    """Smooth by a Gaussian as wide as the scale over time and by a box of 0.6 octaves with half ends over scales."""
    n = cells.shape[1]
    size = 2 ** int(np.ceil(np.log2(n)))
    omega = 2 * np.pi * np.fft.fftfreq(size)
    kernel = np.exp(-0.5 * (scales[:, None] / dt * omega) ** 2)
    over_time = np.fft.ifft(kernel * np.fft.fft(cells, size, axis=1), axis=1)[:, :n]
    return _over_scales(over_time, per_octave)


def _over_scales(cells: NDArray, per_octave: int) -> NDArray:
    """Return the mean over a box of 0.6 octaves with half ends; nothing lies beyond the first and last scale."""
    box = np.ones(max(round(_SCALE_WIDTH * per_octave * 2), 2))
    box[[0, -1]] = 0.5
    box /= box.sum()
    before = (len(box) - 1) // 2
    found = np.zeros_like(cells)
    for place, weight in enumerate(box):
        shift = before - place
        if abs(shift) >= len(cells):  # few scales, as in a narrow band: this part of the box lies outside
            continue
        low, high = max(0, -shift), min(len(cells), len(cells) - shift)
        found[low:high] += weight * cells[low + shift : high + shift]
    return found
