"""Jobs are started, wait, are stopped, resumed and found again; nothing that is done is ever lost."""

import os
import signal
import subprocess
import sys

import pytest

from dyadloop.app.job import read_job
from dyadloop.app.jobs import Jobs
from dyadloop.errors import ResultError
from tests.app.doors import until

SERVER = """
import sys, time
from pathlib import Path
from dyadloop.app.jobs import Jobs
jobs = Jobs(Path(sys.argv[1]))
print(jobs.start("fit", "s", "a fit", ["tests.app.stand_in", "{folder}", "20", "0.1"], total=200).id, flush=True)
time.sleep(600)
"""


def words(blocks, seconds, *manner):
    return ["tests.app.stand_in", "{folder}", str(blocks), str(seconds), *manner]


@pytest.fixture
def jobs(tmp_path):
    found = Jobs(tmp_path / "jobs", grace_seconds=20)
    yield found
    found.close()


def started(jobs, blocks=100, seconds=0.1, *manner, kind="fit"):
    return jobs.start(kind, "s", "a fit", words(blocks, seconds, *manner), total=10 * blocks).id


def state(jobs, name, *wanted):
    return until(lambda: (found := jobs.shown(name))["state"] in wanted and found)


def at_work(jobs, name, kept=10):
    return until(lambda: (found := jobs.shown(name))["kept"] >= kept and found)


def test_a_job_ends_with_its_answer_and_its_messages(jobs):
    name = started(jobs, 2, 0.0)
    found = state(jobs, name, "done")
    assert (found["kept"], found["code"], found["progress"]["done"]) == (20, 0, 20)
    assert found["progress"]["messages"] == ["begins"]
    assert (jobs.folder(name) / "answer.txt").read_text() == '{"finished": true}\n'


def test_what_was_stopped_keeps_its_draws_and_goes_on_from_there(jobs):
    name = started(jobs, 15, 0.1)
    at_work(jobs, name)
    assert jobs.stop(name).state == "stopping"
    kept = state(jobs, name, "interrupted")["kept"]
    assert 10 <= kept < 150
    jobs.resume(name)
    first = at_work(jobs, name, kept + 10)["kept"]
    assert first <= kept + 100, "it did not begin anew, nor was it done already"
    assert state(jobs, name, "done")["kept"] == 150
    with pytest.raises(ResultError, match="is done; expected one that was interrupted"):
        jobs.resume(name)


def test_one_fit_at_a_time_and_short_questions_do_not_wait(jobs):
    first, second = started(jobs), started(jobs, 2, 0.0)
    short = started(jobs, 1, 0.0, kind="claims")
    assert jobs.shown(second)["state"] == "waiting"
    state(jobs, short, "done")
    assert jobs.shown(first)["state"] == "running"
    assert jobs.shown(second)["state"] == "waiting"
    jobs.stop(first)
    state(jobs, second, "done")


def test_one_that_waits_can_be_taken_back(jobs):
    started(jobs)
    second = started(jobs)
    assert jobs.stop(second).state == "interrupted"
    assert jobs.shown(second)["kept"] == 0
    with pytest.raises(ResultError, match="nothing to stop"):
        jobs.stop(second)


def test_a_command_that_does_not_stop_is_ended_and_keeps_its_blocks(tmp_path):
    jobs = Jobs(tmp_path / "jobs", grace_seconds=0.5)
    name = started(jobs, 100, 0.1, "deaf")
    at_work(jobs, name)
    jobs.stop(name)
    found = state(jobs, name, "interrupted")
    assert found["code"] == -signal.SIGTERM
    assert found["kept"] >= 10


def test_a_command_that_fails_says_why(jobs):
    name = started(jobs, 1, 0.0, "fails")
    found = state(jobs, name, "failed")
    assert found["code"] == 3
    assert found["progress"]["messages"][-1] == "dyadloop: study.yaml: nothing to fit"


def test_as_the_app_ends_its_jobs_are_stopped_safely(tmp_path):
    jobs = Jobs(tmp_path / "jobs")
    running, waiting = started(jobs), started(jobs)
    at_work(jobs, running)
    jobs.close()
    again = Jobs(tmp_path / "jobs")
    assert {again.shown(name)["state"] for name in (running, waiting)} == {"interrupted"}
    assert again.shown(running)["kept"] >= 10


def test_a_killed_server_loses_no_draws(tmp_path):
    root = tmp_path / "jobs"
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(root)], stdout=subprocess.PIPE, text=True)
    name = server.stdout.readline().strip()
    until(lambda: (root / name / "result/chains/chain-1.npz").is_file())
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    server.stdout.close()
    jobs = Jobs(root)
    with pytest.raises(ResultError, match="is at work"):
        jobs.resume(name)
    found = state(jobs, name, "interrupted")
    assert 10 <= found["kept"] < 200
    assert read_job(root / name).code == 130
    jobs.resume(name)
    at_work(jobs, name, found["kept"] + 10)
    assert state(jobs, name, "done")["kept"] == 200


def test_a_fit_that_has_not_converged_goes_on_to_more_draws(jobs):
    sampled = ["--chains", "1", "--draws", "10"]
    name = jobs.start("fit", "s", "a fit", [*words(1, 0.0, "short"), *sampled], total=10).id
    assert state(jobs, name, "not converged")["kept"] == 10
    with pytest.raises(ResultError, match="ask for more"):
        jobs.more(name, 10)
    again = jobs.more(name, 30)
    assert (again.words[-4:], again.total) == (("--chains", "1", "--draws", "30"), 30)
    state(jobs, name, "not converged")
    done = started(jobs, 1, 0.0)
    state(jobs, done, "done")
    with pytest.raises(ResultError, match="expected a fit that has not converged"):
        jobs.more(done, 99)


def test_a_job_that_does_not_exist_is_refused(jobs):
    for name in ("none", "../jobs", ""):
        with pytest.raises(ResultError, match="there is none"):
            jobs.shown(name)


def test_a_folder_that_is_no_job_is_passed_over(tmp_path):
    for content in ("{", "[]", '{"id": "x"}'):
        folder = tmp_path / "jobs" / "x"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "job.json").write_text(content)
        assert Jobs(tmp_path / "jobs").all() == []
