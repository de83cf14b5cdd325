"""Small-study effects: regression tests, PET-PEESE, a selection model, leave-one-out."""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from dyadloop.errors import EvidenceError
from dyadloop.evidence.pooling import Floats, Method, _checked, pool


class Line(NamedTuple):
    """A weighted regression of effects on their error: intercept and slope with errors and p values (t)."""

    intercept: float
    intercept_error: float
    intercept_p: float
    slope: float
    slope_error: float
    slope_p: float


class PetPeese(NamedTuple):
    """PET and PEESE; ``estimate`` is PET's intercept where it does not differ from 0 at .05 one-sided, else PEESE's."""

    estimate: float
    error: float
    used: str
    pet: Line
    peese: Line


def _regressed(y: Floats, v: Floats, x: Floats) -> Line:
    from scipy.stats import t

    k = len(y)
    if k < 3 or np.ptp(x) == 0:
        raise EvidenceError(
            f"{k} effects with errors that {'do not ' if np.ptp(x) == 0 else ''}differ; expected at least 3"
        )
    design = np.column_stack([np.ones(k), x])
    weight = 1 / v
    inverse = np.linalg.inv(design.T @ (weight[:, None] * design))
    beta = inverse @ design.T @ (weight * y)
    scale = float(weight @ (y - design @ beta) ** 2) / (k - 2)
    errors = np.sqrt(np.diag(inverse) * scale)
    p = [2 * float(t.sf(abs(b / e), k - 2)) for b, e in zip(beta, errors, strict=True)]
    return Line(float(beta[0]), float(errors[0]), p[0], float(beta[1]), float(errors[1]), p[1])


def pet_peese(estimates: ArrayLike, variances: ArrayLike) -> PetPeese:
    """Return the precision-effect test and estimate: what a study without error would find.

    The slope of PET is Egger's test for a funnel that leans.

    References
    ----------
    .. [1] Stanley & Doucouliagos (2014). doi:10.1002/jrsm.1095
    .. [2] Egger et al. (1997). doi:10.1136/bmj.315.7109.629
    """
    y, v = _checked(estimates, variances)
    pet, peese = _regressed(y, v, np.sqrt(v)), _regressed(y, v, v)
    one_sided = pet.intercept_p / 2 if pet.intercept > 0 else 1 - pet.intercept_p / 2
    chosen, name = (peese, "PEESE") if one_sided < 0.05 else (pet, "PET")
    return PetPeese(chosen.intercept, chosen.intercept_error, name, pet, peese)


class Selection(NamedTuple):
    """A three-parameter selection model: mean, tau2, and how likely a null study is seen, 1 being no bias."""

    estimate: float
    error: float
    tau2: float
    seen: float
    p_value: float


def selection_model(estimates: ArrayLike, variances: ArrayLike, step: float = 0.025) -> Selection:
    """Fit a step-function selection model: studies with one-sided p above ``step`` are seen less often.

    Parameters
    ----------
    estimates, variances
        Effects, positive in the direction that is favoured, and their sampling variances.
    step
        One-sided p at which publication becomes likelier.

    Raises
    ------
    EvidenceError
        If fewer than 5 effects, or all lie on one side of the step.

    References
    ----------
    .. [1] Vevea & Hedges (1995). doi:10.1007/BF02294384
    """
    from scipy.optimize import minimize
    from scipy.stats import chi2, norm

    y, v = _checked(estimates, variances)
    significant = y / np.sqrt(v) > float(norm.isf(step))
    if len(y) < 5 or significant.all() or not significant.any():
        raise EvidenceError(
            f"{len(y)} effects, {int(significant.sum())} of them significant; "
            "a selection model needs 5 or more, of both kinds"
        )
    edge = float(norm.isf(step)) * np.sqrt(v)

    def minus_log_likelihood(p: Floats, log_seen: float | None = None) -> float:
        mean, tau2, seen = p[0], math.exp(p[1]), math.exp(p[2] if log_seen is None else log_seen)
        spread = np.sqrt(v + tau2)
        beyond = norm.sf((edge - mean) / spread)
        log = norm.logpdf(y, mean, spread) + np.where(significant, 0.0, math.log(seen))
        return -float((log - np.log(beyond + seen * (1 - beyond))).sum())

    start = pool(y, v, "REML", knapp_hartung=False)
    x0 = np.array([start.estimate, math.log(max(start.tau2, 1e-4)), 0.0])
    options = {"xatol": 1e-9, "fatol": 1e-10, "maxiter": 20_000, "maxfev": 20_000}
    full = minimize(minus_log_likelihood, x0, method="Nelder-Mead", options=options)
    full = minimize(minus_log_likelihood, full.x, method="Nelder-Mead", options=options)
    none = minimize(lambda p: minus_log_likelihood(p, 0.0), x0[:2], method="Nelder-Mead", options=options)
    step_size = 1e-4
    hessian = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            a, b = step_size * np.eye(3)[i], step_size * np.eye(3)[j]
            corners = [
                minus_log_likelihood(full.x + sa * a + sb * b) for sa, sb in ((1, 1), (1, -1), (-1, 1), (-1, -1))
            ]
            hessian[i, j] = (corners[0] - corners[1] - corners[2] + corners[3]) / (4 * step_size**2)
    covariance = np.linalg.pinv(hessian)
    p = float(chi2.sf(max(2 * (none.fun - full.fun), 0.0), 1))
    error = math.sqrt(covariance[0, 0]) if covariance[0, 0] > 0 else math.nan
    return Selection(float(full.x[0]), error, math.exp(full.x[1]), math.exp(full.x[2]), p)


def leave_one_out(
    estimates: ArrayLike, variances: ArrayLike, names: ArrayLike | None = None, method: Method = "REML"
) -> pd.DataFrame:
    """Return the pooled effect without each effect in turn: ``left_out``, ``estimate``, ``low``, ``high``, ``tau2``."""
    y, v = _checked(estimates, variances)
    if len(y) < 2:
        raise EvidenceError("one effect; nothing can be left out")
    labels = [str(k + 1) for k in range(len(y))] if names is None else [str(name) for name in np.asarray(names)]
    rows = []
    for k, label in enumerate(labels):
        rest = np.arange(len(y)) != k
        found = pool(y[rest], v[rest], method)
        rows.append(
            {"left_out": label, "estimate": found.estimate, "low": found.low, "high": found.high, "tau2": found.tau2}
        )
    return pd.DataFrame(rows)
