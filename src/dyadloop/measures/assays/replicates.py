"""One concentration from the wells of a sample: readings, and wells of which only a bound is known.

A well beyond the curve is no number. It says that the concentration lies beyond a limit, with the same scatter as a
reading: the sample gets the likelihood of all its wells.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from dyadloop.measures.assays.curve import Curve
from dyadloop.signals.series import Floats

_LARGEST_LOG_FACTOR = 10.0
_GRID, _REFINEMENTS, _HALVINGS = 41, 5, 48


class Reading(NamedTuple):
    """Concentration before dilution, standard error of its logarithm, limit, CV of the wells, and what was wrong."""

    value: float
    error: float
    limit: str
    cv_percent: float
    status: str


class Wells(NamedTuple):
    """Wells of one sample on the log scale before dilution.

    Attributes
    ----------
    reading
        Logarithm of what was read, or of the limit that was passed.
    scatter
        SD of a single reading there, from the residuals of the curve.
    below, above
        Whether the well lies beyond the lower or the upper limit.
    """

    reading: Float[np.ndarray, "well"]
    scatter: Float[np.ndarray, "well"]
    below: Bool[np.ndarray, "well"]
    above: Bool[np.ndarray, "well"]


def limits_of(curve: Curve) -> tuple[float, float]:
    """Return the concentrations between which a curve quantifies, the lower one not below its limit of detection."""
    return max(curve.lowest, curve.detection) if curve.detection > 0 else curve.lowest, curve.highest


def sides_of(signals: Floats, curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    """Return which signals lie below and above the range of a curve; an infinite one is beyond its end."""
    low, high = limits_of(curve)
    value = curve.read_back(signals)
    unread = np.isnan(value)
    with np.errstate(invalid="ignore"):
        empty = np.abs(signals - curve.a) < np.abs(signals - curve.d)
    empty = np.where(np.isinf(signals), curve.a > curve.d, empty)
    return np.where(unread, empty, value < low), np.where(unread, ~empty, value > high)


def read_sample(signals: Floats, dilutions: Floats, curve: Curve) -> Reading:
    """Return the concentration of a sample from its wells.

    Parameters
    ----------
    signals, dilutions
        Signal and dilution factor of each well.
    curve
        Standard curve of the plate.

    Notes
    -----
    Wells inside the curve at one dilution are read from their mean signal; all wells beyond the same end give the
    limit. Otherwise the logarithm mu maximises the product of normal densities of the readings and of normal
    probabilities of the wells beyond a limit, each with the scatter of the curve's residuals there, times a factor of
    at least 1 that the wells themselves set where they differ by more. The error is from the curvature, with the error
    of the curve. A maximum beyond a limit is written as that limit where the wells agree, as the likelihood is flat out
    there; where they do not, the value stays inside with its wide error.
    """
    below, above = sides_of(signals, curve)
    low, high = limits_of(curve)
    read = ~(below | above)
    if read.all() and np.ptp(dilutions) == 0:
        return _from_mean(signals, float(dilutions[0]), curve)
    ends = float((low * dilutions[below]).min(initial=math.inf)), float((high * dilutions[above]).max(initial=0.0))
    if not read.any():
        if below.any() and above.any() and ends[0] <= ends[1]:
            status = f"wells contradict each other: {int(below.sum())} below and {int(above.sum())} above the curve"
            return Reading(math.nan, math.nan, "", math.nan, status)
        limit = "above" if above.any() else "below"
        return Reading(ends[1] if above.any() else ends[0], math.nan, limit, math.nan, "ok")
    wells = _on_logs(signals, dilutions, curve, below, above)
    mu, error, factor = combined(wells)
    least, most = low * float(dilutions.min()), high * float(dilutions.max())
    if factor == 1 and not math.log(least) <= mu <= math.log(most):
        limit = "below" if mu < math.log(least) else "above"
        return Reading(least if limit == "below" else most, math.nan, limit, math.nan, _beyond(read))
    value = _inside(math.exp(mu), least, most)
    shared = float(curve.log_errors(curve.signal(_inside(value / float(np.median(dilutions)), low, high)))[0])
    cv = _cv(np.exp(wells.reading)) if read.all() else math.nan
    return Reading(value, math.hypot(error, shared), "", cv, _beyond(read))


def _beyond(read: np.ndarray) -> str:
    return "ok" if read.all() else f"{int((~read).sum())} of {len(read)} wells beyond the curve"


def _from_mean(signals: Floats, dilution: float, curve: Curve) -> Reading:
    mean = float(signals.mean())
    value, error = float(curve.read_back(mean)), float(curve.log_error(mean, len(signals)))
    read = curve.read_back(signals)
    if len(signals) > 1:  # the wells themselves may differ more than the curve's residuals say
        seen = float(np.log(read).std(ddof=1)) / math.sqrt(len(signals))
        error = max(error, math.hypot(float(curve.log_errors(mean)[0]), seen))
    return Reading(value * dilution, error, "", _cv(read), "ok")


def _cv(read: Floats) -> float:
    return 100 * float(np.std(read, ddof=1) / np.mean(read)) if len(read) > 1 else math.nan


def _inside(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _on_logs(signals: Floats, dilutions: Floats, curve: Curve, below: np.ndarray, above: np.ndarray) -> Wells:
    low, high = limits_of(curve)
    value = np.where(below, low, np.where(above, high, curve.read_back(signals)))
    at = np.where(below | above, curve.signal(value), signals)
    return Wells(np.log(value * dilutions), curve.log_errors(at)[1], below, above)


class Combined(NamedTuple):
    """Log concentration that makes the wells most likely, its standard error, and by how much they scatter more."""

    mu: float
    error: float
    factor: float


def combined(wells: Wells) -> Combined:
    """Return the maximum likelihood of a log concentration and of a scatter that is at least that of the curve.

    The error is from the second derivatives; where the scatter is estimated it is widened as a variance of n - 1 is.
    """
    logs, center, width = np.linspace(0.0, _LARGEST_LOG_FACTOR, _GRID), 0.0, _LARGEST_LOG_FACTOR
    heights = np.full(1, -np.inf)
    for _ in range(_REFINEMENTS):
        mus = _best(wells, np.exp(logs))
        heights = log_likelihood(mus, np.exp(logs), wells)
        center, width = float(logs[heights.argmax()]), 2 * width / (_GRID - 1)
        logs = np.clip(np.linspace(center - width / 2, center + width / 2, _GRID), 0.0, _LARGEST_LOG_FACTOR)
    agrees = float(log_likelihood(_best(wells, np.ones(1)), np.ones(1), wells)[0])
    log_factor = center if heights.max() > agrees + 1e-9 else 0.0
    mu = float(_best(wells, np.exp([log_factor]))[0])
    information = _information(mu, log_factor, wells)
    if log_factor == 0.0:
        return Combined(mu, 1 / math.sqrt(information[0, 0]), 1.0)
    n = len(wells.reading)
    return Combined(mu, math.sqrt(float(np.linalg.inv(information)[0, 0]) * n / (n - 1)), math.exp(log_factor))


def log_likelihood(
    mu: Float[np.ndarray, "at"], factor: Float[np.ndarray, "at"], wells: Wells
) -> Float[np.ndarray, "at"]:
    """Return the log likelihood of log concentrations where the scatter is so many times that of the curve."""
    from scipy.special import log_ndtr

    spread = factor[:, None] * wells.scatter
    z = (wells.reading - mu[:, None]) / spread
    read = -(z**2) / 2 - np.log(spread) - math.log(2 * math.pi) / 2
    return np.where(wells.below, log_ndtr(z), np.where(wells.above, log_ndtr(-z), read)).sum(axis=1)


def _best(wells: Wells, factor: Float[np.ndarray, "at"]) -> Float[np.ndarray, "at"]:
    """Return the maximum over mu by bisection; it is unique, as the likelihood is log-concave in mu."""
    from scipy.special import log_ndtr

    spread = factor[:, None] * wells.scatter
    reach = float(np.ptp(wells.reading)) + 40 * spread.max(axis=1)
    low, high = wells.reading.mean() - reach, wells.reading.mean() + reach
    for _ in range(_HALVINGS):
        mu = (low + high) / 2
        z = (wells.reading - mu[:, None]) / spread
        log_density = -(z**2) / 2 - math.log(2 * math.pi) / 2
        pull = np.where(wells.above, np.exp(log_density - log_ndtr(-z)), z)
        pull = np.where(wells.below, -np.exp(log_density - log_ndtr(z)), pull)
        rising = (pull / spread).sum(axis=1) > 0
        low, high = np.where(rising, mu, low), np.where(rising, high, mu)
    return (low + high) / 2


def _information(mu: float, log_factor: float, wells: Wells, step: float = 1e-4) -> Floats:
    """Return minus the second derivatives of the log likelihood in mu and the logarithm of the factor."""
    steps = np.diag([step * float(wells.scatter.min()) * math.exp(log_factor), step])
    at = np.array([mu, log_factor])
    found = np.empty((2, 2))
    for i, j in ((0, 0), (0, 1), (1, 1)):
        places = np.array([at + a * steps[i] + b * steps[j] for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))])
        height = log_likelihood(places[:, 0], np.exp(places[:, 1]), wells)
        found[i, j] = found[j, i] = -(height @ [1, -1, -1, 1]) / (4 * steps[i, i] * steps[j, j])
    return found
