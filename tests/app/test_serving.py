"""The socket of the app: a free port, and answers that leave at once."""

import asyncio
import socket

import pytest

from dyadloop.app.serving import _listening
from dyadloop.errors import StateError


def test_answers_leave_at_once():
    """Nagle's algorithm would hold the second part of each answer back until the first is acknowledged."""

    async def delayed():
        found = asyncio.get_running_loop().create_future()

        async def met(_, writer):
            found.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(met, sock=_listening("127.0.0.1", 0)) as server:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            told = await found
            writer.close()
            await writer.wait_closed()
        return told

    assert asyncio.run(delayed())


def test_a_port_that_is_taken_is_told():
    with _listening("127.0.0.1", 0) as first, pytest.raises(StateError, match="cannot listen there"):
        _listening("127.0.0.1", first.getsockname()[1])
