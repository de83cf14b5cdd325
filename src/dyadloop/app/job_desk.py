"""Jobs over HTTP: list, look, stop, resume, and what they leave: claims, comparison, answers, report."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pandas as pd
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from dyadloop.app.commands import Draws
from dyadloop.app.desk import Desk, desk, desk_of
from dyadloop.app.faults import Refused
from dyadloop.app.job import ANSWER_FILE, LOG_FILE, RESULT, Job
from dyadloop.app.requests import Body, Explorer, answer, content, explorer_of, in_thread
from dyadloop.app.security import REPORT_POLICY

FILES = {
    "report": ("report.html", "text/html; charset=utf-8"),
    "claims": ("claims.csv", "text/csv; charset=utf-8"),
    "comparison": ("comparison.csv", "text/csv; charset=utf-8"),
}
"""Files of a result that can be taken away."""
_TABLES = ("claims", "worlds", "agreement")
_LARGEST_LOG = 200_000


class More(Body):
    """To how many draws of each chain a fit goes on."""

    draws: Draws


@asynccontextmanager
async def lifespan(explorer: Explorer) -> AsyncIterator[None]:
    """Find what an earlier server left; as this one ends, its jobs are stopped safely."""
    found = desk(explorer)
    yield
    await anyio.to_thread.run_sync(found.jobs.close)


async def _all(request: Request) -> Response:
    explorer, found = explorer_of(request), desk_of(request)
    return answer(await in_thread(explorer, found.jobs.all))


async def _one(request: Request) -> Response:
    explorer, found = explorer_of(request), desk_of(request)
    return answer(await in_thread(explorer, found.jobs.shown, request.path_params["job"]))


async def _stop(request: Request) -> Response:
    return await _changed(request, desk_of(request).jobs.stop)


async def _resume(request: Request) -> Response:
    return await _changed(request, desk_of(request).jobs.resume)


async def _more(request: Request) -> Response:
    return await _changed(request, desk_of(request).jobs.more, (await content(request, More)).draws)


async def _changed(request: Request, change: Callable[..., Job], *more: int) -> Response:
    """Change a job in a thread, for a process is started or told, and return its state."""
    explorer, found, name = explorer_of(request), desk_of(request), request.path_params["job"]
    await in_thread(explorer, change, name, *more)
    return answer(await in_thread(explorer, found.jobs.shown, name))


async def _left(request: Request) -> Response:
    """Return what a finished job left, as tables."""
    explorer, found = explorer_of(request), desk_of(request)
    return answer(await in_thread(explorer, left, found, request.path_params["job"]))


async def _file(request: Request) -> Response:
    """Return a file of a result: the report in a tab of its own, or anything as a download."""
    name, found = request.path_params["file"], desk_of(request)
    if name not in FILES:
        raise Refused(404, f"file {name!r}: there is none; expected one of {', '.join(FILES)}")
    file, kind = FILES[name]
    job = request.path_params["job"]
    path = _result_file(found, job, file)
    if "download" in request.query_params or name != "report":
        return FileResponse(path, media_type=kind, filename=f"{job}-{file}")
    # the numbers of a report are links to data within it, which a sandbox keeps from being saved unless it is told
    return FileResponse(path, media_type=kind, headers={"content-security-policy": f"{REPORT_POLICY} allow-downloads"})


def left(found: Desk, name: str) -> dict[str, Any]:
    """Return what a job left: claims, comparison, tables of an assurance, the answer of a question, its messages."""
    folder, shown = found.jobs.folder(name), found.jobs.shown(name)
    result = folder / RESULT
    kept: dict[str, Any] = {"job": shown, "log": _text(folder / LOG_FILE)[-_LARGEST_LOG:]}
    if (result / "claims.json").is_file():
        kept["claims"] = json.loads(_text(result / "claims.json"))
        kept["report"] = (result / "report.html").is_file()
    if (result / "comparison.csv").is_file():
        kept["comparison"] = _rows(result / "comparison.csv")
    if shown["kind"] == "assurance":
        kept["assurance"] = {table: _rows(result / f"{table}.csv") for table in _TABLES}
    text = _text(folder / ANSWER_FILE)
    try:
        kept["answer"] = json.loads(text)
    except json.JSONDecodeError:
        kept["printed"] = text[-_LARGEST_LOG:]
    return kept


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    try:
        rows = pd.read_csv(path, keep_default_na=False, na_values=[""])
    except pd.errors.EmptyDataError:
        return []
    return [{str(key): value for key, value in row.items()} for row in rows.to_dict("records")]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _result_file(found: Desk, job: str, file: str) -> Path:
    path = found.jobs.folder(job) / RESULT / file
    if not path.is_file() or path.is_symlink():
        raise Refused(404, f"{job}: has no {file}; expected a job that has ended well; wait for it, or resume it")
    return path


ROUTES = (
    Route("/api/jobs", _all),
    Route("/api/jobs/{job}", _one),
    Route("/api/jobs/{job}/stop", _stop, methods=["POST"]),
    Route("/api/jobs/{job}/resume", _resume, methods=["POST"]),
    Route("/api/jobs/{job}/more", _more, methods=["POST"]),
    Route("/api/jobs/{job}/left", _left),
    Route("/api/jobs/{job}/files/{file}", _file),
)
