"""Meta-analysis: fixed and random effects, Knapp-Hartung and prediction intervals, three levels, Bayes."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dyadloop.errors import EvidenceError

Floats = NDArray[np.float64]
Method = Literal["FE", "REML", "PM", "DL"]
_LEVEL = 0.95


@dataclass(frozen=True)
class Pooled:
    """A pooled effect.

    Attributes
    ----------
    estimate, error, low, high
        Pooled effect, its standard error and 95 % interval.
    tau2
        Variance of true effects between studies.
    predict_low, predict_high
        95 % interval of the true effect of a new study; NaN for a fixed effect and for fewer than 3 studies.
    q, q_p, i2
        Cochran's Q, its p, and the share of variance that is between studies [%].
    k
        Number of effects.
    method
        Estimator, with the test.
    """

    estimate: float
    error: float
    low: float
    high: float
    tau2: float
    predict_low: float
    predict_high: float
    q: float
    q_p: float
    i2: float
    k: int
    method: str


def pool(estimates: ArrayLike, variances: ArrayLike, method: Method = "REML", knapp_hartung: bool = True) -> Pooled:
    """Pool independent effects.

    Parameters
    ----------
    estimates, variances
        Effects of one metric and their sampling variances, all above 0.
    method
        FE (common effect), REML, PM (Paule-Mandel) or DL (DerSimonian-Laird) for the variance between studies.
    knapp_hartung
        Interval by Knapp and Hartung (t with k - 1 degrees of freedom, error scaled by the observed spread), which
        keeps its level with few studies; needs at least 2.

    Raises
    ------
    EvidenceError
        If there are no effects, a variance is not above 0, or the method does not exist.

    References
    ----------
    .. [1] Viechtbauer (2010). doi:10.18637/jss.v036.i03
    .. [2] Knapp & Hartung (2003). doi:10.1002/sim.1482
    .. [3] Higgins, Thompson & Spiegelhalter (2009). doi:10.1111/j.1467-985X.2008.00552.x

    Examples
    --------
    >>> found = dl.pool([0.8, 0.1, 0.4, -0.1], [0.04, 0.02, 0.05, 0.03], "REML")
    >>> round(found.estimate, 2), round(found.low, 2), round(found.high, 2), round(found.tau2, 2)
    (0.29, -0.34, 0.91, 0.12)
    """
    from scipy.stats import chi2, norm, t

    y, v = _checked(estimates, variances)
    k = len(y)
    if method not in ("FE", "REML", "PM", "DL"):
        raise EvidenceError(f"method {method!r} does not exist; expected FE, REML, PM or DL")
    weight = 1 / v
    common = float(weight @ y / weight.sum())
    q = float(weight @ (y - common) ** 2)
    tau2 = 0.0 if method == "FE" or k < 2 else {"REML": _reml, "PM": _paule_mandel, "DL": _dersimonian}[method](y, v)
    total = 1 / (v + tau2)
    mean = float(total @ y / total.sum())
    error = math.sqrt(1 / float(total.sum()))
    if knapp_hartung and method != "FE" and k > 1:
        error *= math.sqrt(float(total @ (y - mean) ** 2) / (k - 1))
        quantile, name = float(t.ppf((1 + _LEVEL) / 2, k - 1)), f"{method}, Knapp-Hartung"
    else:
        quantile, name = float(norm.ppf((1 + _LEVEL) / 2)), f"{method}, normal"
    spread = float("nan")
    if method != "FE" and k > 2:
        # as metafor: the quantile of the test, so t with k - 1 under Knapp-Hartung, else the normal
        spread = quantile * math.sqrt(tau2 + error**2)
    typical = (k - 1) * weight.sum() / (weight.sum() ** 2 - (weight**2).sum()) if k > 1 else math.nan
    i2 = (
        100 * tau2 / (tau2 + typical) if k > 1 and method != "FE" else 100 * max(0.0, 1 - (k - 1) / q) if q > 0 else 0.0
    )
    return Pooled(
        mean, error, mean - quantile * error, mean + quantile * error, tau2, mean - spread, mean + spread,
        q, float(chi2.sf(q, k - 1)) if k > 1 else 1.0, float(i2), k, name,
    )  # fmt: skip


def _checked(estimates: ArrayLike, variances: ArrayLike) -> tuple[Floats, Floats]:
    y, v = np.asarray(estimates, dtype=np.float64).ravel(), np.asarray(variances, dtype=np.float64).ravel()
    if not len(y) or y.shape != v.shape or not np.isfinite(y).all():
        raise EvidenceError(
            f"{len(y)} effects and {len(v)} variances; expected as many of each, at least one, all finite"
        )
    if not ((v > 0) & np.isfinite(v)).all():
        place = int(np.argmin(np.where(np.isfinite(v), v, -np.inf)))
        raise EvidenceError(
            f"effect {place + 1}: a variance of {v[place]:g}; a study with variance 0 would decide alone"
        )
    return y, v


def _weighted(y: Floats, v: Floats, tau2: float) -> tuple[Floats, Floats]:
    """Return weights and residuals from the weighted mean."""
    weight = 1 / (v + tau2)
    return weight, y - weight @ y / weight.sum()


def _paule_mandel(y: Floats, v: Floats) -> float:
    """Return tau2 at which the generalised Q equals its degrees of freedom; 0 where it never reaches them.

    References
    ----------
    .. [1] Paule & Mandel (1982). doi:10.6028/jres.087.022
    """
    from scipy.optimize import brentq

    def excess(tau2: float) -> float:
        weight, rest = _weighted(y, v, tau2)
        return float(weight @ rest**2) - (len(y) - 1)

    if excess(0.0) <= 0:
        return 0.0
    top = float(np.var(y, ddof=1)) * len(y) + float(v.max())
    while excess(top) > 0:
        top *= 10
    return float(np.asarray(brentq(excess, 0.0, top, xtol=1e-14, rtol=np.float64(1e-14))))


def _dersimonian(y: Floats, v: Floats) -> float:
    weight, rest = _weighted(y, v, 0.0)
    scale = weight.sum() - (weight**2).sum() / weight.sum()
    return max(0.0, (float(weight @ rest**2) - (len(y) - 1)) / float(scale))


def _reml(y: Floats, v: Floats) -> float:
    """Return tau2 of restricted maximum likelihood, the best of the border and all inner optima."""
    from scipy.optimize import brentq

    def score(tau2: float) -> float:
        weight, rest = _weighted(y, v, tau2)
        total = weight.sum()
        return float(weight**2 @ rest**2) - float(total) + float((weight**2).sum() / total)

    top = 10 * (float(np.var(y, ddof=1)) + float(v.max())) + 1e-12
    grid = np.concatenate([[0.0], np.geomspace(1e-8 * top, top, 60)])
    values = [score(tau2) for tau2 in grid]
    found = [
        float(np.asarray(brentq(score, low, high, xtol=1e-15, rtol=np.float64(1e-14))))
        for low, high, a, b in zip(grid[:-1], grid[1:], values[:-1], values[1:], strict=True)
        if a > 0 >= b
    ]
    return max([0.0, *found], key=lambda tau2: _restricted(y, v, tau2))


def _restricted(y: Floats, v: Floats, tau2: float) -> float:
    weight, rest = _weighted(y, v, tau2)
    return 0.5 * float(np.log(weight).sum() - np.log(weight.sum()) - weight @ rest**2)


@dataclass(frozen=True)
class ThreeLevel:
    """A pooled effect of several effects per study: as :class:`Pooled`, with the variance at both levels."""

    estimate: float
    error: float
    low: float
    high: float
    between: float
    within: float
    k: int
    studies: int


def pool_three_level(estimates: ArrayLike, variances: ArrayLike, study: ArrayLike) -> ThreeLevel:
    """Pool effects of which some come from one study: variance between studies and between effects of a study (REML).

    The interval uses t with studies - 1 degrees of freedom. Sampling errors of one study count as independent.

    Raises
    ------
    EvidenceError
        If there are fewer than 2 studies.

    References
    ----------
    .. [1] Van den Noortgate et al. (2013). doi:10.3758/s13428-012-0261-6
    """
    from scipy.optimize import minimize
    from scipy.stats import t

    y, v = _checked(estimates, variances)
    names, place = np.unique(np.asarray(study).astype(str), return_inverse=True)
    if len(names) < 2:
        raise EvidenceError(f"{len(names)} study; three levels need at least 2")
    member = np.eye(len(names))[place]

    def parts(p: Floats) -> tuple[Floats, Floats, float]:
        """Return per study: total weight and weighted sum of effects, and the profiled restricted deviance."""
        within, between = p
        weight = 1 / (v + within)
        size, top = weight @ member, (weight * y) @ member
        shrink = between / (1 + between * size)
        total = float((size - shrink * size**2).sum())
        mean = float((top - shrink * size * top).sum()) / total
        rest = y - mean
        inner = (weight * rest) @ member
        deviance = -np.log(weight).sum() + np.log1p(between * size).sum() + math.log(total)
        deviance += weight @ rest**2 - (shrink * inner**2).sum()
        return np.array([mean, total]), size, float(deviance)

    scale = float(np.var(y, ddof=1))
    starts = [(scale / 2, scale / 2), (scale / 10, scale), (scale, scale / 10), (0.0, scale), (scale, 0.0)]
    bounds = [(0.0, None), (0.0, None)]
    options = {"ftol": 1e-15, "gtol": 1e-11, "maxiter": 5000}
    runs = [minimize(lambda p: parts(p)[2], s, method="L-BFGS-B", bounds=bounds, options=options) for s in starts]
    best = min(runs, key=lambda run: run.fun).x
    polished = minimize(
        lambda p: parts(np.maximum(p, 0.0))[2], best, method="Nelder-Mead",
        options={"xatol": 1e-12, "fatol": 1e-13, "maxiter": 4000},
    )  # fmt: skip
    best = np.maximum(polished.x, 0.0)
    (mean, total), _, _ = parts(best)
    error, quantile = math.sqrt(1 / total), float(t.ppf((1 + _LEVEL) / 2, len(names) - 1))
    return ThreeLevel(
        float(mean), error, float(mean) - quantile * error, float(mean) + quantile * error,
        float(best[1]), float(best[0]), len(y), len(names),
    )  # fmt: skip


@dataclass(frozen=True)
class Bayesian:
    """Posterior of a random-effects meta-analysis: mean and interval of the mean, of tau, of a new study's effect."""

    mean: float
    sd: float
    low: float
    high: float
    tau: float
    tau_low: float
    tau_high: float
    predict_mean: float
    predict_sd: float
    predict_low: float
    predict_high: float
    prior: str


def pool_bayes(
    estimates: ArrayLike, variances: ArrayLike, tau_scale: float = 0.5, mean_scale: float = 4.0, points: int = 200
) -> Bayesian:
    """Pool effects with a half-normal prior on the SD between studies, by quadrature over it.

    Parameters
    ----------
    estimates, variances
        Effects and sampling variances.
    tau_scale
        Scale of the half-normal prior of tau [metric of the effects].
    mean_scale
        SD of the normal prior of the mean, centred on 0.
    points
        Points of the quadrature.

    References
    ----------
    .. [1] Röver (2020). doi:10.18637/jss.v093.i06
    """
    y, v = _checked(estimates, variances)
    if not (tau_scale > 0 and mean_scale > 0):
        raise EvidenceError(f"prior scales: got {tau_scale:g} and {mean_scale:g}; expected both above 0")
    top = max(6 * tau_scale, 1e-6)
    nodes, weights = np.polynomial.legendre.leggauss(points)
    tau = top * (nodes + 1) / 2
    weight = 1 / (v + tau[:, None] ** 2)
    precision = weight.sum(axis=1) + 1 / mean_scale**2
    centre = (weight @ y) / precision
    log = 0.5 * (np.log(weight).sum(axis=1) - np.log(precision) - (weight * y**2).sum(axis=1) + precision * centre**2)
    log += -0.5 * (tau / tau_scale) ** 2
    mass = weights * np.exp(log - log.max())
    mass /= mass.sum()
    sd = np.sqrt(1 / precision)

    centre_mean, centre_sd, low, high = _mixture(mass, centre, sd)
    new_mean, new_sd, new_low, new_high = _mixture(mass, centre, np.sqrt(sd**2 + tau**2))
    running = np.cumsum(mass)
    median, tau_low, tau_high = (float(np.interp(q, running, tau)) for q in (0.5, 0.025, 0.975))
    prior = f"tau ~ half-normal({tau_scale:g}), mean ~ normal(0, {mean_scale:g})"
    return Bayesian(
        centre_mean, centre_sd, low, high, median, tau_low, tau_high, new_mean, new_sd, new_low, new_high, prior
    )  # fmt: skip


def _mixture(mass: Floats, centre: Floats, spread: Floats) -> tuple[float, float, float, float]:
    """Return mean, SD and 95 % interval of a mixture of normal distributions."""
    from scipy.optimize import brentq
    from scipy.stats import norm

    mean = float(mass @ centre)
    total = math.sqrt(float(mass @ (spread**2 + (centre - mean) ** 2)))

    def edge(q: float) -> float:
        def beyond(x: float) -> float:
            return float(mass @ norm.cdf(x, centre, spread)) - q

        return float(np.asarray(brentq(beyond, mean - 40 * total, mean + 40 * total)))

    return mean, total, edge(0.025), edge(0.975)
