"""What the guard refuses, and that errors speak in words and never in tracebacks."""

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from dyadloop.app import static_files
from dyadloop.app.requests import Body, answer, content
from dyadloop.app.security import KINDS, POLICY
from dyadloop.app.server import create_app
from dyadloop.app.serving import is_loopback
from dyadloop.errors import TheoryError
from tests.app.doors import OWN, client


@pytest.fixture
def door(tmp_path):
    return client(tmp_path)


def bare(tmp_path, **options):
    app = create_app("secret", folder=tmp_path)
    return TestClient(app, base_url="http://localhost", follow_redirects=False, **options)


def test_without_the_token_nothing_is_answered(tmp_path):
    door = bare(tmp_path)
    for path in ("/", "/static/app.js", "/api/state", "/?token=wrong", "/api/state?token=secret"):
        found = door.get(path)
        assert found.status_code == 403, path
        assert "token" in found.json()["error"]


def test_the_address_is_exchanged_for_a_cookie_that_no_script_reads(tmp_path):
    door = bare(tmp_path)
    door.cookies.set("dyadloop", "of an earlier server")
    found = door.get("/?token=secret")
    assert found.status_code == 303
    assert found.headers["location"] == "/"
    told = found.headers["set-cookie"].lower()
    assert "httponly" in told
    assert "samesite=strict" in told


def test_cookies_of_other_programs_at_this_machine_do_not_hide_the_token(tmp_path):
    """A browser sends the cookies of every port of a host, and some hold what no standard parser takes."""
    door = bare(tmp_path)
    for beside in (
        'other={"theme": "dark"}; dyadloop=secret',
        'a[b]="x; dyadloop=secret',
        "dyadloop=old; dyadloop=secret",
    ):
        assert door.get("/api/state", headers={"cookie": beside}).status_code == 200, beside
    for beside in ("dyadloop=", "xdyadloop=secret", "other=dyadloop=secret", 'other="dyadloop"'):
        assert door.get("/api/state", headers={"cookie": beside}).status_code == 403, beside


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1@evil.example", "", "localhost:99x"]
)
def test_a_foreign_host_is_refused(door, host):
    assert door.get("/api/state", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1", "[::1]:8765"])
def test_names_of_this_machine_are_taken(door, host):
    assert door.get("/api/state", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:1234"},
        {**OWN, "sec-fetch-site": "cross-site"},
    ],
)
def test_another_site_cannot_change_anything(door, headers):
    assert door.post("/api/theory", json={}, headers=headers).status_code == 403


def test_a_form_of_another_kind_is_refused(door):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        found = door.post("/api/theory", content=b"{}", headers={"content-type": kind})
        assert found.status_code == 415, kind


def test_a_body_beyond_the_limit_is_refused_whatever_its_header_says(door):
    limit = KINDS["application/json"]
    json_kind = {"content-type": "application/json"}
    assert door.post("/api/theory", content=b"x" * (limit + 1), headers=json_kind).status_code == 413
    pieces = (b"x" * 2**16 for _ in range(limit // 2**16 + 1))  # no length in the header
    found = door.post("/api/theory", content=pieces, headers=json_kind)
    assert found.status_code == 413
    assert "MiB" in found.json()["error"]


def test_no_path_reaches_the_disk(door):
    for path in (
        "../server.py",
        "%2e%2e/server.py",
        "..%2fserver.py",
        "pages/..%5c..%5cserver.py",
        "/etc/passwd",
        "a%00b",
    ):
        assert door.get(f"/static/{path}").status_code == 404, path
    assert set(static_files.listing()) >= {"index.html", "app.js", "pages/theory.js"}


def test_every_answer_carries_the_policy(door, tmp_path):
    for found in (door.get("/"), door.get("/nowhere"), bare(tmp_path).get("/"), door.post("/api/theory", json=1)):
        assert found.headers["content-security-policy"] == POLICY
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["referrer-policy"] == "no-referrer"
    for word in ("unsafe", "http", "*"):
        assert word not in POLICY


def test_pages_hold_no_script_and_no_style_of_their_own():
    index = static_files.listing()["index.html"][0].decode()
    assert "<style" not in index
    assert index.count("<script") == index.count('<script type="module" src="/static/') == 1
    for name, (body, _) in static_files.listing().items():
        if name.endswith(".js"):
            text = body.decode()
            for word in (
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "Function(",
                ".style.",
            ):
                assert word not in text, (name, word)


class Number(Body):
    number: int


def test_errors_speak_in_words_and_faults_of_our_own_stay_in_the_log(tmp_path):
    async def ours(request):
        raise TheoryError("w_trust: got -1; expected a positive number; correct the file")

    async def broken(request):
        raise RuntimeError("secret detail")

    async def asks(request):
        return answer({"number": (await content(request, Number)).number})

    door = client(tmp_path)
    door.app.app.router.routes += [Route("/a", ours), Route("/b", broken), Route("/c", asks, methods=["POST"])]
    door = TestClient(
        door.app,
        base_url="http://localhost",
        cookies={"dyadloop": "secret"},
        headers=OWN,
        raise_server_exceptions=False,
    )
    assert door.get("/a").status_code == 400
    assert door.get("/a").json()["error"].startswith("w_trust: got -1")
    found = door.get("/b")
    assert found.status_code == 500
    assert "secret detail" not in found.text
    assert found.headers["content-security-policy"] == POLICY
    assert door.post("/c", json={"number": 3}).json() == {"number": 3}
    wrong = door.post("/c", json={"number": "three", "more": 1})
    assert wrong.status_code == 400
    assert "number" in wrong.json()["error"]
    assert "more" in wrong.json()["error"]
    digits = b'{"number":' + b"9" * 5000 + b"}"
    for content_of in (b"{", b"[" * 100_000, b"\xff", digits):
        assert door.post("/c", content=content_of, headers={"content-type": "application/json"}).status_code == 400
    assert door.get("/nowhere").status_code == 404
    assert door.post("/a", json={}).status_code == 405


def test_which_addresses_are_those_of_this_machine():
    assert all(map(is_loopback, ("127.0.0.1", "localhost", "::1", "127.8.0.1")))
    assert not any(map(is_loopback, ("0.0.0.0", "192.168.1.2", "::", "example.org")))
