"""Ending ``dyadloop app``: Ctrl-C at any moment, with a clean end and nothing left behind."""

import os
import signal
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from tests.app.doors import until

pytest.importorskip("uvicorn")


def state(address):
    """Return what the app is busy with."""
    place = urlsplit(address)
    token, port = place.query.removeprefix("token="), place.port
    with closing(HTTPConnection(place.netloc, timeout=60)) as door:
        door.request("GET", "/api/state", headers={"cookie": f"dyadloop-{port}={token}"})
        return door.getresponse().read().decode()


@pytest.mark.skipif(sys.platform == "win32", reason="no Ctrl-C can be sent to a process there")
def test_ctrl_c_while_it_compiles_ends_it_cleanly(tmp_path):
    command = [sys.executable, "-m", "dyadloop", "app", "--port", "0", "--no-browser", "--work", str(tmp_path)]
    # nothing kept from earlier runs, so that it does compile
    surely = {**os.environ, "JAX_ENABLE_COMPILATION_CACHE": "false"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=surely, start_new_session=True
    ) as app:
        try:
            address = next(iter(app.stdout)).strip()
            until(lambda: "compiling 1" in state(address))
            app.send_signal(signal.SIGINT)
            assert app.wait(60) == 130
            assert app.stderr.read() == ""
            assert not (tmp_path / "uploads").exists()
        finally:
            app.kill()
