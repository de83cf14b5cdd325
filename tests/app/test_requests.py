"""Work for pages: in threads of two rooms, and only for who still waits."""

import anyio
import pytest

from dyadloop.app.faults import Refused
from dyadloop.app.requests import Explorer, while_asked


class Page:
    """A page that may have dropped its question."""

    def __init__(self, gone=False):
        self.gone = gone

    async def is_disconnected(self):
        return self.gone


def test_a_question_dropped_before_its_turn_is_not_computed():
    explorer, done = Explorer(), []

    async def ask():
        assert await while_asked(Page(), explorer.room, lambda: done.append(1) or "answer") == "answer"
        with pytest.raises(Refused, match="dropped"):
            await while_asked(Page(gone=True), explorer.room, lambda: done.append(2))

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
            await while_asked(Page(), explorer.quick, lambda: order.append("slider"))
            end.set()

    anyio.run(both)
    assert order[0] == "slider"
