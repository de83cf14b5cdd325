"""Truth and bias over sessions: how far one person tracks another, and what else the judgement follows."""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from dyadloop.errors import DataError, Fault, MeasureError
from dyadloop.measures.games.decisions import OCCASIONS, numbers, repeated
from dyadloop.measures.games.random_slopes import fit_random_slopes

_COLUMNS = ("dyad", "judgement", "truth", "own")
_TOO_LARGE = 1e100  # no rating; squares of such numbers overflow
_TWINS = 8  # rows; with fewer, equal pairs may be chance


class TruthAndBias(NamedTuple):
    """Result of :func:`truth_and_bias`: ``effects`` (name, estimate, error) and ``dyads`` (dyad, accuracy, error)."""

    effects: pd.DataFrame
    dyads: pd.DataFrame


def truth_and_bias(table: pd.DataFrame, name: str = "ratings") -> TruthAndBias:
    """Return how well one person tracks another over sessions: accuracy, bias and assumed similarity.

    Parameters
    ----------
    table
        One row per session: ``dyad``, ``judgement`` (the judge's rating of the target), ``truth`` (the target's own
        rating), ``own`` (the judge's rating of the own state); ``session`` where there is one.
    name
        Name of the file for messages.

    Returns
    -------
    TruthAndBias
        ``tracking_accuracy``: slope on the target's deviation from the own mean; ``assumed_similarity``: slope on the
        judge's own deviation; ``directional_bias``: mean of judgement minus the target's mean; per dyad the shrunken
        accuracy.

    Raises
    ------
    DataError
        If a rating is no number, or a session stands on two rows.
    MeasureError
        If there are too few sessions.

    References
    ----------
    .. [1] West & Kenny (2011). doi:10.1037/a0022936
    .. [2] Atzil-Slonim et al. (2019). doi:10.1037/ccp0000354

    Notes
    -----
    judgement - mean truth = bias + accuracy (truth - mean) + similarity (own - mean) + error, with bias and accuracy
    varying between dyads (REML).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> truth, own = rng.normal(5, 1, size=(2, 200))
    >>> table = pd.DataFrame({"dyad": np.repeat(np.arange(20), 10), "truth": truth, "own": own})
    >>> table["judgement"] = 0.5 + 0.6 * truth + 0.2 * own + rng.normal(0, 0.5, 200)  # SIMULATED
    >>> print(dl.truth_and_bias(table).effects.round(2))
                   effect  estimate  error
    0    directional_bias     -0.47   0.04
    1   tracking_accuracy      0.64   0.05
    2  assumed_similarity      0.09   0.04
    """
    sound, faults = numbers(table, _COLUMNS, ("dyad",), name, _COLUMNS[1:])
    if any(column in sound for column in OCCASIONS):
        faults += repeated(sound, ("dyad",), name)
    elif (
        len(sound) >= _TWINS and (sound.groupby(list(_COLUMNS), dropna=False)["dyad"].transform("size") % 2 == 0).all()
    ):
        got, remedy = "every row twice", "keep one row per session, or add the column session"
        faults.append(Fault(name, None, None, got, "one row per session", remedy))
    if faults:
        raise DataError(name, faults)
    sound = sound[list(_COLUMNS)].dropna()
    means = sound.groupby("dyad")[["truth", "own"]].transform("mean")
    design = pd.DataFrame(
        {
            "outcome": sound["judgement"] - means["truth"],
            "truth": sound["truth"] - means["truth"],
            "own": sound["own"] - means["own"],
            "dyad": sound["dyad"].astype(str),
        }
    )
    if not (np.abs(design[["outcome", "truth", "own"]].to_numpy()) < _TOO_LARGE).all():
        raise MeasureError(f"{name}: ratings too large to be told apart; expected numbers of a rating scale")
    if design["dyad"].nunique() < 5 or len(design) < 4 * design["dyad"].nunique():
        raise MeasureError(
            f"{name}: {len(design)} sessions of {design['dyad'].nunique()} dyads; expected at least 5 dyads with 4 each"
        )
    fixed = np.column_stack([np.ones(len(design)), design["truth"], design["own"]])
    names, number = np.unique(design["dyad"].to_numpy(dtype=str), return_inverse=True)
    if np.linalg.matrix_rank(fixed) < fixed.shape[1]:
        raise MeasureError(f"{name}: the ratings do not tell accuracy from bias; expected truths and ratings that vary")
    try:
        fitted = fit_random_slopes(fixed, design["outcome"].to_numpy(), number, 2)
    except np.linalg.LinAlgError as error:
        raise MeasureError(f"{name}: the model of truth and bias cannot be fitted ({error})") from None
    rows = [
        {"effect": effect, "estimate": float(fitted.mean[k]), "error": float(fitted.error[k])}
        for effect, k in (("directional_bias", 0), ("tracking_accuracy", 1), ("assumed_similarity", 2))
    ]
    dyads = [
        {"dyad": dyad, "accuracy": float(fitted.mean[1] + own[1]), "error": math.sqrt(max(float(cov[1, 1]), 0.0))}
        for dyad, own, cov in zip(names.tolist(), fitted.own, fitted.own_covariance, strict=True)
    ]
    return TruthAndBias(pd.DataFrame(rows), pd.DataFrame(dyads))
