"""Studies over HTTP: which are opened, what is in them, what is wrong with them, and what is started on them."""

from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dyadloop.app.commands import Claims, Compare, Fit, Measure
from dyadloop.app.desk import Desk, Place, desk_of
from dyadloop.app.requests import Body, answer, content, explorer_of, in_thread
from dyadloop.app.study_map import study_map
from dyadloop.data import Study, read_study, summarise, unmeasured
from dyadloop.errors import DataError, Fault
from dyadloop.measures import doubts, doubts_beside
from dyadloop.theory import linear_form, read_theory

_TITLES = {"fit": "fit", "compare": "comparison of hypotheses", "measure": "scores from raw files", "claims": "claims"}


class Started(Body):
    """A command on a study."""

    ask: Annotated[Fit | Compare | Measure | Claims, Field(discriminator="kind")]


async def _all(request: Request) -> Response:
    found, explorer = desk_of(request), explorer_of(request)
    return answer(await in_thread(explorer, listed, found))


async def _one(request: Request) -> Response:
    found, key = desk_of(request), request.path_params["study"]
    return answer(await in_thread(explorer_of(request), lambda: looked_at(found.place(key))))


async def _map(request: Request) -> Response:
    found, key = desk_of(request), request.path_params["study"]
    return answer(await in_thread(explorer_of(request), lambda: study_map(_study(found.place(key).path))))


async def _start(request: Request) -> Response:
    found, asked = desk_of(request), (await content(request, Started)).ask
    return answer(await in_thread(explorer_of(request), started, found, request.path_params["study"], asked))


def started(found: Desk, key: str, asked: Fit | Compare | Measure | Claims) -> dict[str, Any]:
    """Start a command on a study, or let it wait, and return its state."""
    place = found.place(key)
    info = read_study(place.path, measured=False).info
    total = asked.total if isinstance(asked, Fit) else 0
    title, words = f"{info.name}: {_TITLES[asked.kind]}", asked.words(place.path)
    job = found.jobs.start(asked.kind, place.key, title, words, total=total, simulated=bool(info.simulated))
    return found.jobs.shown(job.id)


def listed(found: Desk) -> list[dict[str, Any]]:
    """Return the studies that may be read, by name and place."""
    return [
        {"key": place.key, "name": place.path.name, "path": str(place.path), "opened": place.opened}
        for place in found.places()
    ]


def looked_at(place: Place) -> dict[str, Any]:
    """Return what is in a study and what is doubtful, or all its faults and the doubts about what is sound."""
    base: dict[str, Any] = {"key": place.key, "path": str(place.path), "opened": place.opened}
    try:
        study = _study(place.path)
    except DataError as error:
        doubted = _told(doubts_beside(error))
        return base | {"name": place.path.name, "faults": _told(error.faults), "doubts": doubted, "sound": False}
    waiting = unmeasured(study)
    return base | {
        "name": study.info.name, "title": study.info.title, "licence": study.info.licence, "source": study.info.source,
        "simulated": bool(study.info.simulated), "theory": study.info.theory, "faults": [], "sound": True,
        "doubts": _told(doubts(study)), "summary": asdict(summarise(study)), "unmeasured": waiting,
        "measures": list(study.info.measures), "hypotheses": _hypotheses(study),
    }  # fmt: skip


def _study(path: Path) -> Study:
    """Return a study, read again only where one of its files has changed."""
    changed = [(file.name, file.stat().st_mtime_ns, file.stat().st_size) for file in sorted(path.glob("*.*"))]
    return _read(path, tuple(changed))


@lru_cache(maxsize=4)
def _read(path: Path, _: tuple[tuple[str, int, int], ...]) -> Study:
    """Return a study; one with raw files that are not measured yet has no table of measurements."""
    waits = not (path / "measurements.tsv").exists() and bool(read_study(path, measured=False).info.measures)
    return read_study(path, measured=not waits)


def _told(found: list[Any] | tuple[Fault, ...]) -> list[dict[str, Any]]:
    return [{**vars(entry), "place": entry.place, "text": str(entry)} for entry in found]


def _hypotheses(study: Study) -> list[dict[str, str]]:
    """Return the rivals of the study's theory in the form that is fitted."""
    theory = linear_form(read_theory(study.info.theory, study.path))
    return [{"name": rival.name, "title": rival.title} for rival in theory.hypotheses]


ROUTES = (
    Route("/api/studies", _all),
    Route("/api/studies/{study}", _one),
    Route("/api/studies/{study}/map", _map),
    Route("/api/studies/{study}/jobs", _start, methods=["POST"]),
)
