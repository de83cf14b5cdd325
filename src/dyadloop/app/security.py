"""What a request must be to reach the app: from this machine, with the token, of a known size and from our own page."""

import hmac
import re
from collections.abc import Iterable
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dyadloop.app.faults import Refused

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
"""What the pages may load: files of this server and nothing written into a page."""

REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox allow-same-origin allow-popups"
"""The same for a report shown in a tab of its own: it brings its style and figures with it, and no script runs."""

KINDS = {"application/json": 2 * 2**20, "application/octet-stream": 64 * 2**20}
"""Kinds of content that a request may carry, none of which another site can send unasked, and the most of each [B]."""

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_READING = ("GET", "HEAD")
_HOST = re.compile(r"^(\[[0-9a-f:]+\]|[a-z0-9.-]+)(:\d{1,5})?$")

_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}


class Guard:
    """ASGI middleware around the whole app, errors included.

    Parameters
    ----------
    app
        What is guarded.
    token
        Secret of this server; whoever has it may do all that the page can.
    hosts
        Names under which the server may be called, without port.
    cookie
        Name of the cookie that holds the token, another for each port.
    """

    def __init__(self, app: ASGIApp, token: str, hosts: Iterable[str] = LOOPBACK, cookie: str = "dyadloop") -> None:
        self.app, self.token, self.hosts, self.cookie = app, token, tuple(dict.fromkeys(hosts)), cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that is refused; pass on any other."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers, sender = Headers(scope=scope), _with_headers(send)
        try:
            limit = self._checked(scope, headers)
        except Refused as refused:
            await _refusal(refused)(scope, receive, sender)
            return
        if (entered := self._entry(scope)) is not None:
            await entered(scope, receive, sender)
            return
        await self.app(scope, _counted(receive, limit), sender)

    def _checked(self, scope: Scope, headers: Headers) -> int:
        """Return how long the body may be; anything wrong with the request is raised."""
        self._check_host(headers)
        self._check_token(scope, headers)
        if scope["method"] in _READING:
            return 0
        _check_origin(headers)
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in KINDS:
            expected = " or ".join(KINDS)
            raise Refused(415, f"request: content-type is {kind!r}; expected {expected}; send what the page sends")
        limit, told = KINDS[kind], headers.get("content-length", "0")
        if not told.isdigit() or int(told) > limit:
            raise _too_large(limit)
        return limit

    def _check_host(self, headers: Headers) -> None:
        host = headers.get("host", "").lower()
        found = _HOST.match(host)
        if found is None or found[1] not in self.hosts:
            known = ", ".join(self.hosts)
            raise Refused(
                400, f"request: host is {host!r}; expected {known}; open the address that dyadloop app printed"
            )

    def _check_token(self, scope: Scope, headers: Headers) -> None:
        # a browser may still hold the cookie of an earlier server at this port
        shown = (self._asked(scope), *_cookies(headers.get("cookie", ""), self.cookie))
        if not any(hmac.compare_digest(text.encode(), self.token.encode()) for text in shown):
            raise Refused(403, "request: no token of this server; open the address that dyadloop app printed")

    def _asked(self, scope: Scope) -> str:
        """Return the token in the address of a page, which only entering it may carry."""
        if scope["method"] not in _READING or scope["path"] != "/":
            return ""
        return parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]

    def _entry(self, scope: Scope) -> Response | None:
        """Return the answer that turns the token in the address into a cookie, which no script can read."""
        if not self._asked(scope):
            return None
        response = RedirectResponse("/", status_code=303)
        response.set_cookie(self.cookie, self.token, httponly=True, samesite="strict", path="/")
        return response


def _cookies(header: str, name: str) -> list[str]:
    """Return the values of a cookie, whatever other programs of this machine have set beside it."""
    pairs = [part.strip().partition("=") for part in header.split(";")]
    return [value for key, _, value in pairs if key == name]


def _check_origin(headers: Headers) -> None:
    """Refuse what another site's page sends: browsers say from where a changing request comes."""
    own, origin = f"http://{headers.get('host', '').lower()}", headers.get("origin", "none")
    if origin != own or headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Refused(
            403, f"request: origin is {origin!r}; expected {own!r}; only the app's own page may change anything"
        )


def _too_large(limit: int) -> Refused:
    return Refused(413, f"request: longer than {limit / 2**20:g} MiB; expected at most that; send less at a time")


def _counted(receive: Receive, limit: int) -> Receive:
    """Return a ``receive`` that stops once the body is longer than allowed, whatever its header said."""
    seen = 0

    async def counting() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise _too_large(limit)
        return message

    return counting


def _with_headers(send: Send) -> Send:
    """Return a ``send`` that adds what every answer carries; a policy of its own stays."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


def _refusal(refused: Refused) -> Response:
    return JSONResponse({"error": str(refused)}, status_code=refused.status)
