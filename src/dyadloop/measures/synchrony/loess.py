"""R's local regression and spline as matrices: what wcc smooths the lags of a window with.

R's ``loess`` fits a quadratic at a few vertices only and joins them by cubics through values and slopes
(``surface = "interpolate"``). R's ``spline`` lets the ends follow the cubics through the last four points.
"""

from functools import lru_cache

import numpy as np

from dyadloop.signals.series import Floats

_CELL = 0.2  # R's default: a cell of more points than this share of a neighbourhood is cut
_MARGIN = 0.005  # by which R widens the range of the points


@lru_cache(maxsize=8)
def smooth_half_lags(count: int, span: float) -> Floats:
    """Return the matrix that takes ``count`` equally spaced values to their smooth at 2 count - 1 half steps."""
    return fmm_spline(count) @ loess(count, span)


def loess(count: int, span: float) -> Floats:
    """Return the matrix of R's ``loess(degree = 2, surface = "interpolate")`` over 0, 1, ..., count - 1."""
    x = np.arange(count, dtype=np.float64)
    used = min(max(int(np.floor(count * span + 1e-5)), 4), count)
    places = _vertices(count, int(np.floor(count * span * _CELL)))
    fits = np.array([_quadratic(x, at, used) for at in places])  # (vertex, value and slope, point)
    cell = np.clip(np.searchsorted(places, x, side="right") - 1, 0, len(places) - 2)
    length = np.diff(places)[cell]
    u = ((x - places[cell]) / length)[:, None]
    low, high = fits[cell], fits[cell + 1]
    slopes = u * (1 - u) ** 2 * low[:, 1] - u**2 * (1 - u) * high[:, 1]
    return (1 - u) ** 2 * (1 + 2 * u) * low[:, 0] + u**2 * (3 - 2 * u) * high[:, 0] + length[:, None] * slopes


def _vertices(count: int, most: int) -> Floats:
    """Return the borders of cells that are halved until at most ``most`` points lie in each."""
    margin = _MARGIN * (count - 1)
    found, cells = [-margin, count - 1 + margin], [(0, count - 1)]
    while cells:
        low, high = cells.pop()
        if high - low + 1 > max(most, 1):
            middle = (low + high) // 2
            found.append(middle)
            cells += [(low, middle), (middle + 1, high)]
    return np.unique(np.array(found, dtype=np.float64))


def _quadratic(x: Floats, at: float, used: int) -> Floats:
    """Return the weights (2, point) of value and slope of a local quadratic at a place, tricube over its neighbours."""
    distance = np.abs(x - at)
    near = np.argsort(distance, kind="stable")[:used]
    share = distance[near] / distance[near].max()
    root = np.sqrt(np.where(share < 1, (1 - share**3) ** 3, 0.0))
    basis = np.vander(x[near] - at, 3, increasing=True)
    found = np.zeros((2, len(x)))
    found[:, near] = (np.linalg.pinv(basis * root[:, None]) * root)[:2]
    return found


def fmm_spline(count: int) -> Floats:
    """Return the matrix of R's ``spline(method = "fmm")`` from steps 0, 1, ... to half steps; count >= 4.

    The spline of Forsythe, Malcolm and Moler: the third derivative at an end is that of the cubic through four points.
    """
    values = np.eye(count)
    second, third = np.diff(values, 2, axis=0), np.diff(values, 3, axis=0) / 6
    system = np.zeros((count, count))
    right = np.zeros((count, count))
    inner = np.arange(1, count - 1)
    system[inner, inner - 1], system[inner, inner], system[inner, inner + 1] = 1.0, 4.0, 1.0
    right[1:-1] = second
    system[0, :2], right[0] = (-1.0, 1.0), third[0]
    system[-1, -2:], right[-1] = (1.0, -1.0), -third[-1]
    bend = np.linalg.solve(system, right)  # a sixth of the second derivatives
    found = np.empty((2 * count - 1, count))
    found[::2] = values
    found[1::2] = (values[1:] + values[:-1]) / 2 - 0.375 * (bend[1:] + bend[:-1])
    return found
