"""Synchrony of phases: phase locking and Hilbert phase synchrony, computed stretch by stretch between gaps."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import mean, result
from dyadloop.measures.synchrony.analytic import BLOCKS, Band, analytic
from dyadloop.signals.series import Floats, Pair

_PLV = "Lachaux et al. 1999, doi:10.1002/(SICI)1097-0193(1999)8:4<194::AID-HBM4>3.0.CO;2-C"


def phases(values: Floats, fs: float, band: Band | None = None) -> Floats:
    """Return the instantaneous phase [rad] of a series: the angle of its analytic signal, NaN where that is."""
    return np.angle(analytic(values, fs, band))


def phase_locking(pair: Pair, band: Band | None = None, lag: float = 4.0) -> xr.Dataset:
    """Return the phase-locking value of two series, 0 (no relation of phases) to 1 (constant difference).

    Parameters
    ----------
    pair
        Two series.
    band
        Pass band [Hz]. Without one the phase of a broad-band series means little.
    lag
        Largest lead in question [s].

    Returns
    -------
    xarray.Dataset
        ``score``; ``error`` by leaving out one twentieth of the recording at a time; ``lead``: mean phase of the first
        minus that of the second [cycles], NaN where half a period does not exceed the lead; ``delay`` [s]: the lead as
        in :func:`dyadloop.measures.synchrony.spectral.coherence`.
    """
    from dyadloop.measures.synchrony.leads import lead_of, told_of

    turn = np.exp(1j * _difference(pair, band))
    sums, counts = _sums(turn)
    whole = sums.sum() / counts.sum()
    cycles, lead = float(np.angle(whole) / (2 * np.pi)), lead_of(pair, band, lag)
    return result(
        "phase",
        abs(whole),
        _left_out(sums, counts),
        "length of the mean vector of phase differences",
        _PLV,
        {"band": list(band) if band else None, "lag": lag, "fs": pair.fs},
        lead=cycles if np.isfinite(lead.cycles) and np.sign(cycles) == np.sign(lead.cycles) else float("nan"),
        variables={"delay": ((), lead.seconds, {"units": "s"})},
        lead_units="cycles",
        lead_status=lead.why if np.isfinite(lead.cycles) else told_of(lead),
    )


def _sums(course: NDArray) -> tuple[NDArray, NDArray[np.int64]]:
    """Return sums and counts of the known moments of twentieths of a recording."""
    parts = [part[~np.isnan(part)] for part in np.array_split(course, BLOCKS)]
    parts = [part for part in parts if part.size]
    if not parts:
        raise MeasureError("no moment at which both persons are known and move; expected some")
    return np.array([part.sum() for part in parts]), np.array([part.size for part in parts])


def hilbert(pair: Pair, band: Band | None = None) -> xr.Dataset:
    """Return the course of 1 - sin(|phase difference| / 2): 1 in phase, 0 in antiphase.

    Returns
    -------
    xarray.Dataset
        ``course`` (time), NaN in gaps; ``score`` its mean (about 0.36 for unrelated phases), ``error`` by leaving out
        one twentieth at a time.
    """
    difference = np.angle(np.exp(1j * _difference(pair, band)))
    course = 1 - np.sin(np.abs(difference) / 2)
    sums, counts = _sums(course)
    return result(
        "hilbert",
        mean(course),
        _left_out(sums, counts),
        "mean of 1 - sin(|phase difference| / 2)",
        "Makowski et al. 2021, doi:10.3758/s13428-020-01516-y",
        {"band": list(band) if band else None, "fs": pair.fs},
        variables={"course": ("time", course)},
        coords={"time": ("time", np.arange(len(course)) / pair.fs, {"units": "s"})},
    )


def _left_out(sums: NDArray, counts: NDArray[np.int64]) -> float:
    if len(sums) < 4:
        return float("nan")
    return jackknife_error(np.abs((sums.sum() - sums) / (counts.sum() - counts)))


def _difference(pair: Pair, band: Band | None) -> Floats:
    return phases(pair.first, pair.fs, band) - phases(pair.second, pair.fs, band)


def jackknife_error(without: Floats) -> float:
    """Return the standard error from the values of a statistic without each block; NaN for fewer than 4 blocks."""
    n = len(without)
    return float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())) if n > 3 else float("nan")
