"""Print the cost of measures of synchrony beside naive loops, in CPU seconds of one process, and how it grows.

Workloads: A1, one hour of one dyad at 25 Hz (lag 5 s, window 60 s, step 30 s); A2, 500 pseudo-dyads of 20 sessions of
10 minutes (window 30 s, step 10 s); B, surrogate synchrony of that hour (segments of 30 s,
120 x 119 pairs); C, cross-recurrence of 5,000 states of dimension 3. Real motion energy where the shared recordings lie
beside the repository, simulated series elsewhere. A naive loop that would take minutes runs on a part and is scaled up,
as printed.
"""

import resource
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from dyadloop.measures.synchrony import rmea_contrast, synchrony
from dyadloop.measures.synchrony.recurrence import embed, plot

SHARED = Path(__file__).parents[2] / "shared" / "data" / "therapy_mea_rmea"
FS = 25


def sessions() -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], str]:
    """Return 20 sessions of 10 minutes and what they are."""
    if SHARED.is_dir():
        files = sorted(SHARED.glob("*.csv"))
        return {file.stem: tuple(pd.read_csv(file).to_numpy(float).T) for file in files}, "real motion energy"  # pyright: ignore[reportReturnType]
    rng = np.random.default_rng(0)
    bursts = [np.exp(np.convolve(rng.normal(size=15_000), np.ones(50) / 7, "same")) for _ in range(40)]
    return {f"s{k}": (bursts[2 * k], bursts[2 * k + 1]) for k in range(20)}, "SIMULATED motion energy"


def cpu(function: Callable[[], object], repeats: int = 3) -> float:
    """Return the least CPU seconds of some runs."""
    best = np.inf
    for _ in range(repeats):
        begin = time.process_time()
        function()
        best = min(best, time.process_time() - begin)
    return best


def naive_cells(a: np.ndarray, b: np.ndarray, width: int, step: int, lag: int, windows: int) -> float:
    """Return the mean |z| of some windows, one correlation at a time."""
    total = []
    for s in range(0, windows * step, step):
        for k in range(-lag, lag + 1):
            x = a[s : s + width] if k >= 0 else a[s - k : s - k + width]
            y = b[s + k : s + k + width] if k >= 0 else b[s : s + width]
            total.append(abs(np.arctanh(np.corrcoef(x, y)[0, 1])))
    return float(np.mean(total))


def naive_segments(a: np.ndarray, b: np.ndarray, lag: int, pairs: int) -> float:
    """Return the mean |z| of some pairs of segments, one lag at a time."""
    total = []
    for i in range(pairs):
        x, y = a[i % len(a)], b[(i * 7) % len(b)]
        dx, dy, scale = x - x.mean(), y - y.mean(), len(x) * x.std() * y.std()
        for k in range(-lag, lag + 1):
            c = (dx[max(-k, 0) : len(x) - max(k, 0)] * dy[max(k, 0) : len(y) + min(k, 0)]).sum() / scale
            total.append(abs(np.arctanh(c)))
    return float(np.mean(total))


def naive_recurrence(x: np.ndarray, y: np.ndarray, radius: float) -> int:
    """Return the recurrent points on lines of the whole plot held in memory, lines counted diagonal by diagonal."""
    near = np.sqrt(((x[:, :, None] - y[:, None]) ** 2).sum(axis=0)) <= radius
    points = 0
    for k in range(-near.shape[0] + 1, near.shape[1]):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], np.diagonal(near, k), [False]]).astype(np.int8)))
        runs = edges[1::2] - edges[::2]
        points += int(runs[runs >= 2].sum())
    return points


def main() -> None:
    """Print the tables."""
    console = Console(width=120)
    dyads, what = sessions()
    hour = np.concatenate([np.stack(pair, axis=1) for pair in list(dyads.values())[-10:-4]])
    a, b = hour.T.copy()
    table = Table(f"CPU seconds, {what}", "dyadloop", "naive loop", "naive run on", "times dyadloop", "bound")

    def row(name: str, ours: float, naive: float, part: str, bound: float) -> None:
        table.add_row(name, f"{ours:.3f}", f"{naive:.1f}", part, f"{naive / ours:.0f}", f"{bound:g}")

    synchrony(a[:3000], b[:3000], FS, window=20, step=10, lag=2)  # first calls load and compile
    plot(np.zeros((3, 10)), np.ones((3, 10)), 1.0)
    ours = cpu(lambda: synchrony(a, b, FS, "rmea"))
    naive = cpu(lambda: naive_cells(a, b, 1500, 750, 125, 12), 1) * 118 / 12
    row("A1: one hour, 118 x 251 cells", ours, naive, "12 windows", 0.05)
    contrast = cpu(lambda: rmea_contrast(dyads, FS, 30, 10, 5, n=500))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    one = next(iter(dyads.values()))
    naive = cpu(lambda: naive_cells(*one, 750, 250, 125, 6), 1) * 57 / 6 * 520
    row("A2: 500 pseudo-dyads and 20 real", contrast, naive, "6 windows of one", 0.6)
    ours = cpu(lambda: synchrony(a, b, FS, "susy"))
    cut = [s[: len(s) // 750 * 750].reshape(-1, 750) for s in (a, b)]
    naive = cpu(lambda: naive_segments(*cut, 125, 60), 1) * 120 * 120 / 60
    row("B: SUSY, 120 x 120 segments", ours, naive, "60 pairs", 0.15)
    rng = np.random.default_rng(0)
    t = np.arange(5010)
    waves = [np.sin(t / period) + 0.3 * rng.normal(size=len(t)) for period in (30, 31)]
    x, y = (embed((wave - wave.mean()) / wave.std(ddof=1), 3, 5) for wave in waves)
    found = plot(x, y, 1.3)
    ours = cpu(lambda: plot(x, y, 1.3))
    naive = cpu(lambda: naive_recurrence(x[:, :1500], y[:, :1500], 1.3), 1) * (5000 / 1500) ** 2
    row(f"C: recurrence, n = 5000, RR {found.points / found.cells:.0%}", ours, naive, "n = 1500", 0.35)
    console.print(table)
    console.print(f"peak memory of the process after A2: {peak:.0f} MiB (libraries and data included; bound 400)")

    growth = Table("how it grows", "CPU seconds", "per unit")
    for hours in (0.5, 1, 2, 4):
        long = [np.tile(s, 4)[: int(hours * 90_000)] for s in (a, b)]
        took = cpu(lambda long=long: synchrony(*long, FS, "rmea"))
        growth.add_row(f"A1, {hours:g} h", f"{took:.3f}", f"{1e3 * took / hours:.1f} ms per hour")
    for pairs in (125, 250, 500):
        took = cpu(lambda pairs=pairs: rmea_contrast(dyads, FS, 30, 10, 5, n=pairs))
        growth.add_row(f"A2, {pairs} pseudo-dyads", f"{took:.3f}", f"{1e3 * took / (pairs + 20):.2f} ms per pair")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    synchrony(*[np.tile(s, 12) for s in (a, b)], FS, "rmea")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    console.print(growth)
    console.print(f"twelve hours at 25 Hz in one call raise the peak by {max(after - before, 0):.0f} MiB")


if __name__ == "__main__":
    main()
