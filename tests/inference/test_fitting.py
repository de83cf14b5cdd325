"""A killed fit goes on bit-identically; an interrupted or foreign folder is handled with care."""

import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import xarray as xr

from dyadloop.data import read_study
from dyadloop.errors import ResultError
from dyadloop.inference import Settings, fit, fitting, load_result, load_rivals, problem_of, result, save_rivals
from dyadloop.inference.problem import build_problem
from tests.inference.small import make, theory

SETTINGS = {"chains": 2, "warmup": 60, "draws": 120, "block": 10}
CODE = """
import sys, time
from pathlib import Path
from dyadloop.data import read_study
from dyadloop.inference import Settings, fit
from tests.inference.small import theory
slow = len(sys.argv) > 3
def progress(chain, done, divergences):
    time.sleep(0.2 if slow else 0.0)
fit(read_study(sys.argv[1]), theory(["trust"]), seed=7, settings=Settings(**{settings}), folder=sys.argv[2], progress=progress)
""".replace("{settings}", repr(SETTINGS))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return make(tmp_path_factory.mktemp("resume") / "study", ["trust"])


@pytest.fixture(scope="module")
def finished(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished") / "fit"
    subprocess.run([sys.executable, "-c", CODE, str(study), str(folder)], check=True)
    return folder


def _draws(folder):
    post = load_result(folder)
    return {name: post["posterior"][name].values for name in post["posterior"].data_vars}


def test_kill_and_start_again_gives_the_same_bits(study, finished, tmp_path):
    folder = tmp_path / "killed"
    run = [sys.executable, "-c", CODE, str(study), str(folder)]
    first = subprocess.Popen([*run, "slow"])
    marker = folder / "chains" / "chain-2.npz"
    deadline = time.monotonic() + 120
    while not marker.is_file() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    os.kill(first.pid, signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL
    with np.load(marker) as stored:
        assert 0 < len(stored["position"]) < 180, "killed in the middle"
    assert not (folder / "posterior.nc").exists()
    subprocess.run(run, check=True)
    once, again = _draws(finished), _draws(folder)
    assert once.keys() == again.keys()
    for name, values in once.items():
        assert values.tobytes() == again[name].tobytes(), name


def test_another_fit_does_not_enter_the_folder(study, finished):
    with pytest.raises(ResultError, match="another study, theory, seed"):
        fit(read_study(study), theory(["trust"]), seed=8, settings=Settings(**SETTINGS), folder=finished)


def test_the_problem_of_a_fit_is_the_one_that_it_sampled(study, finished, tmp_path, monkeypatch):
    """Neither the fit nor its loaded twin needs another; the programs of the sampler are let go."""
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    built = []
    monkeypatch.setattr(fitting, "build_problem", lambda *parts: built.append(build_problem(*parts)) or built[-1])
    post = fit(read_study(study), theory(["trust"]), seed=7, settings=Settings(**SETTINGS), folder=folder)
    monkeypatch.setattr(result, "_rebuilt", lambda post: pytest.fail("the problem was built again"))
    (original,), problem = built, problem_of(post)
    assert problem_of(load_result(folder)) is problem
    assert problem.fingerprint == original.fingerprint == post.attrs["fingerprint"]
    assert problem.panel is original.panel
    assert problem.cache is not original.cache


def test_a_broken_block_is_named(study, finished, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(finished, folder)
    (folder / "chains" / "chain-1.npz").write_bytes(b"nonsense")
    with pytest.raises(ResultError, match=r"chain-1\.npz"):
        fit(read_study(study), theory(["trust"]), seed=7, settings=Settings(**SETTINGS), folder=folder)


def test_an_altered_result_is_not_loaded(finished, tmp_path):
    folder = tmp_path / "altered"
    shutil.copytree(finished, folder)
    raw = bytearray((folder / "posterior.nc").read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / "posterior.nc").write_bytes(bytes(raw))
    with pytest.raises(ResultError, match="altered"):
        load_result(folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(ResultError, match=r"manifest\.json"):
        load_result(folder)


def test_what_rivals_predict_is_kept_with_the_result(tmp_path):
    """The commands that read a result judge as the run did."""
    found = xr.Dataset(
        {"elpd": ("hypothesis", [-10.5, -9.25]), "told_apart": ("hypothesis", [False, True])},
        coords={"hypothesis": ["network", "reciprocal"]},
    )
    assert load_rivals(tmp_path) is None
    save_rivals(found, tmp_path)
    back = load_rivals(tmp_path)
    assert back["elpd"].sel(hypothesis="network").item() == -10.5
    assert [str(name) for name in back["hypothesis"].values] == ["network", "reciprocal"]
