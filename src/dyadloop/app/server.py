"""The app as an ASGI application: its modules, their routes, and the guard around them."""

import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path

from starlette.applications import Starlette

from dyadloop.app.faults import HANDLERS
from dyadloop.app.requests import Explorer
from dyadloop.app.security import LOOPBACK, Guard

MODULES = (
    "static_files", "state", "theories", "exploring", "uploads", "imports", "studies", "job_desk", "plans",
    "evidence_rows",
)  # fmt: skip
"""Modules of this room that serve something; each holds ``ROUTES`` and perhaps ``lifespan``."""


def create_app(
    token: str,
    studies: tuple[Path, ...] = (),
    *,
    folder: Path | None = None,
    hosts: tuple[str, ...] = LOOPBACK,
    cookie: str = "dyadloop",
    modules: tuple[str, ...] = MODULES,
    warm: bool = False,
    closing: threading.Event | None = None,
) -> Guard:
    """Return the app behind its guard.

    Parameters
    ----------
    token
        Secret that a browser must bring.
    studies
        Study folders that the page offers.
    folder
        Where results are written; default: the working directory.
    hosts
        Names under which the server may be called, without port.
    cookie
        Name of the cookie that holds the token.
    modules
        Modules of this room that are served.
    warm
        Whether what the first figures need is compiled at start.
    closing
        What is set once the server is being ended; what is computed then is left alone.
    """
    rooms = [import_module(f"dyadloop.app.{name}") for name in modules]
    explorer = Explorer(studies, folder or Path.cwd(), warm, closing=closing or threading.Event())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for room in rooms:
                if hasattr(room, "lifespan"):
                    await stack.enter_async_context(room.lifespan(explorer))
            yield

    inner = Starlette(
        routes=[route for room in rooms for route in room.ROUTES], exception_handlers=HANDLERS, lifespan=lifespan
    )
    inner.state.explorer = explorer
    return Guard(inner, token, hosts, cookie)
