"""Published evidence over HTTP: the rows, each arrow pooled with its forest plot, the map, and what claims come to."""

import math
from dataclasses import asdict
from functools import cache
from typing import Any

import pandas as pd
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dyadloop.app.faults import Refused
from dyadloop.app.requests import answer, explorer_of, in_thread
from dyadloop.evidence import Edge, edge_evidence, evidence_claims, leave_one_out, published_effects
from dyadloop.evidence.table import CONCEPTS, DESIGNS
from dyadloop.theory import read_theory

_TEXT = (
    "id", "edge_from", "edge_to", "design", "population", "metric", "direction", "moderators", "doi", "citation",
    "seen", "notes",
)  # fmt: skip
_NUMBERS = ("estimate", "ci_low", "ci_high", "n_participants", "k_studies", "p_value")
_Z = 1.959963984540054
"""97.5 % point of the normal distribution."""


async def _whole(request: Request) -> Response:
    return answer(await in_thread(explorer_of(request), whole))


async def _arrow(request: Request) -> Response:
    source, target = (request.query_params.get(name, "") for name in ("from", "to"))
    return answer(await in_thread(explorer_of(request), arrow, source, target))


async def _claims(request: Request) -> Response:
    return answer(await in_thread(explorer_of(request), claims))


@cache
def whole() -> dict[str, Any]:
    """Return all rows, and of each arrow how many there are, their directions and the pooled d."""
    table = published_effects()
    arrows = [
        _counted(edge_evidence(source, target, table))
        for source in CONCEPTS
        for target in CONCEPTS
        if ((table["edge_from"] == source) & (table["edge_to"] == target)).any()
    ]
    return {"rows": _records(table), "arrows": arrows, "concepts": list(CONCEPTS), "designs": list(DESIGNS)}


def arrow(source: str, target: str) -> dict[str, Any]:
    """Return the evidence on one arrow: its rows on one metric, what is pooled, and what could not be and why.

    Raises
    ------
    Refused
        If no row is about it.
    """
    found = edge_evidence(source, target, published_effects())
    if found.rows.empty:
        raise Refused(404, f"arrow {source[:40]!r} to {target[:40]!r}: no row; expected one of the map; choose another")
    pooled = None if found.pooled is None else asdict(found.pooled)
    bayes = None if found.bayes is None else asdict(found.bayes)
    return {
        **_counted(found), "pooled": pooled, "bayes": bayes, "studies": _studies(found), "rows": _records(found.rows),
        "without_one": _without_one(found),
    }  # fmt: skip


@cache
def claims() -> list[dict[str, Any]]:
    """Return what published evidence alone says of each claim of the framework."""
    table = evidence_claims(read_theory("framework"), published_effects())
    return [_plain(row) for row in table.to_dict("records")]


def _counted(found: Edge) -> dict[str, Any]:
    told = found.bayes is not None and len(found.studies) > 1 and bool(found.studies["reported"].any())
    return {
        "from": found.edge[0], "to": found.edge[1], "n_rows": len(found.rows), "n_pooled": len(found.studies),
        "verified": int(found.rows["verified"].sum()), "directions": found.directions,
        "pooled_d": found.bayes.mean if told and found.bayes is not None else None,
    }  # fmt: skip


def _studies(found: Edge) -> list[dict[str, Any]]:
    """Return the studies of a forest plot: effect, 95 % interval, weight in the pooled effect."""
    if found.pooled is None:
        return []
    weights = 1 / (found.studies["variance"] + found.pooled.tau2)
    shares = weights / weights.sum()
    return [
        {
            "ids": row["ids"], "citation": row["citation"], "d": row["d"], "reported": bool(row["reported"]),
            "low": row["d"] - _Z * math.sqrt(row["variance"]), "high": row["d"] + _Z * math.sqrt(row["variance"]),
            "weight": float(share),
        }
        for row, share in zip(found.studies.to_dict("records"), shares, strict=True)
    ]  # fmt: skip


def _without_one(found: Edge) -> dict[str, float] | None:
    """Return between which values the pooled effect lies where one publication is left out."""
    if found.pooled is None or found.pooled.k <= 2:
        return None
    rest = leave_one_out(found.studies["d"], found.studies["variance"], found.studies["ids"])
    return {"low": float(rest["estimate"].min()), "high": float(rest["estimate"].max())}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    further = [name for name in ("d", "variance", "how") if name in table.columns]
    columns = [*_TEXT, *_NUMBERS, "verified", *further]
    return [_plain(row) for row in table[columns].to_dict("records")]


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    return {str(key): None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}


ROUTES = (
    Route("/api/evidence", _whole),
    Route("/api/evidence/arrow", _arrow),
    Route("/api/evidence/claims", _claims),
)
