"""Cross-recurrence quantification: when two persons are in the same state, for how long, and who is first."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.signal import fftconvolve

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import mean, result
from dyadloop.measures.synchrony.phase import jackknife_error
from dyadloop.measures.synchrony.still import standardised
from dyadloop.signals.series import Floats, Pair, as_rate, samples

if TYPE_CHECKING:  # numba is loaded where a count_recurrences is made
    from dyadloop.measures.synchrony.near import Rows

_SOURCE = "Marwan et al. 2007, doi:10.1016/j.physrep.2006.11.001; Coco & Dale 2014, doi:10.3389/fpsyg.2014.00510"
_MD = "Wallot, Roepstorff & Mønster 2016, doi:10.3389/fpsyg.2016.01835"
_BLOCKS = 12
_NORMS = {"euclidean": 0, "maximum": 1, "manhattan": 2}
METRICS: dict[str, Any] = {"euclidean": "euclidean", "maximum": "chebyshev", "manhattan": "cityblock"}
"""SciPy's names of the norms."""
SIDES = ("both", "upper", "lower")
Norm = Literal["euclidean", "maximum", "manhattan"]


@dataclass(frozen=True)
class RecurrenceCounts:
    """A recurrence count_recurrences as counts: lines by length, points by diagonal, and the number of cells.

    Attributes
    ----------
    diagonal, vertical
        Number of lines of each length, index 0 unused; a vertical line stays at a moment of the first person.
    profile
        Points on each diagonal j - i, from -(n - 1) to m - 1.
    rows
        All points, and points on lines, of each moment of the first person (2, time).
    cells
        Cells that points are related to.
    shortest
        Shortest length that counts as a line.
    """

    diagonal: NDArray[np.int64]
    vertical: NDArray[np.int64]
    profile: NDArray[np.int64]
    rows: NDArray[np.int64]
    cells: int
    shortest: int

    @cached_property
    def points(self) -> int:
        """Recurrent points."""
        return int((np.arange(len(self.diagonal)) * self.diagonal).sum())

    def error(self) -> float:
        """Return the standard error of DET, by leaving out one twelfth of the first person's time at a time."""
        parts = [part.sum(axis=1) for part in np.array_split(self.rows, _BLOCKS, axis=1)]
        rest = np.array([self.rows.sum(axis=1) - part for part in parts])
        return jackknife_error(rest[:, 1] / rest[:, 0]) if (rest[:, 0] > 0).all() else float("nan")

    def numbers(self) -> dict[str, float]:
        """Return RR, DET, NRLINE, L, maxL, ENTR, rENTR, LAM, TT and maxV; shares as fractions, logarithms natural."""
        lengths = np.arange(len(self.diagonal))
        lines, uprights = self.diagonal[self.shortest :], self.vertical[self.shortest :]
        size, upright_size = lengths[self.shortest :], np.arange(len(self.vertical))[self.shortest :]
        count, upright = int(lines.sum()), int(uprights.sum())
        share = lines[lines > 0] / count if count else np.array([])
        entropy = float(-(share * np.log(share)).sum()) if count else np.nan
        kinds = int((lines > 0).sum())
        return {
            "RR": self.points / self.cells,
            "DET": float((size * lines).sum() / self.points) if self.points else np.nan,
            "NRLINE": count,
            "L": float((size * lines).sum() / count) if count else np.nan,
            "maxL": int(size[lines > 0].max()) if count else 0,
            "ENTR": entropy,
            "rENTR": entropy / np.log(kinds) if kinds > 1 else np.nan,
            "LAM": float((upright_size * uprights).sum() / self.points) if self.points else np.nan,
            "TT": float((upright_size * uprights).sum() / upright) if upright else np.nan,
            "maxV": int(upright_size[uprights > 0].max()) if upright else 0,
        }


def embed(values: Floats, dimension: int, delay: int) -> Floats:
    """Return the states (dimension of all channels, time) of series (sample,) or (sample, channel) by delays.

    Raises
    ------
    MeasureError
        If the series is too short for the embedding.
    """
    columns = values[:, None] if values.ndim == 1 else values
    length = len(columns) - (dimension - 1) * delay
    if dimension < 1 or delay < 1 or length < 2:
        raise MeasureError(
            f"embedding of dimension {dimension} and delay {delay} leaves {max(length, 0)} states of {len(columns)} "
            "samples; expected dimension and delay >= 1 and at least 2 states"
        )
    return np.concatenate([columns[d * delay : d * delay + length].T for d in range(dimension)])


def count_recurrences(
    x: Floats,
    y: Floats,
    radius: float,
    norm: str = "euclidean",
    theiler: int = 0,
    shortest: int = 2,
    full: bool = True,
    side: str = "both",
) -> RecurrenceCounts:
    """Return the recurrence count_recurrences of two sequences of states (dimension, time), or of one side of it.

    Parameters
    ----------
    x, y
        States; NaN states never recur.
    radius
        Largest distance that counts as the same state.
    norm
        euclidean, maximum or manhattan.
    theiler
        Diagonals nearer to the main one than this are left out.
    shortest
        Shortest line.
    full
        Relate points to all cells; otherwise to those of known states on the diagonals that count.
    side
        both; ``upper``: only cells in which the second person's moment is the earlier one, ``lower``: the later.

    Raises
    ------
    MeasureError
        If the norm or the side does not exist, the radius is not a number above 0, or no cell is left.
    """
    for name, value, known in (("norm", norm, tuple(_NORMS)), ("side", side, SIDES)):
        if value not in known:
            raise MeasureError(f"{name} {value!r} does not exist; expected one of {', '.join(known)}")
    if not 0 < radius < np.inf:
        raise MeasureError(f"radius: got {radius}; expected a number above 0; give a distance")
    n, m = x.shape[1], y.shape[1]
    valid = known_cells(x, y, theiler, side)
    if valid < 1:
        raise MeasureError(
            f"a Theiler band of {theiler} leaves no cell of {n} x {m} states; expected some; choose a narrower band"
        )
    from dyadloop.measures.synchrony.lines import lines

    low, high = _diagonals(n, m, side)
    diagonal, vertical = np.zeros(min(n, m) + 1, dtype=np.int64), np.zeros(m + 1, dtype=np.int64)
    counts, rows = np.zeros(n + m - 1, dtype=np.int64), np.zeros((2, n), dtype=np.int64)
    lines(rows_within(x, y, radius, norm), low, high, theiler, shortest, diagonal, vertical, counts, rows)
    return RecurrenceCounts(diagonal, vertical, counts, rows, n * m if full else valid, shortest)


def rows_within(x: Floats, y: Floats, radius: float, norm: str) -> "Rows":
    """Return the rows of a count_recurrences, to be read by the kernels of lines and blocks."""
    from dyadloop.measures.synchrony.near import rows_of

    return rows_of(x, y, radius, _NORMS[norm])


def _diagonals(n: int, m: int, side: str) -> tuple[int, int]:
    """Return the lowest and the highest diagonal j - i of a side."""
    return {"both": (-n, m), "upper": (-n, -1), "lower": (1, m)}[side]


def known_cells(x: Floats, y: Floats, theiler: int, side: str = "both") -> int:
    """Return the number of cells of a side, outside the Theiler band, whose two states are known."""
    n, m = x.shape[1], y.shape[1]
    between, (low, high) = np.arange(-(n - 1), m), _diagonals(n, m, side)
    counts = (between >= low) & (between <= high) & (np.abs(between) >= theiler)
    return int(_per_diagonal(x, y)[counts].sum())


def _per_diagonal(x: Floats, y: Floats) -> NDArray[np.int64]:
    """Return how many cells of known states each diagonal has, from -(n - 1) to m - 1."""
    one, two = np.all(np.isfinite(x), axis=0), np.all(np.isfinite(y), axis=0)
    n, m = len(one), len(two)
    if one.all() and two.all():
        between = np.arange(-(n - 1), m)
        return np.minimum(n, m - between) - np.maximum(0, -between)
    return np.rint(fftconvolve(two.astype(np.float64), one[::-1].astype(np.float64))).astype(np.int64)


def recurrence(
    pair: Pair,
    dimension: int = 1,
    delay: int = 1,
    radius: float | None = None,
    rate: float = 0.05,
    norm: Norm = "euclidean",
    theiler: int = 0,
    shortest: int = 2,
    lag: float = 5.0,
    window: float | None = None,
    step: float | None = None,
) -> xr.Dataset:
    """Return cross-recurrence measures of two z-scored series.

    Parameters
    ----------
    pair
        Two series; states with a gap never recur and are not counted as cells.
    dimension, delay
        Embedding; the delay in samples.
    radius
        Largest distance of two states [SD]; default: what gives the recurrence rate ``rate``, so that the other
        measures of different dyads can be compared.
    rate
        Recurrence rate to reach where no radius is given.
    norm, theiler, shortest
        As in :func:`count_recurrences`.
    lag
        Half width of the diagonal profile [s].
    window, step
        Width and distance of windows [s] for a course of the measures; default: none.

    Returns
    -------
    xarray.Dataset
        RR, DET, NRLINE, L, maxL, ENTR, rENTR, LAM, TT, maxV (shares as fractions); ``profile`` (lag): recurrence rate
        of each diagonal; with windows ``course`` (window, measure); ``score``: DET, ``error``: by leaving out one
        twelfth of the recording at a time; ``lead``: mean of the profile at positive minus
        at negative lags.
    """
    x, y = _states(pair.first, dimension, delay), _states(pair.second, dimension, delay)
    radius = _radius_for(x, y, rate, norm) if radius is None else radius
    whole = count_recurrences(x, y, radius, norm, theiler, shortest, full=False)
    far = min(samples(lag, pair.fs, "the lag of the profile", 0), min(x.shape[1], y.shape[1]) - 1)
    rates = profile(x, y, whole, far)
    numbers = whole.numbers()
    variables: dict = {name: ((), value) for name, value in numbers.items()} | {"profile": ("lag", rates)}
    coords: dict = {"lag": ("lag", np.arange(-far, far + 1) / pair.fs, {"units": "s"})}
    if window is not None:
        width = samples(window, pair.fs, "a window", 10)
        if width > min(x.shape[1], y.shape[1]):
            raise MeasureError(f"{x.shape[1]} states are too short for a window of {width}; choose a shorter one")
        starts = np.arange(0, x.shape[1] - width + 1, samples(step or window, pair.fs, "a step"))
        parts = [(x[:, s : s + width], y[:, s : s + width]) for s in starts]
        table = [
            list(count_recurrences(*part, radius, norm, theiler, shortest, full=False).numbers().values())
            if known_cells(*part, theiler)
            else [np.nan] * len(numbers)
            for part in parts
        ]
        variables["course"] = (("window", "measure"), np.array(table))
        coords |= {"start": ("window", starts / pair.fs, {"units": "s"}), "measure": list(numbers)}
    return result(
        "recurrence",
        numbers["DET"],
        whole.error(),
        "DET: share of recurrent points on diagonal lines",
        _SOURCE,
        {"dimension": dimension, "delay": delay, "radius": radius, "norm": norm, "theiler": theiler, "fs": pair.fs},
        lead=mean(rates[far + 1 :]) - mean(rates[:far]) if far else 0.0,
        variables=variables,
        coords=coords,
    )


def _states(values: Floats, dimension: int, delay: int) -> Floats:
    return embed(standardised(values, 1), dimension, delay)


def profile(x: Floats, y: Floats, found: RecurrenceCounts, far: int) -> Floats:
    """Return the recurrence rate of the diagonals -far..far over their cells of known states."""
    middle = slice(x.shape[1] - 1 - far, x.shape[1] + far)
    cells = _per_diagonal(x, y)[middle]
    return np.where(cells > 0, found.profile[middle] / np.maximum(cells, 1), np.nan)


def _radius_for(x: Floats, y: Floats, rate: float, norm: str) -> float:
    """Return the distance that a share of pairs of states does not exceed, from at most 2,000 states of each."""
    from scipy.spatial.distance import cdist

    if norm not in _NORMS:
        raise MeasureError(f"norm {norm!r} does not exist; expected one of {', '.join(_NORMS)}")
    if not 0 < rate < 1:
        raise MeasureError(f"rate: got {rate}; expected a recurrence rate between 0 and 1")
    some = [s[:, np.all(np.isfinite(s), axis=0)] for s in (x, y)]
    if not min(s.shape[1] for s in some):
        raise MeasureError("no whole state: each holds a gap; expected some; choose a lower dimension or delay")
    some = [s[:, :: max(s.shape[1] // 2000, 1)].T for s in some]
    found = float(np.quantile(cdist(some[0], some[1], METRICS[norm]), rate))
    if found <= 0:
        raise MeasureError(f"more than {rate:.0%} of the states are equal; give a radius above 0")
    return found


def joint_recurrence(
    series: ArrayLike,
    fs: float,
    dimension: int = 1,
    delay: int = 1,
    radius: float | None = None,
    rate: float = 0.05,
) -> xr.Dataset:
    """Return multidimensional recurrence: how often and how long the whole group returns to a state it has been in.

    Parameters
    ----------
    series
        Samples (sample, person), z-scored here; the persons' embeddings form one state.
    fs, dimension, delay, radius, rate
        As in :func:`recurrence`.

    Returns
    -------
    xarray.Dataset
        RR (outside the main diagonal), DET, L, maxL, ENTR, LAM, TT ...; ``score``: DET.
    """
    from dyadloop.measures.synchrony.group import as_group

    group, found_rate = as_group(series), as_rate(fs)
    states = embed(standardised(group, 1, "group"), dimension, delay)
    radius = _radius_for(states, states, rate, "euclidean") if radius is None else radius
    found = count_recurrences(states, states, radius, theiler=1, full=False)
    numbers = found.numbers()
    return result(
        "mdrqa",
        numbers["DET"],
        found.error(),
        "DET of the joint states",
        _MD,
        {"dimension": dimension, "delay": delay, "radius": radius, "fs": found_rate},
        variables={name: ((), value) for name, value in numbers.items()},
    )
