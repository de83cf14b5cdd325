"""Progress on stderr: a bar in a terminal, a line now and then elsewhere."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

Step = Callable[[int, int, int], None]
Say = Callable[[str], None]
_EVERY_SECONDS = 15.0


@contextmanager
def watch(total: int | None, quiet: bool) -> Iterator[tuple[Step, Say]]:
    """Yield the two callbacks of a fit: one for blocks of iterations, one for messages.

    Parameters
    ----------
    total
        Iterations of all chains together; None where their number is open.
    quiet
        Show nothing.
    """
    if quiet:
        yield (lambda chain, done, divergences: None), (lambda text: None)
        return
    console = Console(stderr=True, highlight=False)
    tally = _Tally(total)
    if not console.is_terminal:
        yield tally.line, lambda text: print(text, file=sys.stderr, flush=True)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("sampling", total=total)

        def step(chain: int, done: int, divergences: int) -> None:
            finished, diverged = tally.add(chain, done, divergences)
            text = f"sampling, {diverged} divergences, safe to stop"
            bar.update(task, completed=finished, description=text)

        yield step, lambda text: bar.console.print(text, markup=False)


Count = Callable[[str, int, int], None]


@contextmanager
def steps(quiet: bool) -> Iterator[Count]:
    """Yield a callback for work of several named parts: (name, done, total); a bar in a terminal, lines elsewhere."""
    if quiet:
        yield lambda name, done, total: None
        return
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        last = [time.monotonic()]

        def line(name: str, done: int, total: int) -> None:
            if time.monotonic() - last[0] > _EVERY_SECONDS:
                last[0] = time.monotonic()
                print(f"{name} {done}/{total}", file=sys.stderr, flush=True)

        yield line
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def step(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total)
            bar.update(tasks[name], completed=done, total=total)

        yield step


class _Tally:
    """Iterations and divergences of all chains so far; chains report from threads of their own."""

    def __init__(self, total: int | None) -> None:
        self.total = total
        self.done: dict[int, int] = {}
        self.divergences: dict[int, int] = {}
        self.lock = threading.Lock()
        self.last = time.monotonic()

    def add(self, chain: int, done: int, divergences: int) -> tuple[int, int]:
        with self.lock:
            self.done[chain], self.divergences[chain] = done, divergences
            return sum(self.done.values()), sum(self.divergences.values())

    def line(self, chain: int, done: int, divergences: int) -> None:
        finished, diverged = self.add(chain, done, divergences)
        if time.monotonic() - self.last > _EVERY_SECONDS or finished == self.total:
            self.last = time.monotonic()
            of_all = f"/{self.total}" if self.total else " iterations"
            print(f"sampling {finished}{of_all}, {diverged} divergences", file=sys.stderr, flush=True)
