"""The files of the pages: a fixed listing, read once, so that no path of a request ever reaches the disk."""

from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dyadloop.app.faults import Refused

_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}


@cache
def listing() -> dict[str, tuple[bytes, str]]:
    """Return content and kind of each file by its path below ``static``."""
    return dict(_below(resources.files("dyadloop.app").joinpath("static"), ""))


def _below(folder: Traversable, path: str) -> list[tuple[str, tuple[bytes, str]]]:
    found = []
    for entry in folder.iterdir():
        ending = entry.name[entry.name.rfind(".") :]
        if entry.is_dir():
            found += _below(entry, f"{path}{entry.name}/")
        elif ending in _KINDS:
            found.append((path + entry.name, (entry.read_bytes(), _KINDS[ending])))
    return found


def _file(name: str) -> Response:
    if name not in listing():
        raise Refused(404, f"{name}: no such file; expected one of the app's own; go back to its first page")
    body, kind = listing()[name]
    return Response(body, media_type=kind)


async def _index(_: Request) -> Response:
    return _file("index.html")


async def _named(request: Request) -> Response:
    return _file(request.path_params["name"])


ROUTES = (Route("/", _index), Route("/static/{name:path}", _named))
