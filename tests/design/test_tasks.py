"""The folder of tasks: done once, resumed, repaired."""

import json
import os
import socket
import subprocess
import sys

import pytest

from dyadloop.design.tasks import Shard, TaskFolder, shard_of, slurm_script, work
from dyadloop.errors import ResultError


def tasks(count=6):
    return [{"fit": "mode", "truth": "none", "first": number, "kind": number % 2} for number in range(count)]


def solve(task, beat):
    beat()
    return [{"first": task["first"], "square": task["first"] ** 2}]


@pytest.fixture
def folder(tmp_path):
    made = TaskFolder(tmp_path / "tasks")
    made.names = made.add(tasks())
    made.refill()
    return made


def test_each_task_is_done_once_and_like_ones_in_a_row(folder):
    order = []

    def told(task, beat):
        order.append(task["kind"])
        return solve(task, beat)

    assert work(folder, told, lambda task: str(task["kind"])) == 6
    assert order in ([0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0])
    assert folder.counts() == (0, 0, 6)
    assert [folder.result(name)[0]["square"] for name in folder.names] == [0, 1, 4, 9, 16, 25]
    assert work(folder, told, lambda task: "") == 0


def test_a_run_that_stops_goes_on(folder):
    calls = []

    def stops(task, beat):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(task)
        return solve(task, beat)

    with pytest.raises(KeyboardInterrupt):
        work(folder, stops, lambda task: "")
    assert folder.counts() == (4, 0, 2)
    assert work(folder, solve, lambda task: "") == 4


@pytest.mark.parametrize("damage", ["", "{", '{"task": "x"}', "rows"])
def test_a_damaged_result_is_noticed_and_made_again(folder, damage):
    work(folder, solve, lambda task: "")
    path = folder.done / f"{folder.names[2]}.json"
    good = path.read_text()
    path.write_text(good.replace('"square": 4', '"square": 5') if damage == "rows" else damage)
    assert folder.refill() == [folder.names[2]]
    assert work(folder, solve, lambda task: "") == 1
    assert path.read_text() == good


def test_tasks_in_hand_of_a_dead_process_wait_again(folder):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    one, two, three = folder.names[:3]
    os.rename(folder.todo / one, folder.claimed / f"{one}.{socket.gethostname()}.{ended.pid}")
    os.rename(folder.todo / two, folder.claimed / f"{two}.elsewhere.example.7")
    os.rename(folder.todo / three, folder.claimed / f"{three}.{socket.gethostname()}.{os.getpid()}")
    os.utime(folder.claimed / f"{three}.{socket.gethostname()}.{os.getpid()}", (0, 0))
    folder.refill()
    assert (folder.todo / one).exists()
    assert not (folder.todo / two).exists()  # heard of a moment ago
    assert not (folder.todo / three).exists()  # runs here, however slowly
    os.utime(folder.claimed / f"{two}.elsewhere.example.7", (0, 0))
    folder.refill()
    assert (folder.todo / two).exists()


def test_shards_share_all_tasks_without_overlap(folder):
    parts = [[name for name in folder.names if Shard(index, 3).takes(name)] for index in (1, 2, 3)]
    assert sorted(name for part in parts for name in part) == sorted(folder.names)
    assert work(folder, solve, lambda task: "", Shard(2, 3)) == len(parts[1])
    assert shard_of("3/20") == Shard(3, 20)
    for text in ("3", "0/4", "5/4", "a/b"):
        with pytest.raises(ResultError, match="expected I/N"):
            shard_of(text)


def test_a_folder_without_tasks_is_refused(tmp_path):
    with pytest.raises(ResultError, match="holds no tasks"):
        TaskFolder(tmp_path).refill()


def test_the_slurm_script_takes_one_part_per_job(tmp_path):
    text = slurm_script(tmp_path, 20, 90, 3)
    assert "#SBATCH --array=1-20" in text
    assert "--shard ${SLURM_ARRAY_TASK_ID}/20" in text
    assert "#SBATCH --requeue" in text
    assert subprocess.run(["bash", "-n"], input=text, text=True).returncode == 0


def test_results_hold_what_was_asked_by_name(folder):
    work(folder, solve, lambda task: "")
    content = json.loads((folder.done / f"{folder.names[0]}.json").read_text())
    assert content["task"] == folder.names[0]
    assert folder.add(tasks()) == folder.names
