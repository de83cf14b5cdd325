"""Are real dyads more in step than re-paired ones? All pairs of first and second persons, and a permutation test."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import fisher_z, mean, quick_z
from dyadloop.measures.synchrony.application import Transform, method_of, pauses_of, prepared, synchrony
from dyadloop.measures.synchrony.lagged import Blocks, blocks, correlate, grid
from dyadloop.measures.synchrony.still import rest_seconds, without_rests
from dyadloop.measures.synchrony.testing import against
from dyadloop.signals.series import Floats, make_pair, samples

Dyads = Mapping[str, tuple[ArrayLike, ArrayLike]]
_SHARED = ("windowed", "rmea")
_TRIES = 200_000
_FEW = 20  # dyads up to which all draws are spent on leaving each out


@dataclass(frozen=True)
class PairCache:
    """Series of many persons, each cut and transformed once, for scores of any pairs among them."""

    parts: tuple[Blocks, ...]
    of_windows: bool
    absolute: bool = True
    z: bool = True

    def score(self, first: int, second: int) -> float:
        """Return the mean |z| of a pair, the longer series cut to the shorter: by windows, or of all cells (rMEA).

        Without ``absolute`` signs are kept, without ``z`` correlations are not transformed.
        """
        one, two = self.parts[first], self.parts[second]
        n = min(one.n_windows, two.n_windows)
        r = correlate(one.head(n), two.head(n), 0.5, each=not self.of_windows)
        if self.z:
            r = quick_z(r) if np.isfinite(r).all() else fisher_z(r)
        strength = np.abs(r) if self.absolute else r
        return mean(mean(strength, 1)) if self.of_windows else mean(strength)


def pair_cache(
    series: Sequence[Floats], fs: float, window: float, step: float, lag: float, of_windows: bool = True
) -> PairCache:
    """Cut and transform series for :meth:`PairCache.score` [s]."""
    width, increment = samples(window, fs, "a window", 3), samples(step, fs, "a step")
    max_lag = samples(lag, fs, "the largest lag", 0)
    return PairCache(tuple(blocks(s, grid(len(s), width, increment, max_lag)) for s in series), of_windows)


def group_test(
    dyads: Dyads,
    fs: float,
    method: str = "windowed",
    *,
    people: Mapping[str, tuple[str, str]] | None = None,
    draws: int = 9999,
    statistic: str = "score",
    seed: int = 1,
    progress: Callable[[int, int], None] | None = None,
    spikes: float | None = None,
    smooth: float = 0.0,
    transform: Transform = "none",
    **settings: Any,  # noqa: ANN401 - what the method takes
) -> xr.Dataset:
    """Test real dyads against pseudo-dyads: every first person with every second person of another dyad.

    Parameters
    ----------
    dyads
        First and second series by name of the recording; the longer is cut to the shorter.
    fs, method, statistic, spikes, smooth, transform, **settings
        As in :func:`synchrony_test`.
    people
        Ids of the two persons of each recording. Recordings of one dyad, and of one therapist with several patients,
        are then never paired with each other. Default: all persons differ.
    draws
        Re-pairings of all dyads at once.
    seed
        Seed of the re-pairings.
    progress
        Called with pairs done and their number.

    Returns
    -------
    xarray.Dataset
        ``matrix`` (first, second): the score of every pair, NaN where not allowed; ``dyad_effect`` (dyad): the real
        score against what the two persons give with others, in SDs of pseudo-dyads; ``observed``, ``surrogate``,
        ``effect`` and ``p_value`` of the mean of all real dyads against re-pairings; ``effect_without`` and
        ``p_value_without`` (dyad): the same without all recordings of that dyad, of which ``leave_one_out`` tells the
        range: where it decides, the result is that of one dyad; ``failed`` names pairs that could not be scored.

    Raises
    ------
    MeasureError
        If fewer than 4 dyads can be scored or no re-pairing is allowed.

    Notes
    -----
    Null: persons are as much in step with another dyad's partner as with their own. Roles are kept. A pseudo-dyad does
    not share the situation: what both do because the session demands it (starting, standing up) counts as synchrony.
    Re-pairings of few persons use the same pairs again and again and spread less than the mean of new dyads would;
    their distribution is widened to the SD that a model of additive persons gives for it (10 dyads: by some 19 %).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> dyads = {}
    >>> for name in ("A", "B", "C", "D", "E", "F"):  # SIMULATED: partners share half of their variance
    ...     shared = rng.normal(size=2500)
    ...     dyads[name] = tuple(shared + rng.normal(size=2500) for _ in range(2))
    ...
    >>> tested = dl.group_test(dyads, fs=25, window=10, step=10, lag=1)
    >>> float(tested["p_value"]) < 0.01
    True
    """
    names = list(dyads)
    ids = {name: (people or {}).get(name, (f"{name}:first", f"{name}:second")) for name in names}
    allowed = np.array([[a == b or not set(ids[a]) & set(ids[b]) for b in names] for a in names])
    failed: list[str] = []
    matrix = _matrix(dyads, fs, method, allowed, statistic, failed, progress, (spikes, smooth, transform), settings)
    sound = [k for k in range(len(names)) if not np.isnan(matrix[k, k])]
    if len(sound) < 4:
        raise MeasureError(f"{len(sound)} of {len(names)} dyads could be scored; expected at least 4; {_few(failed)}")
    part = matrix[np.ix_(sound, sound)]
    surrogate, effects = _null(part, draws, seed)
    own = [ids[names[k]][0] for k in sound]
    without = _leave_one_out(part, own, draws if len(sound) <= _FEW else min(draws, 1999), seed, statistic)
    tested = against(
        float(np.diag(part).mean()),
        surrogate,
        statistic,
        null="a person is as much in step with the partner of another dyad as with the own",
        surrogate="between dyads",
        method=method,
        seed=seed,
        failed="; ".join(failed) or "none",
        leave_one_out=_told([names[k] for k in sound], own, without[1]),
    )
    of_dyads = np.full((3, len(names)), np.nan)
    of_dyads[:, sound] = [effects, *without]
    return tested.assign(
        matrix=(("first", "second"), matrix),
        dyad_effect=("dyad", of_dyads[0]),
        real_score=("dyad", np.diag(matrix).copy()),
        effect_without=("dyad", of_dyads[1]),
        p_value_without=("dyad", of_dyads[2]),
    ).assign_coords(dyad=names, first=names, second=names)


def _null(part: Floats, draws: int, seed: int) -> tuple[Floats, Floats]:
    """Return the mean scores of re-pairings, as wide as those of new dyads would be, and the effect of each dyad."""
    order = _repairings(~np.isnan(part) & ~np.eye(len(part), dtype=bool), draws, seed)
    surrogate = part[np.arange(len(part)), order].mean(axis=1)
    effects, spread = _calibration(part)
    narrow = surrogate.std(ddof=1)
    if spread > narrow > 0:
        surrogate = surrogate.mean() + (surrogate - surrogate.mean()) * spread / narrow
    return surrogate, effects


def _leave_one_out(part: Floats, own: list[str], draws: int, seed: int, statistic: str) -> Floats:
    """Return effect and p value (2, recording) without all recordings of a first person, who names a dyad.

    NaN where fewer than 4 dyads or no re-pairing would be left.
    """
    found, people = np.full((2, len(part)), np.nan), np.array(own)
    if len(set(own)) < 5:
        return found
    for person in dict.fromkeys(own):
        keep, gone = np.flatnonzero(people != person), people == person
        rest = part[np.ix_(keep, keep)]
        try:
            tested = against(float(np.diag(rest).mean()), _null(rest, draws, seed)[0], statistic)
        except MeasureError:
            continue  # stays NaN, which says that no test is left
        found[:, gone] = np.array([[float(tested["effect"])], [float(tested["p_value"])]])
    return found


def _told(names: list[str], own: list[str], p: Floats) -> str:
    if np.isnan(p).all():
        return "too few dyads"
    ends = int(np.nanargmin(p)), int(np.nanargmax(p))
    low, high = (
        f"{p[end]:.3g} (without {', '.join(n for n, o in zip(names, own, strict=True) if o == own[end])})"
        for end in ends
    )
    return f"p from {low} to {high}"


def _few(failed: list[str]) -> str:
    return "; ".join(failed[:3]) + (f"; and {len(failed) - 3} more" if len(failed) > 3 else "")


def _matrix(
    dyads: Dyads,
    fs: float,
    method: str,
    allowed: NDArray[np.bool_],
    statistic: str,
    failed: list[str],
    progress: Callable[[int, int], None] | None,
    preparation: tuple[float | None, float, str],
    settings: dict[str, Any],
) -> Floats:
    """Return the score of all allowed pairs; what fails is named and NaN."""
    names = list(dyads)
    matrix = np.full((len(names), len(names)), np.nan)
    known = method_of(method, settings).settings() | settings
    rest = rest_seconds(method, known)
    ready: dict[str, tuple[Floats, Floats]] = {}
    for name in names:
        try:
            pair = prepared(make_pair(*dyads[name], fs, cut=True, pauses=pauses_of(method)), *preparation)
            ready[name] = without_rests(pair.first, fs, rest), without_rests(pair.second, fs, rest)
        except MeasureError as error:
            failed.append(f"dyad {name!r}: {error}")
    fast = (
        method in _SHARED
        and statistic == "score"
        and known.get("min_share", 0.5) == 0.5
        and all(known.get(name, True) is True for name in ("absolute", "z"))
        and not any(known.get(name) for name in ("outlier", "mea_smooth", "mea_scale", "artefact"))
    )
    score = _shared_scores(ready, fs, known, method, failed) if fast else None
    cells = [(a, b) for a, b in np.argwhere(allowed) if names[a] in ready and names[b] in ready]
    for done, (a, b) in enumerate(cells, start=1):
        try:
            if score is not None:
                matrix[a, b] = score(names[a], names[b])
            else:
                found = synchrony(ready[names[a]][0], ready[names[b]][1], fs, method, cut=True, **settings)
                matrix[a, b] = float(found[statistic])
        except MeasureError as error:
            failed.append(f"{names[a]!r} with {names[b]!r}: {error}")
        if progress is not None:
            progress(done, len(cells))
    return matrix


def _shared_scores(
    ready: dict[str, tuple[Floats, Floats]], fs: float, known: dict[str, Any], method: str, failed: list[str]
) -> Callable[[str, str], float]:
    """Return the score of two named dyads' persons from shared transforms; too short dyads are dropped by name."""
    spans = {name: known[name] for name in ("window", "step", "lag")}
    for name in list(ready):
        try:
            pair_cache(ready[name][:1], fs, **spans)
        except MeasureError as error:
            failed.append(f"dyad {name!r}: {error}")
            del ready[name]
    place = {name: 2 * k for k, name in enumerate(ready)}
    of = pair_cache(
        [series for pair in ready.values() for series in pair], fs, **spans, of_windows=method == "windowed"
    )
    return lambda a, b: of.score(place[a], place[b] + 1)


def _repairings(allowed: NDArray[np.bool_], draws: int, seed: int) -> NDArray[np.int64]:
    """Return random pairings (draw, dyad) in which every pair is allowed."""
    generator = np.random.default_rng(seed)
    n = len(allowed)
    rows = np.arange(n)
    kept: list[NDArray[np.int64]] = []
    for _ in range(max(_TRIES // 1000, draws // 100)):
        tries = np.argsort(generator.random((1000, n)), axis=1)
        good = tries[allowed[rows, tries].all(axis=1)]
        kept.extend(good)
        if len(kept) >= draws:
            break
    if len(kept) < min(draws, 100):
        raise MeasureError(
            "hardly any re-pairing keeps persons and dyads apart; too few recordings share no person; "
            "test each recording by itself (shift or permutation surrogates)"
        )
    return np.array(kept[:draws])


def _calibration(matrix: Floats) -> tuple[Floats, float]:
    """Return the effect of each real dyad, and the SD of the mean of all real dyads where nothing is shared.

    A score is the sum of an effect of each person and a rest. The effects of persons are least squares over the
    pseudo-dyads only; a real score minus those of its two persons is told in SDs that take in their uncertainty. NaN if
    too few pairs are left to tell the rest.
    """
    n = len(matrix)
    off = ~np.isnan(matrix) & ~np.eye(n, dtype=bool)
    rows, columns = np.nonzero(off)
    design = np.zeros((len(rows), 2 * n))
    design[np.arange(len(rows)), rows] = 1.0
    design[np.arange(len(rows)), n + columns] = 1.0
    weights, _, rank, _ = np.linalg.lstsq(design, matrix[off], rcond=None)
    freedom = len(rows) - int(rank)
    if freedom < 1:
        return np.full(n, np.nan), math.nan
    residual = matrix[off] - design @ weights
    variance = (residual @ residual) / freedom
    inverse = np.linalg.pinv(design.T @ design)
    own = np.hstack([np.eye(n), np.eye(n)])
    spread = np.sqrt(variance * (1 + np.einsum("ij,jk,ik->i", own, inverse, own)))
    together = own.mean(axis=0)
    of_mean = math.sqrt(variance * (1 / n + together @ inverse @ together))
    return (np.diag(matrix) - own @ weights) / spread, of_mean
