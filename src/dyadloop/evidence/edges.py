"""What the evidence says about one arrow: its rows on one metric, pooled, with what could not be pooled and why."""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dyadloop.errors import EvidenceError
from dyadloop.evidence.conversions import d_variance, f_to_d, g_to_d, interval_to_error, log_odds_to_d, r_to_d, z_to_r
from dyadloop.evidence.pooling import Bayesian, Pooled, pool, pool_bayes
from dyadloop.evidence.table import POOLABLE, evidence

_FEWEST = 10  # persons; with fewer the variance of an effect is not known
_NULL = "null result without a number: 0 with the variance of n (assumed)"
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
    whole = evidence() if table is None else table
    rows = whole[(whole["edge_from"] == edge_from) & (whole["edge_to"] == edge_to)].reset_index(drop=True).copy()
    found = [_standard({str(key): value for key, value in row.items()}) for row in rows.to_dict("records")]
    rows["d"] = [value for value, *_ in found]
    rows["variance"] = [variance for _, variance, _ in found]
    rows["how"] = [how for *_, how in found]
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
            any(row["how"] != _NULL for row in group),
        )
        for group in found.values()
    ]
    return pd.DataFrame(studies, columns=["ids", "citation", "d", "variance", "reported"])


def _cautious(estimates: pd.Series, variances: pd.Series) -> Pooled:
    """Pool with the wider of the Knapp-Hartung and the normal interval: few effects can be alike by chance."""
    fine, plain = pool(estimates, variances), pool(estimates, variances, knapp_hartung=False)
    return fine if fine.high - fine.low >= plain.high - plain.low else plain


def _standard(row: dict[str, Any]) -> tuple[float, float, str]:
    """Return d on the sign of the edge, its variance, and how it was found or why it was not."""
    if not row["verified"]:
        return math.nan, math.nan, "not pooled: not verified"
    if row["design"] == "animal":
        return math.nan, math.nan, "not pooled: animals"
    if row["n_participants"] == row["n_participants"] and (row["n_participants"] or _FEWEST) < _FEWEST:
        return math.nan, math.nan, f"not pooled: fewer than {_FEWEST} persons"
    try:
        return _converted(row)
    except EvidenceError as error:
        return math.nan, math.nan, f"not pooled: {error}"


def _converted(row: dict[str, Any]) -> tuple[float, float, str]:
    metric, value = row["metric"], row["estimate"]
    n = math.nan if row["n_participants"] is None else float(row["n_participants"])
    known_n = not math.isnan(n)
    if metric == "null" and row["direction"] == "0" and known_n:
        return 0.0, d_variance(0.0, n / 2, n / 2), _NULL
    if metric == "F" and known_n and row["direction"] in ("+", "-"):
        found = f_to_d(value, n / 2, n / 2, 1 if row["direction"] == "+" else -1)
        return found.value, found.variance, "F of two equal groups (assumed) to d"
    if metric not in POOLABLE or value is None or math.isnan(value):
        return math.nan, math.nan, f"not pooled: {metric or 'no number'} cannot be converted"
    error, source = _error(row)
    sign = row["edge_sign"]
    if metric == "r":
        z = math.atanh(value)
        r = z_to_r(z, error**2)
        found = r_to_d(r.value, r.variance)
        return sign * found.value, found.variance, f"r to d, {source}"
    if metric == "OR":
        found = log_odds_to_d(math.log(value), error**2)
        return sign * found.value, found.variance, f"log OR to d, {source}"
    if metric == "g" and known_n:
        found = g_to_d(value, error**2, max(n - 2, 2))
        return sign * found.value, found.variance, f"g to d, {source}"
    return sign * value, error**2, source


def _error(row: dict[str, Any]) -> tuple[float, str]:
    """Return the standard error of a number (of z for r, of the logarithm for OR) and where it comes from."""
    metric, value = row["metric"], row["estimate"]
    scale = {"r": math.atanh, "OR": math.log}.get(metric, float)
    low, high, n, p = (
        math.nan if row[name] is None else float(row[name])
        for name in ("ci_low", "ci_high", "n_participants", "p_value")
    )
    if not math.isnan(low):
        return interval_to_error(scale(low), scale(high)), "error from its interval"
    if metric in ("d", "g") and row["se"] is not None and not math.isnan(row["se"]):
        return float(row["se"]), "error as reported"
    if n > 3:
        if metric == "r":
            return 1 / math.sqrt(n - 3), "error from n"
        if metric in ("d", "g"):
            return math.sqrt(d_variance(value, n / 2, n / 2)), "error from n, equal groups assumed"
    if 0 < p < 1 and not row["p_below"] and scale(value) != 0:
        from scipy.stats import norm

        return abs(scale(value)) / float(norm.isf(p / 2)), "error from p"
    raise EvidenceError("no interval, error, n or exact p to tell its variance")
