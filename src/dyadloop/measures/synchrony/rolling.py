"""Rolling correlation: agreement at the same moment, in a window that glides along."""

import numpy as np
import xarray as xr

from dyadloop.measures.scoring import error_of_mean, fisher_z, mean, result
from dyadloop.measures.synchrony.lagged import grid, windowed_correlation
from dyadloop.signals.series import Pair, samples

_SOURCE = "Makowski et al. 2021, doi:10.3758/s13428-020-01516-y"


def rolling(pair: Pair, window: float = 10.0, step: float | None = None, min_share: float = 0.5) -> xr.Dataset:
    """Return the correlation of two series in a window around each moment.

    Parameters
    ----------
    pair
        Two series.
    window, step
        Width and distance of the windows [s]; default distance: one sample.
    min_share
        Smallest share of a window that both persons must have.

    Returns
    -------
    xarray.Dataset
        ``course`` (time): r at the middle of each window, NaN where it is unknown; ``score``: mean Fisher z, ``error``
        over dependent windows.

    Notes
    -----
    Windows lie inside the recording: NeuroKit2 fills the two ends, half a window each, with the mean of the rest.
    """
    width = samples(window, pair.fs, "a window", 3)
    increment = 1 if step is None else samples(step, pair.fs, "a step")
    cells = grid(len(pair.first), width, increment, 0)
    course = windowed_correlation(pair.first, pair.second, cells, min_share)[:, 0]
    z = fisher_z(course)
    apart = z[:: max(width // increment, 1)]
    return result(
        "rolling",
        mean(z),
        error_of_mean(apart),
        "mean z of a gliding window, without lag",
        _SOURCE,
        {"window": window, "step": 1 / pair.fs if step is None else step, "min_share": min_share, "fs": pair.fs},
        variables={"course": ("time", course, {"units": "1"})},
        coords={"time": ("time", (cells.starts + (width - 1) / 2) / pair.fs, {"units": "s"})},
        window_samples=width,
        share_known=float((~np.isnan(course)).mean()),
    )
