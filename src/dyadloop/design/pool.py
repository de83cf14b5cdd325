"""Do the tasks of a folder: in this process, or in processes of their own on this machine."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from dyadloop import machine
from dyadloop.design.tasks import Shard, TaskFolder
from dyadloop.errors import ResultError

_FLAGS = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
_POLL_SECONDS = 0.5
_ATTEMPTS = 3  # processes that may die for each one that was asked for

Told = Callable[[int, int], None]


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a process that does tasks.

    One thread each: the number of processes says how many cores are used, and every process rounds alike. What one
    has compiled serves the others on machines of the same kind.
    """
    cache = {
        "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled" / machine.kind()),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.5",
    }
    return {**os.environ, **single_thread(), **cache}


def single_thread() -> dict[str, str]:
    """Return the entries of an environment in which a process computes with one thread."""
    flags = " ".join(part for part in (os.environ.get("XLA_FLAGS", ""), _FLAGS) if part)
    return {**dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"), "XLA_FLAGS": flags}


def run_pool(
    folder: TaskFolder, workers: int, told: Told = lambda done, total: None, shard: Shard | None = None
) -> None:
    """Do the tasks of a folder in processes of their own until each is done.

    Parameters
    ----------
    folder
        The tasks.
    workers
        Number of processes.
    told
        Called with how many are done, and of how many.
    shard
        Part of the tasks; default: all.

    Raises
    ------
    ResultError
        If processes keep dying; the message holds what the last one said.
    """
    part = shard or Shard()
    wanted = [path.stem for path in folder.tasks.glob("*.json") if part.takes(path.stem)]
    running: list[subprocess.Popen] = []
    log, lost = folder.path / "workers.log", 0
    try:
        while missing := [name for name in wanted if not (folder.done / f"{name}.json").exists()]:
            told(len(wanted) - len(missing), len(wanted))
            lost += sum(process.poll() not in (None, 0) for process in running)
            running = [process for process in running if process.poll() is None]
            if lost > _ATTEMPTS * workers:
                raise ResultError(f"processes that do tasks keep ending; the last lines of {log}:\n{_tail(log)}")
            if len(running) < min(workers, len(missing)):
                folder.refill()
                waiting = sum(part.takes(path.name) for path in folder.todo.iterdir())
                for _ in range(min(workers - len(running), waiting)):
                    running.append(_started(folder, part, log))
            time.sleep(_POLL_SECONDS)
        told(len(wanted), len(wanted))
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def _started(folder: TaskFolder, shard: Shard, log: Path) -> subprocess.Popen:
    """Start a process that does tasks of a folder until none waits."""
    part = f"{shard.index}/{shard.count}"
    call = [sys.executable, "-m", "dyadloop", "tasks", "run", str(folder.path), "--workers", "0", "--shard", part, "-q"]
    with log.open("a") as stream:
        return subprocess.Popen(call, env=environment(folder.path), stdout=stream, stderr=stream)


def _tail(path: Path, lines: int = 8) -> str:
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]) if path.exists() else ""
