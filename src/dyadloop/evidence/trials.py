"""Effects of single trials that ship with the package, and pooling of tables that refuses what must not be mixed."""

from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from dyadloop.errors import EvidenceError
from dyadloop.evidence.pooling import Method, Pooled, pool
from dyadloop.evidence.table import duplicates

TrialSet = Literal["oxytocin", "oxytocin_raw", "psychotherapy"]
_WRONG_YEARS = {"10.1038/tp.2013.34": 2013}


def trial_effects(name: TrialSet) -> pd.DataFrame:
    """Return effects of single trials.

    Parameters
    ----------
    name
        ``oxytocin``: 182 effects of oxytocin given to persons, on one metric; ``oxytocin_raw``: the 616 as published,
        with several metrics and 5 effects entered twice; ``psychotherapy``: 411 comparisons of psychotherapy for
        depression.

    Returns
    -------
    pandas.DataFrame
        The columns as published, and ``effect``, ``error``, ``metric``, ``source``. One wrong year is corrected.

    Raises
    ------
    EvidenceError
        If the set does not exist.
    """
    stems = {
        "oxytocin": "oxytocin_trials",
        "oxytocin_raw": "oxytocin_trials_raw",
        "psychotherapy": "psychotherapy_trials",
    }
    if name not in stems:
        raise EvidenceError(f"trials {name!r} do not exist; expected one of {', '.join(stems)}")
    path = Path(str(files("dyadloop.evidence") / "library" / f"{stems[name]}.csv"))
    table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    if name == "psychotherapy":
        return table.assign(effect=table["g"], error=table["SE"], metric="Hedges' g", source="metapsyData")
    years = table["meta_analysis_doi"].map(_WRONG_YEARS)
    table["meta_analysis_year"] = years.fillna(table["meta_analysis_year"]).astype(int)
    error = table["sei"].fillna((table["upper"] - table["lower"]) / (2 * 1.959963984540054))
    metric = "as harmonised by the source" if name == "oxytocin" else table["es_type"]
    return table.assign(effect=table["yi"], error=error, metric=metric, source=table["meta_analysis"])


def pool_trials(table: pd.DataFrame, method: Method = "REML", knapp_hartung: bool = True) -> Pooled:
    """Pool a table of trial effects.

    Parameters
    ----------
    table
        Columns ``effect``, ``error``, ``metric`` and, to tell doubles, ``study`` and ``source``.
    method, knapp_hartung
        As in :func:`pool`.

    Raises
    ------
    EvidenceError
        If metrics are mixed, an effect is entered twice, or an error is missing or not above 0; rows are named.
    """
    metrics = sorted({str(metric) for metric in table["metric"]})
    if len(metrics) > 1:
        raise EvidenceError(f"mixed metrics: {', '.join(metrics)}; convert them to one, or pool them apart")
    duplicates(table, tuple(c for c in ("source", "study", "effect", "error", "group", "n_total") if c in table))
    bad = np.flatnonzero(~(table["error"].to_numpy(dtype=float) > 0) | table["effect"].isna().to_numpy())
    if len(bad):
        rows = ", ".join(str(int(str(table.index[k])) + 2) for k in bad[:10])
        raise EvidenceError(
            f"{len(bad)} effects without a value or an error above 0 (rows {rows}); leave them out by name"
        )
    return pool(table["effect"], table["error"] ** 2, method, knapp_hartung)
