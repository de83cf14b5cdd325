"""The kernel of windowed lagged cross-correlation: each series is transformed once, each pair costs two products.

A window starts at s and has ``width`` samples. For a lag k >= 0 the first person's window [s, s + width) meets the
second's [s + k, s + k + width); for k < 0 the roles swap, so both series are read forward from s and positive lags
mean that the first person leads. Windows whose moments cannot be told to full precision from running sums (spikes,
near-still stretches) and windows with gaps are computed again in two passes, exactly.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony.still import still_parts, still_windows, tolerance
from dyadloop.signals.series import Floats, Pair, samples

_SAFE_SHARE = 1e-5  # smallest part of a block's sum of squares that running sums resolve to about 1e-10
_SAFE_DENSE = 1e-4  # the same for sums that run over a longer block
_CHUNK = 4_000_000  # cells of one piece of work, which bounds the memory


@dataclass(frozen=True)
class Grid:
    """Window starts, their width and the largest lag, all in samples."""

    starts: NDArray[np.int64]
    width: int
    max_lag: int

    @property
    def lags(self) -> NDArray[np.int64]:
        """Lags in samples, -max_lag ... max_lag."""
        return np.arange(-self.max_lag, self.max_lag + 1)

    @property
    def reach(self) -> int:
        """Samples that a window and its lags need."""
        return self.width + self.max_lag

    @property
    def dense(self) -> bool:
        """Whether windows follow each other by a quarter of their width or less."""
        if len(self.starts) < 2 or self.max_lag < 1:
            return False
        return bool(0 < 4 * int(self.starts[1] - self.starts[0]) <= self.width)

    def part(self, low: int, high: int) -> "Grid":
        """Return some of the windows."""
        return Grid(self.starts[low:high], self.width, self.max_lag)


def grid(n: int, width: int, increment: int, max_lag: int) -> Grid:
    """Return all windows of a series of ``n`` samples whose lags lie inside it.

    Raises
    ------
    MeasureError
        If not one window fits.
    """
    last = n - width - max_lag
    if last < 0:
        raise MeasureError(
            f"{n} samples are too short for a window of {width} and lags up to {max_lag}; "
            f"expected at least {width + max_lag}; choose a shorter window or lag"
        )
    return Grid(np.arange(0, last + 1, increment), width, max_lag)


def windows_of(pair: Pair, window: float, step: float, lag: float, shortest_lag: int = 1) -> tuple[Grid, int]:
    """Return the windows of two series from their width, distance and largest lag [s], and the distance [samples].

    Raises
    ------
    MeasureError
        If a window has fewer than 3 samples, the step none, the largest lag fewer than ``shortest_lag``, or none fits.
    """
    width, max_lag = samples(window, pair.fs, "a window", 3), samples(lag, pair.fs, "the largest lag", shortest_lag)
    increment = samples(step, pair.fs, "a step")
    return grid(len(pair.first), width, increment, max_lag), increment


@dataclass(frozen=True)
class Blocks:
    """One series cut into windows: what all its pairings share.

    Attributes
    ----------
    values
        Samples (window, width + max_lag), a view.
    base, reach
        Transforms of the centred window and of the window with its lags.
    weight
        One over the root sum of squares of every lagged window (window, lag 0..max_lag), 0 where it is unsure, NaN
        where the person is still.
    unsure
        Lagged windows (window, lag 0..max_lag) to be computed in two passes.
    gaps
        Windows in which a sample is missing.
    still
        Largest difference of samples that counts as none.
    """

    grid: Grid
    values: Floats
    base: NDArray[np.complex128]
    reach: NDArray[np.complex128]
    weight: Floats
    unsure: NDArray[np.bool_]
    gaps: NDArray[np.bool_]
    still: float

    @property
    def n_windows(self) -> int:
        """Number of windows."""
        return len(self.grid.starts)

    def head(self, n: int) -> "Blocks":
        """Return the first n windows."""
        if n == self.n_windows:
            return self
        part = Grid(self.grid.starts[:n], self.grid.width, self.grid.max_lag)
        arrays = (self.values, self.base, self.reach, self.weight, self.unsure, self.gaps)
        return Blocks(part, *[array[:n] for array in arrays], still=self.still)  # pyright: ignore[reportArgumentType]


def blocks(series: Floats, windows: Grid) -> Blocks:
    """Cut a series into windows and transform each."""
    width, reach = windows.width, windows.reach
    values = np.lib.stride_tricks.sliding_window_view(series, reach)[windows.starts]
    gaps = np.any(np.isnan(values), axis=1)
    centred = values - values.mean(axis=1, keepdims=True)
    centred[gaps] = 0.0
    total, squares = _moving_sums(centred, width)
    spread = squares - total**2 / width
    still = np.lib.stride_tricks.sliding_window_view(still_windows(series, width), windows.max_lag + 1)[windows.starts]
    unsure = (spread < _SAFE_SHARE * np.einsum("ij,ij->i", centred, centred)[:, None]) & ~still
    unsure[gaps] = False
    spread[gaps] = np.inf
    spread[still] = np.nan
    size = next_fast_len(reach, real=True)
    base = centred[:, :width] - total[:, :1] / width
    return Blocks(
        windows,
        values,
        np.conj(np.fft.rfft(base, size, axis=1)),
        np.fft.rfft(centred, size, axis=1),
        np.where(unsure, 0.0, 1 / np.sqrt(np.where(unsure, 1.0, spread))),
        unsure,
        gaps,
        tolerance(series),
    )


def _moving_sums(x: Floats, width: int) -> tuple[Floats, Floats]:
    """Return sums and sums of squares of the windows at every start of each row: of the first, and what it moves on by.

    Rows are (window, width + lags).
    """
    head, tail = x[:, : x.shape[1] - width], x[:, width:]
    whole = x[:, :width]
    sums, squares = np.empty((len(x), head.shape[1] + 1)), np.empty((len(x), head.shape[1] + 1))
    sums[:, 0], squares[:, 0] = whole.sum(axis=1), np.einsum("ij,ij->i", whole, whole)
    sums[:, 1:], squares[:, 1:] = tail - head, (tail - head) * (tail + head)
    return np.cumsum(sums, axis=1, out=sums), np.cumsum(squares, axis=1, out=squares)


def correlate(first: Blocks, second: Blocks, min_share: float = 0.5, each: bool = False) -> Floats:
    """Return the correlations (window, lag) of two series, lags -max_lag ... max_lag.

    Parameters
    ----------
    first, second
        Blocks on the same grid.
    min_share
        Smallest share of a window that both persons must have together; below it the cell is NaN. Cells in which
        one person does not vary are NaN.
    each
        Ask that share of each person alone, over the window and its lags, as rMEA does.
    """
    max_lag, size = first.grid.max_lag, int(next_fast_len(first.grid.reach, real=True) or 0)
    found = np.empty((first.n_windows, 2 * max_lag + 1))
    ahead, behind = found[:, max_lag:], found[:, max_lag::-1]
    np.multiply(np.fft.irfft(first.base * second.reach, size, axis=1)[:, : max_lag + 1], second.weight, out=ahead)
    ahead *= first.weight[:, :1]
    zero = ahead[:, 0].copy()
    np.multiply(np.fft.irfft(second.base * first.reach, size, axis=1)[:, : max_lag + 1], first.weight, out=behind)
    behind *= second.weight[:, :1]
    behind[:, 0] = zero
    if not -1.0 <= found.min() <= found.max() <= 1.0:
        np.clip(found, -1.0, 1.0, out=found)
    least = max(min_share * first.grid.width, 2.0)
    gaps = np.flatnonzero(first.gaps | second.gaps)
    for side, base, other in ((ahead, first, second), (behind, second, first)):
        unsure = base.unsure[:, :1] | other.unsure
        if len(gaps):
            side[gaps], unsure[gaps] = _masked(base.values[gaps], other.values[gaps], first.grid, size, least, each)
        for window in np.flatnonzero(unsure.any(axis=1)):
            lags = np.flatnonzero(unsure[window])
            side[window, lags] = _two_pass(
                base.values[window], other.values[window], base.grid.width, lags, least, each, (base.still, other.still)
            )
    return found


def _masked(
    base: Floats, other: Floats, windows: Grid, size: int, least: float, each: bool
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return correlations of windows with gaps over the pairs that are known, and which cells need two passes."""
    width, n_lags = windows.width, windows.max_lag + 1
    known, seen = ~np.isnan(base[:, :width]), ~np.isnan(other)
    x, y = _zeroed(base[:, :width], known), _zeroed(other, seen)
    one = [np.conj(np.fft.rfft(part, size, axis=1)) for part in (known.astype(np.float64), x, x**2)]
    two = [np.fft.rfft(part, size, axis=1) for part in (seen.astype(np.float64), y, y**2)]

    def sums(i: int, j: int) -> Floats:
        return np.fft.irfft(one[i] * two[j], size, axis=1)[:, :n_lags]

    count = np.rint(sums(0, 0))
    share = np.maximum(count, 1.0)
    sx, sy = sums(1, 0), sums(0, 1)
    xx, yy = sums(2, 0) - sx**2 / share, sums(0, 2) - sy**2 / share
    total_x, total_y = (x**2).sum(axis=1, keepdims=True), (y**2).sum(axis=1, keepdims=True)
    unsure = (xx < _SAFE_SHARE * total_x) | (yy < _SAFE_SHARE * total_y) | (total_x == 0) | (total_y == 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (sums(1, 1) - sx * sy / share) / (np.sqrt(np.maximum(xx, 0)) * np.sqrt(np.maximum(yy, 0)))
    present = count
    if each:
        whole = np.minimum((~np.isnan(base)).sum(axis=1), seen.sum(axis=1)) / windows.reach
        present = np.where(whole >= least / width, width, 0)[:, None]
    few = (present < least) | (count < 2)
    return np.where(few, np.nan, np.clip(found, -1.0, 1.0)), unsure & ~few


def _zeroed(x: Floats, known: NDArray[np.bool_]) -> Floats:
    """Return deviations from the mean of the known samples, 0 in gaps."""
    filled = np.where(known, x, 0.0)
    middle = filled.sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    return np.where(known, x - middle, 0.0)


def _two_pass(
    base: Floats,
    other: Floats,
    width: int,
    lags: NDArray[np.int64],
    least: float,
    each: bool,
    still: tuple[float, float],
) -> Floats:
    """Return correlations of a window with some lagged windows of the other person, pairs with gaps left out."""
    x = base[None, :width]
    y = np.lib.stride_tricks.sliding_window_view(other, width)[lags]
    known = ~(np.isnan(x) | np.isnan(y))
    if known.all():
        count = present = np.full(len(lags), width)
        dx, dy = _centred(x), _centred(y)
    else:
        count = known.sum(axis=1)
        present = np.full(len(lags), width) if each else count  # windows that rMEA leaves out do not come here
        dx, dy = _deviations(x, known, count), _deviations(y, known, count)
    xx, yy = (dx**2).sum(axis=1), (dy**2).sum(axis=1)
    rest = [still_parts(np.where(known, s, np.nan), limit) for s, limit in zip((x, y), still, strict=True)]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (dx * dy).sum(axis=1) / (np.sqrt(xx) * np.sqrt(yy))
    none = rest[0] | rest[1] | (present < least) | (count < 2)
    return np.where(none, np.nan, np.clip(found, -1.0, 1.0))


def _centred(x: Floats) -> Floats:
    once = x - x.mean(axis=1, keepdims=True)
    return once - once.mean(axis=1, keepdims=True)


def _deviations(x: Floats, known: NDArray[np.bool_], count: NDArray[np.int64]) -> Floats:
    filled = np.where(known, x, 0.0)
    once = np.where(known, filled - (filled.sum(axis=1) / np.maximum(count, 1))[:, None], 0.0)
    return np.where(known, once - (once.sum(axis=1) / np.maximum(count, 1))[:, None], 0.0)


def windowed_correlation(
    first: Floats, second: Floats, windows: Grid, min_share: float = 0.5, each: bool = False
) -> Floats:
    """Return the correlations (window, lag) of two series, in pieces of bounded memory.

    Windows that follow each other closely are summed from one to the next, on blocks centred at their own means; what
    those sums do not resolve, and windows with gaps, are computed as the others are.
    """
    if len(windows.starts) > 1 and windows.starts[1] < windows.starts[0]:  # Boker's windows go back in time
        turned = Grid(windows.starts[::-1].copy(), windows.width, windows.max_lag)
        return windowed_correlation(first, second, turned, min_share, each)[::-1]
    found = np.empty((len(windows.starts), 2 * windows.max_lag + 1))
    if windows.dense:
        rows = max(4 * windows.width // int(windows.starts[1] - windows.starts[0]), 64)
        still = np.stack([still_windows(s, windows.width) for s in (first, second)])
        limits = tolerance(first), tolerance(second)
        again = [
            low + _dense(first, second, windows.part(low, low + rows), still, limits, found[low : low + rows])
            for low in range(0, len(windows.starts), rows)
        ]
        todo = np.concatenate(again)
    else:
        todo = np.arange(len(windows.starts))
    step = max(_CHUNK // (8 * windows.reach), 1)
    for low in range(0, len(todo), step):
        part = Grid(windows.starts[todo[low : low + step]], windows.width, windows.max_lag)
        cells = correlate(blocks(first, part), blocks(second, part), min_share, each)
        if windows.dense:
            found[todo[low : low + step]] = cells
        else:
            found[low : low + step] = cells
    return found


def _dense(
    first: Floats, second: Floats, windows: Grid, still: NDArray[np.bool_], limits: tuple[float, float], out: Floats
) -> NDArray[np.int64]:
    """Fill the correlations of closely spaced windows and return which windows have gaps, to be computed otherwise."""
    from dyadloop.measures.synchrony.running import running_correlations

    begin, end = int(windows.starts[0]), int(windows.starts[-1]) + windows.reach
    width, far = windows.width, windows.max_lag
    both = np.stack([first[begin:end], second[begin:end]])
    gaps = np.isnan(both)
    lost = np.concatenate([[0], np.cumsum(gaps.any(axis=0))])
    starts = windows.starts - begin
    with_gaps = lost[starts + windows.reach] > lost[starts]
    if with_gaps.all():
        return np.flatnonzero(with_gaps)
    middle = np.nanmean(both, axis=1, keepdims=True)
    centred = np.where(gaps, 0.0, both - middle)
    sums, squares = (_window_sums(x, width) for x in (centred, centred**2))
    spread = squares - sums**2 / width
    rest = still[:, begin : begin + spread.shape[1]]
    unsure = (spread < _SAFE_DENSE * (centred**2).sum(axis=1, keepdims=True)) & ~rest
    weights = np.where(rest, np.nan, np.where(unsure, 0.0, 1 / np.sqrt(np.where(unsure | rest, 1.0, spread))))
    running_correlations(centred[0], centred[1], sums, weights, starts, width, out)
    np.clip(out, -1.0, 1.0, out=out)
    near = np.lib.stride_tricks.sliding_window_view(unsure, far + 1, axis=1)
    open_cells = unsure[:, starts].any(axis=0) | near[:, starts].any(axis=(0, 2))
    for row in np.flatnonzero(open_cells & ~with_gaps):
        s = starts[row]
        for base, other, side in ((0, 1, out[row, far:]), (1, 0, out[row, far::-1])):
            lags = np.flatnonzero(unsure[base, s] | unsure[other, s : s + far + 1])
            if len(lags):
                parts = both[base, s : s + windows.reach], both[other, s : s + windows.reach]
                side[lags] = _two_pass(*parts, width, lags, 2.0, False, (limits[base], limits[other]))
    return np.flatnonzero(with_gaps)


def _window_sums(x: Floats, width: int) -> Floats:
    sums = np.concatenate([np.zeros((len(x), 1)), np.cumsum(x, axis=1)], axis=1)
    return sums[:, width:] - sums[:, :-width]
