"""rMEA's contrast of real and shuffled dyads, over all pairs, with what one draw or one dyad changes."""

import itertools
import math

import numpy as np
import xarray as xr

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony.pseudo import Dyads, PairCache, pair_cache
from dyadloop.measures.synchrony.still import still_parts
from dyadloop.measures.synchrony.windowed import rmea_prepared
from dyadloop.signals.series import Floats, Pair, as_series


def rmea_contrast(
    dyads: Dyads,
    fs: float,
    window: float = 60.0,
    step: float = 30.0,
    lag: float = 5.0,
    n: int | None = None,
    keep_roles: bool = False,
    seed: int = 1,
    absolute: bool = True,
    z: bool = True,
    outlier: float | None = None,
    mea_smooth: float = 0.0,
    mea_scale: bool = False,
) -> xr.Dataset:
    """Return rMEA's contrast: Cohen's d of the grand averages of real dyads and of shuffled ones.

    Parameters
    ----------
    dyads
        First and second series by name.
    fs, window, step, lag
        Rate [Hz] and windows [s].
    n
        Shuffled dyads, drawn without replacement from all pairings of the series, as rMEA's ``size``; default: all.
    keep_roles
        Pair first persons with second persons only; rMEA's default pairs any two.
    seed
        Seed of the draw.
    absolute, z, outlier, mea_smooth, mea_scale
        As in :func:`dyadloop.measures.synchrony.windowed.rmea`.

    Returns
    -------
    xarray.Dataset
        ``real_score`` (dyad) and ``shuffled_score`` (draw): grand averages; ``cohen_d`` (pooled SD, n - 1, absolute as
        in rMEA); ``draw_spread``: the SD that the draw of ``n`` pairs alone gives it, 0 over all pairs;
        ``cohen_d_without`` (dyad): the same without that dyad.

    Raises
    ------
    MeasureError
        If fewer than 2 dyads or pairings have a score, or none vary.

    Notes
    -----
    d has no null distribution: it grows with the number of dyads. :func:`group_test` gives a calibrated test.
    """
    names = list(dyads)
    series: list[Floats] = []
    for name in names:
        one, two = (as_series(values, f"dyad {name!r}") for values in dyads[name])
        length = max(len(one), len(two))
        pair = rmea_prepared(Pair(_padded(one, length), _padded(two, length), fs), outlier, mea_smooth, mea_scale)
        series += [pair.first[: len(one)], pair.second[: len(two)]]
    of = pair_cache(series, fs, window, step, lag, of_windows=False)
    of = PairCache(of.parts, of_windows=False, absolute=absolute, z=z)
    real = np.array([of.score(2 * d, 2 * d + 1) for d in range(len(names))])
    pairs = _pairs(len(series), keep_roles)
    size = len(pairs) if n is None else min(n, len(pairs))
    chosen = pairs[np.random.default_rng(seed).permutation(len(pairs))[:size]] if size < len(pairs) else pairs
    shuffled = np.array([of.score(a, b) for a, b in chosen])
    pooled = _pooled(real, shuffled)
    kept = [(chosen // 2 != d).all(axis=1) for d in range(len(names))]
    without = [_cohen(np.delete(real, d), shuffled[rest]) for d, rest in enumerate(kept)]
    spread = float(np.nanstd(shuffled, ddof=1)) * math.sqrt((1 - size / len(pairs)) / size) / pooled
    return xr.Dataset(
        {
            "real_score": ("dyad", real),
            "shuffled_score": ("draw", shuffled),
            "cohen_d": ((), _cohen(real, shuffled)),
            "draw_spread": ((), spread),
            "cohen_d_without": ("dyad", np.array(without)),
        },
        coords={"dyad": names},
        attrs={
            "method": "rmea",
            "n": size,
            "pairs": len(pairs),
            "keep_roles": int(keep_roles),
            "seed": seed,
            "absolute": int(absolute),
            "z": int(z),
        },
    )


def _padded(values: Floats, length: int) -> Floats:
    return np.concatenate([values, np.full(length - len(values), np.nan)])


def _pairs(count: int, keep_roles: bool) -> np.ndarray:
    """Return all pairs of series of different dyads; a first person comes first where roles are kept."""
    pairs = [
        (a, b) if not keep_roles or a % 2 == 0 else (b, a)
        for a, b in itertools.combinations(range(count), 2)
        if a // 2 != b // 2 and (not keep_roles or a % 2 != b % 2)
    ]
    if not pairs:
        raise MeasureError(f"{count // 2} dyads give no pair of persons of different dyads; expected at least 2 dyads")
    return np.array(pairs)


def _pooled(real: Floats, shuffled: Floats) -> float:
    one, two = real[~np.isnan(real)], shuffled[~np.isnan(shuffled)]
    if min(len(one), len(two)) < 2 or (still_parts(one) and still_parts(two)):
        raise MeasureError(
            f"{len(one)} real and {len(two)} shuffled dyads have a score; expected 2 or more of each that vary"
        )
    total = (len(one) - 1) * one.var(ddof=1) + (len(two) - 1) * two.var(ddof=1)
    return math.sqrt(total / (len(one) + len(two) - 2))


def _cohen(real: Floats, shuffled: Floats) -> float:
    try:
        return abs(float(np.nanmean(real)) - float(np.nanmean(shuffled))) / _pooled(real, shuffled)
    except MeasureError:
        return math.nan
