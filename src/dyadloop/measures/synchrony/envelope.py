"""Correlation of envelopes: whether the strengths of two rhythms rise and fall together."""

import numpy as np
import xarray as xr

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import result
from dyadloop.measures.synchrony.analytic import BLOCKS, Band, Complex, both
from dyadloop.measures.synchrony.phase import jackknife_error
from dyadloop.signals.series import Floats, Pair

_SOURCE = "Hipp et al. 2012, doi:10.1038/nn.3101"


def envelope(pair: Pair, band: Band | None = None, orthogonal: bool = True) -> xr.Dataset:
    """Return the correlation of the envelopes of two series in a band.

    Parameters
    ----------
    pair
        Two series; moments with a gap are left out.
    band
        Pass band [Hz].
    orthogonal
        Take out of one signal, moment by moment, what is in phase with the other before its envelope is taken, once
        for either, and average the two correlations: what reaches both persons at once then counts for nothing.

    Returns
    -------
    xarray.Dataset
        ``score``: Pearson's r; ``error`` by leaving out one twentieth of the recording at a time; ``plain`` and
        ``orthogonalised``: r without and with that step.

    Raises
    ------
    MeasureError
        If an envelope does not vary.

    Notes
    -----
    Signed: MNE takes the absolute value of each correlation. Even the orthogonalised one is not exactly 0 for
    independent Gaussian signals of few cycles: judge it by surrogates.
    """
    one, two = both(pair, band)
    plain, crossed = _plain(one, two), _orthogonalised(one, two)
    chosen = _orthogonalised if orthogonal else _plain
    blocks = np.array_split(np.arange(len(one)), BLOCKS)
    without = np.array([chosen(np.delete(one, block), np.delete(two, block)) for block in blocks])
    return result(
        "envelope",
        crossed if orthogonal else plain,
        jackknife_error(without),
        "correlation of the envelopes" + (", orthogonalised" if orthogonal else ""),
        _SOURCE,
        {"band": list(band) if band else None, "orthogonal": orthogonal, "fs": pair.fs},
        variables={"plain": ((), plain), "orthogonalised": ((), crossed)},
    )


def _plain(one: Complex, two: Complex) -> float:
    return _correlation(np.abs(one), np.abs(two))


def _orthogonalised(one: Complex, two: Complex) -> float:
    cross = np.abs((one * np.conj(two)).imag)
    sizes = np.abs(one), np.abs(two)
    parts = [np.divide(cross, size, out=np.zeros_like(cross), where=size > 0) for size in sizes]
    return (_correlation(sizes[0], parts[0]) + _correlation(sizes[1], parts[1])) / 2


def _correlation(a: Floats, b: Floats) -> float:
    da, db = a - a.mean(), b - b.mean()
    size = np.sqrt((da @ da) * (db @ db))
    if size <= 1e-12 * np.sqrt((a @ a) * (b @ b)):
        raise MeasureError(
            "an envelope does not vary, or nothing is left of a signal that is in phase with the other throughout; "
            "expected two signals of varying strength; with orthogonal = false the latter is no fault"
        )
    return float(da @ db / size)
