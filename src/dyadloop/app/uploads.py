"""Files that are dropped on the page: streamed to the work folder, never held in memory, kept under a plain name."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dyadloop.app.desk import desk, desk_of
from dyadloop.app.faults import Refused
from dyadloop.app.requests import Explorer, answer

MOST_FILES = 20
_LONGEST = 120


def plain_name(name: str) -> str:
    """Return a name for a file that cannot lead out of its folder, nor hide in it.

    Raises
    ------
    Refused
        If nothing is left of it.
    """
    last = re.split(r"[/\\]", name)[-1]
    bare = re.sub(r"[^\w .()+-]", "_", last).lstrip(". ").rstrip()[-_LONGEST:]
    if not bare:
        raise Refused(400, f"file name {name[:60]!r}: expected a name with letters or digits; rename the file")
    return bare


@asynccontextmanager
async def lifespan(explorer: Explorer) -> AsyncIterator[None]:
    """Remove what was dropped and not imported as the server ends."""
    found = desk(explorer)
    yield
    await anyio.to_thread.run_sync(found.clear, *found.uploads)


async def _receive(request: Request) -> Response:
    """Take one file; the first of an import makes its folder, the next name it."""
    found, query = desk_of(request), request.query_params
    name = plain_name(query.get("name", ""))
    folder = found.new_upload() if not query.get("upload") else found.upload(query["upload"])
    if (folder / name).exists():
        raise Refused(409, f"{name}: is there already; expected files of different names; rename one of them")
    if len(sources(folder)) >= MOST_FILES:
        raise Refused(409, f"{MOST_FILES} files are there; expected at most so many; import in several goes")
    draft = folder / f".{name}.part"
    try:
        async with await anyio.open_file(draft, "wb") as stream:
            async for chunk in request.stream():
                await stream.write(chunk)
        draft.replace(folder / name)
    finally:
        draft.unlink(missing_ok=True)
        if not sources(folder):
            found.clear(folder)
    return answer({"upload": folder.name, "files": [path.name for path in sources(folder)]})


def sources(folder: Path) -> list[Path]:
    """Return the files of an upload that are whole."""
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


ROUTES = (Route("/api/uploads", _receive, methods=["POST"]),)
