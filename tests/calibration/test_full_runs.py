"""The two runs that the documents speak of, whole: minutes each."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import binom

from dyadloop.inference import load_result
from tests.conftest import ROOT


def _run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "dyadloop", *map(str, arguments)], capture_output=True, text=True, cwd=ROOT
    )  # fmt: skip


@pytest.mark.slow
def test_the_simulated_oxytocin_study_is_recovered(tmp_path):
    assert _run("simulate", tmp_path / "haifa", "--design", "haifa", "--seed", 1).returncode == 0
    run = _run("run", tmp_path / "haifa", "--out", tmp_path / "out")
    assert run.returncode == 0, run.stderr
    truth = json.loads((tmp_path / "haifa" / "truth.json").read_text())["values"]
    posterior = load_result(tmp_path / "out")["posterior"].to_dataset()
    names = [name for name in posterior.data_vars if name in truth]
    intervals = {name: np.quantile(posterior[name].values, [0.05, 0.95]) for name in names}
    hits = [low <= truth[name] <= high for name, (low, high) in intervals.items()]
    print(f"{sum(hits)} of {len(hits)} 90 % intervals hold the truth")
    assert len(hits) > 90
    assert sum(hits) >= binom.ppf(0.001, len(hits), 0.9)


@pytest.mark.slow
def test_the_readme_prints_what_the_demo_prints(tmp_path):
    run = _run("run", "examples/school", "--out", tmp_path / "out")
    assert run.returncode == 0, run.stderr
    block = re.search(r"<!-- demo.*?-->\n```text\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL).group(1)
    printed = "\n".join(line.rstrip() for line in run.stdout.strip().splitlines()[:-1])
    assert block.startswith(printed)
