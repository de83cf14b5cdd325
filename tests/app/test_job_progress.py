"""What a command prints and what it leaves on disk, read as progress."""

import numpy as np
import pytest

from dyadloop.app.job_progress import kept_iterations, kept_tasks, progress


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("sampling 450/600, 3 divergences", ("sampling", 450, 600, 3)),
        ("tasks 2/40", ("tasks", 2, 40, None)),
        ("none, dyad left out 7/12", ("none, dyad left out", 7, 12, None)),
    ],
)
def test_counts_are_told_from_messages(tmp_path, line, told):
    (tmp_path / "log.txt").write_text(f"mode found, 4 of 4 starts agree; sampling\n{line}\nsee http://x/1/2 there\n")
    found = progress(tmp_path)
    assert tuple(found[name] for name in ("part", "done", "total", "divergences")) == told
    assert found["messages"] == ["mode found, 4 of 4 starts agree; sampling", "see http://x/1/2 there"]


def test_nothing_printed_is_no_progress(tmp_path):
    assert progress(tmp_path) == {"part": None, "done": None, "total": None, "divergences": None, "messages": []}


def test_a_long_log_is_read_from_its_end(tmp_path):
    (tmp_path / "log.txt").write_text("x" * 10**6 + "\n" + "\n".join(f"note {n}" for n in range(50)))
    assert progress(tmp_path)["messages"][-1] == "note 49"


def test_kept_iterations_are_those_of_all_chains_on_disk(tmp_path):
    chains = tmp_path / "result" / "chains"
    chains.mkdir(parents=True)
    for number, length in ((1, 150), (2, 100)):
        np.savez(chains / f"chain-{number}.npz", diverging=np.zeros(length, bool), position=np.zeros((length, 3)))
    (chains / "chain-3.npz").write_bytes(b"half a file")
    np.savez(chains / "mode.npz", diverging=np.zeros(9, bool))
    assert kept_iterations(tmp_path) == 250
    other = tmp_path / "result" / "none" / "chains"
    other.mkdir(parents=True)
    np.savez(other / "chain-1.npz", diverging=np.zeros(60, bool))
    assert kept_iterations(tmp_path) == 250
    assert kept_iterations(tmp_path, several=True) == 310
    assert kept_tasks(tmp_path) == 0


def test_the_real_sampler_writes_what_is_counted(tmp_path):
    from dyadloop.inference import sampling

    assert "diverging" in sampling._STATISTICS
    (tmp_path / "result" / "chains").mkdir(parents=True)
    state, draws = (np.zeros(2),), {"position": np.zeros((50, 2)), "diverging": np.zeros(50, bool)}
    sampling._save(tmp_path / "result" / "chains" / "chain-1.npz", state, draws)
    assert kept_iterations(tmp_path) == 50
