"""Locking of phases: the phase-locking value and its relatives that leave out what reaches both persons at once."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import xarray as xr

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import result
from dyadloop.measures.synchrony.analytic import BLOCKS, Band, Complex, both
from dyadloop.measures.synchrony.phase import jackknife_error
from dyadloop.signals.series import Pair

_SOURCE = (
    "Lachaux et al. 1999 (PLV); Bruña et al. 2018, doi:10.1088/1741-2552/aacfe4 (ciPLV); Stam et al. 2007, "
    "doi:10.1002/hbm.20346 (PLI); Vinck et al. 2011, doi:10.1016/j.neuroimage.2011.01.055 (wPLI)"
)


def _plv(cross: Complex) -> float:
    return float(np.abs((cross / np.abs(cross)).mean()))


def _ciplv(cross: Complex) -> float:
    mean = (cross / np.abs(cross)).mean()
    rest = 1 - mean.real**2
    return float(np.abs(mean.imag) / np.sqrt(rest)) if rest > 1e-12 else 0.0


def _pli(cross: Complex) -> float:
    return float(np.abs(np.sign(cross.imag).mean()))


def _wpli(cross: Complex) -> float:
    total = np.abs(cross.imag).sum()
    return float(np.abs(cross.imag.sum()) / total) if total > 1e-12 * np.abs(cross).sum() else 0.0


KINDS: dict[str, Callable[[Complex], float]] = {"plv": _plv, "ciplv": _ciplv, "pli": _pli, "wpli": _wpli}
"""Statistics of the cross terms z1 conj(z2) of the moments, by name."""


def locking(pair: Pair, band: Band | None = None, kind: Literal["plv", "ciplv", "pli", "wpli"] = "ciplv") -> xr.Dataset:
    """Return how constant the difference of two phases is, with or without what happens in both at the same moment.

    Parameters
    ----------
    pair
        Two series; moments with a gap are left out.
    band
        Pass band [Hz]. Without one the phase of a broad-band series means little.
    kind
        Which of the four is the score.

    Returns
    -------
    xarray.Dataset
        ``plv``: length of the mean vector of phase differences; ``ciplv``: its imaginary part over what the real part
        leaves; ``pli``: absolute mean sign of the imaginary part; ``wpli``: the same weighted by its size; ``ahead``:
        share of moments at which the first person's phase is less than half a period ahead, minus the share at which
        it is behind; ``score``, with ``error`` by leaving out one twentieth of the recording at a time.

    Notes
    -----
    No lead in seconds: a phase cannot tell a lead from the rest of its period. ciPLV, PLI and wPLI are 0 for what
    reaches both persons at once, a common room as well as true unison. 0 / 0, phases that never differ, is 0.
    """
    if kind not in KINDS:
        raise MeasureError(f"kind: got {kind!r}; expected one of {', '.join(KINDS)}")
    one, two = both(pair, band)
    cross = one * np.conj(two)
    cross = cross[np.abs(cross) > 0]
    values = {name: ((), statistic(cross)) for name, statistic in KINDS.items()}
    blocks = np.array_split(np.arange(len(cross)), BLOCKS)
    without = np.array([KINDS[kind](np.delete(cross, block)) for block in blocks])
    return result(
        "locking",
        values[kind][1],
        jackknife_error(without),
        f"{kind} of the phases",
        _SOURCE,
        {"band": list(band) if band else None, "kind": kind, "fs": pair.fs},
        variables=values | {"ahead": ((), float(np.sign(cross.imag).mean()))},
    )
