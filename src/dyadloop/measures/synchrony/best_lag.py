"""The lag that wanders: cross-correlation along a path of lags that may change only so fast."""

from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import error_of_mean, fisher_z, mean, result
from dyadloop.measures.synchrony.lagged import windowed_correlation, windows_of
from dyadloop.signals.series import Floats, Pair

_SOURCE = "Kleinbub, Talia & Palmieri 2020, doi:10.1037/cou0000383; DyadSync 1.3.2"
_MALUS = 0.1


def best_lag(
    pair: Pair,
    window: float = 15.0,
    step: float = 1.0,
    lag: float = 5.0,
    lag_change: float = 0.5,
    kind: Literal["centre", "free", "off"] = "centre",
) -> xr.Dataset:
    """Return windowed cross-correlation along the best path of lags, as DyadSync's ``ccfBest`` goes along it.

    Parameters
    ----------
    pair, window, step, lag
        As in :func:`dyadloop.measures.synchrony.windowed.windowed`.
    lag_change
        How much the lag may change per second of recording [s per s].
    kind
        ``centre``: lags near 0 are preferred, up to 10 %; ``free``: lags near the lag before are; ``off``: none is.

    Returns
    -------
    xarray.Dataset
        ``r`` (window, lag); ``path_r`` and ``path_lag`` (window) [s]; ``start`` (window) [s]; ``score``: mean Fisher z
        along the path, ``error`` over dependent windows; ``lead``: mean lag of the path [s].

    Notes
    -----
    The path starts at lag 0 and takes the highest weighted correlation within reach of the lag before; where lag 0
    is unknown the path breaks and starts again at 0. DyadSync's lags are whole seconds by default, here samples.
    """
    cells, increment = windows_of(pair, window, step, lag)
    reach = round(lag_change * increment)
    if reach < 1:
        raise MeasureError(
            f"lag_change of {lag_change:g} s per s lets the lag move by no sample from window to window; expected at "
            f"least {1 / increment:g}"
        )
    if kind not in ("centre", "free", "off"):
        raise MeasureError(f"kind: got {kind!r}; expected centre, free or off")
    r = windowed_correlation(pair.first, pair.second, cells)
    places = path(r, reach, kind)
    known = places >= 0
    along = np.where(known, r[np.arange(len(r)), places], np.nan)
    lags = np.where(known, (places - cells.max_lag) / pair.fs, np.nan)
    z = fisher_z(along)
    if not known.any():
        raise MeasureError("no window in which lag 0 is known; expected at least one; use shorter windows")
    return result(
        "best_lag",
        mean(z),
        error_of_mean(z, max(-(-cells.width // increment) - 1, 1)),
        "mean z along the best path of lags",
        _SOURCE,
        {"window": window, "step": step, "lag": lag, "lag_change": lag_change, "kind": kind, "fs": pair.fs},
        lead=mean(lags),
        variables={
            "r": (("window", "lag"), r, {"units": "1"}),
            "path_r": ("window", along, {"units": "1"}),
            "path_lag": ("window", lags, {"units": "s"}),
        },
        coords={
            "start": ("window", cells.starts / pair.fs, {"units": "s"}),
            "lag": ("lag", cells.lags / pair.fs, {"units": "s"}),
        },
        lead_units="s",
    )


def path(r: Floats, reach: int, kind: str) -> NDArray[np.int64]:
    """Return the column of each row (window, lag) along the path, -1 where lag 0 is unknown."""
    count = r.shape[1]
    centre = count // 2
    prefer = _preference(np.arange(count) - centre, centre)
    found = np.full(len(r), -1, dtype=np.int64)
    for row in range(len(r)):
        if np.isnan(r[row, centre]):
            continue
        before = found[row - 1] if row and found[row - 1] >= 0 else centre
        if row == 0:
            found[row] = centre
            continue
        columns = np.arange(max(before - reach, 0), min(before + reach, count - 1) + 1)
        weight = (
            prefer[columns] if kind == "centre" else _preference(columns - before, reach) if kind == "free" else 1.0
        )
        value = r[row, columns] * weight
        found[row] = columns[np.argmax(np.where(np.isnan(value), -np.inf, value))]
    return found


def _preference(steps: NDArray[np.int64], farthest: int) -> Floats:
    """Return weights from 1 at 0 down to 0.9 at the farthest, along a wide normal curve."""
    curve = np.exp(-0.5 * (steps / 1000.0) ** 2)
    lowest = np.exp(-0.5 * (farthest / 1000.0) ** 2)
    return 1 - _MALUS + _MALUS * (curve - lowest) / (1 - lowest)
