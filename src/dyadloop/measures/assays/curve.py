"""Standard curves of immunoassays: four- or five-parameter logistic, weighted, read backwards with intervals.

y = d + (a - d) / (1 + (x / c)^b)^g: a is the signal without analyte, d with much of it, c the middle concentration,
b the slope; g is the asymmetry of the five-parameter curve and 1 in the four-parameter one.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from dyadloop.errors import MeasureError
from dyadloop.signals.numbers import usable
from dyadloop.signals.series import Floats

_ROUNDS = 4
_FLAT = 1e-9
_SMALLEST_SHARE = 1e-6


@dataclass(frozen=True)
class Curve:
    """A fitted standard curve.

    Attributes
    ----------
    a, b, c, d, g
        Parameters; ``c`` in units of concentration.
    covariance
        Of (a, log b, log c, d) and, with five parameters, log g.
    residual
        Relative residual SD of the signal, where weights are relative; else absolute.
    weighting
        ``relative`` or ``constant``.
    lowest, highest
        Smallest and largest standard above 0 whose read-back is within ``tolerance`` (LLOQ and ULOQ).
    detection
        Limit of detection: concentration at which the signal leaves that of the blanks by 3 SD; NaN without blanks.
    recovery
        Read-back over nominal concentration of every standard above 0.
    """

    a: float
    b: float
    c: float
    d: float
    g: float
    covariance: Floats
    residual: float
    weighting: str
    lowest: float
    highest: float
    detection: float
    recovery: dict[float, float]

    def signal(self, concentration: ArrayLike) -> Floats:
        """Return the signal of concentrations."""
        x = np.asarray(concentration, dtype=np.float64)
        return _logistic(x, self.a, self.b, self.c, self.d, self.g)

    def read_back(self, signal: ArrayLike) -> Floats:
        """Return the concentrations of signals; NaN beyond the asymptotes."""
        y = np.asarray(signal, dtype=np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = (self.a - self.d) / (y - self.d)
            return self.c * (ratio ** (1 / self.g) - 1) ** (1 / self.b)

    def log_error(self, signal: ArrayLike, replicates: int = 1) -> Floats:
        """Return the standard error of the log concentration read from a mean of replicates.

        From the residual SD of the curve and the covariance of its parameters, by the delta method.
        """
        by_curve, by_signal = self.log_errors(signal)
        return np.sqrt(by_curve**2 + by_signal**2 / replicates)

    def log_errors(self, signal: ArrayLike) -> tuple[Floats, Floats]:
        """Return what the curve and what the signal of one well add to the standard error of a log concentration."""
        y = np.asarray(signal, dtype=np.float64)
        steps = self._steps()
        base = np.log(self._read(y, np.zeros(len(steps))))
        slopes = []
        for k, step in enumerate(steps):
            turn = np.zeros(len(steps))
            turn[k] = step
            slopes.append((np.log(self._read(y, turn)) - np.log(self._read(y, -turn))) / (2 * step))
        gradient = np.stack(slopes, axis=-1)
        small = 1e-6 * abs(self.a - self.d)
        with np.errstate(invalid="ignore", divide="ignore"):
            slope = (np.log(self.read_back(y + small)) - np.log(self.read_back(y - small))) / (2 * small)
        spread = self.residual * (np.abs(y) if self.weighting == "relative" else 1.0)
        by_curve = np.sqrt(np.maximum(np.einsum("...i,ij,...j->...", gradient, self.covariance, gradient), 0.0))
        return np.where(np.isnan(base), np.nan, by_curve), np.where(np.isnan(base), np.nan, np.abs(slope) * spread)

    def _steps(self) -> Floats:
        scale = np.array([abs(self.a - self.d), 1.0, 1.0, abs(self.a - self.d), 1.0])
        return 1e-5 * scale[: len(self.covariance)]

    def _read(self, y: Floats, turn: Floats) -> Floats:
        t = np.concatenate([turn, np.zeros(5 - len(turn))])
        moved = Curve(
            self.a + t[0], self.b * math.exp(t[1]), self.c * math.exp(t[2]), self.d + t[3], self.g * math.exp(t[4]),
            self.covariance, self.residual, self.weighting, self.lowest, self.highest, self.detection, {},
        )  # fmt: skip
        return moved.read_back(y)


def _logistic(x: Floats, a: float, b: float, c: float, d: float, g: float) -> Floats:
    return d + (a - d) / (1 + (x / c) ** b) ** g


def standard_curve(
    concentration: ArrayLike,
    signal: ArrayLike,
    model: Literal["4pl", "5pl"] = "4pl",
    weighting: Literal["relative", "constant"] = "relative",
    blanks: ArrayLike = (),
    tolerance: float = 0.25,
    name: str = "plate",
) -> Curve:
    """Fit the standard curve of a plate.

    Parameters
    ----------
    concentration, signal
        Nominal concentrations (0 for the zero standard) and signals of the standards, one entry per well.
    model
        ``4pl`` or ``5pl``.
    weighting
        ``relative``: the SD of a signal is proportional to it (weights 1 / y^2); ``constant``: the same everywhere.
    blanks
        Signals of wells without analyte, for the limit of detection; wells of concentration 0 count as such.
    tolerance
        Largest relative error of a standard's read-back inside the limits of quantitation.
    name
        Name of the plate for messages.

    Raises
    ------
    MeasureError
        If there are too few standards, they do not fall or rise, or no curve can be fitted.

    References
    ----------
    .. [1] Findlay & Dillard (2007). doi:10.1208/aapsj0902029

    Examples
    --------
    >>> curve = dl.standard_curve([0, 10, 30, 100, 300, 1000], [2.0, 1.8, 1.45, 0.9, 0.45, 0.2])
    >>> {level: round(share, 2) for level, share in curve.recovery.items()}
    {10.0: 0.93, 30.0: 1.03, 100.0: 1.0, 300.0: 1.0, 1000.0: 1.0}
    """
    x, y = usable(concentration, f"{name}: concentrations"), usable(signal, f"{name}: signals")
    free = 4 if model == "4pl" else 5
    _check_standards(x, y, free, model, weighting, name)
    found, residual, covariance = _fit(x, y, free, weighting, name)
    a, log_b, log_c, d = found[:4]
    g = math.exp(found[4]) if free == 5 else 1.0
    bare = Curve(a, math.exp(log_b), math.exp(log_c), d, g, covariance, residual, weighting, 0.0, 0.0, math.nan, {})
    recovery = {}
    for level in sorted(set(x[x > 0].tolist())):
        read = float(bare.read_back(float(y[x == level].mean())))
        recovery[level] = read / level
    good = [level for level, ratio in recovery.items() if abs(ratio - 1) <= tolerance]
    if not good:
        raise MeasureError(f"{name}: no standard reads back within {tolerance:.0%}; the curve cannot quantify anything")
    empty = np.concatenate([usable(blanks, f"{name}: blanks"), y[x == 0]])
    detection = math.nan
    if len(empty) >= 2:
        edge = empty.mean() + math.copysign(3 * float(empty.std(ddof=1)), d - a)
        detection = float(np.nan_to_num(bare.read_back(edge), nan=0.0))
    return Curve(
        a, bare.b, bare.c, d, g, covariance, residual, weighting, min(good), max(good), detection, recovery
    )  # fmt: skip


def _check_standards(x: Floats, y: Floats, free: int, model: str, weighting: str, name: str) -> None:
    if model not in ("4pl", "5pl") or weighting not in ("relative", "constant"):
        raise MeasureError(
            f"{name}: model {model!r} with weighting {weighting!r}; expected 4pl or 5pl, relative or constant"
        )
    if x.shape != y.shape or np.isnan(x).any() or np.isnan(y).any() or (x < 0).any():
        raise MeasureError(f"{name}: standards need a concentration >= 0 and a signal each")
    if weighting == "relative" and (y <= 0).any():
        raise MeasureError(f"{name}: got a signal of {y.min():g}; relative weights need signals above 0")
    if weighting == "relative" and len(y) and y.min() < _SMALLEST_SHARE * y.max():
        raise MeasureError(
            f"{name}: signals of the standards from {y.min():g} to {y.max():g}; one well would decide alone"
        )
    levels = len(set(x.tolist()))
    if levels < free + 1:
        raise MeasureError(f"{name}: {levels} different standards; a {model} curve needs at least {free + 1}")
    order = np.argsort(x, kind="stable")
    from scipy.stats import spearmanr

    trend = float(np.asarray(spearmanr(x[order], y[order]))[0]) if np.ptp(y) > 0 else 0.0
    if not abs(trend) > 0.8:
        raise MeasureError(
            f"{name}: the signal neither falls nor rises with the standards (rank correlation {trend:.2f})"
        )


def _fit(x: Floats, y: Floats, free: int, weighting: str, name: str) -> tuple[Floats, float, Floats]:
    """Return parameters, residual SD and covariance by iterated weighted least squares."""
    from scipy.optimize import least_squares

    order = np.argsort(x)
    low, high = float(y[order[0]]), float(y[order[-1]])
    margin = 0.02 * (low - high)
    middle = math.exp(float(np.mean(np.log(x[x > 0]))))
    start = np.array([low + margin, 0.0, math.log(middle), high - margin, 0.0][:free])
    weight = 1 / y if weighting == "relative" else np.full_like(y, 1 / max(float(np.ptp(y)), _FLAT))

    def model(p: Floats) -> Floats:
        g = math.exp(min(p[4], 20.0)) if free == 5 else 1.0
        with np.errstate(over="ignore"):
            return _logistic(x, p[0], math.exp(min(p[1], 20.0)), math.exp(min(p[2], 700.0)), p[3], g)

    best = None
    for _ in range(_ROUNDS if weighting == "relative" else 1):
        best = least_squares(lambda p, w=weight: (model(p) - y) * w, start, method="trf", max_nfev=4000, x_scale="jac")
        start = best.x
        if weighting == "relative":
            weight = 1 / np.maximum(np.abs(model(start)), 1e-3 * float(np.abs(y).max()))
    if best is None or not best.success or not np.isfinite(best.x).all():
        raise MeasureError(f"{name}: no standard curve could be fitted; look at the standards")
    freedom = len(y) - free
    variance = float((best.fun**2).sum()) / freedom
    inverse = np.linalg.pinv(best.jac.T @ best.jac)
    scale = 1.0 if weighting == "relative" else max(float(np.ptp(y)), _FLAT)
    return best.x, math.sqrt(variance) * scale, inverse * variance
