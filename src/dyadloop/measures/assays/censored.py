"""Concentrations of which some are only known to lie beyond a limit: moments, changes, areas under the curve."""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from dyadloop.errors import MeasureError
from dyadloop.signals.numbers import usable
from dyadloop.signals.series import Floats


class LogNormal(NamedTuple):
    """Mean and SD of logarithms with their standard errors."""

    mean: float
    sd: float
    mean_error: float
    sd_error: float


def log_moments(value: ArrayLike, limit: ArrayLike) -> LogNormal:
    """Return mean and SD of log concentrations by maximum likelihood, values beyond limits taken as such.

    Parameters
    ----------
    value
        Concentrations above 0; the limit where it was not reached or passed.
    limit
        ``below``, ``above`` or empty, per value.

    Raises
    ------
    MeasureError
        If fewer than 3 values lie inside the limits, or a value is not above 0.

    References
    ----------
    .. [1] Tobin (1958). doi:10.2307/1907382
    """
    from scipy.optimize import minimize
    from scipy.stats import norm

    x, below, above = _logs(value, limit)
    seen = ~(below | above)
    if seen.sum() < 3:
        raise MeasureError(f"{int(seen.sum())} of {len(x)} values lie inside the limits; expected at least 3")

    if np.ptp(x[seen]) == 0:
        raise MeasureError(f"all {int(seen.sum())} values inside the limits are alike; expected some that vary")

    def minus_log_likelihood(p: Floats) -> float:
        mean, sd = p[0], math.exp(min(max(p[1], -300.0), 300.0))
        z = (x - mean) / sd
        terms = norm.logpdf(z[seen]).sum() - seen.sum() * p[1]
        return -float(terms + norm.logcdf(z[below]).sum() + norm.logsf(z[above]).sum())

    start = np.array([x.mean(), math.log(max(float(x[seen].std()), 1e-6))])
    found = minimize(
        minus_log_likelihood, start, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4000}
    )
    inverse = np.linalg.pinv(_curvature(minus_log_likelihood, found.x))
    if not (np.diag(inverse) > 0).all():
        raise MeasureError(
            f"{int(seen.sum())} of {len(x)} values inside the limits tell no distribution; expected more"
        )
    sd = math.exp(found.x[1])
    return LogNormal(float(found.x[0]), sd, math.sqrt(inverse[0, 0]), sd * math.sqrt(inverse[1, 1]))


def _curvature(function, at: Floats, step: float = 1e-4) -> Floats:  # noqa: ANN001 - a function of two numbers
    found = np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            di, dj = step * np.eye(2)[i], step * np.eye(2)[j]
            found[i, j] = (
                function(at + di + dj) - function(at + di - dj) - function(at - di + dj) + function(at - di - dj)
            ) / (4 * step**2)
    return found


def _logs(value: ArrayLike, limit: ArrayLike) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    found, sides = usable(value, "concentrations"), np.asarray(limit, dtype=object)
    if found.shape != sides.shape:
        raise MeasureError(f"{found.shape} values and {sides.shape} limits; expected one limit, or empty, per value")
    if np.isnan(found).any():
        raise MeasureError(f"{int(np.isnan(found).sum())} concentrations are missing; expected all; leave these out")
    if not (found > 0).all():
        raise MeasureError(f"got a concentration of {found.min():g}; expected all above 0; write non-detects as limits")
    return np.log(found), sides == "below", sides == "above"


class Change(NamedTuple):
    """Change of a logarithm: mean and standard error; ``censored`` where a limit took part."""

    change: float
    error: float
    censored: bool


def log_change(
    before: float,
    after: float,
    before_error: float = 0.0,
    after_error: float = 0.0,
    before_limit: str = "",
    after_limit: str = "",
    moments: LogNormal | None = None,
    draws: int = 4000,
    seed: int = 1,
) -> Change:
    """Return the change of log concentration from before to after, with the errors of both.

    Parameters
    ----------
    before, after
        Concentrations; the limit where censored.
    before_error, after_error
        Standard errors of their logarithms.
    before_limit, after_limit
        ``below``, ``above`` or empty.
    moments
        Log-normal distribution of such samples, from which a censored value is drawn beyond its limit; needed if one is
        censored.
    draws, seed
        Number and seed of draws.

    Raises
    ------
    MeasureError
        If a value is censored and no distribution is given.

    Examples
    --------
    >>> change = dl.log_change(8.0, 12.0, before_error=0.1, after_error=0.1)
    >>> round(change.change, 3), round(change.error, 3)
    (0.405, 0.141)
    """
    if not before_limit and not after_limit:
        _logs([before, after], ["", ""])
        return Change(math.log(after) - math.log(before), math.hypot(before_error, after_error), False)
    if moments is None:
        raise MeasureError("a censored value needs the distribution of such samples (log_moments); none is made up")
    generator = np.random.default_rng(seed)
    sides = [
        _drawn(np.array([v]), np.array([e]), np.array([s], dtype=object), moments, draws, generator)[:, 0]
        for v, e, s in ((before, before_error, before_limit), (after, after_error, after_limit))
    ]
    found = sides[1] - sides[0]
    return Change(float(found.mean()), float(found.std(ddof=1)), True)


def _drawn(
    value: Floats, error: Floats, limit: NDArray, moments: LogNormal, draws: int, generator: np.random.Generator
) -> Floats:
    """Return draws of log concentrations (draw, value): around what was read, or from the tail beyond a limit."""
    from scipy.stats import truncnorm

    x, below, above = _logs(value, limit)
    found = x + np.nan_to_num(error) * generator.standard_normal((draws, len(x)))
    for k in np.flatnonzero(below | above):
        edge = (x[k] - moments.mean) / moments.sd
        low, high = (-np.inf, edge) if below[k] else (edge, np.inf)
        tail = truncnorm.rvs(low, high, size=draws, random_state=generator)
        found[:, k] = moments.mean + moments.sd * tail
    return found


def area_under_curve(
    minutes: ArrayLike,
    value: ArrayLike,
    error: ArrayLike = 0.0,
    limit: ArrayLike = "",
    moments: LogNormal | None = None,
    draws: int = 4000,
    seed: int = 1,
) -> pd.Series:
    """Return the area under a course of concentrations, with respect to ground and to increase.

    Parameters
    ----------
    minutes
        Times of the samples, increasing [min].
    value
        Concentrations above 0.
    error
        Standard errors of their logarithms.
    limit
        ``below``, ``above`` or empty, per sample.
    moments
        Distribution of such samples, needed if one is censored.
    draws, seed
        Number and seed of draws; without errors and limits none are needed.

    Returns
    -------
    pandas.Series
        ``aucg``, ``auci`` [unit x min] (auci may be negative), ``aucg_error``, ``auci_error``, ``censored``.

    Raises
    ------
    MeasureError
        If there are fewer than 2 samples, times do not increase, or a censored value has no distribution.

    References
    ----------
    .. [1] Pruessner et al. (2003). doi:10.1016/S0306-4530(02)00108-7

    Examples
    --------
    >>> area = dl.area_under_curve([0, 15, 30, 60], [5.0, 9.0, 7.0, 5.0])
    >>> area[["aucg", "auci"]].to_dict()
    {'aucg': 405.0, 'auci': 105.0}
    """
    times, found = usable(minutes, "times"), usable(value, "concentrations")
    errors = np.broadcast_to(np.asarray(error, dtype=np.float64), found.shape)
    sides = np.broadcast_to(np.asarray(limit, dtype=object), found.shape)
    if times.shape != found.shape or len(times) < 2 or not (np.diff(times) > 0).all():
        raise MeasureError("area: expected at least 2 samples with increasing times, one value each")
    _, below, above = _logs(found, sides)
    censored = bool((below | above).any())
    if censored and moments is None:
        raise MeasureError("a censored value needs the distribution of such samples (log_moments); none is made up")
    if not censored and not (errors > 0).any():
        ground, increase = _areas(times, found[None])
        return pd.Series(
            {"aucg": ground[0], "auci": increase[0], "aucg_error": 0.0, "auci_error": 0.0, "censored": False}
        )
    known = moments or LogNormal(0.0, 1.0, 0.0, 0.0)
    drawn = np.exp(_drawn(found, errors, sides, known, draws, np.random.default_rng(seed)))
    ground, increase = _areas(times, drawn)
    centre = _areas(times, found[None]) if not censored else (ground.mean(keepdims=True), increase.mean(keepdims=True))
    return pd.Series(
        {
            "aucg": centre[0][0],
            "auci": centre[1][0],
            "aucg_error": ground.std(ddof=1),
            "auci_error": increase.std(ddof=1),
            "censored": censored,
        }
    )


def _areas(times: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return areas by the trapezoid rule, over 0 and over the first sample."""
    ground = ((values[:, 1:] + values[:, :-1]) / 2 * np.diff(times)).sum(axis=1)
    return ground, ground - values[:, 0] * (times[-1] - times[0])
