"""A folder of tasks that any number of processes share: each task is done once, whoever takes it.

A task is named by the digest of what it asks for. A process claims one by renaming its file, which only one can do, and
writes what it found under the same name, with a digest of its own. A task is done when that file is there and whole; so
a run that is stopped goes on, a lost process loses what it had in hand, and a damaged file is noticed and made again.

``tasks/`` holds what is asked, ``todo/`` and ``claimed/`` the names of tasks that wait and that are in hand, ``done/``
results.
"""

import hashlib
import json
import os
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dyadloop.errors import ResultError
from dyadloop.files import write_text
from dyadloop.machine import runs

STALE_SECONDS = 900.0
"""A claimed task that nobody has touched for so long waits again, unless its process runs on this machine."""
_FOLDERS = ("tasks", "todo", "claimed", "done")
_LONG = 16  # letters of a digest that name a task: enough for 10^9 of them

Task = dict[str, Any]
Rows = list[dict[str, Any]]
Beat = Callable[[], None]


def digest_of(content: object) -> str:
    """Return the SHA-256 of plain data."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, allow_nan=False).encode()).hexdigest()


@dataclass(frozen=True)
class Shard:
    """Which part of all tasks a process takes: number ``index`` of ``count``."""

    index: int = 1
    count: int = 1

    def takes(self, name: str) -> bool:
        """Say whether a task belongs to this part."""
        return int(name, 16) % self.count == self.index - 1


def shard_of(text: str) -> Shard:
    """Return the part that a text such as ``3/20`` names.

    Raises
    ------
    ResultError
        If it names none.
    """
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and 1 <= int(index) <= int(count)):
        raise ResultError(f"shard {text!r}: expected I/N with I from 1 to N, such as 3/20")
    return Shard(int(index), int(count))


class TaskFolder:
    """Tasks in a folder.

    Parameters
    ----------
    path
        The folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.tasks, self.todo, self.claimed, self.done = (self.path / name for name in _FOLDERS)
        self._known: dict[str, Task] = {}

    def add(self, tasks: Iterable[Task]) -> list[str]:
        """Put tasks in, unless they are there already; return the names of all of them, in their order."""
        for folder in (self.tasks, self.todo, self.claimed, self.done):
            folder.mkdir(parents=True, exist_ok=True)
        names = []
        for task in tasks:
            names.append(digest_of(task)[:_LONG])
            path = self.tasks / f"{names[-1]}.json"
            if not path.exists():
                write_text(path, json.dumps(task, sort_keys=True))
        return names

    def refill(self) -> list[str]:
        """Let every task wait that is neither done nor in hand; return the names of those whose result was damaged.

        Claims of dead processes are given up.

        Raises
        ------
        ResultError
            If the folder holds no tasks.
        """
        names = sorted(path.stem for path in self.tasks.glob("*.json"))
        if not names:
            raise ResultError(f"{self.path}: holds no tasks; make them with `dyadloop design assurance --folder`")
        self._give_up()
        known = {path.stem for path in self.done.glob("*.json")}
        in_hand = {path.name.partition(".")[0] for path in self.claimed.iterdir()}
        waiting = {path.name for path in self.todo.iterdir()}
        damaged = []
        for name in names:
            if self.result(name) is None and name not in in_hand:
                damaged += [name] if name in known else []
                if name not in waiting:
                    (self.todo / name).touch()
        return damaged

    def result(self, name: str) -> Rows | None:
        """Return what a task found, or None where it is not done; a damaged file is removed."""
        path = self.done / f"{name}.json"
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            rows = content["rows"]
            if content["task"] == name and content["digest"] == digest_of(rows):
                return rows
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            pass  # what is damaged is as good as absent
        path.unlink(missing_ok=True)
        return None

    def _give_up(self) -> None:
        """Let tasks wait again whose process has ended, or has not been heard of for long."""
        here = socket.gethostname()
        for path in self.claimed.iterdir():
            name, host, process = _owner(path)
            try:
                quiet = time.time() - path.stat().st_mtime > STALE_SECONDS
            except FileNotFoundError:
                continue
            if (host == here and not runs(process)) or (host != here and quiet):
                _move(path, self.todo / name)

    def claim(self, shard: Shard, prefer: Callable[[Task], bool]) -> tuple[Path, Task] | None:
        """Take a task that waits, one that is preferred if there is one; None where none waits."""
        waiting = sorted(path.name for path in self.todo.iterdir() if shard.takes(path.name))
        ready = [(name, self._task(name)) for name in waiting]
        for name, task in sorted(ready, key=lambda entry: (not prefer(entry[1]), _order(entry[1]))):
            mine = self.claimed / f"{name}.{socket.gethostname()}.{os.getpid()}"
            if _move(self.todo / name, mine):
                os.utime(mine)
                return mine, task
        return None

    def _task(self, name: str) -> Task:
        if name not in self._known:
            self._known[name] = json.loads((self.tasks / f"{name}.json").read_text(encoding="utf-8"))
        return self._known[name]

    def finish(self, claim: Path, rows: Rows) -> None:
        """Write what a claimed task found."""
        name = _owner(claim)[0]
        content = {"task": name, "digest": digest_of(rows), "rows": rows}
        write_text(self.done / f"{name}.json", json.dumps(content, allow_nan=False))
        claim.unlink(missing_ok=True)

    def give_back(self, claim: Path) -> None:
        """Let a claimed task wait again."""
        _move(claim, self.todo / _owner(claim)[0])

    def counts(self) -> tuple[int, int, int]:
        """Return how many tasks wait, are in hand and are done."""
        waiting, in_hand = (sum(1 for _ in folder.iterdir()) for folder in (self.todo, self.claimed))
        return waiting, in_hand, sum(1 for _ in self.done.glob("*.json"))

    def describe(self, content: dict[str, Any]) -> None:
        """Note what the folder is about.

        Raises
        ------
        ResultError
            If it is about something else.
        """
        path = self.path / "about.json"
        self.path.mkdir(parents=True, exist_ok=True)
        if path.exists() and json.loads(path.read_text(encoding="utf-8")) != json.loads(json.dumps(content)):
            raise ResultError(f"{self.path}: holds tasks of another question; choose another folder or remove this one")
        write_text(path, json.dumps(content, indent=1, sort_keys=True))


def work(
    folder: TaskFolder,
    solve: Callable[[Task, Beat], Rows],
    same: Callable[[Task], str],
    shard: Shard | None = None,
    told: Callable[[int], None] = lambda count: None,
) -> int:
    """Do tasks until none waits; return how many were done.

    Parameters
    ----------
    folder
        The tasks.
    solve
        Returns what a task finds; it calls its second argument now and then, to show that it lives.
    same
        What a task needs compiled; tasks that need the same are done one after another.
    shard
        Part of the tasks to do; default: all.
    told
        Called after each with how many were done.
    """
    count, current = 0, ""
    while found := folder.claim(shard or Shard(), lambda task, now=current: same(task) == now):
        claim, task = found
        current = same(task)
        try:
            rows = solve(task, lambda path=claim: os.utime(path) if path.exists() else None)
        except BaseException:
            folder.give_back(claim)
            raise
        folder.finish(claim, rows)
        count += 1
        told(count)
    return count


def slurm_script(folder: Path, shards: int, minutes: int, memory_gb: int) -> str:
    """Return a Slurm array script that does the tasks of a folder; a job that is requeued goes on."""
    return "\n".join(
        [
            "#!/bin/bash",
            "#SBATCH --job-name=dyadloop",
            f"#SBATCH --array=1-{shards}",
            "#SBATCH --cpus-per-task=1",
            f"#SBATCH --time={minutes}",
            f"#SBATCH --mem={memory_gb}G",
            "#SBATCH --requeue",
            "#SBATCH --open-mode=append",
            f"dyadloop tasks run {folder} --workers 1 --shard ${{SLURM_ARRAY_TASK_ID}}/{shards}",
            "",
        ]
    )


def _order(task: Task) -> tuple:
    return (str(task.get("fit")), str(task.get("truth")), int(task.get("first", 0)))


def _owner(path: Path) -> tuple[str, str, int]:
    """Return task, machine and process of a claim."""
    name, _, rest = path.name.partition(".")
    host, _, process = rest.rpartition(".")
    return name, host, int(process) if process.isdigit() else 0


def _move(path: Path, target: Path) -> bool:
    """Rename a file; False where another process was faster."""
    try:
        os.rename(path, target)
    except FileNotFoundError:
        return False
    return True
