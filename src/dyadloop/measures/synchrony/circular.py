"""Circular correlation of two phases, with centres that exist even where phases are spread evenly."""

from typing import Literal

import numpy as np
import xarray as xr

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import result
from dyadloop.measures.synchrony.analytic import BLOCKS, Band, both
from dyadloop.measures.synchrony.phase import jackknife_error
from dyadloop.signals.series import Floats, Pair

_SOURCE = "Jammalamadaka & SenGupta 2001, doi:10.1142/4031; Zimmermann et al. 2024, doi:10.1162/imag_a_00350"


def circular(pair: Pair, band: Band | None = None, kind: Literal["adjusted", "mean"] = "adjusted") -> xr.Dataset:
    """Return the circular correlation of the phases of two series.

    Parameters
    ----------
    pair
        Two series; moments with a gap are left out.
    band
        Pass band [Hz].
    kind
        ``mean``: deviations from each person's circular mean; ``adjusted``: from the centres that make the
        correlation largest, which exist where phases are spread evenly, as those of rhythms are.

    Returns
    -------
    xarray.Dataset
        ``score``; ``error`` by leaving out one twentieth of the recording at a time; ``mean_centred`` and
        ``adjusted``: both kinds.

    Notes
    -----
    A rhythm passes all phases equally often, so that its circular mean is noise and the classical coefficient with it.
    """
    if kind not in ("adjusted", "mean"):
        raise MeasureError(f"kind: got {kind!r}; expected adjusted or mean")
    one, two = (np.angle(signal) for signal in both(pair, band))
    of = adjusted if kind == "adjusted" else mean_centred
    blocks = np.array_split(np.arange(len(one)), BLOCKS)
    without = np.array([of(np.delete(one, block), np.delete(two, block)) for block in blocks])
    return result(
        "circular",
        of(one, two),
        jackknife_error(without),
        f"circular correlation of the phases, {kind}",
        _SOURCE,
        {"band": list(band) if band else None, "kind": kind, "fs": pair.fs},
        variables={"mean_centred": ((), mean_centred(one, two)), "adjusted": ((), adjusted(one, two))},
    )


def mean_centred(a: Floats, b: Floats) -> float:
    """Return the correlation of the sines of two angles' deviations from their circular means."""
    return _sines(a - np.angle(np.exp(1j * a).mean()), b - np.angle(np.exp(1j * b).mean()))


def adjusted(a: Floats, b: Floats) -> float:
    """Return the same with centres whose difference and sum are the mean directions of the difference and the sum.

    The numerator is then half of the lengths of these two mean vectors' difference.
    """
    difference, total = np.angle(np.exp(1j * (a - b)).mean()), np.angle(np.exp(1j * (a + b)).mean())
    return _sines(a - (total + difference) / 2, b - (total - difference) / 2)


def _sines(a: Floats, b: Floats) -> float:
    one, two = np.sin(a), np.sin(b)
    size = np.sqrt((one @ one) * (two @ two))
    return float(one @ two / size) if size > 0 else 0.0
