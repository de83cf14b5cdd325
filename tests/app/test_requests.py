"""Work for pages: in threads of two rooms, and only for who still waits."""

import threading
from types import SimpleNamespace

import anyio
import pytest

from dyadloop.app.faults import Refused
from dyadloop.app.requests import Explorer, leave_alone, while_asked


class Page:
    """A page that may have dropped its question."""

    def __init__(self, explorer, gone=False):
        self.gone = gone
        self.app = SimpleNamespace(state=SimpleNamespace(explorer=explorer))

    async def is_disconnected(self):
        return self.gone


def test_a_question_dropped_before_its_turn_is_not_computed():
    explorer, done = Explorer(), []

    async def ask():
        assert await while_asked(Page(explorer), explorer.room, lambda: done.append(1) or "answer") == "answer"
        with pytest.raises(Refused, match="dropped"):
            await while_asked(Page(explorer, gone=True), explorer.room, lambda: done.append(2))

    anyio.run(ask)
    assert done == [1]


def test_what_a_slider_waits_for_does_not_wait_behind_what_takes_long():
    explorer, order = Explorer(), []

    async def both():
        begun, end = anyio.Event(), anyio.Event()

        async def long():
            async with explorer.room:
                begun.set()
                await end.wait()
                order.append("long")

        async with anyio.create_task_group() as group:
            for _ in range(int(explorer.room.total_tokens)):
                group.start_soon(long)
            await begun.wait()
            await while_asked(Page(explorer), explorer.quick, lambda: order.append("slider"))
            end.set()

    anyio.run(both)
    assert order[0] == "slider"


def test_an_app_that_is_ended_waits_for_no_computation():
    explorer, go_on = Explorer(), threading.Event()

    async def ask():
        async with anyio.create_task_group() as group:
            group.start_soon(leave_alone, explorer)
            group.start_soon(anyio.to_thread.run_sync, explorer.closing.set)
            with pytest.raises(Refused, match="being ended"):
                await while_asked(Page(explorer), explorer.room, go_on.wait)

    anyio.run(ask)
    go_on.set()
