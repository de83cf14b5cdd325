"""A client of the app with its token, and waiting for what threads and processes do."""

import time
from pathlib import Path

from starlette.testclient import TestClient

from dyadloop.app.server import create_app

OWN = {"origin": "http://localhost"}


def client(folder, *studies):
    app = create_app("secret", tuple(map(Path, studies)), folder=Path(folder))
    return TestClient(app, base_url="http://localhost", cookies={"dyadloop": "secret"}, headers=OWN)


def until(ask, seconds=60.0):
    """Return the first answer that is true."""
    end = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.05)
    return found


def upload(door, name, content, **query):
    return door.post(
        "/api/uploads", params={"name": name, **query}, content=content,
        headers={"content-type": "application/octet-stream"},
    )  # fmt: skip
