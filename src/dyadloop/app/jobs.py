"""Jobs: commands in processes of their own, one long and one short at a time, others wait."""

import os
import secrets
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from dyadloop.app.job import (
    ELSEWHERE,
    END_FILE,
    INTERRUPTED,
    LIVE,
    RESULT,
    RUNNING,
    STATE_FILE,
    STOPPING,
    UNCONVERGED,
    WAITING,
    Job,
    locked,
    read_job,
    state_of,
    write_job,
)
from dyadloop.app.job_progress import kept_iterations, kept_tasks, progress
from dyadloop.app.runner import GRACE_SECONDS
from dyadloop.errors import ResultError

SHORT = ("check", "claims", "identifiability", "frontier")
"""Kinds that take seconds; they do not wait for a fit."""
_FOLDER = "{folder}"
"""Stands in the words of a job for the folder of its results."""


class Jobs:
    """The jobs of a work folder.

    A job is started, stopped and resumed here; what it has done is in its folder, whoever looks. Every call returns at
    once: threads wait for the processes.

    Parameters
    ----------
    root
        Folder of the jobs; what an earlier app left there is found.
    grace_seconds
        How long a command has to stop by itself before it is ended.
    """

    def __init__(self, root: Path, grace_seconds: float = GRACE_SECONDS) -> None:
        self.root = root
        self.grace_seconds = grace_seconds
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._waiting: deque[str] = deque()
        self._running: dict[str, subprocess.Popen] = {}
        self._threads: list[threading.Thread] = []
        self._closed = False
        for path in sorted(root.glob(f"*/{STATE_FILE}")):
            if (job := read_job(path.parent)) is not None and job.id == path.parent.name:
                self._jobs[job.id] = job

    def folder(self, name: str) -> Path:
        """Return the folder of a job.

        Raises
        ------
        ResultError
            If there is no such job.
        """
        with self._lock:
            if name not in self._jobs:
                raise ResultError(f"job {name!r}: there is none; expected one of the list of jobs")
        return self.root / name

    def all(self) -> list[dict[str, Any]]:
        """Return what is to be shown of every job, the newest first."""
        with self._lock:
            names = sorted(self._jobs, key=lambda name: -self._jobs[name].made)
        return [self.shown(name) for name in names]

    def shown(self, name: str) -> dict[str, Any]:
        """Return the state of a job, how far it is and how much of it is kept."""
        folder = self.folder(name)
        with self._lock:
            job = self._jobs[name]
            if job.state == ELSEWHERE:
                # its process is not ours; when it has ended, its state is known
                job = self._jobs[name] = read_job(folder) or job
            ahead = self._waiting.index(name) if name in self._waiting else 0
        sampled = job.kind in ("fit", "compare")
        kept = kept_iterations(folder, job.kind == "compare") if sampled else kept_tasks(folder)
        told = progress(folder)
        if job.total:
            done = max(min(kept, job.total), told["done"] or 0 if told["total"] == job.total else 0)
            told |= {"done": done, "total": job.total} if told["part"] in (None, "sampling") else {}
        line = shlex.join(["dyadloop", *job.words[1:]]) if job.words[0] == "dyadloop" else ""
        times = {name: _clock(getattr(job, name)) for name in ("made", "began", "ended")}
        seconds = None if job.began is None else round((job.ended or time.time()) - job.began, 1)
        more = {"progress": told, "kept": kept, "ahead": ahead, "command": line, "seconds": seconds}
        return asdict(job) | times | more

    def start(
        self, kind: str, about: str, title: str, words: Sequence[str], *, total: int = 0, simulated: bool = False
    ) -> Job:
        """Start a command, or let it wait for those before it.

        Parameters
        ----------
        kind, about, title, total, simulated
            As in :class:`Job`.
        words
            Module and arguments; ``{folder}`` stands for the folder that gets the results.
        """
        if sys.platform == "win32":
            raise ResultError("Windows: commands cannot be stopped safely there; expected Linux, macOS or WSL")
        name = f"{kind}-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
        folder = self.root / name
        folder.mkdir(parents=True)
        whole = tuple(word.replace(_FOLDER, str(folder / RESULT)) for word in words)
        job = Job(name, kind, about, title, whole, simulated, total, WAITING, time.time())
        self._queue(job)
        return job

    def resume(self, name: str) -> Job:
        """Start an interrupted or failed command again; it goes on where it was.

        Raises
        ------
        ResultError
            If it is at work, or was finished.
        """
        folder = self.folder(name)
        with self._lock:
            job = self._jobs[name]
            if job.state in LIVE or locked(folder):
                raise ResultError(
                    f"job {name!r}: is at work; expected one that was interrupted; wait until it has ended"
                )
            if job.state not in (INTERRUPTED, "failed"):
                raise ResultError(f"job {name!r}: is {job.state}; expected one that was interrupted; start a new one")
            (folder / END_FILE).unlink(missing_ok=True)
            job = replace(job, state=WAITING, code=None, ended=None)
            self._queue(job)
        return job

    def more(self, name: str, draws: int) -> Job:
        """Go on with a fit that has not converged, to more draws of each chain; those there are stay.

        Raises
        ------
        ResultError
            If it is no such fit, or has as many draws.
        """
        folder = self.folder(name)
        with self._lock:
            job = self._jobs[name]
            if job.kind != "fit" or job.state != UNCONVERGED:
                raise ResultError(f"job {name!r}: is a {job.kind}, {job.state}; expected a fit that has not converged")
            chains, had = (int(_option(job.words, option)) for option in ("--chains", "--draws"))
            if draws <= had:
                raise ResultError(f"job {name!r}: has {had} draws of each chain, asked for {draws}; ask for more")
            words = list(job.words)
            words[words.index("--draws") + 1] = str(draws)
            (folder / END_FILE).unlink(missing_ok=True)
            total = job.total + chains * (draws - had)
            job = replace(job, words=tuple(words), total=total, state=WAITING, code=None, ended=None)
            self._queue(job)
        return job

    def stop(self, name: str) -> Job:
        """Stop a command safely: what it has finished is kept.

        Raises
        ------
        ResultError
            If it is not at work.
        """
        self.folder(name)
        with self._lock:
            job = self._jobs[name]
            if job.state == WAITING:
                self._waiting.remove(name)
                return self._changed(replace(job, state=INTERRUPTED, ended=time.time()))
            process = self._running.get(name)
            if process is None:
                raise ResultError(
                    f"job {name!r}: is {job.state}; expected one that is at work; there is nothing to stop"
                )
            if job.state == RUNNING:
                job = self._changed(replace(job, state=STOPPING))
                timer = threading.Timer(self.grace_seconds, _signal, (process, signal.SIGTERM))
                timer.daemon = True
                timer.start()
        _signal(process, signal.SIGINT)
        return job

    def close(self) -> None:
        """Stop everything safely and wait for it, as the app ends."""
        with self._lock:
            self._closed = True
            for name in [*self._waiting, *self._running]:
                self.stop(name)
            threads = list(self._threads)
        for thread in threads:
            thread.join(self.grace_seconds + 5)

    def _queue(self, job: Job) -> None:
        with self._lock:
            self._changed(job)
            self._waiting.append(job.id)
            self._admit()

    def _changed(self, job: Job) -> Job:
        self._jobs[job.id] = job
        write_job(self.root / job.id, job)
        return job

    def _admit(self) -> None:
        """Start the first that waits for each free place; the lock is taken."""
        busy = {self._jobs[name].kind in SHORT for name in self._running}
        for name in list(self._waiting):
            short = self._jobs[name].kind in SHORT
            if short in busy or self._closed:
                continue
            self._waiting.remove(name)
            busy.add(short)
            self._launch(self._jobs[name])

    def _launch(self, job: Job) -> None:
        call = [sys.executable, "-m", "dyadloop.app.runner", str(self.root / job.id), *job.words]
        process = subprocess.Popen(call, stdin=subprocess.PIPE, start_new_session=True)
        self._running[job.id] = process
        self._changed(replace(job, state=RUNNING, began=time.time()))
        thread = threading.Thread(target=self._wait, args=(job.id, process), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _wait(self, name: str, process: subprocess.Popen) -> None:
        process.wait()
        if process.stdin is not None:
            process.stdin.close()
        with self._lock:
            del self._running[name]
            job = self._jobs[name]
            found = read_job(self.root / name)
            code = process.returncode if found is None or found.code is None else found.code
            state = state_of(code, job.state == STOPPING)
            self._changed(replace(job, state=state, code=code, ended=time.time()))
            self._threads = [thread for thread in self._threads if thread is not threading.current_thread()]
            self._admit()


def _signal(process: subprocess.Popen, number: int) -> None:
    """Send a signal to a command and all that it started, where they still are."""
    if process.poll() is None:
        os.killpg(process.pid, number)


def _clock(moment: float | None) -> str | None:
    return None if moment is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))


def _option(words: Sequence[str], name: str) -> str:
    return words[words.index(name) + 1]
