"""What wcc's aggregates say of a dyad: heights and lags of the peaks, and how the lag changes over time."""

import numpy as np
import xarray as xr

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import error_of_mean, fisher_z, mean, result
from dyadloop.measures.synchrony.boker import SOURCE, wcc
from dyadloop.signals.series import Floats, Pair

_SOURCE = f"{SOURCE}; wcc 0.4.1"


def wcc_summary(
    pair: Pair,
    window: float = 60.0,
    step: float = 30.0,
    lag: float = 5.0,
    lag_step: int = 1,
    span: float = 0.25,
    peak_size: int | None = None,
    rows: int = 9,
) -> xr.Dataset:
    """Return the aggregates of Boker's windowed cross-correlation, and the derivatives of the lag.

    Parameters
    ----------
    pair, window, step, lag, lag_step, span, peak_size
        As in :func:`wcc`.
    rows
        Windows in a row from which the derivatives of the lag are taken.

    Returns
    -------
    xarray.Dataset
        ``peak_mean``, ``peak_variance`` of z at the peaks; ``total_mean`` (of abs. z), ``total_variance`` (of z) of
        all cells; ``zero_mean``, ``zero_variance`` of z at lag 0; ``lag_mean`` [s], ``lag_variance``; ``speed_mean``
        [s per s], ``speed_variance``, ``acceleration_mean`` [s per s2], ``acceleration_variance`` of the lag;
        ``speed`` and ``smooth_lag`` (place); ``score``: ``peak_mean``, ``error`` over windows; ``lead``: ``lag_mean``.

    Raises
    ------
    MeasureError
        If no window has a peak.

    Notes
    -----
    Lag, speed and acceleration come from a quadratic through ``rows`` windows in a row that all have a peak
    (GLLA); NaN where there are none. Unknown cells are left out: wcc counts them as 0. wcc gives lags in samples, with
    its own sign, and speeds per window.

    References
    ----------
    .. [1] Boker, Deboeck, Edler & Keel (2010). Generalized local linear approximation of derivatives from time series.
    """
    if rows < 5:
        raise MeasureError(f"rows: got {rows}; expected at least 5 windows for a quadratic and its error")
    size = {} if peak_size is None else {"peak_size": peak_size}
    found = wcc(pair, window, step, lag, lag_step, span, **size)
    z, heights = fisher_z(found["r"].values), found["peak_z"].values
    if np.isnan(heights).all():
        raise MeasureError("no window has a peak inside its lags; expected at least one; allow larger lags")
    ends = found["end"].values
    course = derivatives(found["peak_lag"].values, float(ends[1] - ends[0]) if len(ends) > 1 else step, rows)
    zero = z[:, np.argmin(np.abs(found["lag"].values))]
    numbers = {
        "peak_mean": mean(heights), "peak_variance": _variance(heights),
        "total_mean": mean(np.abs(z)), "total_variance": _variance(z),
        "zero_mean": mean(zero), "zero_variance": _variance(zero),
    }  # fmt: skip
    for k, name in enumerate(("lag", "speed", "acceleration")):
        numbers |= {f"{name}_mean": mean(course[:, k]), f"{name}_variance": _variance(course[:, k])}
    overlap = max(int(np.ceil(window / step)) - 1, 1)
    return result(
        "wcc_summary",
        numbers["peak_mean"],
        error_of_mean(heights, overlap),
        "mean z at the peaks of the windows",
        _SOURCE,
        {"window": window, "step": step, "lag": lag, "lag_step": lag_step, "span": span, "rows": rows,
         "fs": pair.fs},
        lead=mean(found["peak_lag"].values),
        variables={
            **{name: ((), value) for name, value in numbers.items()},
            "share_with_peak": ((), float(found["share_with_peak"])),
            "smooth_lag": ("place", course[:, 0], {"units": "s"}),
            "speed": ("place", course[:, 1], {"units": "s/s"}),
        },
        lead_units="s",
    )  # fmt: skip


def derivatives(values: Floats, distance: float, rows: int) -> Floats:
    """Return value, first and second derivative (place, 3) of a quadratic through each run of values.

    Parameters
    ----------
    values
        A course; runs with a gap are NaN.
    distance
        Time between values [s].
    rows
        Values in a run; the derivatives are those at its middle.
    """
    if len(values) < rows:
        return np.full((1, 3), np.nan)
    runs = np.lib.stride_tricks.sliding_window_view(values, rows)
    time = (np.arange(rows) - (rows - 1) / 2) * distance
    basis = np.stack([np.ones(rows), time, time**2 / 2], axis=1)
    return runs @ np.linalg.pinv(basis).T


def _variance(values: Floats) -> float:
    known = values[~np.isnan(values)]
    return float(known.var(ddof=1)) if len(known) > 1 else float("nan")
