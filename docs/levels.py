"""Measure how often each test of a single dyad rejects where nothing is shared: its level, with binomial errors.

Run from the repository: ``python docs/levels.py [--runs N] [--more FOLDER] [--keep FILE]``; prints a table of
docs/measures.md. Series are simulated, or real persons paired with those of another dyad: the recordings of
``examples/survival`` and, with ``--more``, all CSV files of two columns at 25 Hz in a folder. ``--keep`` writes each
run to a file, and goes on from there when it is called again.
"""

import argparse
import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from dyadloop.errors import MeasureError
from dyadloop.measures.synchrony import SURROGATES, synchrony, synchrony_test

ROOT = Path(__file__).parent.parent
DRAWS = 19  # one in twenty is the level; more draws cost time and change no level
LEVEL = 0.05
SETTINGS = {"window": 30, "step": 15, "lag": 5}
TESTS = (*SURROGATES, "segments", "granger")
"""Surrogates of ``windowed``, and the methods with a test of their own."""
SLOW = ("iaaft", "granger")
"""Slow tests, of every eighth dyad only."""


def red(generator: np.random.Generator, n: int, fs: float, seconds: float) -> np.ndarray:
    """Return noise whose autocorrelation falls to 1/e in some seconds."""
    memory = np.exp(-1 / (seconds * fs))
    settle = int(10 * seconds * fs)
    return np.asarray(lfilter([1.0], [1.0, -memory], generator.normal(size=n + settle)))[settle:]


def rhythm(generator: np.random.Generator, n: int, fs: float, period: float = 20.0, memory: float = 40.0) -> np.ndarray:
    """Return a rhythm whose phase and strength wander, with a little noise."""
    size, settle = np.exp(-1 / (memory * fs)), int(10 * memory * fs)
    poles = [1.0, -2 * size * np.cos(2 * np.pi / (period * fs)), size**2]
    course = np.asarray(lfilter([1.0], poles, generator.normal(size=n + settle)))[settle:]
    return course / course.std() + 0.2 * generator.normal(size=n)


def bursts(generator: np.random.Generator, n: int, fs: float) -> np.ndarray:
    """Return skewed movement: bursts of a second or two."""
    width = round(1.5 * fs)
    return np.exp(np.convolve(generator.normal(size=n), np.ones(width) / np.sqrt(width), "same"))


def at_rest(generator: np.random.Generator, n: int, fs: float) -> np.ndarray:
    """Return which samples are rest: 20 to 60 s, about a quarter of the time."""
    found = np.zeros(n, dtype=bool)
    place = 0
    while place < n:
        place += int(generator.uniform(60, 180) * fs)
        length = int(generator.uniform(20, 60) * fs)
        found[place : place + length] = True
        place += length
    return found


def common_rest(generator: np.random.Generator, n: int, fs: float) -> tuple[np.ndarray, np.ndarray]:
    """Return unrelated movement of two persons who rest at the same times."""
    one, two = bursts(generator, n, fs), bursts(generator, n, fs)
    rest = at_rest(generator, n, fs)
    one[rest] = two[rest] = 0.0
    return one, two


def _twice(make: Callable[[np.random.Generator, int, float], np.ndarray]) -> Callable:
    return lambda generator, n, fs: (make(generator, n, fs), make(generator, n, fs))


KINDS: dict[str, tuple[Callable, float, float]] = {
    "white noise, 10 min": (_twice(lambda g, n, fs: g.normal(size=n)), 10, 10),
    "red noise, 5 s, 10 min": (_twice(lambda g, n, fs: red(g, n, fs, 5)), 10, 10),
    "red noise, 20 s, 10 min": (_twice(lambda g, n, fs: red(g, n, fs, 20)), 10, 10),
    "red noise, 20 s, 40 min": (_twice(lambda g, n, fs: red(g, n, fs, 20)), 40, 2),
    "rhythm of 20 s, 10 min": (_twice(rhythm), 10, 10),
    "rhythm of 20 s, 40 min": (_twice(rhythm), 40, 2),
    "bursts, 10 min": (_twice(bursts), 10, 10),
    "bursts, rest in common, 10 min": (common_rest, 10, 10),
}
"""Simulated series: function, minutes and rate [Hz] by name."""


def real_pairs(folder: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the first persons of all recordings of a folder with the second persons of the others."""
    files = sorted([*folder.glob("*.csv"), *folder.glob("dyad_*.csv.gz")])
    whole = [pd.read_csv(file).to_numpy(float)[:, :2].T for file in files if "score" not in file.name]
    n = len(whole)
    return [(whole[i][0], whole[(i + step) % n][1]) for step in range(1, n) for i in range(n)]


def p_value(one: np.ndarray, two: np.ndarray, fs: float, test: str, seed: int) -> float | None:
    """Return the p value of a test of one dyad, None where it gives none.

    Surrogates of spectra are those of logarithms where no value is negative.
    """
    if test == "segments":
        p = float(synchrony(one, two, fs, "segments", segment=30, lag=5, seed=seed, draws=199, cut=True)["p_value"])
        return None if np.isnan(p) else p
    if test == "granger":
        p = float(synchrony(one, two, fs, "granger", cut=True)["p_value"][0])
        return None if np.isnan(p) else p
    kind = {"surrogate": test, "draws": DRAWS, "seed": seed, "cut": True}
    if SURROGATES[test].of_spectrum and min(one.min(), two.min()) >= 0:
        kind["transform"] = "log"
    return float(synchrony_test(one, two, fs, **kind, **SETTINGS)["p_value"])


def dyad(kind: str, seed: int, real: dict[str, list]) -> tuple[np.ndarray, np.ndarray, float]:
    """Return two unrelated series and their rate [Hz]."""
    if kind in real:
        return *real[kind][seed], 25.0
    make, minutes, fs = KINDS[kind]
    generator = np.random.default_rng((list(KINDS).index(kind), seed))
    return *make(generator, int(minutes * 60 * fs), fs), fs


def measured(runs: int, real: dict[str, list], keep: Path | None) -> dict[tuple[str, str], list[float | None]]:
    """Return the p values of each kind and test; None where the test refuses the recording."""
    known: dict[tuple[str, str, int], float | None] = {}
    if keep is not None and keep.exists():
        rows = [json.loads(line) for line in keep.read_text().splitlines()]
        known = {(row["kind"], row["test"], row["seed"]): row["p"] for row in rows}
    found: dict[tuple[str, str], list[float | None]] = {}
    for seed, kind in itertools.product(range(runs), (*real, *KINDS)):
        if kind in real and seed >= len(real[kind]):
            continue
        for test in TESTS:
            if test in SLOW and seed % 8:
                continue
            key = (kind, test, seed)
            if key not in known:
                known[key] = tried(*dyad(kind, seed, real), test, seed)
                if keep is not None:
                    with keep.open("a") as file:
                        file.write(json.dumps({"kind": kind, "test": test, "seed": seed, "p": known[key]}) + "\n")
            found.setdefault((kind, test), []).append(known[key])
    return found


def tried(one: np.ndarray, two: np.ndarray, fs: float, test: str, seed: int) -> float | None:
    """Return the p value of a test, None where it refuses the recording."""
    try:
        return p_value(one, two, fs, test, seed)
    except MeasureError as error:
        print(test, seed, error, sep="\t", file=sys.stderr)
        return None


def told(values: list[float | None]) -> str:
    """Return the share of rejections with its standard error, and how many recordings the test refused."""
    p = np.array([value for value in values if value is not None])
    refused = len(values) - len(p)
    if not len(p):
        return "refused"
    share = float((p <= LEVEL).mean())
    text = f"{share:.3f} ({np.sqrt(LEVEL * (1 - LEVEL) / len(p)):.3f})"
    return text if not refused else f"{text}, {refused / len(values):.0%} refused"


def table(found: dict[tuple[str, str], list[float | None]]) -> str:
    """Return the levels as a Markdown table."""
    lines = ["| unrelated series | dyads | " + " | ".join(f"`{test}`" for test in TESTS) + " |"]
    lines.append("|---|---|" + "---|" * len(TESTS))
    for kind in dict.fromkeys(kind for kind, _ in found):
        cells = " | ".join(told(found[kind, test]) for test in TESTS)
        lines.append(f"| {kind} | {len(found[kind, TESTS[0]])} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--more", type=Path, action="append", default=[])
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    folders = {"survival, re-paired": ROOT / "examples" / "survival" / "recordings"}
    folders |= {f"{folder.name}, re-paired": folder for folder in given.more}
    sets = {name: real_pairs(folder) for name, folder in folders.items()}
    print(table(measured(given.runs, sets, given.keep)))
