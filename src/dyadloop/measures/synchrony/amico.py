"""Which responses of two skin conductances belong together, and how alike they are (AMICo)."""

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import error_of_mean, mean, result
from dyadloop.measures.synchrony.extremes import Features, features
from dyadloop.measures.synchrony.shapes import best_sums, shapes_alike, stretched
from dyadloop.signals.series import Floats, Pair, samples

_SOURCE = "Kleinbub, Talia & Palmieri 2020, doi:10.1037/cou0000383; algorithm v2RC0.4 of DyadSync"
_BLOCKS = 30


class Piece(NamedTuple):
    """A piece of each person's series that belong together: first and last samples, similarity, lag [samples]."""

    first: tuple[int, int]
    second: tuple[int, int]
    similarity: float
    lag: float


def amico(
    pair: Pair,
    lag: float = 6.0,
    amplitude: float = 0.05,
    malus: float = 0.5,
    threshold: float = 0.1,
    smallest: float = 4.0,
    piece: float = 10.0,
    slope_window: float = 2.5,
    correction: float = 0.5,
) -> xr.Dataset:
    """Return how alike matched peaks of two slow signals are, and by how much one follows the other.

    Parameters
    ----------
    pair
        Two series, skin conductance in microsiemens unless ``amplitude`` is changed.
    lag
        Largest distance of two matched peaks [s].
    amplitude
        Smallest rise from onset to peak that counts [unit of the series].
    malus
        Share by which the similarity of peaks at the largest lag is reduced.
    threshold
        Smallest weighted similarity of a match.
    smallest, piece
        Shortest stretch between matches that is compared [s], and length of the pieces into which it is cut [s].
    slope_window, correction
        Width of the local quadratic that finds the turns, and reach of the search for the raw extreme [s].

    Returns
    -------
    xarray.Dataset
        ``sync`` and ``course_lag`` (time): similarity and lag [s] of the piece that a moment belongs to, NaN outside;
        ``score``: mean of ``sync``, ``error`` over blocks of time; ``lead``: mean of ``course_lag`` [s];
        ``matches``, ``share_matched`` (share of all peaks), ``match_similarity``, ``share_known`` of the time.

    Raises
    ------
    MeasureError
        If fewer than two peaks match.

    Notes
    -----
    Features run from valley to peak to half recovery (or the next valley). Rise and decline of two peaks are stretched
    to the longer of each; similarity is Pearson's r, times 1 - malus (lag / largest lag)^2, times a penalty for
    stretching, with negatives 0. The matches are those without crossings that make the sum largest. Between matches:
    cosine of pieces above their minimum. DyadSync's half recovery is one sample later than the nearest; a still piece
    stops it, here it is unknown. Peaks within a stretch without gaps only.
    """
    reach = samples(lag, pair.fs, "the largest lag")
    width = 2 * (samples(slope_window, pair.fs, "the window for slopes", 4) // 2) + 1
    turn = samples(correction, pair.fs, "the correction of an extreme", 0)
    both = pair.first, pair.second
    found = [features(series, width, turn, amplitude) for series in both]
    sizes = [len(each.peak) for each in found]
    similar = similarities(both, (found[0], found[1]), reach, malus, threshold)
    matches = matching(similar)
    if len(matches) < 2:
        raise MeasureError(
            f"{len(matches)} of {sizes[0]} and {sizes[1]} peaks match within {lag:g} s; expected at least 2; is the "
            f"unit microsiemens (amplitude is {amplitude:g}), and the recording long enough?"
        )
    pieces = _pieces(both, (found[0], found[1]), matches, similar)
    gaps = (samples(smallest, pair.fs, "the shortest stretch"), samples(piece, pair.fs, "a piece"))
    every = _between(both, pieces, reach, malus, *gaps)
    sync, lags = _courses(every, len(pair.first), pair.fs)
    of_matches = np.array([similar[i, j] for i, j in matches])
    return result(
        "amico",
        mean(sync),
        error_of_mean(np.array([mean(part) for part in np.array_split(sync, _BLOCKS)])),
        "mean similarity of matched pieces over time",
        _SOURCE,
        {"lag": lag, "amplitude": amplitude, "malus": malus, "threshold": threshold, "smallest": smallest,
         "piece": piece, "slope_window": slope_window, "correction": correction, "fs": pair.fs},
        lead=mean(lags),
        variables={
            "sync": ("time", sync, {"units": "1"}),
            "course_lag": ("time", lags, {"units": "s"}),
            "matches": ((), len(matches)),
            "share_matched": ((), 2 * len(matches) / sum(sizes)),
            "match_similarity": ((), float(of_matches.mean())),
            "share_known": ((), float((~np.isnan(sync)).mean())),
        },
        coords={"time": ("time", np.arange(len(sync)) / pair.fs, {"units": "s"})},
        lead_units="s",
    )  # fmt: skip


def similarities(
    both: tuple[Floats, Floats], found: tuple[Features, Features], reach: int, malus: float, threshold: float
) -> Floats:
    """Return the weighted similarity of every pair of peaks (first, second), 0 where it is no candidate."""
    one, two = found
    similar = np.zeros((len(one.peak), len(two.peak)))
    spans = [np.stack(each, axis=1).astype(np.int64) for each in found]
    for i in range(len(one.peak)):
        near = np.flatnonzero(np.abs(two.peak - one.peak[i]) <= reach)
        if not len(near):
            continue
        alike = shapes_alike(both[0], both[1], spans[0][i], spans[1][near])
        for j, value in zip(near, alike, strict=True):
            value *= _nearness(two.peak[j] - one.peak[i], reach, malus)
            value *= _stretching(one.end[i] - one.onset[i], two.end[j] - two.onset[j], 350.0)
            similar[i, j] = value if value >= threshold and value > 0 else 0.0
    return similar


def _nearness(distance: float, reach: int, malus: float) -> float:
    return 1 - malus * (min(abs(distance), reach) / reach) ** 2


def _stretching(one: int, two: int, scale: float) -> float:
    ratio = max(one, two) / max(min(one, two), 1)
    return float((1 + (ratio / scale) ** 3.18) ** -2.5e6)


def matching(similar: Floats) -> list[tuple[int, int]]:
    """Return the pairs (first, second) without crossings whose similarities have the largest sum."""
    total = best_sums(similar)
    pairs, i, j = [], *similar.shape
    while i and j:
        if total[i, j] == total[i - 1, j]:
            i -= 1
        elif total[i, j] == total[i, j - 1]:
            j -= 1
        else:
            pairs.append((i - 1, j - 1))
            i, j = i - 1, j - 1
    return pairs[::-1]


def _pieces(
    both: tuple[Floats, Floats], found: tuple[Features, Features], matches: list[tuple[int, int]], similar: Floats
) -> list[Piece]:
    one, two = found
    return [
        Piece(
            (int(one.onset[i]), int(one.end[i])),
            (int(two.onset[j]), int(two.end[j])),
            float(similar[i, j]),
            float(two.peak[j] - one.peak[i]),
        )
        for i, j in matches
    ]


def _between(
    both: tuple[Floats, Floats], pieces: list[Piece], reach: int, malus: float, smallest: int, length: int
) -> list[Piece]:
    """Return the matches and what lies between them: compared in pieces where long enough, else shared out halfway."""
    found = [pieces[0]]
    for after in pieces[1:]:
        before = found[-1]
        spans = [(before.first[1], after.first[0]), (before.second[1], after.second[0])]
        sizes = [end - begin + 1 for begin, end in spans]
        if all(size > smallest for size in sizes):
            found += _compared(both, spans, sizes, reach, malus, length)
        elif not all(size == 1 for size in sizes):
            middle = [round((begin + end) / 2) for begin, end in spans]
            found[-1] = before._replace(first=(before.first[0], middle[0]), second=(before.second[0], middle[1]))
            after = after._replace(first=(middle[0], after.first[1]), second=(middle[1], after.second[1]))
        found.append(after)
    return found


def _compared(
    both: tuple[Floats, Floats], spans: list, sizes: list[int], reach: int, malus: float, length: int
) -> list[Piece]:
    """Return the pieces of two stretches, as many as the shorter holds, with the cosine of their shapes."""
    count = max(min(sizes) // length, 1)
    steps = [size // count for size in sizes]
    found = []
    for k in range(count):
        begins = [span[0] + k * step for span, step in zip(spans, steps, strict=True)]
        parts = [
            stretched(series[begin : begin + step], max(steps))
            for series, begin, step in zip(both, begins, steps, strict=True)
        ]
        lag = (begins[1] + (steps[1] - 1) / 2) - (begins[0] + (steps[0] - 1) / 2)
        value = _cosine(parts[0] - parts[0].min(), parts[1] - parts[1].min())
        value *= _nearness(lag, reach, malus) * _stretching(steps[0], steps[1], 200.0)
        ends = [begin + step - 1 for begin, step in zip(begins, steps, strict=True)]
        found.append(Piece((begins[0], ends[0]), (begins[1], ends[1]), value, lag))
    return found


def _cosine(a: Floats, b: Floats) -> float:
    size = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / size) if size > 0 else float("nan")  # NaN too where a gap lies inside


def _courses(pieces: list[Piece], n: int, fs: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return similarity and lag [s] over time; a piece lies halfway between its places in the two series."""
    sync, lags = np.full(n, np.nan), np.full(n, np.nan)
    for piece in pieces:
        low, high = (round((piece.first[k] + piece.second[k]) / 2) for k in (0, 1))
        sync[low : high + 1] = piece.similarity
        lags[low : high + 1] = piece.lag / fs if np.isfinite(piece.similarity) else np.nan
    return sync, lags
