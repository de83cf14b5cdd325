"""How much a recording holds: the number of independent moments of two persons who both move slowly."""

import numpy as np
from scipy.fft import next_fast_len

from dyadloop.errors import MeasureError
from dyadloop.signals.series import Floats, Pair

FEWEST = 60
"""Independent moments below which tests within a dyad reject too often."""


def independent_moments(first: Floats, second: Floats) -> float:
    """Return how many independent pairs of samples two series are worth (Bartlett).

    The number of samples over the sum of the products of both autocorrelations: two slow persons share rhythms by
    chance, a slow and a fast one do not. Gaps are left out pair by pair.
    """
    one, two = _autocorrelation(first), _autocorrelation(second)
    together = 1.0 + 2.0 * float((one[1:] * two[1:]).sum())
    return int(np.isfinite(first + second).sum()) / max(together, 1.0)


def carried_over(first: Floats, second: Floats, width: int) -> float:
    """Return how much of what two series share by their slowness reaches from one piece into the next.

    The sum of the products of both autocorrelations at one to two widths of a piece, less two standard errors of what
    unrelated estimates give (Bartlett), over that at all shorter lags: 0 where pieces know nothing of each other.
    """
    one, two = _autocorrelation(first), _autocorrelation(second)
    near, next_one = (float((one * two)[low : low + width].sum()) for low in (0, width))
    widths = [2 * float((rho[:width] ** 2).sum()) - 1 for rho in (one, two)]
    error = np.sqrt(width * max(2 * near - 1, 1.0) * widths[0] * widths[1]) / np.isfinite(first + second).sum()
    return float(max(next_one - 2 * error, 0.0) / max(near, 1e-12))


def tails(values: Floats) -> float:
    """Return the excess kurtosis of the known values: 0 for a Gaussian series, large for bursts and spikes."""
    known = values[~np.isnan(values)]
    centred = known - known.mean()
    return float((centred**4).mean() / (centred**2).mean() ** 2 - 3)


def _autocorrelation(values: Floats) -> Floats:
    """Return the autocorrelations up to a quarter of the series."""
    known = ~np.isnan(values)
    centred = np.where(known, values - np.nanmean(values), 0.0)
    far = max(len(values) // 4, 1)
    size = next_fast_len(len(values) + far, real=True)
    spectra = [np.abs(np.fft.rfft(x, size)) ** 2 for x in (centred, known.astype(np.float64))]
    products, counts = (np.fft.irfft(s, size)[:far] for s in spectra)
    found = products / np.maximum(counts, 1.0)
    return found / found[0] if found[0] > 0 else np.zeros_like(found)


def check_slowness(pair: Pair) -> float:
    """Return the independent moments of a pair, if they are enough for a test.

    Raises
    ------
    MeasureError
        If the recording is too short for its own slowness.
    """
    moments = independent_moments(pair.first, pair.second)
    if moments < FEWEST:
        length = len(pair.first) / pair.fs
        raise MeasureError(
            f"the recording of {length:.0f} s is too short for its own slowness: both persons change so slowly that it "
            f"holds {moments:.0f} independent moments, not {FEWEST}; with fewer a test rejects too often; "
            "record longer, take slow rhythms out (transform difference or whiten), or test a group of dyads"
        )
    return moments
