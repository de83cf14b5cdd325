"""Synchrony of hormones across sessions: whether two persons change alike from before to after a session."""

import math

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from dyadloop.errors import MeasureError
from dyadloop.measures.scoring import fisher_z, result
from dyadloop.measures.synchrony.guard import checked
from dyadloop.measures.synchrony.still import still_parts
from dyadloop.signals.numbers import usable

_SOURCE = "Zilcha-Mano et al. 2021, J Consult Clin Psychol 89:49"


def change_synchrony(
    first: ArrayLike, second: ArrayLike, first_error: float = 0.0, second_error: float = 0.0
) -> xr.Dataset:
    """Return the within-dyad correlation, over sessions, of two persons' changes, with its uncertainty.

    Parameters
    ----------
    first, second
        Change of each session (dyad, session), after minus before, as a rule of logarithms; one dyad may be a single
        row. NaN where missing.
    first_error, second_error
        Standard error of one change, from the assay, on the same scale.

    Returns
    -------
    xarray.Dataset
        Per dyad ``r``, ``z``, ``z_error`` (1 / sqrt(n - 3)), ``sessions``; NaN below 4 sessions. ``score``: z of all
        dyads weighted by n - 3, ``error``; ``heterogeneity``: SD of z between dyads beyond chance; ``reliability``
        (person): share of the variance of changes that is not assay error, NaN where no error is given;
        ``disattenuated``: the pooled r over the root of both, NaN where undefined.

    Raises
    ------
    MeasureError
        If the shapes differ or no dyad has 4 sessions with both changes.

    Notes
    -----
    Saliva follows plasma poorly and is not a stable trait (doi:10.7554/eLife.62456): this is synchrony of what was
    sampled. Sessions count as independent; with trends over therapy take them out first.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> shared = rng.normal(size=(20, 5))  # SIMULATED: 20 dyads, 5 sessions with saliva before and after
    >>> first, second = (shared + rng.normal(size=(20, 5)) for _ in range(2))
    >>> found = dl.change_synchrony(first, second, first_error=0.3, second_error=0.3)
    >>> round(float(found["score"]), 2), round(float(found["error"]), 2)
    (0.56, 0.16)
    """
    one, two = (np.atleast_2d(usable(values, "changes")) for values in (first, second))
    if not (np.isfinite([first_error, second_error]).all() and min(first_error, second_error) >= 0):
        raise MeasureError(f"errors of changes: got {first_error:g} and {second_error:g}; expected 0 or more")
    if one.shape != two.shape:
        raise MeasureError(f"changes of shape {one.shape} and {two.shape}; expected the same dyads and sessions")
    known = ~np.isnan(one) & ~np.isnan(two)
    sessions = known.sum(axis=1)
    r = np.full(len(one), np.nan)
    for dyad in np.flatnonzero(sessions >= 4):
        a, b = one[dyad, known[dyad]], two[dyad, known[dyad]]
        if not still_parts(a) and not still_parts(b):
            r[dyad] = np.corrcoef(a, b)[0, 1]
    used = ~np.isnan(r)
    if not used.any():
        raise MeasureError("no dyad has 4 sessions in which both persons changed; expected at least one")
    z, weight = fisher_z(r), (sessions - 3).astype(np.float64)
    pooled = float((z[used] * weight[used]).sum() / weight[used].sum())
    spread = float((weight[used] * (z[used] - pooled) ** 2).sum()) - (used.sum() - 1)
    scale = weight[used].sum() - (weight[used] ** 2).sum() / weight[used].sum()
    between = math.sqrt(max(spread / scale, 0.0)) if used.sum() > 1 else math.nan
    shares = [_reliability(c, known, e) for c, e in ((one, first_error), (two, second_error))]
    product = shares[0] * shares[1]
    found = result(
        "changes",
        pooled,
        1 / math.sqrt(weight[used].sum()),
        "Fisher z of changes over sessions, pooled over dyads",
        _SOURCE,
        {"first_error": first_error, "second_error": second_error},
        variables={
            "r": ("dyad", r),
            "z": ("dyad", z),
            "z_error": ("dyad", np.where(used, 1 / np.sqrt(np.maximum(weight, 1e-9)), np.nan)),
            "sessions": ("dyad", sessions),
            "heterogeneity": ((), between),
            "reliability": ("person", np.array(shares)),
            "disattenuated": ((), math.tanh(pooled) / math.sqrt(product) if product > 0 else math.nan),
        },
        coords={"person": ["first", "second"]},
    )
    return checked(found)


def _reliability(changes: np.ndarray, known: np.ndarray, error: float) -> float:
    """Return the share of the variance of changes within dyads that is not assay error; NaN if none remains."""
    if error <= 0:
        return math.nan
    counts = known.sum(axis=1)
    rows = [np.var(row[k], ddof=1) * (n - 1) for row, k, n in zip(changes, known, counts, strict=True) if n > 1]
    variance = sum(rows) / max((counts[counts > 1] - 1).sum(), 1)
    share = 1 - error**2 / variance if variance > 0 else math.nan
    return share if share > 0 else math.nan
