"""Restricted maximum likelihood of a regression whose first coefficients differ between groups and go together."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

_STARTS = (0.2, 1.0)  # SD of each random coefficient in units of the residual SD


class RandomSlopes(NamedTuple):
    """Mean coefficients with their standard errors, and what each group adds to the random ones, with its covariance.

    ``own`` is the conditional mean of each group (group, random), ``own_covariance`` its conditional covariance.
    """

    mean: Float[np.ndarray, " coefficient"]
    error: Float[np.ndarray, " coefficient"]
    own: Float[np.ndarray, "group random"]
    own_covariance: Float[np.ndarray, "group random random"]


class _Products(NamedTuple):
    """Cross-products of each group: of the design, of design and target, of the target; and the number of rows."""

    design: Float[np.ndarray, "group coefficient coefficient"]
    both: Float[np.ndarray, "group coefficient"]
    target: Float[np.ndarray, " group"]
    rows: int


def fit_random_slopes(
    design: Float[np.ndarray, "row coefficient"],
    target: Float[np.ndarray, " row"],
    group: Float[np.ndarray, " row"],
    n_random: int,
) -> RandomSlopes:
    """Fit a regression whose first ``n_random`` coefficients are normal between groups, with any covariance.

    Parameters
    ----------
    design, target
        Rows of all groups.
    group
        Number of the group of each row, from 0.
    n_random
        Number of coefficients that differ between groups, the first ones.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the columns of the design do not tell the coefficients apart.

    Notes
    -----
    The mean coefficients and the residual variance are profiled out [1]_; what remains is the lower factor of the
    covariance between groups in units of the residual variance.

    References
    ----------
    .. [1] Bates, Maechler, Bolker & Walker (2015). doi:10.18637/jss.v067.i01
    """
    products = _products(design, target, group)
    lower = np.tril_indices(n_random)
    bounds = [(0.0, None) if row == column else (None, None) for row, column in zip(*lower, strict=True)]

    def factor_of(place: np.ndarray) -> np.ndarray:
        factor = np.zeros((n_random, n_random))
        factor[lower] = place
        return factor

    runs = [
        minimize(
            lambda place: _profiled(products, factor_of(place))[0],
            np.eye(n_random)[lower] * start,
            method="L-BFGS-B",
            bounds=bounds,
            options={"ftol": 1e-13, "gtol": 1e-8},
        )
        for start in _STARTS
    ]
    factor = factor_of(min(runs, key=lambda run: run.fun).x)
    _, mean, precision, variance = _profiled(products, factor)
    inside = factor @ np.linalg.solve(
        _inner(products, factor), np.broadcast_to(factor.T, (len(products.target), *factor.shape))
    )
    rest = products.both[:, :n_random] - products.design[:, :n_random] @ mean
    error = np.sqrt(variance * np.diagonal(np.linalg.inv(precision)))
    return RandomSlopes(mean, error, (inside @ rest[..., None])[..., 0], variance * inside)


def _products(design: np.ndarray, target: np.ndarray, group: np.ndarray) -> _Products:
    n_groups = int(group.max()) + 1
    parts = [(design[group == g], target[group == g]) for g in range(n_groups)]
    return _Products(
        np.stack([x.T @ x for x, _ in parts]),
        np.stack([x.T @ y for x, y in parts]),
        np.array([y @ y for _, y in parts]),
        len(target),
    )


def _inner(products: _Products, factor: np.ndarray) -> np.ndarray:
    n = len(factor)
    return np.eye(n) + factor.T @ products.design[:, :n, :n] @ factor


def _profiled(products: _Products, factor: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, float]:
    """Return the restricted deviance, the mean coefficients, their precision in units of the residual, its variance.

    With L the ``factor``, Z the random columns of X and V = I + Z L L' Z', the inverse of V is
    I - Z L (I + L' Z'Z L)^-1 L' Z'.
    """
    n, size = len(factor), products.both.shape[1]
    inner = _inner(products, factor)
    whole = factor.T @ np.concatenate([products.design[:, :n], products.both[:, :n, None]], axis=2)
    reach = np.linalg.solve(inner, whole)
    left = whole[..., :size].transpose(0, 2, 1)
    precision = (products.design - left @ reach[..., :size]).sum(axis=0)
    both = (products.both - (left @ reach[..., size:])[..., 0]).sum(axis=0)
    target = (products.target - (whole[..., size] * reach[..., size]).sum(axis=1)).sum()
    mean = np.linalg.solve(precision, both)
    free = products.rows - size
    variance = max(float(target - both @ mean), 1e-300) / free
    logdet = np.linalg.slogdet(inner)[1].sum() + np.linalg.slogdet(precision)[1]
    return float(free * np.log(variance) + logdet), mean, precision, variance
