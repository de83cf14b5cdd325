"""Conversions between effect sizes, each with its variance and its source.

r: correlation; z: Fisher's z; d: standardised mean difference; g: d without its small-sample bias; OR: odds ratio;
t, F (one numerator degree of freedom) and p: tests of two groups.
"""

import math
from typing import NamedTuple

from dyadloop.errors import EvidenceError


class Estimate(NamedTuple):
    """An effect and its sampling variance."""

    value: float
    variance: float

    @property
    def error(self) -> float:
        """Standard error."""
        return math.sqrt(self.variance)


def _check(value: float, what: str, low: float = -math.inf, high: float = math.inf) -> float:
    if not low < value < high:
        raise EvidenceError(f"{what}: got {value:g}; expected a number between {low:g} and {high:g}")
    return value


def r_to_z(r: float, n: float) -> Estimate:
    """Return Fisher's z of a correlation of n pairs: variance 1 / (n - 3).

    References
    ----------
    .. [1] Borenstein et al. (2009), Introduction to Meta-Analysis, chapter 6. doi:10.1002/9780470743386
    """
    return Estimate(math.atanh(_check(r, "r", -1, 1)), 1 / (_check(n, "n", 3) - 3))


def z_to_r(z: float, variance: float) -> Estimate:
    """Return the correlation of a Fisher z: variance (1 - r^2)^2 times that of z (Borenstein et al. 2009, ch. 6)."""
    r = math.tanh(z)
    return Estimate(r, variance * (1 - r**2) ** 2)


def r_to_d(r: float, variance: float) -> Estimate:
    """Return d = 2 r / sqrt(1 - r^2), variance 4 V / (1 - r^2)^3 (Borenstein et al. 2009, chapter 7)."""
    rest = 1 - _check(r, "r", -1, 1) ** 2
    return Estimate(2 * r / math.sqrt(rest), 4 * variance / rest**3)


def d_to_r(d: float, variance: float, n1: float | None = None, n2: float | None = None) -> Estimate:
    """Return r = d / sqrt(d^2 + a), a = (n1 + n2)^2 / (n1 n2), or 4 (equal groups; Borenstein et al. 2009, ch. 7)."""
    a = 4.0 if n1 is None or n2 is None else (n1 + n2) ** 2 / (n1 * n2)
    return Estimate(d / math.sqrt(d**2 + a), a**2 * variance / (d**2 + a) ** 3)


def d_variance(d: float, n1: float, n2: float) -> float:
    """Return the sampling variance of d: (n1 + n2) / (n1 n2) + d^2 / (2 (n1 + n2)) (Borenstein et al. 2009, ch. 4)."""
    return (_check(n1, "n1", 0) + _check(n2, "n2", 0)) / (n1 * n2) + d**2 / (2 * (n1 + n2))


def d_to_g(d: float, variance: float, freedom: float) -> Estimate:
    """Return g = J d, J = 1 - 3 / (4 df - 1), variance J^2 V.

    References
    ----------
    .. [1] Hedges (1981). doi:10.3102/10769986006002107
    """
    j = 1 - 3 / (4 * _check(freedom, "degrees of freedom", 1) - 1)
    return Estimate(j * d, j**2 * variance)


def g_to_d(g: float, variance: float, freedom: float) -> Estimate:
    """Return the inverse of :func:`d_to_g`."""
    j = 1 - 3 / (4 * _check(freedom, "degrees of freedom", 1) - 1)
    return Estimate(g / j, variance / j**2)


def log_odds_to_d(log_odds: float, variance: float) -> Estimate:
    """Return d = log OR sqrt(3) / pi, variance times 3 / pi^2 (Borenstein et al. 2009, chapter 7)."""
    return Estimate(log_odds * math.sqrt(3) / math.pi, variance * 3 / math.pi**2)


def d_to_log_odds(d: float, variance: float) -> Estimate:
    """Return the inverse of :func:`log_odds_to_d`."""
    return Estimate(d * math.pi / math.sqrt(3), variance * math.pi**2 / 3)


def t_to_d(t: float, n1: float, n2: float) -> Estimate:
    """Return d = t sqrt((n1 + n2) / (n1 n2)) of two independent groups (Lipsey & Wilson 2001, appendix B)."""
    d = t * math.sqrt((_check(n1, "n1", 0) + _check(n2, "n2", 0)) / (n1 * n2))
    return Estimate(d, d_variance(d, n1, n2))


def f_to_d(f: float, n1: float, n2: float, sign: int) -> Estimate:
    """Return d of a two-group F with one numerator degree of freedom; F has no sign, so it must be given."""
    if sign not in (-1, 1):
        raise EvidenceError(f"sign: got {sign}; an F has no direction; give 1 or -1")
    return t_to_d(sign * math.sqrt(_check(f, "F", -1e-300)), n1, n2)


def p_to_d(p: float, n1: float, n2: float, sign: int) -> Estimate:
    """Return d of a two-sided p of a t test of two groups; a p has no sign, so it must be given."""
    from scipy.stats import t

    if sign not in (-1, 1):
        raise EvidenceError(f"sign: got {sign}; a p value has no direction; give 1 or -1")
    return t_to_d(sign * float(t.isf(_check(p, "p", 0, 1) / 2, n1 + n2 - 2)), n1, n2)


def interval_to_error(low: float, high: float, level: float = 0.95) -> float:
    """Return the standard error of a symmetric interval."""
    from scipy.stats import norm

    if not low < high:
        raise EvidenceError(f"interval: got [{low:g}, {high:g}]; expected low below high")
    return (high - low) / (2 * float(norm.ppf((1 + level) / 2)))
