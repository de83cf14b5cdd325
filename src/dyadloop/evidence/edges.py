"""What the evidence says about one arrow: its rows on one metric, pooled, with what could not be pooled and why."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dyadloop.evidence.pooling import Bayesian, Pooled, pool, pool_bayes
from dyadloop.evidence.standard import NULL, standard
from dyadloop.evidence.table import published_effects

_TAU_SCALE = 0.3  # assumed: true effects of different settings differ by a few tenths of an SD


@dataclass(frozen=True)
class Edge:
    """The evidence on one arrow.

    Attributes
    ----------
    edge
        (from, to).
    rows
        All rows, with ``d`` and ``variance`` on the sign of the edge between levels (NaN where not poolable), and
        ``how`` they were converted or ``why`` they were not.
    studies
        The verified, poolable rows, those of one publication taken together: ``ids``, ``citation``, ``d``, ``variance``
        and ``reported`` (False where all its rows are nulls without a number).
    pooled, bayes
        Random-effects pooling (REML, Knapp-Hartung, never narrower than the normal interval) and Bayesian pooling of
        the studies; None without any.
    """

    edge: tuple[str, str]
    rows: pd.DataFrame
    studies: pd.DataFrame
    pooled: Pooled | None
    bayes: Bayesian | None

    @property
    def used(self) -> list[str]:
        """Ids of the rows that were pooled."""
        return self.rows.loc[self.rows["d"].notna(), "id"].tolist()

    @property
    def directions(self) -> dict[str, int]:
        """Number of verified rows by direction."""
        known = self.rows[self.rows["verified"] & (self.rows["direction"] != "")]
        return {sign: int((known["direction"] == sign).sum()) for sign in ("+", "0", "-", "mixed")}


def edge_evidence(edge_from: str, edge_to: str, table: pd.DataFrame | None = None) -> Edge:
    """Return the evidence on an arrow.

    Parameters
    ----------
    edge_from, edge_to
        Ends of the arrow, such as oxytocin and trust.
    table
        Table of :func:`dyadloop.evidence.evidence`; default: the shipped one.

    Notes
    -----
    Rows of one publication (the same DOI, or citation where there is none) are averaged as if their errors were one and
    the same, so that two reports of one sample count once. Publications are pooled as if independent; meta-analyses of
    one question share studies, so that the interval is too narrow where several are pooled. A test without a number
    that found nothing enters as 0 with the variance of its sample (assumed); it would be worse to leave nulls out.
    Animals and rows that were not verified are not pooled.
    """
    whole = published_effects() if table is None else table
    rows = whole[(whole["edge_from"] == edge_from) & (whole["edge_to"] == edge_to)].reset_index(drop=True).copy()
    found = [standard({str(key): value for key, value in row.items()}) for row in rows.to_dict("records")]
    rows["d"] = [one.d for one in found]
    rows["variance"] = [one.variance for one in found]
    rows["how"] = [one.how for one in found]
    studies = _by_publication(rows[rows["d"].notna()])
    if studies.empty:
        return Edge((edge_from, edge_to), rows, studies, None, None)
    pooled = _cautious(studies["d"], studies["variance"])
    return Edge((edge_from, edge_to), rows, studies, pooled, pool_bayes(studies["d"], studies["variance"], _TAU_SCALE))


def _by_publication(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one effect per publication: the mean of its rows, with errors that are one and the same (assumed)."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows.to_dict("records"):
        found.setdefault(str(row["doi"] or row["citation"]), []).append({str(k): v for k, v in row.items()})
    studies = [
        (
            ", ".join(row["id"] for row in group),
            group[0]["citation"],
            sum(row["d"] for row in group) / len(group),
            (sum(math.sqrt(row["variance"]) for row in group) / len(group)) ** 2,
            any(row["how"] != NULL for row in group),
        )
        for group in found.values()
    ]
    return pd.DataFrame(studies, columns=["ids", "citation", "d", "variance", "reported"])


def _cautious(estimates: pd.Series, variances: pd.Series) -> Pooled:
    """Pool with the wider of the Knapp-Hartung and the normal interval: few effects can be alike by chance."""
    fine, plain = pool(estimates, variances), pool(estimates, variances, knapp_hartung=False)
    return fine if fine.high - fine.low >= plain.high - plain.low else plain
