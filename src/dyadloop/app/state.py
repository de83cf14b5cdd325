"""What the server is busy with, told to every page: which programs are compiled before the first slider moves."""

import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dyadloop.app.requests import Explorer, answer, explorer_of

BAND = 50
"""Dyads of a band."""


class WarmUp:
    """Work that is done once in the background; ``words`` says how far it is."""

    def __init__(self, tasks: tuple[Callable[[], object], ...]) -> None:
        self.tasks, self.done, self.began, self.fault = tasks, 0, time.monotonic(), ""
        self.thread = threading.Thread(target=self._run, daemon=True, name="warm-up")
        self.thread.start()

    def _run(self) -> None:
        for task in self.tasks:
            try:
                task()
            except Exception as error:  # a background thread has nobody else to tell
                self.fault = f"compiling failed: {error}"
                raise
            self.done += 1

    @property
    def words(self) -> str:
        """What a page shows."""
        if self.fault or not self.thread.is_alive():
            return self.fault
        seconds = int(time.monotonic() - self.began)
        return f"compiling {self.done + 1} of {len(self.tasks)}, {seconds} s"


def warm_up_tasks(explorer: Explorer) -> tuple[Callable[[], object], ...]:
    """Return what is compiled at start: what the page on exploring shows first."""
    from dyadloop.app.exploring import courses, loops
    from dyadloop.app.scenarios import Asked

    one = Asked()
    return (
        lambda: courses(explorer, one),
        lambda: loops(explorer, one),
        lambda: courses(explorer, one.model_copy(update={"dyads": BAND})),
    )


@asynccontextmanager
async def lifespan(explorer: Explorer) -> AsyncIterator[None]:
    """Begin to compile with the server; the thread ends with the process."""
    if explorer.warm:
        explorer.kept["warm-up"] = WarmUp(warm_up_tasks(explorer))
    yield


async def _state(request: Request) -> Response:
    warm_up = explorer_of(request).kept.get("warm-up")
    if warm_up is None:
        return answer({"words": "", "ready": True, "fault": False})
    return answer({"words": warm_up.words, "ready": not warm_up.thread.is_alive(), "fault": bool(warm_up.fault)})


ROUTES = (Route("/api/state", _state),)
