"""Restricted maximum likelihood of a regression whose coefficients differ between groups, from cross-products.

Groups enter by their cross-products alone, so the cost does not grow with the length of their courses.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

_STARTS = (0.2, 1.0)  # ratio of the sd of each random coefficient to the residual sd


class Mixed(NamedTuple):
    """Mean coefficients, their covariance, the sd of each coefficient between groups and the residual sd."""

    mean: Float[np.ndarray, " coefficient"]
    covariance: Float[np.ndarray, "coefficient coefficient"]
    spread: Float[np.ndarray, " coefficient"]
    residual: float


class Products(NamedTuple):
    """Cross-products of each group: of the design, of design and target, of the target; and the number of rows."""

    design: Float[np.ndarray, "group coefficient coefficient"]
    both: Float[np.ndarray, "group coefficient"]
    target: Float[np.ndarray, " group"]
    rows: int


def fit_mixed(products: Products, random: Float[np.ndarray, " coefficient"]) -> Mixed:
    """Fit a regression with independent random coefficients by restricted maximum likelihood.

    Parameters
    ----------
    products
        Cross-products of the groups.
    random
        1 for each coefficient that differs between groups, else 0.

    Notes
    -----
    The residual variance and the mean coefficients are profiled out, as lme4 does (Bates et al. 2015,
    doi:10.18637/jss.v067.i01); random coefficients are uncorrelated, as in mlVAR's ``orthogonal``.
    """
    chosen = np.flatnonzero(random)

    def deviance(ratios: np.ndarray) -> float:
        return _profiled(products, _full(ratios, chosen, len(random)))[0]

    if len(chosen):
        tries = [
            minimize(deviance, np.full(len(chosen), start), method="L-BFGS-B", bounds=[(0.0, None)] * len(chosen))
            for start in _STARTS
        ]
        ratios = _full(min(tries, key=lambda found: found.fun).x, chosen, len(random))
    else:
        ratios = np.zeros(len(random))
    _, mean, precision, variance = _profiled(products, ratios)
    return Mixed(mean, variance * np.linalg.inv(precision), ratios * variance**0.5, variance**0.5)


def _full(ratios: np.ndarray, chosen: np.ndarray, size: int) -> np.ndarray:
    found = np.zeros(size)
    found[chosen] = ratios
    return found


def _profiled(products: Products, ratios: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, float]:
    """Return the restricted deviance, the mean coefficients, their precision in units of the residual, its variance.

    With L the diagonal of ``ratios``, S = X'X and V = I + X L L X' the inverse of V is I - X L (I + L S L)^-1 L X'.
    """
    size = len(ratios)
    inner = np.eye(size) + ratios[:, None] * products.design * ratios
    whole = np.concatenate([products.design, products.both[..., None]], axis=2)
    reach = np.linalg.solve(inner, ratios[:, None] * whole)
    left = products.design * ratios
    precision = (products.design - left @ reach[..., :size]).sum(axis=0)
    both = (products.both - (left @ reach[..., size:])[..., 0]).sum(axis=0)
    target = (products.target - ((products.both * ratios)[:, None, :] @ reach[..., size:])[:, 0, 0]).sum()
    mean = np.linalg.solve(precision, both)
    free = products.rows - size
    variance = max(float(target - both @ mean), 1e-300) / free
    logdet = np.linalg.slogdet(inner)[1].sum() + np.linalg.slogdet(precision)[1]
    return float(free * np.log(variance) + logdet), mean, precision, variance
