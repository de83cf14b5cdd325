"""An import over HTTP: how files are understood, each guess with its reason; a preview; then the study folder."""

import json
import threading
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dyadloop.app.desk import Desk, desk_of
from dyadloop.app.faults import Refused
from dyadloop.app.import_form import form
from dyadloop.app.requests import Body, answer, content, explorer_of, in_thread
from dyadloop.app.uploads import sources
from dyadloop.exchange import FORMATS, Imported, Plan, carried_out, plan_import, settled
from dyadloop.exchange.build import built
from dyadloop.exchange.grid import KINDS, Remark
from dyadloop.exchange.importing import account
from dyadloop.exchange.mapping import ASK
from dyadloop.files import write_text
from dyadloop.measures.questionnaires import instruments
from dyadloop.theory import PRESETS

_SHOWN = 8
_MAPPING = ".import.yaml"
Value = str | bool | int | float | None | list[str | int | float]


class Asked(Body):
    """How an upload is to be read.

    ``answers`` holds places of the mapping and what to write there; ``text`` is a whole mapping in place of a guess.
    """

    name: Annotated[str, Field(max_length=60)]
    answers: Annotated[dict[str, Value], Field(default_factory=dict, max_length=2000)]
    text: Annotated[str, Field(max_length=500_000)] | None = None
    format: str | None = None


_WRITING = threading.Lock()


async def _plan(request: Request) -> Response:
    found, asked = desk_of(request), await content(request, Asked)
    upload = request.path_params["upload"]
    return answer(await in_thread(explorer_of(request), lambda: _form(found, upload, asked)))


async def _preview(request: Request) -> Response:
    found, asked = desk_of(request), await content(request, Asked)
    upload = request.path_params["upload"]
    return answer(await in_thread(explorer_of(request), lambda: preview(planned(found, upload, asked))))


async def _write(request: Request) -> Response:
    found, asked = desk_of(request), await content(request, Asked)
    upload = request.path_params["upload"]
    return answer(await in_thread(explorer_of(request), lambda: imported(found, upload, asked)))


async def _formats(_: Request) -> Response:
    return answer([{"id": one.id, "title": one.title, "endings": one.endings} for one in FORMATS.values()])


def _form(found: Desk, upload: str, asked: Asked) -> dict[str, Any]:
    """Return the form of a mapping, and whether a study of that name is brought up to date."""
    plan = planned(found, upload, asked)
    return {**form(plan), "updates": found.new_study(asked.name).exists()}


def planned(found: Desk, upload: str, asked: Asked) -> Plan:
    """Return how an upload would be read.

    Raises
    ------
    DataError
        If a file cannot be read, or the mapping has faults.
    Refused
        If there is no such upload, or the mapping names a file of this machine.
    """
    folder, target = found.upload(upload), found.new_study(asked.name)
    files = sources(folder)
    if asked.format is not None and asked.format not in FORMATS:
        raise Refused(400, f"format {asked.format[:40]!r}: expected one of {', '.join(FORMATS)}; choose one of them")
    if asked.text is None:
        plan = plan_import(files, target, None, None, asked.format)
    else:
        write_text(folder / _MAPPING, asked.text)
        plan = plan_import(files, target, folder / _MAPPING)
    if asked.answers:
        # what JSON holds, YAML reads as the same: no text of a page becomes a key or a tag
        plan = settled(plan, {place: json.dumps(value, ensure_ascii=False) for place, value in asked.answers.items()})
    _refuse_files(plan)
    return plan


def _refuse_files(plan: Plan) -> None:
    """Refuse a mapping that names files of this machine; on the command line it may."""
    known = instruments()
    for table in plan.mapping.tables:
        for name, score in table.scores.items():
            if score.instrument is not None and score.instrument not in known:
                raise Refused(
                    400, f"scores.{name}.instrument: got {score.instrument!r}; expected a shipped questionnaire; use "
                    "dyadloop import for a key of your own"
                )  # fmt: skip
    if plan.mapping.study.theory not in PRESETS:
        got = plan.mapping.study.theory
        raise Refused(400, f"study.theory: got {got!r}; expected one of {', '.join(PRESETS)}; choose one of them")


def preview(plan: Plan) -> dict[str, Any]:
    """Return what an import would make, without writing: the first rows, and the account of every cell."""
    _refuse_open(plan)
    made = built(plan.mapping, plan.grids)
    remarks = [remark for ledger in made.ledgers for remark in ledger.remarks]
    tables = {"persons": made.participants, "sessions": made.sessions, "values": made.values}
    return {
        "counts": {name: len(table) for name, table in tables.items()},
        "rows": {name: _first(table) for name, table in tables.items()},
        "tables": [account(ledger) for ledger in made.ledgers],
        "remarks": grouped(remarks),
    }  # fmt: skip


def _first(table: pd.DataFrame) -> dict[str, Any]:
    kept = table.drop(columns=[name for name in ("part", "row") if name in table.columns])
    return {"columns": [str(name) for name in kept.columns], "rows": kept.head(_SHOWN).astype(str).to_numpy().tolist()}


def imported(found: Desk, upload: str, asked: Asked) -> dict[str, Any]:
    """Write the study and return where it is and what became of every cell."""
    with _WRITING:
        plan = planned(found, upload, asked)
        _refuse_open(plan)
        done: Imported = carried_out(plan, found.new_study(asked.name))
    target = Path(done.path).resolve()
    found.clear(found.upload(upload))
    key = next(place.key for place in found.places() if place.path == target)
    return {
        "key": key, "news": str(done.news), "tables": done.counts, "remarks": grouped(done.remarks),
        "doubts": [str(one) for one in done.doubts],
    }  # fmt: skip


def grouped(remarks: list[Remark]) -> list[dict[str, Any]]:
    """Return what became of cells, those alike in one entry, in the order of the kinds."""
    groups: dict[tuple[str, str, str | None, str], list[Remark]] = {}
    for remark in remarks:
        groups.setdefault((remark.kind, remark.file, remark.column, remark.why), []).append(remark)
    order = {kind: number for number, kind in enumerate(KINDS)}
    return [
        {
            "kind": kind, "meaning": KINDS[kind], "place": group[0].place, "text": group[0].text[:120], "why": why,
            "cells": sum(one.cells for one in group),
        }
        for (kind, _, _, why), group in sorted(groups.items(), key=lambda pair: order[pair[0][0]])
    ]  # fmt: skip


def _refuse_open(plan: Plan) -> None:
    if plan.open:
        asked = "; ".join(f"{place}: {what}" for place, what in plan.open)
        raise Refused(409, f"{len(plan.open)} questions are open, got {ASK!r}; expected answers: {asked}; fill them in")


ROUTES = (
    Route("/api/formats", _formats),
    Route("/api/imports/{upload}/plan", _plan, methods=["POST"]),
    Route("/api/imports/{upload}/preview", _preview, methods=["POST"]),
    Route("/api/imports/{upload}/write", _write, methods=["POST"]),
)
