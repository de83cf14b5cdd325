"""Errors as answers: what dyadloop says in words goes to the page, anything else to the log alone."""

import re

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dyadloop.errors import DataError, DyadloopError

_UPLOAD = re.compile(r"\S*/uploads/[0-9a-f]{16}/")
"""Where a dropped file lies; whoever dropped it knows its name alone."""


class Refused(DyadloopError):
    """An answer other than 400, in words: 403, 404, 409, 413, 415."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def _of_dyadloop(_: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, Refused) else 400
    content: dict = {"error": _UPLOAD.sub("", str(error))}
    if isinstance(error, DataError):
        content["faults"] = [{**vars(fault), "text": str(fault)} for fault in error.faults]
    return JSONResponse(content, status_code=status)


def _of_http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    words = {404: "is not here", 405: f"does not take {request.method}"}.get(status, "was refused")
    return JSONResponse(
        {"error": f"{request.url.path}: {words}; expected an address of the app; go back to its first page"},
        status_code=status,
    )


def _unexpected(_: Request, __: Exception) -> Response:
    text = "the app has met a fault of its own; the terminal in which dyadloop app runs says which; please report it"
    return JSONResponse({"error": text}, status_code=500)


HANDLERS = {DyadloopError: _of_dyadloop, HTTPException: _of_http, Exception: _unexpected}
"""Handlers of Starlette; after that of ``Exception`` the fault is raised on, so that the server logs it."""
