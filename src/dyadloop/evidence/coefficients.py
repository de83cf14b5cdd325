"""From pooled effects to priors of a theory's coefficients: discounts and scale, all of it written down.

Nothing here is a law. A laboratory dose in healthy men is not a session of therapy, and an effect on a questionnaire is
not a rate per hour: every step is an assumption with its number, which a user can change.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import pandas as pd

from dyadloop.errors import EvidenceError
from dyadloop.evidence.edges import Edge, edge_evidence
from dyadloop.theory import Theory

PriorSet = Literal["evidence", "sceptical", "flat"]
_FLAT = 5.0
_SD_LOG_OXYTOCIN = 0.5


@dataclass(frozen=True)
class Discount:
    """How far published effects are trusted, and on which scale they act (all assumed).

    Attributes
    ----------
    shrink
        Share of a pooled effect that is kept: registered replications of psychology find about half. The SD is kept
        whole, so that distrust never makes a prior narrower.
    indirect_sd
        SD that is added because the setting was another one [d].
    hours
        Hours for which a dose raises oxytocin by one unit: a rate per hour is d over this.
    log_oxytocin_sd
        SD of log oxytocin that a correlation with it is scaled by [log ratio].
    """

    shrink: float = 0.5
    indirect_sd: float = 0.2
    hours: float = 1.0
    log_oxytocin_sd: float = _SD_LOG_OXYTOCIN

    def __post_init__(self) -> None:
        if not (0 <= self.shrink <= 1 and self.indirect_sd >= 0 and self.hours > 0 and self.log_oxytocin_sd > 0):
            raise EvidenceError(f"{self}: expected shrink in 0..1, indirect_sd >= 0, hours and log_oxytocin_sd above 0")


def candidates(source: str, target: str, kinds: dict[str, str]) -> list[tuple[tuple[str, str], int, str]]:
    """Return the arrows whose evidence may speak for a coupling, nearest first: edge, sign, what is assumed by it."""
    found = [((source, target), 1, "")]
    if kinds[target] == "symptom" and kinds[source] == "component":
        found.append(((source, "outcome"), -1, "outcome stands for all symptoms"))
        found.append((("alliance", target), 1, "the alliance stands for its components"))
        found.append((("alliance", "outcome"), -1, "the alliance stands for its components, outcome for all symptoms"))
    if kinds[source] == "symptom" and kinds[target] == "component":
        found.append(((source, "alliance"), 1, "the alliance stands for its components"))
    return found


def coefficient_priors(
    theory: Theory, kind: PriorSet = "evidence", discount: Discount | None = None, table: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return priors of the couplings of a linear theory.

    Parameters
    ----------
    theory
        Theory in its linear form.
    kind
        ``evidence``: pooled predictive distribution, discounted and scaled; where nothing can be pooled, the sceptical
        prior. ``sceptical``: that of the theory file, centred on 0. ``flat``: the same, five times as wide.
    discount
        Discounts and scales of ``evidence``.
    table
        Evidence table; default: the shipped one.

    Returns
    -------
    pandas.DataFrame
        Index ``parameter``; ``family``, ``location``, ``scale``, ``unit``, ``source`` (ids and every assumption).

    Raises
    ------
    EvidenceError
        If the set does not exist.
    """
    if kind not in ("evidence", "sceptical", "flat"):
        raise EvidenceError(f"prior set {kind!r} does not exist; expected evidence, sceptical or flat")
    used = discount or Discount()
    kinds = {variable.id: variable.kind for variable in theory.variables}

    @cache
    def found(edge: tuple[str, str]) -> Edge:
        return edge_evidence(*edge, table)

    rows = {}
    for coupling in theory.active().couplings:
        number, prior = coupling.coefficient, coupling.coefficient.prior
        if prior is None or prior.family != "normal":
            continue
        row = ("normal", prior.location, prior.scale, number.unit, number.source)
        if kind == "flat":
            row = (
                "normal",
                0.0,
                _FLAT * prior.scale,
                number.unit,
                "assumed: flat, five times the width of the theory's",
            )
        elif kind == "evidence" and len(coupling.sources) == 1:
            row = _from_evidence(
                coupling.sources[0], coupling.target, coupling.sign, number.unit, kinds, used, found, prior.scale
            )
        rows[coupling.id] = row
    columns = ["family", "location", "scale", "unit", "source"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("parameter")


def _from_evidence(
    source: str,
    target: str,
    sign: int,
    unit: str,
    kinds: dict[str, str],
    discount: Discount,
    found_on: Callable[[tuple[str, str]], Edge],
    sceptical: float,
) -> tuple[str, float, float, str, str]:
    seen: list[str] = []
    for edge, turned, meaning in candidates(source, target, kinds):
        found = found_on(edge)
        seen += found.rows["id"].tolist()
        if found.bayes is None:
            continue
        location, scale, words = _scaled(found, turned * sign, unit, kinds[target] == "oxytocin", discount)
        ids = ", ".join(found.used)
        assumed = "; ".join(part for part in (meaning, words) if part)
        return "normal", location, scale, unit, f"evidence: {ids}; assumed: {assumed}"
    ids = f" (rows {', '.join(seen)})" if seen else ""
    why = f"assumed: no published number can be pooled for {source} -> {target}{ids}; sceptical, centred on 0"
    return "normal", 0.0, sceptical, unit, why


def _scaled(found: Edge, sign: int, unit: str, to_oxytocin: bool, discount: Discount) -> tuple[float, float, str]:
    """Return location and scale of a coefficient, and the assumptions in words."""
    assert found.bayes is not None
    d = discount.shrink * found.bayes.predict_mean
    sd = math.hypot(found.bayes.predict_sd, discount.indirect_sd)
    words = f"{discount.shrink:g} of the pooled effect is kept, SD {discount.indirect_sd:g} added for another setting"
    if unit == "1/h":
        factor, scale = 1 / discount.hours, f"one d acts over {discount.hours:g} h of raised oxytocin"
    else:
        slope = 4 / (d**2 + 4) ** 1.5
        factor = discount.log_oxytocin_sd if to_oxytocin else 1.0
        d, sd = d / math.sqrt(d**2 + 4), sd * slope
        scale = (
            f"a correlation times the SD of log oxytocin, {factor:g}"
            if to_oxytocin
            else "a correlation is a slope per SD"
        )
    return sign * factor * d + 0.0, factor * sd, f"{words}; {scale}"
