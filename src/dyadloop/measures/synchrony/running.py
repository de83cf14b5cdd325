"""The kernels of dense windows: running sums on centred blocks, and the moments that lagged regression needs.

Windows that follow each other closely share most of their samples. Sums of products run from window to window and
start anew with every block, and each block is centred at its own mean, so that neither an offset nor the length of a
recording costs digits. What a spike in a block leaves unsure is told, to be computed in two passes.
"""

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_EXACT = {"reassoc", "contract"}  # sums may be reordered; NaN stays NaN


@numba.njit(cache=True, fastmath=_EXACT)
def running_correlations(
    x: Floats, y: Floats, sums: Floats, weights: Floats, starts: NDArray[np.int64], width: int, out: Floats
) -> None:
    """Fill ``out`` (window, lag), lags -max_lag ... max_lag, for windows at increasing starts of a centred block.

    ``sums`` and ``weights`` (2, start) are the sums of windows of x and y and one over the roots of their sums of
    squared deviations. The first window is summed directly, the others by what enters and leaves.
    """
    far = (out.shape[1] - 1) // 2
    ahead, behind = np.zeros(far + 1), np.zeros(far + 1)
    for i in range(starts[0], starts[0] + width):
        _enter(ahead, x[i], y[i : i + far + 1])
        _enter(behind, y[i], x[i : i + far + 1])
    for row in range(len(starts)):
        s = starts[row]
        for i in range(starts[row - 1] if row else s, s):
            e = i + width
            _move_on(ahead, x[i], x[e], y[i : i + far + 1], y[e : e + far + 1])
            _move_on(behind, y[i], y[e], x[i : i + far + 1], x[e : e + far + 1])
        until, found = s + far + 1, out[row]
        _scaled(ahead, sums[0, s] / width, weights[0, s], sums[1, s:until], weights[1, s:until], found[far:])
        _scaled(behind, sums[1, s] / width, weights[1, s], sums[0, s:until], weights[0, s:until], found[far::-1])
        found[far] = (ahead[0] - sums[0, s] / width * sums[1, s]) * weights[0, s] * weights[1, s]


@numba.njit(cache=True, fastmath=_EXACT)
def _enter(sums: Floats, one: float, later: Floats) -> None:
    for k in range(len(sums)):
        sums[k] += one * later[k]


@numba.njit(cache=True, fastmath=_EXACT)
def _move_on(sums: Floats, old: float, new: float, after_old: Floats, after_new: Floats) -> None:
    """Take the products of a sample with later ones out of the sums over lags, and add those of another."""
    for k in range(len(sums)):
        sums[k] += new * after_new[k] - old * after_old[k]


@numba.njit(cache=True, fastmath=_EXACT)
def _scaled(products: Floats, mean: float, scale: float, sums: Floats, weights: Floats, out: Floats) -> None:
    for k in range(len(products)):
        out[k] = (products[k] - mean * sums[k]) * scale * weights[k]


@numba.njit(cache=True)
def strengths(r: Floats, out: Floats, best: NDArray[np.int64]) -> None:
    """Fill sums over lags of each window: |z| at negative, zero and positive lags, z, and known cells; and the peak.

    ``out`` is (window, 6): |z| behind, at 0, ahead, signed z, cells behind, cells ahead; ``best`` the lag number of the
    largest |r|, the first of equals, -1 where none is known. A sum of z is half the logarithm of a product of ratios;
    logarithms are taken of 32 factors at a time, the most that no product underflows. z is bounded at 10.
    """
    far = (r.shape[1] - 1) // 2
    edge = np.tanh(10.0)
    for row in range(len(r)):
        total, largest = 0.0, -1.0
        best[row] = -1
        for part in range(3):
            low, high = (0, far) if part == 0 else (far, far + 1) if part == 1 else (far + 1, 2 * far + 1)
            up, down, signed_up, signed_down = 1.0, 1.0, 1.0, 1.0
            strength, count, factors = 0.0, 0, 0
            for k in range(low, high):
                value = r[row, k]
                if value != value:
                    continue
                size = abs(value)
                count += 1
                if size > largest:
                    largest, best[row] = size, k
                if size >= edge:
                    strength += 10.0
                    total += 10.0 if value > 0 else -10.0
                    continue
                up, down = up * (1.0 + size), down * (1.0 - size)
                if value > 0:
                    signed_up, signed_down = signed_up * (1.0 + size), signed_down * (1.0 - size)
                factors += 1
                if factors == 32:
                    whole, own = 0.5 * np.log(up / down), 0.5 * np.log(signed_up / signed_down)
                    strength += whole
                    total += 2.0 * own - whole
                    up, down, signed_up, signed_down, factors = 1.0, 1.0, 1.0, 1.0, 0
            whole, own = 0.5 * np.log(up / down), 0.5 * np.log(signed_up / signed_down)
            out[row, part] = strength + whole
            total += 2.0 * own - whole
            if part != 1:
                out[row, 4 + part // 2] = count
        out[row, 3] = total


@numba.njit(cache=True, fastmath=_EXACT)
def moments(x: Floats, y: Floats, width: int, out: Floats) -> None:
    """Fill ``out`` (5, start) with both means, both sums of squares and the sum of products of deviations."""
    for s in range(out.shape[1]):
        mean_x, mean_y = 0.0, 0.0
        for i in range(s, s + width):
            mean_x += x[i] - x[s]
            mean_y += y[i] - y[s]
        mean_x, mean_y = x[s] + mean_x / width, y[s] + mean_y / width
        xx, yy, xy = 0.0, 0.0, 0.0
        for i in range(s, s + width):
            a, b = x[i] - mean_x, y[i] - mean_y
            xx += a * a
            yy += b * b
            xy += a * b
        out[0, s], out[1, s], out[2, s], out[3, s], out[4, s] = mean_x, mean_y, xx, yy, xy


@numba.njit(cache=True, fastmath=_EXACT)
def earlier_products(
    x: Floats, y: Floats, means: Floats, starts: NDArray[np.int64], width: int, own: Floats, far: Floats
) -> None:
    """Fill sums (window, lag - 1) of deviations of x at s with x (``own``) and y (``far``) that many samples earlier.

    ``means`` (2, start) are those of windows of x and y; lags are 1, 2, ...
    """
    now = np.empty(width)
    for row in range(len(starts)):
        s = starts[row]
        for i in range(width):
            now[i] = x[s + i] - means[0, s]
        for k in range(1, own.shape[1] + 1):
            one, two = 0.0, 0.0
            for i in range(width):
                one += now[i] * (x[s - k + i] - means[0, s])
                two += now[i] * (y[s - k + i] - means[1, s])
            own[row, k - 1], far[row, k - 1] = one, two
