"""A job: a command that takes long, and the folder that keeps its state, its messages, its answer and its results."""

import json
import sys
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from dyadloop.files import write_text

STATE_FILE, END_FILE, LOG_FILE, ANSWER_FILE, LOCK_FILE = "job.json", "end.json", "log.txt", "answer.txt", "lock"
RESULT = "result"
"""Folder of a job that the command fills."""
WAITING, RUNNING, STOPPING, ELSEWHERE, DONE = "waiting", "running", "stopping", "elsewhere", "done"
INTERRUPTED, FAILED, UNCONVERGED = "interrupted", "failed", "not converged"
LIVE = (WAITING, RUNNING, STOPPING, ELSEWHERE)
"""Under way; ``elsewhere``: under another server of the app, or ending because that server has ended."""
_CODES = {0: DONE, 4: UNCONVERGED, 130: INTERRUPTED}


@dataclass(frozen=True)
class Job:
    """A command and how far it has come.

    Attributes
    ----------
    id
        Name of its folder.
    kind
        ``fit``, ``compare``, ``measure``, ``assurance``, ``claims``, ``identifiability`` or ``frontier``.
    about
        Key of the study, or name of the design.
    title
        What it does, in words.
    words
        Module and arguments, as in ``python -m dyadloop run ...``.
    simulated
        Whether what it computes is about simulated persons.
    total
        Iterations of all chains, 0 where it samples nothing.
    state
        One of the words above.
    """

    id: str
    kind: str
    about: str
    title: str
    words: tuple[str, ...]
    simulated: bool = False
    total: int = 0
    state: str = WAITING
    made: float = 0.0
    began: float | None = None
    ended: float | None = None
    code: int | None = None


def write_job(folder: Path, job: Job) -> None:
    """Write the state of a job, whole or not at all."""
    write_text(folder / STATE_FILE, json.dumps(asdict(job), indent=2, ensure_ascii=False) + "\n")


def read_job(folder: Path) -> Job | None:
    """Return the job of a folder; None where it holds none that can be read.

    A job that was at work, whose process is gone without a word, was interrupted.
    """
    content = _json(folder / STATE_FILE)
    if content is None or content.keys() != {field.name for field in fields(Job)}:
        return None
    content["words"] = tuple(content["words"])
    job = Job(**content)
    if job.state not in LIVE:
        return job
    end = _json(folder / END_FILE)
    if end is not None:
        stopped = job.state == STOPPING or end["alone"]
        state = state_of(end["code"], stopped)
        return replace(job, state=state, code=int(end["code"]), ended=float(end["ended"]))
    state = ELSEWHERE if locked(folder) else INTERRUPTED
    return replace(job, state=state)


def state_of(code: int, stopped: bool) -> str:
    """Return the state that the exit code of a command stands for; one that was stopped need not end well."""
    return _CODES.get(code, INTERRUPTED if stopped else FAILED)


def locked(folder: Path) -> bool:
    """Say whether a process still works in the folder of a job: the lock goes with the last process that has it."""
    path = folder / LOCK_FILE
    if sys.platform == "win32" or not path.exists():
        return False
    import fcntl

    with path.open("rb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
