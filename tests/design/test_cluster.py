"""Dask workers do the tasks of a folder: all are done, whoever dies, and the numbers are those of one process."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import distributed
import pandas as pd
import pytest

from dyadloop.design import assurance, cluster
from dyadloop.design.cluster import run_cluster
from dyadloop.design.pool import single_thread
from dyadloop.design.tasks import TaskFolder
from dyadloop.errors import ResultError
from tests.design.small import design, theory_file

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def scheduler():
    """The address of a cluster within this process."""
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=2,
        processes=False,
        protocol="tcp",
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    ) as running:
        yield running.scheduler_address


def tasks(count):
    return [{"fit": "mode", "truth": "none", "first": number, "count": 1} for number in range(count)]


def test_each_task_is_done_once_and_a_damaged_result_again(tmp_path, monkeypatch, scheduler):
    done = []
    monkeypatch.setattr(cluster, "_solver", lambda: lambda task: done.append(task["first"]) or [{"of": task["first"]}])
    folder, told = TaskFolder(tmp_path), []
    names = folder.add(tasks(7))
    run_cluster(folder, scheduler, told=lambda count, total: told.append((count, total)))
    assert sorted(done) == list(range(7))
    assert [folder.result(name) for name in names] == [[{"of": number}] for number in range(7)]
    assert told[-1] == (7, 7)
    assert folder.counts() == (0, 0, 7)
    (folder.done / f"{names[3]}.json").write_text("{}")
    run_cluster(folder, scheduler)
    assert done[7:] == [3]


def test_workers_with_other_versions_are_refused(tmp_path, monkeypatch, scheduler):
    folder = TaskFolder(tmp_path)
    folder.add(tasks(1))
    found = iter([{"dyadloop": "1"}])
    monkeypatch.setattr(cluster, "versions", lambda: next(found, {"dyadloop": "2"}))
    with pytest.raises(ResultError, match=r'a worker has {"dyadloop": "2"}, expected {"dyadloop": "1"}'):
        run_cluster(folder, scheduler)
    assert folder.counts() == (1, 0, 0)  # the task waits again


def test_a_scheduler_that_does_not_answer_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_CONNECT_SECONDS", 0.5)
    folder = TaskFolder(tmp_path)
    folder.add(tasks(1))
    with pytest.raises(ResultError, match=r"tcp://127.0.0.1:9: no scheduler answers"):
        run_cluster(folder, "tcp://127.0.0.1:9")


def _free_port():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["worker", "scheduler"])
def test_nothing_is_lost_when_a_worker_or_the_scheduler_is_killed(tmp_path, victim):
    small, port = design(theory_file(tmp_path)), _free_port()
    address = f"tcp://127.0.0.1:{port}"
    one = assurance(small, ("fixed",), 200, folder=tmp_path / "one", workers=1)

    def start(*parts):
        call = [sys.executable, "-m", "distributed.cli.dask_" + parts[0], *parts[1:], "--no-dashboard"]
        return subprocess.Popen(call, env={**os.environ, **single_thread()}, stderr=subprocess.DEVNULL)

    schedule = ("scheduler", "--host", "127.0.0.1", "--port", str(port))
    worker = ("worker", address, "--nthreads", "1", "--host", "127.0.0.1", "--no-nanny")
    running = {"scheduler": start(*schedule), "worker": start(*worker), "other": start(*worker)}
    place, killed = tmp_path / "two", []

    def kill():
        while len(list((place / "done").glob("*.json"))) < 3:
            time.sleep(0.05)
        killed.append(os.kill(running[victim].pid, signal.SIGKILL))
        if victim == "scheduler":
            running[victim].wait()
            running["again"] = start(*schedule)
            running.update({f"{name} again": start(*worker) for name in ("worker", "other")})

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        two = assurance(small, ("fixed",), 200, folder=place, cluster=address)
    finally:
        thread.join()
        for process in running.values():
            process.kill()
            process.wait()
    pd.testing.assert_frame_equal(one.rows.drop(columns="task"), two.rows.drop(columns="task"))
    assert killed
