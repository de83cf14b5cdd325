"""What endpoints share: reading a request, work in a thread, and the answer as JSON."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import anyio
import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from dyadloop.app.faults import Refused
from dyadloop.data.wording import wrongs
from dyadloop.errors import number_of
from dyadloop.machine import processors

Found = TypeVar("Found")
Asked = TypeVar("Asked", bound="Body")
_GLANCE_SECONDS = 0.2


class Body(BaseModel):
    """Content of a request; keys that nobody knows are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass
class Explorer:
    """What the server was started with, and what its modules keep for as long as it runs.

    Attributes
    ----------
    studies
        Study folders named when the server was started.
    folder
        Where what the app makes is written.
    warm
        Whether what the first figures need is compiled when the server starts.
    kept
        Whatever a module keeps, under the module's name.
    closing, under_way
        Set once the server is being ended, and what is computed until then.
    room, quick
        Threads for what takes time, and those of their own for what a moving slider waits for.
    """

    studies: tuple[Path, ...] = ()
    folder: Path = field(default_factory=Path.cwd)
    warm: bool = False
    kept: dict[str, Any] = field(default_factory=dict)
    closing: threading.Event = field(default_factory=threading.Event)
    under_way: set[anyio.CancelScope] = field(default_factory=set)
    room: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(max(2, processors())))
    quick: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(max(2, processors())))


def explorer_of(request: Request) -> Explorer:
    """Return what the server was started with."""
    return request.app.state.explorer


async def content(request: Request, model: type[Asked]) -> Asked:
    """Return the JSON body of a request.

    Raises
    ------
    Refused
        If it is no JSON or not as the model asks; the message names every fault.
    """
    raw = await request.body()
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):  # no JSON, no text, or an integer of thousands of digits
        raise Refused(
            400, f"request: {len(raw)} bytes that are no JSON; expected a JSON object; reload the page"
        ) from None
    try:
        return model.model_validate(found)
    except ValidationError as error:
        lines = [f"  {wrong}" for wrong in wrongs(error, found, model)]
        raise Refused(400, "\n".join([f"request: {number_of(len(lines), 'fault')}", *lines])) from None


async def in_thread(explorer: Explorer, function: Callable[..., Found], *arguments: Any) -> Found:  # noqa: ANN401
    """Do what takes time in a thread, as many at a time as there are processors, so that nothing else waits."""
    return await anyio.to_thread.run_sync(lambda: function(*arguments), limiter=explorer.room)


async def while_asked(request: Request, room: anyio.CapacityLimiter, work: Callable[[], Found]) -> Found:
    """Do what takes time in a thread once one is free, unless the page has dropped its question by then.

    Raises
    ------
    Refused
        If it has, for nobody reads that answer; or if the app is being ended.
    """
    explorer = explorer_of(request)
    async with room:
        if await request.is_disconnected():
            raise Refused(499, "request: dropped by the page before its turn; expected one that waits; ask again")
        with anyio.CancelScope() as scope:
            explorer.under_way.add(scope)
            try:
                return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
            finally:
                explorer.under_way.discard(scope)
    raise Refused(503, "request: the app is being ended; expected one that runs; start dyadloop app again")


async def leave_alone(explorer: Explorer) -> None:
    """Wait until the app is being ended, then for no computation: no thread can be stopped."""
    while not explorer.closing.is_set():
        await anyio.sleep(_GLANCE_SECONDS)
    for scope in explorer.under_way:
        scope.cancel()


def answer(found: Any, headers: Mapping[str, str] | None = None) -> Response:  # noqa: ANN401 - whatever JSON holds
    """Return content as JSON; arrays become lists, and what is not finite null."""
    text = json.dumps(plain(found), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(text, media_type="application/json", headers=dict(headers or {}))


def _short(values: np.ndarray) -> np.ndarray:
    """Return numbers with seven digits, what is not finite as None."""
    if values.dtype.kind != "f":
        return values
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        power = 10.0 ** (6 - np.floor(np.log10(np.abs(values))))
        short = np.where((values == 0) | ~np.isfinite(power), values, np.round(values * power) / power)
    told = short.astype(object)
    told[~np.isfinite(values)] = None
    return told


def plain(found: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return content that JSON can hold; numbers keep seven digits, more than any figure shows."""
    if isinstance(found, Mapping):
        return {str(key): plain(value) for key, value in found.items()}
    if isinstance(found, np.ndarray):
        return _short(found).tolist() if found.dtype.kind in "fiub" else plain(found.tolist())
    if isinstance(found, list | tuple):
        return [plain(value) for value in found]
    if isinstance(found, np.generic):
        found = found.item()
    if isinstance(found, float):
        return float(f"{found:.7g}") if np.isfinite(found) else None
    return found if isinstance(found, str | int | bool | None) else str(found)
