"""A real browser on a real server, for tests of pages."""

import shutil
import threading
import time
from contextlib import contextmanager

import pytest
import uvicorn
from playwright.sync_api import sync_playwright

from dyadloop.app.server import create_app


@contextmanager
def served(folder, *studies):
    """Yield the address of a server that runs in a thread, token included."""
    app = create_app("secret", studies, folder=folder)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(30)


@contextmanager
def chromium():
    """Yield a browser, that of the machine where there is one."""
    own = shutil.which("chromium") or shutil.which("chromium-browser")
    if own is None:
        pytest.skip("no chromium on the PATH; install it (apt install chromium) to test the pages")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=own)
        yield browser
        browser.close()
