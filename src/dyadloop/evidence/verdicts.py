"""The claims of the theory by published evidence alone, without any data of one's own."""

import math
from typing import Any

import pandas as pd

from dyadloop.evidence.edges import Edge, edge_evidence
from dyadloop.theory import Theory

COLUMNS = (
    "claim", "statement", "arrow", "rows", "verified", "studies", "replications",
    "positive", "null", "negative", "mixed",
    "pooled_d", "low", "high", "predict_low", "predict_high", "reading", "ids",
)  # fmt: skip
"""Columns of the table of claims by evidence alone."""
_FEW = 2
_BEYOND = "a table of single arrows cannot tell; it takes data"


def evidence_claims(theory: Theory, table: pd.DataFrame | None = None) -> pd.DataFrame:
    """Say what published evidence alone says about each claim.

    Parameters
    ----------
    theory
        Theory with claims C1 to C7.
    table
        Evidence table; default: the shipped one.

    Returns
    -------
    pandas.DataFrame
        One row per claim and arrow, with the number of rows and studies, registered replications, directions, the
        pooled d with its 95 % interval and that of a new setting, and a reading in words. A claim that no arrow alone
        can show says so.

    Notes
    -----
    A reading is about the arrow in the settings that were studied. No reading supports a claim about therapy. "For it"
    needs two intervals that leave out zero: the Bayesian one, which is shown, and that of REML with Knapp-Hartung. Few
    studies of different quality often have one without the other; then an effect cannot be told from zero.

    Examples
    --------
    >>> claims = dl.evidence_claims(dl.framework()).set_index("claim")
    >>> claims.loc["C2.empathy", "reading"]
    'cannot be told from zero; results conflict (6 for, 1 null or mixed, 1 against)'
    """
    components = [(v.id, v.label) for v in theory.of_kind("component")]
    symptoms = [(v.id, v.label) for v in theory.of_kind("symptom")]
    rows = []
    for name, label in components:
        rows.append(_row(f"C1.{name}", f"{label} raises oxytocin", edge_evidence(name, "oxytocin", table), 1))
        rows.append(_row(f"C2.{name}", f"Oxytocin raises {label.lower()}", edge_evidence("oxytocin", name, table), 1))
        rows.append(_reciprocal(name, label, rows[-2], rows[-1]))
    for source, label in components:
        for target, other in components:
            found = edge_evidence(source, target, table)
            if len(found.rows):
                rows.append(_row(f"C4.{source}.{target}", f"{label} raises {other.lower()}", found, 1))
    if not any(row["claim"].startswith("C4") for row in rows):
        rows.append(
            _untold("C4", "Raising one component raises the others", "no row leads from component to component")
        )
    for claim, statement in (
        ("C5", "The cycle through oxytocin reinforces itself"),
        ("C6", "Components enhance oxytocin together more than one by one"),
    ):
        rows.append(_untold(claim, statement, _BEYOND))
    for name, label in symptoms:
        word = label.lower()
        rows.append(
            _row(f"C7.{name}.oxytocin", f"Oxytocin relieves {word}", edge_evidence("oxytocin", name, table), -1)
        )
        for source in ("alliance", *(c for c, _ in components)):
            found = edge_evidence(source, name, table)
            if len(found.rows):
                statement = f"{source.capitalize()} relieves {word}"
                rows.append(_row(f"C7.{name}.components", statement, found, -1))
        rows.append(_untold(f"C7.{name}.mediated", f"The relief of {word} runs through oxytocin", _BEYOND))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(claim: str, statement: str, found: Edge, sign: int) -> dict[str, Any]:
    rows, pooled = found.rows, found.pooled
    verified = rows[rows["verified"]]
    counts = found.directions
    record: dict[str, Any] = dict.fromkeys(COLUMNS)
    record |= {
        "claim": claim,
        "statement": statement,
        "arrow": f"{found.edge[0]} -> {found.edge[1]}",
        "rows": len(rows),
        "verified": len(verified),
        "studies": int(pd.to_numeric(verified["k_studies"], errors="coerce").fillna(1).sum()),
        "replications": int((verified["design"] == "registered replication").sum()),
        "positive": counts["+"],
        "null": counts["0"],
        "negative": counts["-"],
        "mixed": counts["mixed"],
        "reading": _reading(found, sign),
        "ids": ", ".join(rows["id"]),
    }
    if pooled is not None and found.bayes is not None and found.studies["reported"].any():
        record |= {"pooled_d": found.bayes.mean}
        if pooled.k > 1:
            record |= {"low": found.bayes.low, "high": found.bayes.high}
            record |= {"predict_low": found.bayes.predict_low, "predict_high": found.bayes.predict_high}
    return record


def _reading(found: Edge, sign: int) -> str:
    """Return what the evidence on an arrow amounts to; ``sign`` is the direction that the claim needs."""
    counts = found.directions
    told = counts["+"] + counts["-"]
    if not sum(counts.values()):
        return "nothing published and verified here"
    with_claim, against = (counts["+"], counts["-"]) if sign > 0 else (counts["-"], counts["+"])
    if found.bayes is not None and found.pooled is not None and found.pooled.k > 1 and found.studies["reported"].any():
        ends = [sorted((sign * part.low, sign * part.high)) for part in (found.bayes, found.pooled)]
        if all(low > 0 for low, _ in ends):
            word = "for it" if with_claim > against + counts["0"] else "for it on average, with nulls or reversals"
            return f"{word}; {_new_setting(found, sign)}"
        if all(high < 0 for _, high in ends):
            return "against it"
        return f"cannot be told from zero; {_conflict(with_claim, against, counts)}"
    if told + counts["0"] < _FEW:
        return "a single result; too little to read"
    few = "one number" if found.bayes is not None and found.studies["reported"].any() else "no numbers"
    return f"{few}, nothing to pool; {_conflict(with_claim, against, counts)}"


def _conflict(with_claim: int, against: int, counts: dict[str, int]) -> str:
    others = counts["0"] + counts["mixed"]
    if with_claim and (against or others):
        return f"results conflict ({with_claim} for, {others} null or mixed, {against} against)"
    if with_claim:
        return f"{with_claim} results for it"
    return f"{others} null or mixed, {against} against"


def _new_setting(found: Edge, sign: int) -> str:
    assert found.bayes is not None
    low = min(sign * found.bayes.predict_low, sign * found.bayes.predict_high)
    return "a new setting could find nothing" if low <= 0 else "a new setting is expected to find it too"


def _reciprocal(name: str, label: str, there: dict[str, Any], back: dict[str, Any]) -> dict[str, Any]:
    good = [row["reading"].startswith("for it") for row in (there, back)]
    if all(good):
        reading = "both arrows are for it, in different studies"
    elif any(good):
        reading = f"only {(there if good[0] else back)['arrow']} is for it; reciprocity needs both"
    else:
        reading = "neither arrow is for it"
    record = _untold(f"C3.{name}", f"{label} and oxytocin strengthen each other", reading)
    return record | {"arrow": f"{name} <-> oxytocin", "rows": there["rows"] + back["rows"]}


def _untold(claim: str, statement: str, reading: str) -> dict[str, Any]:
    return dict.fromkeys(COLUMNS) | {
        "claim": claim,
        "statement": statement,
        "reading": reading,
        "rows": 0,
        "pooled_d": math.nan,
    }
