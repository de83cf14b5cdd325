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
def running_products(x: Floats, y: Floats, starts: NDArray[np.int64], width: int, out: Floats) -> None:
    """Fill ``out`` (window, lag) with sums of x[s + i] y[s + lag + i] over i < width, for equally spaced starts.

    The sum at the first start is taken directly, the others by what enters and leaves.
    """
    n_lags = out.shape[1]
    total = np.zeros(n_lags)
    begin = starts[0]
    for i in range(begin, begin + width):
        for k in range(n_lags):
            total[k] += x[i] * y[i + k]
    out[0] = total
    for row in range(1, len(starts)):
        for i in range(starts[row - 1], starts[row]):
            leaves, enters = x[i], x[i + width]
            for k in range(n_lags):
                total[k] += enters * y[i + width + k] - leaves * y[i + k]
        out[row] = total


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
