"""Convergent cross mapping: one person's states read from the other's, the better the more is known."""

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import KDTree

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import result
from dyadloop.measures.synchrony.phase import jackknife_error
from dyadloop.signals.series import Floats, Pair, samples

_SOURCE = "Sugihara et al. 2012, doi:10.1126/science.1227079"
_BLOCKS = 12
_LARGEST = 100_000_000  # distances in one query


class States(NamedTuple):
    """States of one person by delays (state, dimension), the other's value at the same moment, and its sample."""

    points: Floats
    target: Floats
    moment: NDArray[np.int64]


def cross_mapping(
    pair: Pair,
    dimension: int = 3,
    delay: int = 1,
    libraries: int = 8,
    draws: int = 30,
    exclude: float = 0.0,
    seed: int = 1,
) -> xr.Dataset:
    """Return the skill of cross mapping in both directions, over libraries of growing size.

    Parameters
    ----------
    pair
        Two series; states with a gap are left out.
    dimension, delay
        Embedding; the delay in samples.
    libraries
        Number of library sizes, from dimension + 2 to all states, on a logarithmic scale.
    draws, seed
        Random libraries per size.
    exclude
        Neighbours nearer in time than this are not used [s]; slow series need at least their correlation time.

    Returns
    -------
    xarray.Dataset
        ``skill`` (direction, library): mean Pearson r of prediction and truth, ``skill_sd`` over draws; ``library``
        sizes; ``direction``: ``first_drives_second`` is the skill of reading the first person's values **from the
        second's states**; ``convergence`` (direction): skill with all minus skill with the smallest library; ``score``:
        mean skill of both directions with all states, ``error`` by leaving out one twelfth of the predictions;
        ``lead``: ``first_drives_second`` minus the other.

    Raises
    ------
    MeasureError
        If there are too few states.

    Notes
    -----
    The direction is the reverse of what prediction suggests: where X drives Y, Y's history contains X, so that X can be
    read from Y. pyEDM's column ``Y:X`` is our ``first_drives_second``. Skill that does not grow with the library is
    no sign of coupling; two persons driven by one rhythm, or strongly coupled both ways, are read from each other too.
    """
    radius = samples(exclude, pair.fs, "the excluded time", 0)
    sides = [_states(pair.second, pair.first, dimension, delay), _states(pair.first, pair.second, dimension, delay)]
    count = min(len(side.points) for side in sides)
    if count < 5 * (dimension + 2):
        raise MeasureError(
            f"{count} states without a gap; expected at least {5 * (dimension + 2)} for dimension {dimension}; record "
            "longer or choose a smaller dimension or delay"
        )
    if draws < 1 or libraries < 2:
        raise MeasureError(f"got {libraries} libraries and {draws} draws; expected at least 2 and 1")
    sizes = np.unique(np.geomspace(dimension + 2, count, libraries).round().astype(np.int64))
    generator = np.random.default_rng(seed)
    table = np.stack([[_skills(side, int(size), draws, radius, generator) for size in sizes] for side in sides])
    skill = table.mean(axis=2)
    if np.isnan(skill[:, -1]).any():
        raise MeasureError("no prediction varies; expected series with more than a few values; exclude less time")
    return result(
        "cross_mapping",
        float(skill[:, -1].mean()),
        _error(sides, radius),
        "mean skill of both directions with all states",
        _SOURCE,
        {"dimension": dimension, "delay": delay, "libraries": libraries, "draws": draws, "exclude": exclude,
         "seed": seed, "fs": pair.fs},
        lead=float(skill[0, -1] - skill[1, -1]),
        variables={
            "skill": (("direction", "library"), skill),
            "skill_sd": (("direction", "library"), table.std(axis=2)),
            "convergence": ("direction", skill[:, -1] - skill[:, 0]),
        },
        coords={"direction": ["first_drives_second", "second_drives_first"], "library": sizes},
    )  # fmt: skip


def _states(source: Floats, target: Floats, dimension: int, delay: int) -> States:
    """Return the states of a person up to each moment, and the other's value then."""
    if dimension < 1 or delay < 1:
        raise MeasureError(f"embedding of dimension {dimension} and delay {delay}; expected both >= 1")
    start = (dimension - 1) * delay
    if len(source) <= start:
        raise MeasureError(f"{len(source)} samples; an embedding of {dimension} by {delay} needs more than {start}")
    points = np.stack([source[start - d * delay : len(source) - d * delay] for d in range(dimension)], axis=1)
    known = ~np.isnan(points).any(axis=1) & ~np.isnan(target[start:])
    return States(points[known], target[start:][known], np.flatnonzero(known) + start)


def _skills(side: States, size: int, draws: int, radius: int, generator: np.random.Generator) -> Floats:
    """Return the skill of random libraries of one size; all states are one library, whatever the draws."""
    count = len(side.points)
    if size >= count:
        return np.full(draws, skill(side, np.arange(count), radius))
    chosen = (np.sort(generator.choice(count, size, replace=False)) for _ in range(draws))
    return np.array([skill(side, library, radius) for library in chosen])


def skill(side: States, library: NDArray[np.int64], radius: int) -> float:
    """Return Pearson's r of the other's values and their projections from a library of states."""
    return _correlation(*projected(side, library, radius))


def projected(side: States, library: NDArray[np.int64], radius: int) -> tuple[Floats, Floats]:
    """Return simplex projections of the other's values from a library of states, and the values.

    Every state is predicted from its dimension + 1 nearest states in the library, itself and those within ``radius``
    samples of it left out, weighted by exp(-distance / smallest distance).
    """
    near = min(side.points.shape[1] + 1, len(library) - 1)
    asked = min(near + 1 + 2 * radius, len(library))
    if asked * len(side.points) > _LARGEST:
        raise MeasureError(
            f"{len(side.points)} states with {asked} neighbours each are too many; exclude less time, or resample"
        )
    distance, place = map(np.asarray, KDTree(side.points[library]).query(side.points, asked))
    place = library[place]
    far = np.abs(side.moment[place] - side.moment[:, None]) > radius
    order = np.argsort(~far, axis=1, kind="stable")[:, :near]
    kept = np.take_along_axis(far, order, 1).all(axis=1)
    distance, place = np.take_along_axis(distance, order, 1)[kept], np.take_along_axis(place, order, 1)[kept]
    smallest = distance[:, :1]
    weight = np.where(smallest > 0, np.exp(-distance / np.where(smallest > 0, smallest, 1)), distance == 0)
    return (weight * side.target[place]).sum(axis=1) / weight.sum(axis=1), side.target[kept]


def _error(sides: list[States], radius: int) -> float:
    """Return the standard error of the mean skill of both directions with all states."""
    squares = []
    for side in sides:
        predicted, actual = projected(side, np.arange(len(side.points)), radius)
        parts = np.array_split(np.arange(len(actual)), _BLOCKS)
        without = [_correlation(np.delete(predicted, part), np.delete(actual, part)) for part in parts]
        squares.append(jackknife_error(np.array(without)) ** 2)
    return float(np.sqrt(sum(squares)) / 2)


def _correlation(a: Floats, b: Floats) -> float:
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])
