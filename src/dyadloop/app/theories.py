"""Theories for the pages: which there are, reading one that a person brings, and all that a page shows of one."""

import hashlib
from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dyadloop.app.faults import Refused
from dyadloop.app.requests import Body, Explorer, answer, content, explorer_of, in_thread
from dyadloop.app.theory_content import described
from dyadloop.theory import PRESETS, Theory, hypothesis, parse_theory, patient_only, read_theory, switch_on

_BROUGHT, _KEPT = 30, 60


class Choice(Body):
    """A theory as a page names it."""

    theory: Annotated[str, Field(max_length=200)] = "framework"
    hypothesis: str | None = None
    on: tuple[str, ...] = ()
    patient_only: bool = False


class Brought(Body):
    """A theory file that a person brings."""

    name: Annotated[str, Field(max_length=200)]
    text: Annotated[str, Field(max_length=1_000_000)]


def chosen(explorer: Explorer, choice: Choice) -> Theory:
    """Return a theory with a hypothesis and switches, the same object as long as it is in use.

    Raises
    ------
    Refused
        If it was brought to an earlier server.
    TheoryError
        If there is no such theory, hypothesis or switch.
    """
    known: dict[tuple, Theory] = explorer.kept.setdefault("chosen", {})
    key = (choice.theory, choice.hypothesis, choice.on, choice.patient_only)
    if key not in known:
        found = _restricted(_source(explorer, choice.theory), choice)
        while len(known) >= _KEPT:
            known.pop(next(iter(known)), None)
        known[key] = found
    return known[key]


def _source(explorer: Explorer, name: str) -> Theory:
    brought = explorer.kept.setdefault("brought", {})
    if name in brought:
        return brought[name]
    if name.startswith("file-"):
        raise Refused(404, f"{name}: no such file here; expected one brought to this server; choose the file again")
    if name not in PRESETS:  # a path would let a page read any file
        raise Refused(404, f"{name}: no such theory; expected one of {', '.join(PRESETS)}; choose a file instead")
    return read_theory(name)


def _restricted(theory: Theory, choice: Choice) -> Theory:
    theory = hypothesis(choice.hypothesis, theory) if choice.hypothesis else theory
    theory = switch_on(theory, *choice.on) if choice.on else theory
    return patient_only(theory) if choice.patient_only else theory


async def _list(_: Request) -> Response:
    return answer({"presets": [{"id": name, "title": _title(name)} for name in PRESETS]})


def _title(name: str) -> str:
    return read_theory(name).title


async def _bring(request: Request) -> Response:
    """Keep a theory file for as long as the server runs, by a name that follows from its text."""
    asked, explorer = await content(request, Brought), explorer_of(request)
    theory = await in_thread(explorer, parse_theory, asked.text, asked.name)
    brought = explorer.kept.setdefault("brought", {})
    while len(brought) >= _BROUGHT:
        brought.pop(next(iter(brought)))
    name = f"file-{hashlib.sha256(asked.text.encode()).hexdigest()[:16]}"
    brought[name] = theory
    return answer({"theory": name, "title": theory.title})


async def _described(request: Request) -> Response:
    choice, explorer = await content(request, Choice), explorer_of(request)
    return answer(await in_thread(explorer, lambda: described(chosen(explorer, choice))))


ROUTES = (
    Route("/api/theories", _list),
    Route("/api/theories/brought", _bring, methods=["POST"]),
    Route("/api/theory", _described, methods=["POST"]),
)
