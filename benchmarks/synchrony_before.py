"""Print the cost of dense and long measures of synchrony beside an earlier build, and the largest memory of each.

Each workload runs in a process of its own, first with this source, then with that of a commit (default: before sums
ran), so that CPU seconds and the peak memory are side by side: ``python benchmarks/synchrony_before.py [COMMIT]``.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from dyadloop.measures.synchrony import synchrony

_BEFORE = "fe50ac0"
_ROOT = Path(__file__).parents[1]


def movement(hours: float, fs: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return SIMULATED motion energy of two persons."""
    rng = np.random.default_rng(seed)
    n = int(hours * 3600 * fs)
    one, two = (np.exp(np.convolve(rng.normal(size=n), np.ones(50) / 7, "same")) for _ in range(2))
    return one, two


WORKLOADS: dict[str, tuple[float, float, str, dict[str, float]]] = {
    "a window per sample, 1 h at 25 Hz": (1, 25, "windowed", {"window": 60, "step": 0.04, "lag": 5}),
    "a window per second, 1 h at 25 Hz": (1, 25, "windowed", {"window": 60, "step": 1, "lag": 5}),
    "windows of 60 s every 30 s, 1 h at 25 Hz": (1, 25, "windowed", {"window": 60, "step": 30, "lag": 5}),
    "wavelet coherence, 1 h at 25 Hz": (1, 25, "wavelet", {}),
    "recurrence, half an hour at 10 Hz": (0.5, 10, "recurrence", {}),
    "lagged regression, 4 h at 25 Hz": (4, 25, "regression", {}),
}
"""Hours, rate [Hz], method and settings by name."""


def run_one(name: str) -> None:
    """Print CPU seconds and the rise of the peak memory [MiB] of one workload as JSON."""
    hours, fs, method, settings = WORKLOADS[name]
    one, two = movement(hours, fs)
    synchrony(one[:2500], two[:2500], fs, method, **settings)  # loads and compiles
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.process_time()
    found = synchrony(one, two, fs, method, **settings)
    took = time.process_time() - begin
    rise = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps({"cpu": took, "mib": rise, "score": float(found["score"])}))


def measured(name: str, source: Path) -> dict[str, float]:
    """Return what a workload costs with the source of a folder: the least CPU seconds of up to three processes.

    A fresh process pays for memory that the machine hands out for the first time, which varies more than the work.
    """
    runs = [_one_process(name, source)]
    while len(runs) < 3 and sum(run["cpu"] for run in runs) < 3:
        runs.append(_one_process(name, source))
    return min(runs, key=lambda run: run["cpu"])


def _one_process(name: str, source: Path) -> dict[str, float]:
    paths = os.pathsep.join([str(source), str(_ROOT)])
    command = [sys.executable, __file__, "--one", name]
    told = subprocess.run(command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, check=True)
    return json.loads(told.stdout.strip().splitlines()[-1])


def main(commit: str) -> None:
    """Print the table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("workload", "CPU s", f"CPU s, {commit}", "ratio", "MiB", f"MiB, {commit}", "scores differ by")
    with tempfile.TemporaryDirectory() as folder:
        packed = subprocess.run(["git", "-C", str(_ROOT), "archive", commit, "src"], capture_output=True, check=True)
        subprocess.run(["tar", "-x", "-C", folder], input=packed.stdout, check=True)
        for name in WORKLOADS:
            now, then = measured(name, _ROOT / "src"), measured(name, Path(folder) / "src")
            table.add_row(
                name, f"{now['cpu']:.2f}", f"{then['cpu']:.2f}", f"{then['cpu'] / now['cpu']:.1f}",
                f"{now['mib']:.0f}", f"{then['mib']:.0f}", f"{abs(now['score'] - then['score']):.1g}",
            )  # fmt: skip
    Console(width=130).print(table)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        run_one(sys.argv[2])
    else:
        main(*sys.argv[1:2] or [_BEFORE])
