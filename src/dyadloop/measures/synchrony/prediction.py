"""Does one person's past foretell the other? Granger causality and windowed cross-lagged regression."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import error_of_mean, mean, result
from dyadloop.measures.synchrony.still import standardised, still_windows
from dyadloop.signals.series import Floats, Pair, samples

_AUTOCORRELATED = 0.01  # p below which residuals count as autocorrelated
_GRANGER = "Granger 1969, doi:10.2307/1912791"
_WCLR = "Altmann 2011, as described by Schoenherr et al. 2019, doi:10.1371/journal.pone.0211494"


def granger(pair: Pair, lag: float = 1.0) -> xr.Dataset:
    """Return Granger's F in both directions.

    Parameters
    ----------
    pair
        Two series; moments whose past has a gap are left out.
    lag
        Past that is used, of both persons [s].

    Returns
    -------
    xarray.Dataset
        ``f``, ``p_value``, ``gain`` (direction): F with ``lag`` and n - 2 lag - 1 degrees of freedom, its p (NaN where
        the residuals are autocorrelated: then F rejects too often, and ``p_value_status`` says so), and the share of
        the remaining variance that the other's past explains; ``score``: mean gain of both directions, ``error`` of a
        chi-square approximation; ``lead``: gain of first -> second minus second -> first.

    Raises
    ------
    MeasureError
        If there are too few moments for the number of coefficients.

    Notes
    -----
    Says that the past of one adds to the past of the other in a linear autoregression, no more: a common cause that
    reaches one person earlier gives the same.

    References
    ----------
    .. [1] Ljung & Box (1978). doi:10.1093/biomet/65.2.297
    """
    order = samples(lag, pair.fs, "the past")
    if len(pair.first) < 3 * order + 6:
        raise MeasureError(
            f"{len(pair.first)} samples for {2 * order + 1} coefficients and a past of {order}; expected at least "
            f"{3 * order + 6} usable moments; shorten the lag"
        )
    names, found = [], []
    both = standardised(pair.first, name="first series"), standardised(pair.second, name="second series")
    for source, target, name in ((0, 1, "first_to_second"), (1, 0, "second_to_first")):
        found.append(_gain(both[source], both[target], order))
        names.append(name)
    gain, f, p, error, rest = (np.array([row[k] for row in found]) for k in range(5))
    why = "ok"
    if rest.min() < _AUTOCORRELATED:
        p[rest < _AUTOCORRELATED] = np.nan
        why = (
            "what the pasts leave over is autocorrelated (Ljung-Box), so that F rejects too often; take a longer lag, "
            "or test the score by surrogates of shift"
        )
    return result(
        "granger",
        gain.mean(),
        float(np.sqrt((error**2).sum()) / 2),
        "share of remaining variance explained by the other's past, mean of both directions",
        _GRANGER,
        {"lag": lag, "fs": pair.fs},
        lead=float(gain[0] - gain[1]),
        variables={"f": ("direction", f), "p_value": ("direction", p), "gain": ("direction", gain)},
        coords={"direction": names},
        lag_samples=order,
        p_value_status=why,
    )


def _gain(source: Floats, target: Floats, order: int) -> tuple[float, float, float, float, float]:
    """Return the gain, F, p and standard error of one direction, and the p of residuals without autocorrelation."""
    rows = np.stack([target, source], axis=1)
    past = np.lib.stride_tricks.sliding_window_view(rows, order + 1, axis=0)
    known = np.asarray(~np.isnan(past).any(axis=(1, 2)))
    own, other, now = past[known, 0, :-1], past[known, 1, :-1], past[known, 0, -1]
    n = len(now)
    freedom = n - 2 * order - 1
    if freedom < 5:
        raise MeasureError(
            f"{n} usable moments for {2 * order + 1} coefficients; expected at least 5 more; shorten the lag"
        )
    one = np.ones((n, 1))
    small = float((_left_over(np.hstack([one, own]), now) ** 2).sum())
    residual = np.full(len(known), np.nan)
    residual[known] = _left_over(np.hstack([one, own, other]), now)
    large = float(np.nansum(residual**2))
    if large <= 1e-14 * (now @ now):
        raise MeasureError("the past foretells a series without any rest; expected movement that is not a formula")
    f = (small - large) / order / (large / freedom)
    gain = 1 - large / small
    error = 2 * np.sqrt(max(gain, 0.0)) * (1 - gain) / np.sqrt(n) + np.sqrt(2 * order) / n
    return gain, f, float(stats.f.sf(f, order, freedom)), error, _whiteness(residual, order)


def _left_over(design: Floats, target: Floats) -> Floats:
    return target - design @ np.linalg.lstsq(design, target, rcond=None)[0]


def _whiteness(residual: Floats, order: int) -> float:
    """Return the p value of Ljung and Box's test at lags beyond the order, which a regression leaves open."""
    filled, known = np.nan_to_num(residual), (~np.isnan(residual)).astype(np.float64)
    n, far = int(known.sum()), min(2 * order + 10, len(residual) // 4)
    if far < 1:
        return 1.0
    pairs = np.array([known[k:] @ known[: len(known) - k] for k in range(1, far + 1)])
    products = np.array([filled[k:] @ filled[: len(filled) - k] for k in range(1, far + 1)])
    r = products / np.maximum(pairs, 1.0) * n / (filled @ filled)
    return float(stats.chi2.sf((pairs * r**2).sum(), far))


def lag_regression(pair: Pair, window: float = 5.0, step: float = 1.0, lag: float = 5.0) -> xr.Dataset:
    """Return windowed cross-lagged regression: what the other's earlier value adds to one's own earlier value.

    Parameters
    ----------
    pair
        Two series; windows with a gap, or in which one person is still, are NaN.
    window, step, lag
        Width and distance of windows and largest lag [s].

    Returns
    -------
    xarray.Dataset
        ``gain`` (window, lag): rise of R squared of one person at t when the other's value at t - |lag| joins the own
        value at t - |lag|; lag > 0: the first person is the earlier one; ``score``: mean over windows of the largest
        gain, ``error`` over windows; ``lead``: mean lag of the largest gain [s].
    """
    width, increment = samples(window, pair.fs, "a window", 8), samples(step, pair.fs, "a step")
    max_lag = samples(lag, pair.fs, "the largest lag")
    n = len(pair.first)
    if n < width + max_lag:
        raise MeasureError(f"{n} samples are too short for a window of {width} and lags up to {max_lag}")
    starts = np.arange(max_lag, n - width + 1, increment)
    lags = np.concatenate([np.arange(-max_lag, 0), np.arange(1, max_lag + 1)])
    gain = _gains(pair, starts, width, max_lag)
    empty = np.isnan(gain).all(axis=1)
    best = np.where(empty, 0, np.argmax(np.where(np.isnan(gain), -1.0, gain), axis=1))
    top = np.where(empty, np.nan, gain[np.arange(len(gain)), best])
    overlap = max(-(-width // increment) - 1, 1)
    return result(
        "regression",
        mean(top),
        error_of_mean(top, overlap),
        "mean over windows of the largest rise of R squared",
        _WCLR,
        {"window": window, "step": step, "lag": lag, "fs": pair.fs},
        lead=mean(np.where(empty, np.nan, lags[best])) / pair.fs,
        variables={"gain": (("window", "lag"), gain)},
        coords={"start": ("window", starts / pair.fs, {"units": "s"}), "lag": ("lag", lags / pair.fs, {"units": "s"})},
        lead_units="s",
    )


def _gains(pair: Pair, starts: NDArray[np.int64], width: int, max_lag: int) -> Floats:
    """Return the rise of R squared (window, lag) from three correlations each, lags -max_lag ... -1, 1 ... max_lag."""
    from dyadloop.measures.synchrony.running import earlier_products, moments

    one, two = np.ascontiguousarray(pair.first), np.ascontiguousarray(pair.second)
    still = np.stack([still_windows(s, width) for s in (one, two)])
    found = np.empty((5, len(one) - width + 1))
    moments(one, two, width, found)
    means, squares = found[:2], np.where(still, np.nan, found[2:4])
    between = found[4] / np.sqrt(squares[0] * squares[1])
    back = starts[:, None] - np.arange(1, max_lag + 1)
    gains = np.empty((len(starts), 2 * max_lag))
    for target, (now, other) in enumerate(((one, two), (two, one))):
        own, far = np.empty(back.shape), np.empty(back.shape)
        earlier_products(now, other, means if target == 0 else means[::-1].copy(), starts, width, own, far)
        mine, theirs = squares[target], squares[1 - target]
        scale = np.sqrt(mine[starts])[:, None]
        r_own, r_far = own / (scale * np.sqrt(mine[back])), far / (scale * np.sqrt(theirs[back]))
        rest = 1 - between[back] ** 2
        gain = np.where(rest > 1e-12, (r_far - r_own * between[back]) ** 2 / np.where(rest > 1e-12, rest, 1.0), np.nan)
        if target == 1:  # the past of the first person tells of the second: positive lags
            gains[:, max_lag:] = gain
        else:
            gains[:, :max_lag] = gain[:, ::-1]
    return gains
