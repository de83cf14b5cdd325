"""Plans over HTTP: a design as a form, its faults, what it can tell, what simulated studies come to, and a draft."""

from pathlib import Path
from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dyadloop.app.commands import Assurance, Frontier, Identifiability
from dyadloop.app.desk import DESIGNS as FOLDER
from dyadloop.app.desk import Desk, checked_name, desk_of
from dyadloop.app.faults import Refused
from dyadloop.app.job import DONE, RESULT
from dyadloop.app.requests import Body, answer, content, explorer_of, in_thread
from dyadloop.files import write_text
from dyadloop.theory import PRESETS


class Content(Body):
    """A design as the form has it."""

    design: dict[str, Any]


class Asked(Content):
    """A question about a design: what it can tell, what simulated studies come to, or where to spend."""

    identifiability: Identifiability | None = None
    assurance: Assurance | None = None
    frontier: Frontier | None = None


class Drafted(Content):
    """A registration draft, with the tables of an assurance where one was made."""

    assurance: str | None = Field(default=None, max_length=80)


async def _listed(request: Request) -> Response:
    return answer(await in_thread(explorer_of(request), listed))


async def _shipped(request: Request) -> Response:
    return answer(await in_thread(explorer_of(request), shipped, request.path_params["design"]))


async def _check(request: Request) -> Response:
    asked = await content(request, Content)
    return answer(await in_thread(explorer_of(request), checked, asked.design))


async def _ask(request: Request) -> Response:
    found, asked = desk_of(request), await content(request, Asked)
    given = {name: one for name in ("identifiability", "assurance", "frontier") if (one := getattr(asked, name))}
    if len(given) != 1:
        raise Refused(400, f"request: {len(given)} questions; expected one of {', '.join(Asked.model_fields)}")
    (kind, question), explorer = next(iter(given.items())), explorer_of(request)
    path = await in_thread(explorer, saved, found, asked.design)
    titles = {"identifiability": "what it can tell", "assurance": "simulated studies", "frontier": "where to spend"}
    title = f"{path.stem}: {titles[kind]}"
    job = found.jobs.start(kind, path.stem, title, question.words(path), simulated=kind == "assurance")
    return answer(found.jobs.shown(job.id))


async def _draft(request: Request) -> Response:
    found, asked = desk_of(request), await content(request, Drafted)
    return answer(await in_thread(explorer_of(request), drafted, found, asked))


def listed() -> list[dict[str, Any]]:
    """Return the shipped designs with what they take."""
    from dyadloop.design import DESIGNS, effort, read_design

    found = [(name, read_design(name)) for name in DESIGNS]
    return [
        {
            "name": name, "title": design.title, "question": design.question, "source": design.source,
            "dyads": design.dyads, "sessions_each": design.sessions.count, "events": list(design.events),
            "samples": effort(design).samples, "cost": effort(design).cost, "currency": design.costs.currency,
        }
        for name, design in found
    ]  # fmt: skip


def shipped(name: str) -> dict[str, Any]:
    """Return a shipped design as the form has it, with the words that the form offers."""
    from dyadloop.design import DESIGNS, read_design

    if name not in DESIGNS:
        raise Refused(404, f"design {name[:60]!r}: there is none; expected one of {', '.join(DESIGNS)}")
    return {"design": read_design(name).model_dump(mode="json"), **offered()}


def offered() -> dict[str, Any]:
    """Return what may stand in a design: quantities, events and hypotheses of the framework, and claims."""
    from dyadloop.theory import linear_form, read_theory

    theory = linear_form(read_theory("framework"))
    events = sorted({entry.event for entry in theory.inputs if entry.kind == "event" and entry.event})
    components = [variable.id for variable in theory.of_kind("component")]
    claims = [f"C{number}.{name}" for number in (1, 2, 3) for name in components]
    return {
        "quantities": sorted({variable.measured_as for variable in theory.variables if variable.kind != "factor"}),
        "events": events, "hypotheses": [{"name": one.name, "title": one.title} for one in theory.hypotheses],
        "theories": list(PRESETS), "claims": claims,
    }  # fmt: skip


def checked(design: dict[str, Any]) -> dict[str, Any]:
    """Return what a design takes and its file; all faults at once are the error."""
    from dyadloop.design import design_text, effort

    found = _design(design)
    return {"effort": vars(effort(found)), "currency": found.costs.currency, "text": design_text(found)}


def saved(found: Desk, design: dict[str, Any]) -> Path:
    """Write a design where commands find it; the file carries its name."""
    from dyadloop.design import design_text

    checked_one = _design(design)
    path = found.work / FOLDER / f"{checked_name(checked_one.name)}.yaml"
    write_text(path, design_text(checked_one))
    return path


def drafted(found: Desk, asked: Drafted) -> dict[str, str]:
    """Return the draft of a registration, with the numbers of an assurance of the same design."""
    from dyadloop.design import as_markdown, registration

    design = _design(asked.design)
    tables = () if asked.assurance is None else _tables_of(found, asked.assurance, design.name)
    return {"name": f"{checked_name(design.name)}-registration.md", "text": as_markdown(registration(design, *tables))}


def _tables_of(found: Desk, job: str, name: str) -> tuple[Any, ...]:
    """Return the tables of claims and worlds of an assurance, as data frames."""
    import pandas as pd

    shown, folder = found.jobs.shown(job), found.jobs.folder(job) / RESULT
    if shown["kind"] != "assurance" or shown["about"] != name or shown["state"] != DONE:
        raise Refused(
            409, f"job {job[:60]!r}: no finished assurance of {name!r}; expected one; wait until it has ended"
        )
    return tuple(pd.read_csv(folder / f"{table}.csv") for table in ("claims", "worlds"))


def _design(design: dict[str, Any]) -> Any:  # noqa: ANN401 - a design; the room is slow to import
    from dyadloop.design.reader import design_of

    analysis = design.get("analysis")
    named = analysis.get("theory", "framework") if isinstance(analysis, dict) else "framework"
    if named not in PRESETS:
        raise Refused(400, f"analysis.theory: got {str(named)[:60]!r}; expected one of {', '.join(PRESETS)}")
    return design_of({"schema_version": 1, **design})


ROUTES = (
    Route("/api/designs", _listed),
    Route("/api/designs/{design}", _shipped),
    Route("/api/plans/check", _check, methods=["POST"]),
    Route("/api/plans/ask", _ask, methods=["POST"]),
    Route("/api/plans/registration", _draft, methods=["POST"]),
)
