"""One published effect on the common metric: d on the sign of its arrow, with its variance, or why there is none."""

import math
from typing import Any, NamedTuple

from dyadloop.errors import EvidenceError
from dyadloop.evidence.conversions import d_variance, f_to_d, g_to_d, interval_to_error, log_odds_to_d, r_to_d, z_to_r

POOLABLE = ("r", "d", "g", "OR")
NULL = "null result without a number: 0 with the variance of n (assumed)"
LARGEST_D = 100.0
"""No standardised effect is larger; a number beyond it is on another scale."""
VARIANCES = (1e-12, 1e6)
"""Sampling variances of d outside these bounds are slips of the pen: no study is as exact, or as empty."""
_FEWEST = 10  # persons; with fewer the variance of an effect is not known


class Standard(NamedTuple):
    """An effect as d, its sampling variance, how it was found or why it was not, and the columns of its error."""

    d: float
    variance: float
    how: str
    columns: str = ""


def standard(row: dict[str, Any]) -> Standard:
    """Return an effect as it enters the pooling of its arrow; NaN with the reason where it does not.

    Parameters
    ----------
    row
        Columns of :class:`dyadloop.evidence.Effect`; None and NaN both mean missing.
    """
    n = _number(row["n_participants"])
    if not row["verified"]:
        return _none("not verified")
    if row["design"] == "animal":
        return _none("animals")
    if n < _FEWEST:
        return _none(f"fewer than {_FEWEST} persons")
    return converted(row)


def converted(row: dict[str, Any]) -> Standard:
    """Return an effect as d whoever was studied and whether or not it was verified; NaN where it cannot be told."""
    metric, value, n = row["metric"], _number(row["estimate"]), _number(row["n_participants"])
    if metric == "null" and row["direction"] == "0" and n > 0:
        return Standard(0.0, d_variance(0.0, n / 2, n / 2), NULL, "n_participants")
    if metric == "F" and value > 0 and n > 0 and row["direction"] in ("+", "-"):
        found = f_to_d(value, n / 2, n / 2, 1 if row["direction"] == "+" else -1)
        return Standard(found.value, found.variance, "F of two equal groups (assumed) to d", "n_participants")
    if metric == "null":
        return _none("null without a number of participants, so its variance is not known")
    if metric not in POOLABLE or math.isnan(value):
        return _none(f"{metric or 'no number'} cannot be converted")
    try:
        error, source, columns = _error(row, value)
        d, variance, how = _on_d(metric, value, error, n)
    except EvidenceError as reason:
        return _none(str(reason))
    return Standard(row["edge_sign"] * d, variance, f"{how}{source}", columns)


def _none(why: str) -> Standard:
    return Standard(math.nan, math.nan, f"not pooled: {why}")


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _on_d(metric: str, value: float, error: float, n: float) -> tuple[float, float, str]:
    """Return d, its variance and the conversion in words; ``error`` is that of z for r, of the logarithm for OR."""
    if metric == "r":
        r = z_to_r(math.atanh(value), error**2)
        d = r_to_d(r.value, r.variance)
        return d.value, d.variance, "r to d, "
    if metric == "OR":
        d = log_odds_to_d(math.log(value), error**2)
        return d.value, d.variance, "log OR to d, "
    if metric == "g" and n > 0:
        d = g_to_d(value, error**2, max(n - 2, 2))
        return d.value, d.variance, "g to d, "
    return value, error**2, ""


def in_domain(metric: str | None, value: float) -> bool:
    """Return whether a number can be a value of a metric, or the end of its interval."""
    return -1 < value < 1 if metric == "r" else value > 0 if metric in ("OR", "F") else math.isfinite(value)


def _on_scale(metric: str, value: float) -> float:
    """Return a number on the scale on which its metric has a symmetric interval."""
    if not in_domain(metric, value):
        raise EvidenceError(f"{value:g} can be no {metric}, and no end of its interval")
    return math.atanh(value) if metric == "r" else math.log(value) if metric == "OR" else value


def _error(row: dict[str, Any], value: float) -> tuple[float, str, str]:
    """Return the standard error on the scale of the interval, where it comes from, and from which columns."""
    metric, centre = row["metric"], _on_scale(row["metric"], value)
    low, high, se, n, p = (_number(row[c]) for c in ("ci_low", "ci_high", "se", "n_participants", "p_value"))
    if not math.isnan(low):
        ends = (_on_scale(metric, low), _on_scale(metric, high))
        return interval_to_error(*ends), "error from its interval", "ci_low, ci_high"
    if metric in ("d", "g") and not math.isnan(se):
        return se, "error as reported", "se"
    if n > 3 and metric == "r":
        return 1 / math.sqrt(n - 3), "error from n", "n_participants"
    if n > 3 and metric in ("d", "g"):
        return math.sqrt(d_variance(value, n / 2, n / 2)), "error from n, equal groups assumed", "n_participants"
    if 0 < p < 1 and not row["p_below"] and centre != 0:
        from scipy.stats import norm

        return abs(centre) / float(norm.isf(p / 2)), "error from p", "p_value"
    raise EvidenceError("no interval, error, n or exact p to tell its variance")
