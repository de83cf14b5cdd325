"""The analytic signal of a series in a band, stretch by stretch between gaps: its phase and its envelope."""

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony.still import still_samples
from dyadloop.signals.series import Floats, Pair
from dyadloop.signals.stretches import stretches

Complex = NDArray[np.complex128]
Band = tuple[float, float]
BLOCKS = 20
_SHORTEST = 16  # samples


def analytic(values: Floats, fs: float, band: Band | None = None) -> Complex:
    """Return the analytic signal of a series, NaN in gaps, in rests and in stretches too short for the filter.

    Parameters
    ----------
    values
        Samples.
    fs
        Rate [Hz].
    band
        Pass band of a fourth-order Butterworth filter run both ways [Hz]; default: only the mean is removed.

    Raises
    ------
    MeasureError
        If the band does not lie between 0 and half the rate, or no stretch is long enough.
    """
    sections = None if band is None else _filter(band, fs)
    shortest = _SHORTEST if band is None else max(_SHORTEST, int(np.ceil(3 * fs / band[0])))
    found = np.full(len(values), np.nan, dtype=np.complex128)
    rest = still_samples(values, shortest)
    for low, high in stretches(~np.isnan(values)):
        if high - low < shortest:
            continue
        part = values[low:high] - values[low:high].mean()
        if sections is not None:
            part = np.asarray(signal.sosfiltfilt(sections, part, padlen=min(shortest, high - low) - 1))
        found[low:high] = np.where(rest[low:high], np.nan, np.asarray(signal.hilbert(part)))
    if np.isnan(found).all():
        raise MeasureError(
            f"no stretch of {shortest} samples in which a person moves and nothing is missing; expected at least one; "
            "record longer or choose a band of higher frequencies"
        )
    return found


def _filter(band: Band, fs: float) -> Floats:
    if len(band) != 2 or not 0 < band[0] < band[1] < fs / 2:
        raise MeasureError(
            f"band: got {band} Hz; expected two frequencies, 0 < low < high < {fs / 2:g} Hz (half the rate)"
        )
    return np.asarray(signal.butter(2, band, "bandpass", fs=fs, output="sos"))


def both(pair: Pair, band: Band | None) -> tuple[Complex, Complex]:
    """Return the analytic signals of the moments that both persons have.

    Raises
    ------
    MeasureError
        If there are fewer than as many moments as a standard error by blocks needs.
    """
    one, two = (analytic(series, pair.fs, band) for series in (pair.first, pair.second))
    known = ~(np.isnan(one) | np.isnan(two))
    if known.sum() < 4 * BLOCKS:
        raise MeasureError(
            f"{int(known.sum())} moments at which both persons have a phase; expected at least {4 * BLOCKS}; record "
            "longer, or fill short gaps before"
        )
    return one[known], two[known]
