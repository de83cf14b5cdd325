"""Reliability of item scores: Cronbach's alpha, McDonald's omega, and the standard error of measurement.

Between persons and within persons are two questions. A fit of change needs the second: alpha of the items' deviations
from each person's own mean.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from dyadloop.errors import MeasureError
from dyadloop.measures.questionnaires.factor import one_factor
from dyadloop.signals.numbers import usable
from dyadloop.signals.series import Floats

_FEWEST = 10


class Reliability(NamedTuple):
    """Reliability of a scale.

    Attributes
    ----------
    alpha, alpha_low, alpha_high
        Cronbach's alpha and its 95 % interval (Feldt).
    omega
        McDonald's omega of one factor, NaN where a factor cannot be estimated (fewer than 3 items).
    error
        Standard error of measurement of the sum of the items [points], from alpha.
    persons
        Rows without a gap that were used.
    """

    alpha: float
    alpha_low: float
    alpha_high: float
    omega: float
    error: float
    persons: int


def reliability(items: ArrayLike) -> Reliability:
    """Return the reliability of items (person, item), already turned in one direction.

    Rows with a gap are left out.

    Raises
    ------
    MeasureError
        If there are fewer than 2 items or 10 complete rows, or the sum does not vary.

    References
    ----------
    .. [1] Cronbach (1951). doi:10.1007/BF02310555
    .. [2] Feldt, Woodruff & Salih (1987). doi:10.1177/014662168701100107
    .. [3] McDonald (1999). Test theory.
    """
    table = usable(items, "items")
    if table.ndim != 2 or table.shape[1] < 2:
        raise MeasureError(f"items of shape {table.shape}; expected (person, item) with at least 2 items")
    table = table[~np.isnan(table).any(axis=1)]
    n, k = table.shape
    if n < _FEWEST:
        raise MeasureError(f"{n} persons answered all {k} items; expected at least {_FEWEST} for a reliability")
    covariance = np.cov(table, rowvar=False)
    return _from_covariance(covariance, n, n - 1)


def within_reliability(items: ArrayLike, persons: ArrayLike) -> Reliability:
    """Return the reliability of changes within persons, from the items' deviations from each person's mean.

    Parameters
    ----------
    items
        Answers (occasion, item).
    persons
        Person of each occasion.

    Raises
    ------
    MeasureError
        If there are too few repeated occasions.
    """
    table, who = usable(items, "items"), np.asarray(persons)
    whole = ~np.isnan(table).any(axis=1)
    table, who = table[whole], who[whole]
    _, place, counts = np.unique(who, return_inverse=True, return_counts=True)
    kept = counts[place] > 1
    table, place = table[kept], np.unique(place[kept], return_inverse=True)[1]
    freedom = len(table) - (int(place.max()) + 1 if len(place) else 0)
    if freedom < _FEWEST:
        raise MeasureError(f"{len(table)} repeated occasions; expected at least {_FEWEST} more than persons")
    means = np.stack([np.bincount(place, weights=column) / np.bincount(place) for column in table.T], axis=1)
    deviation = table - means[place]
    return _from_covariance(deviation.T @ deviation / freedom, len(table), freedom)


def _from_covariance(covariance: Floats, persons: int, freedom: int) -> Reliability:
    from scipy.stats import f

    k, total = len(covariance), float(covariance.sum())
    if total <= 0:
        raise MeasureError("the sum of the items does not vary; no reliability can be told")
    alpha = k / (k - 1) * (1 - float(np.trace(covariance)) / total)
    low = 1 - (1 - alpha) * f.ppf(0.975, freedom, freedom * (k - 1))
    high = 1 - (1 - alpha) * f.ppf(0.025, freedom, freedom * (k - 1))
    error = math.sqrt(total * (1 - min(max(alpha, 0.0), 1.0)))
    return Reliability(alpha, float(low), float(high), _omega(covariance), error, persons)


def _omega(covariance: Floats) -> float:
    """Return omega of one factor by maximum likelihood; NaN where none can be estimated."""
    spread = np.sqrt(np.diag(covariance))
    if len(covariance) < 3 or (spread <= 0).any():
        return math.nan
    found = one_factor(covariance / np.outer(spread, spread))
    loading, unique = found.loading * spread, found.uniqueness * spread**2
    common = float(loading.sum()) ** 2
    return common / (common + float(unique.sum()))
