"""The Morlet transform, and wavelet coherence of long recordings: each scale at the rate that it needs.

Long recordings are told at moments a power of two apart. The transform at a scale holds frequencies around one over
the scale only. It is taken at baseband from those alone, which changes no product of two transforms of the same scale,
at the fewest moments that hold them. The smoothing over time leaves still less, so that it can be read off at any
moments; the box over scales then acts moment by moment.
"""

import numpy as np
from numpy.typing import NDArray

from dyadloop.errors import MeasureError
from dyadloop.signals.series import Floats

OMEGA = 6.0
PER_SCALE = float((OMEGA + np.sqrt(2 + OMEGA**2)) / (4 * np.pi))
"""Frequency times scale of the Morlet wavelet."""
_MOMENTS = 1 << 14
"""Moments up to which all are computed; longer recordings are told at every second, fourth ... sample."""
_WIDTH = 8.0  # of the wavelet's Gaussian in its SDs: 1e-14 of its height


def scales_of(n: int, dt: float, per_octave: int, smallest: float) -> Floats:
    """Return the scales of a recording [s], from the smallest to its length.

    Raises
    ------
    MeasureError
        If the smallest holds less than two samples of a period, or the recording does not hold it.
    """
    if not 2 * dt * PER_SCALE * (1 - 1e-9) <= smallest <= n * dt:
        raise MeasureError(
            f"shortest period of {smallest / PER_SCALE:.3g} s; expected at least two samples ({2 * dt:.3g} s), and a "
            f"recording of {n * dt:.3g} s that holds it"
        )
    return smallest * 2 ** (np.arange(round(np.log2(n * dt / smallest) * per_octave) + 1) / per_octave)


def cone(n: int, dt: float, period: Floats, stride: int = 1) -> NDArray[np.bool_]:
    """Return which cells (period, moment) the ends of a recording of n samples do not reach."""
    moments = np.arange(0, n, stride)
    edge = np.minimum(moments, n - 1 - moments) * dt / (PER_SCALE * np.sqrt(2))
    return period[:, None] <= edge


def transform(values: Floats, dt: float, scales: Floats) -> NDArray[np.complex128]:
    """Return the Morlet transform (scale, time) of a series, scaled so that white noise has a mean power of 1."""
    size = 2 ** int(np.ceil(np.log2(len(values))))
    omega = 2 * np.pi * np.fft.fftfreq(size, dt)
    spectrum = np.fft.fft(values, size)
    found = np.empty((len(scales), len(values)), dtype=np.complex128)
    for row, scale in enumerate(scales):
        daughter = np.sqrt(2 * np.pi * scale / dt) * np.pi**-0.25 * np.exp(-0.5 * (scale * omega - OMEGA) ** 2)
        found[row] = np.fft.ifft(spectrum * np.where(omega > 0, daughter, 0.0))[: len(values)]
    return found


def stride_of(n: int) -> int:
    """Return the distance of the moments that are told [samples], a power of two."""
    return 1 << max(int(np.ceil(np.log2(n / _MOMENTS))), 0)


def scale_fields(
    spectra: tuple[NDArray[np.complex128], NDArray[np.complex128]],
    n: int,
    step: float,
    stride: int,
) -> tuple[NDArray[np.complex128], Floats, Floats, NDArray[np.complex128]]:
    """Return smoothed cross product, smoothed powers and raw cross product at one scale, every ``stride`` samples.

    Parameters
    ----------
    spectra
        Transforms of both series, padded to a power of two.
    n
        Samples of the series.
    step
        The scale [samples].
    stride
        Distance of the moments [samples].
    """
    size = len(spectra[0])
    per_bin = 2 * np.pi / size * step
    low, high = max(int((OMEGA - _WIDTH) / per_bin), 1), min(int((OMEGA + _WIDTH) / per_bin) + 1, size // 2)
    bins = np.arange(low, high)
    few = min(1 << int(np.ceil(np.log2(2 * len(bins) + 2))), size)
    height = np.sqrt(2 * np.pi * step) * np.pi**-0.25 * np.exp(-0.5 * (bins * per_bin - OMEGA) ** 2) / np.sqrt(step)
    parts = []
    for spectrum in spectra:
        base = np.zeros(few, dtype=np.complex128)
        base[np.arange(len(bins)) % few] = spectrum[bins] * height
        parts.append(np.fft.ifft(base) * (few / size))
    inside = -(-n // (size // few))  # moments inside the recording
    one, two = (np.where(np.arange(few) < inside, part, 0.0) for part in parts)
    raw = np.fft.fft(one * np.conj(two))
    power = np.fft.fft(np.abs(one) ** 2 + 1j * np.abs(two) ** 2)
    kernel = np.exp(-0.5 * (step * 2 * np.pi * np.fft.fftfreq(few, size / few)) ** 2)
    cross, both, plain = (_at_moments(field, size, stride) for field in (raw * kernel, power * kernel, raw))
    count = -(-n // stride)
    return cross[:count], both.real[:count], both.imag[:count], plain[:count]


def _at_moments(spectrum: NDArray[np.complex128], size: int, stride: int) -> NDArray[np.complex128]:
    """Return a field every ``stride`` samples from its spectrum at a lower or a higher rate."""
    few, wanted = len(spectrum), size // stride
    if few >= wanted:
        return np.fft.ifft(spectrum)[:: few // wanted]
    wide = np.zeros(wanted, dtype=np.complex128)
    half = few // 2
    wide[:half], wide[-half:] = spectrum[:half], spectrum[half:]
    return np.fft.ifft(wide) * (wanted / few)
