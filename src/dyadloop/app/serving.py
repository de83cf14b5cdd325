"""Run the app: a socket on this machine, a token, the address, and a browser that opens it."""

import ipaddress
import os
import secrets
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import uvicorn

from dyadloop.app.security import LOOPBACK
from dyadloop.app.server import create_app
from dyadloop.errors import StateError

HOST, PORT, WORK = "127.0.0.1", 8765, "dyadloop-app"


def is_loopback(host: str) -> bool:
    """Return whether an address can be reached from this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def serve(
    studies: tuple[Path, ...],
    *,
    folder: Path = Path(WORK),
    host: str = HOST,
    port: int = PORT,
    browser: bool = True,
    announce: Callable[[str], None] = print,
) -> None:
    """Serve the app until it is interrupted.

    Parameters
    ----------
    studies
        Study folders that the page offers.
    folder
        Where what the app makes is written.
    host, port
        Address to listen at; port 0 takes a free one.
    browser
        Whether a browser is opened.
    announce
        What is told the address, token included.

    Raises
    ------
    StateError
        If nothing can listen there.
    """
    listening = _listening(host, port)
    port, token = listening.getsockname()[1], secrets.token_urlsafe(24)
    shown = f"[{host}]" if ":" in host else host
    closing = threading.Event()
    hosts = (*LOOPBACK, shown.lower())
    app = create_app(token, studies, folder=folder, hosts=hosts, cookie=f"dyadloop-{port}", warm=True, closing=closing)
    address = f"http://{shown}:{port}/?token={token}"
    announce(address)
    if browser:
        webbrowser.open(address)
    server = _Server(uvicorn.Config(app, log_level="warning", server_header=False, access_log=False), closing)
    server.run(sockets=[listening])


class _Server(uvicorn.Server):
    """A server that tells its app of Ctrl-C at once, before it waits for what is being answered.

    A second Ctrl-C waits for nothing. Commands that are at work stop by themselves once this process is gone.
    """

    def __init__(self, config: uvicorn.Config, closing: threading.Event) -> None:
        super().__init__(config)
        self.closing = closing

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note that the server is being ended; unlike uvicorn's own, raise nothing when it has ended."""
        if self.closing.is_set() and sig == signal.SIGINT:
            os._exit(128 + sig)
        self.closing.set()
        self.should_exit = True


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens already, so that a browser opened at once is answered."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with ExitStack() as stack:
        try:
            # asyncio turns off Nagle's algorithm only where TCP is named; with it each answer came 40 ms late
            listening = stack.enter_context(socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, port))
            listening.listen(128)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise StateError(
                f"{host}:{port}: cannot listen there ({why}); expected a free port; try --port 0"
            ) from None
        stack.pop_all()
    return listening
