"""Processes that share a folder of tasks: one is killed in the middle, and nothing is lost or different."""

import os
import signal
import threading
import time

import pandas as pd
import pytest

from dyadloop.design import assurance
from dyadloop.design.pool import environment, run_pool
from dyadloop.design.tasks import TaskFolder
from dyadloop.errors import ResultError
from tests.design.small import design, theory_file


def test_processes_have_one_thread_and_share_what_is_compiled(tmp_path):
    found = environment(tmp_path)
    assert found["OMP_NUM_THREADS"] == "1"
    assert "intra_op_parallelism_threads=1" in found["XLA_FLAGS"]
    assert found["JAX_COMPILATION_CACHE_DIR"].startswith(str(tmp_path / "compiled"))


@pytest.mark.slow
def test_a_killed_process_loses_nothing(tmp_path):
    small = design(theory_file(tmp_path))
    one = assurance(small, ("fixed",), 200, folder=tmp_path / "one", workers=1)
    place, killed = tmp_path / "two", []

    def kill():
        while not killed:
            for path in (place / "claimed").glob("*") if (place / "claimed").exists() else ():
                if len(list((place / "done").glob("*.json"))) >= 3:
                    killed.append(int(path.name.rpartition(".")[2]))
                    os.kill(killed[0], signal.SIGKILL)
                    return
            time.sleep(0.02)

    thread = threading.Thread(target=kill)
    thread.start()
    two = assurance(small, ("fixed",), 200, folder=place, workers=2)
    thread.join()
    pd.testing.assert_frame_equal(one.rows.drop(columns="task"), two.rows.drop(columns="task"))
    assert killed


@pytest.mark.slow
def test_processes_that_keep_dying_are_told_with_their_last_words(tmp_path):
    folder = TaskFolder(tmp_path)
    folder.add([{"fit": "mode", "truth": "none", "first": 0, "count": 1, "design": {}, "values": {}, "seed": 1}])
    with pytest.raises(ResultError, match=r"keep ending(.|\n)*design: 6 faults"):
        run_pool(folder, 1)
