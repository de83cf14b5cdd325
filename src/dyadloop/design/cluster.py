"""Do the tasks of a folder on the workers of a Dask cluster, here or on many machines.

The folder stays with the process that asks: it claims tasks, sends what they ask for as text, and writes what comes
back. So workers need no disk in common with it, and other processes may work on the same folder.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dyadloop.design.pool import Told, single_thread
from dyadloop.design.tasks import Shard, TaskFolder
from dyadloop.errors import ResultError
from dyadloop.inference.result import versions

if TYPE_CHECKING:
    from distributed import Client, Future

LOCAL = "local"
"""Name of a cluster of processes on this machine."""
_AHEAD = 2  # tasks that are sent per thread of the cluster, so that none waits for work
_BEAT_SECONDS = 20.0
_CONNECTIONS = 10  # times that a connection may be lost and made again
_CONNECT_SECONDS = 60.0
_one_at_a_time = threading.Lock()


def run_cluster(
    folder: TaskFolder,
    address: str,
    workers: int = 2,
    told: Told = lambda done, total: None,
    shard: Shard | None = None,
) -> None:
    """Do the tasks of a folder on a Dask cluster until each is done.

    Parameters
    ----------
    folder
        The tasks.
    address
        ``local`` for processes of this machine, the address of a scheduler such as ``tcp://node1:8786``, or the path of
        a scheduler file.
    workers
        Number of processes of a local cluster.
    told
        Called with how many are done, and of how many.
    shard
        Part of the tasks; default: all.

    Raises
    ------
    ResultError
        If Dask is not installed, no scheduler answers, workers have other versions, or a task keeps ending its worker.

    Notes
    -----
    A worker that dies is made up for by Dask. If the scheduler is restarted, what was in hand is sent again. Dask moves
    Python objects between its own processes by pickle, so use a cluster that only you and those you trust can reach.
    """
    part = shard or Shard()
    wanted = [path.stem for path in folder.tasks.glob("*.json") if part.takes(path.stem)]
    lost, local = 0, _local_cluster(workers) if address == LOCAL else None
    try:
        while not _all_done(folder, wanted):
            try:
                with _client(local or address) as client:
                    _send(client, folder, part, wanted, told)
            except (OSError, CancelledError) as error:  # lost connections, and futures that went with a scheduler
                lost += 1
                if lost > _CONNECTIONS:
                    raise ResultError(f"cluster {address}: the connection was lost {lost} times ({error})") from None
    finally:
        if local is not None:
            local.close()
    told(len(wanted), len(wanted))


def _all_done(folder: TaskFolder, wanted: list[str]) -> bool:
    folder.refill()
    return all((folder.done / f"{name}.json").exists() for name in wanted)


def _local_cluster(workers: int) -> Any:  # noqa: ANN401 - Dask's own
    """Start processes with one thread each on this machine; nothing listens beyond it."""
    dask, distributed = _dask()
    with dask.config.set({"distributed.nanny.pre-spawn-environ": single_thread()}):
        return distributed.LocalCluster(
            n_workers=max(workers, 1),
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,  # what workers say of a closed connection when all is done
        )


@contextmanager
def _client(target: Any) -> "Iterator[Client]":  # noqa: ANN401 - a cluster of Dask, or text
    """Yield a client of a cluster."""
    _, distributed = _dask()
    place = {"scheduler_file": target} if isinstance(target, str) and Path(target).is_file() else {"address": target}
    try:
        client = distributed.Client(**place, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise ResultError(
            f"cluster {target}: no scheduler answers ({error}); start one with `dask scheduler`"
        ) from None
    try:
        with client.as_current():
            yield client
    finally:
        client.close(timeout=2)


def _dask() -> tuple[Any, Any]:
    try:
        import dask
        import distributed
    except ImportError:
        raise ResultError("a cluster needs Dask: pip install 'dyadloop[cluster]'") from None
    return dask, distributed


def _send(client: "Client", folder: TaskFolder, part: Shard, wanted: list[str], told: Told) -> None:
    """Send tasks and write results until none waits and none is in hand."""
    from distributed import wait

    ours, sent = json.dumps(versions(), sort_keys=True), {}
    try:
        while True:
            told(sum((folder.done / f"{name}.json").exists() for name in wanted), len(wanted))
            _fill(client, folder, part, ours, sent)
            if sent:
                with suppress(TimeoutError):  # the claims below are touched then, which shows that this process lives
                    wait(list(sent), timeout=_BEAT_SECONDS, return_when="FIRST_COMPLETED")
            elif _all_done(folder, wanted):
                return
            elif not any(part.takes(path.name) for path in folder.todo.iterdir()):
                time.sleep(1.0)  # others have the rest in hand
            for claim in sent.values():
                os.utime(claim)
            for future in [future for future in sent if future.done()]:
                _take(folder, future, sent)
    finally:
        for claim in sent.values():
            folder.give_back(claim)


def _fill(client: "Client", folder: TaskFolder, part: Shard, ours: str, sent: "dict[Future, Path]") -> None:
    """Claim and send tasks until each thread of the cluster has enough."""
    threads: Any = client.nthreads()  # a coroutine in the types, as clients may be asynchronous
    most = _AHEAD * max(sum(threads.values()), 1)
    while len(sent) < most and (found := folder.claim(part, lambda task: True)):
        claim, task = found
        sent[client.submit(solved, json.dumps(task), ours, pure=False)] = claim


def _take(folder: TaskFolder, future: "Future", sent: "dict[Future, Path]") -> None:
    """Write what a finished task found.

    Raises
    ------
    ResultError
        If the task ended its workers, or they have other versions.
    CancelledError
        If the scheduler forgot it.
    """
    from distributed import KilledWorker

    try:
        rows = json.loads(future.result())
    except KilledWorker as error:
        raise ResultError(f"a task keeps ending its worker: {error}") from None
    folder.finish(sent.pop(future), rows)


def solved(text: str, expected: str) -> str:
    """Return what a task finds; runs on a worker, one task at a time in each process.

    Parameters
    ----------
    text
        The task, as JSON.
    expected
        Versions of the packages of the process that asks, as JSON.

    Raises
    ------
    ResultError
        If this process has other versions.
    """
    here = json.dumps(versions(), sort_keys=True)
    if here != expected:
        raise ResultError(f"a worker has {here}, expected {expected}: install the same versions on all machines")
    with _one_at_a_time:
        for name, value in single_thread().items():
            os.environ.setdefault(name, value)  # of use where nothing was computed yet in this process
        return json.dumps(_solver()(json.loads(text)), allow_nan=False)


@lru_cache(maxsize=1)
def _solver() -> Any:  # noqa: ANN401 - of a module that compiles programs, loaded where it is needed
    from dyadloop.design.solving import Solver

    return Solver()
