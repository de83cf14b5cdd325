"""One common factor of several items by maximum likelihood."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

_LEAST = 1e-9  # uniqueness at which an item is as good as the factor itself (a Heywood case)
_TOLERANCE = 1e-10


class Factor(NamedTuple):
    """Loading and uniqueness of each item, of correlations: their squares and sums are shares of variance."""

    loading: Float[np.ndarray, " item"]
    uniqueness: Float[np.ndarray, " item"]


def one_factor(correlation: Float[np.ndarray, "item item"]) -> Factor:
    """Return the factor whose correlations are most likely, given those of a sample.

    For fixed uniquenesses the best loadings are those of the first eigenvector of the correlations scaled by them, so
    only the uniquenesses are searched.

    References
    ----------
    .. [1] Joereskog (1967), some contributions to maximum likelihood factor analysis. doi:10.1007/BF02289658
    """
    from scipy.optimize import minimize

    begin = np.full(len(correlation), np.log(0.5))
    bounds = [(np.log(_LEAST), 0.0)] * len(correlation)
    options = {"maxiter": 1000, "ftol": 1e-15, "gtol": _TOLERANCE}
    found = minimize(_misfit, begin, (correlation,), "L-BFGS-B", jac=True, bounds=bounds, options=options)
    uniqueness = np.exp(found.x)
    return Factor(_loading(uniqueness, correlation)[0], uniqueness)


def _loading(
    uniqueness: Float[np.ndarray, " item"], correlation: Float[np.ndarray, "item item"]
) -> tuple[Float[np.ndarray, " item"], Float[np.ndarray, " item"]]:
    """Return the best loadings for given uniquenesses, and the eigenvalues of the scaled correlations."""
    scale = np.sqrt(uniqueness)
    values, vectors = np.linalg.eigh(correlation / np.outer(scale, scale))
    return scale * vectors[:, -1] * np.sqrt(max(values[-1] - 1.0, 0.0)), values


def _misfit(
    logarithm: Float[np.ndarray, " item"], correlation: Float[np.ndarray, "item item"]
) -> tuple[float, Float[np.ndarray, " item"]]:
    """Return log det S + tr(R / S) of the model's correlations S at its best loadings, and the derivative."""
    uniqueness = np.exp(logarithm)
    loading, values = _loading(uniqueness, correlation)
    first = max(values[-1], 1.0)
    value = logarithm.sum() + np.log(first) + values.sum() - (first - 1.0) * values[-1] / first
    return float(value), (loading**2 + uniqueness - np.diag(correlation)) / uniqueness
