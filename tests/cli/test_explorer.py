"""Ending ``dyadloop app``: Ctrl-C at any moment, with a clean end and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
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


def test_ctrl_c_while_the_commands_are_loaded_ends_without_a_traceback(tmp_path):
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt\n")
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    run = subprocess.run(
        [sys.executable, "-c", "from dyadloop.cli import main; main()"],
        env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (130, "")


@pytest.mark.skipif(sys.platform == "win32", reason="no Ctrl-C can be sent to a process there")
@pytest.mark.parametrize(
    "presses", [pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow), 3]
)
def test_ctrl_c_while_it_compiles_ends_it_cleanly(tmp_path, presses):
    command = [sys.executable, "-m", "dyadloop", "app", "--port", "0", "--no-browser", "--work", str(tmp_path)]
    # nothing kept from earlier runs, so that it does compile
    surely = {**os.environ, "JAX_ENABLE_COMPILATION_CACHE": "false"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=surely, start_new_session=True
    ) as app:
        try:
            address = next(iter(app.stdout)).strip()
            until(lambda: "compiling 1" in state(address))
            for _ in range(presses):  # somebody in a hurry
                app.send_signal(signal.SIGINT)
                time.sleep(0.02)
            assert app.wait(60) == 130
            assert app.stderr.read() == ""
            assert not (tmp_path / "uploads").exists()
        finally:
            app.kill()
