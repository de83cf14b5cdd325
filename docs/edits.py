"""Make random edits in good study folders and print what becomes of each: harmless, found, doubted in words, silent.

Run from the repository: ``python docs/edits.py [NUMBER] [SEED] [FILE]``; prints the table of docs/study-folder.md. The
file keeps what was done, so that the next call goes on.
"""

import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.data.edits import EDITS, first_dyads, scores_of, therapy, tried  # noqa: E402

OUTCOMES = ("harmless", "found", "doubted", "silent")


def outcomes(number: int, seed: int, kept: Path | None = None) -> dict[str, Counter]:
    """Return how often each edit came to what, over the shipped studies and a made-up one with raw tables."""
    counts: dict[str, Counter] = {name: Counter() for name in EDITS}
    done = [line.split("\t") for line in kept.read_text().splitlines()] if kept and kept.is_file() else []
    for _, name, _, found in done[:number]:
        counts[name][found] += 1
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        roots = [first_dyads(ROOT / "examples" / name, top / name, 6) for name in ("school", "diaries", "mindfulness")]
        roots += [therapy(top / "therapy")] * 2
        bases = {root: scores_of(root) for root in roots}
        for k in range(len(done), number):
            rng, name, found = np.random.default_rng((seed, k)), list(EDITS)[k % len(EDITS)], None
            while found is None:  # not every edit can be made in every study
                root = roots[int(rng.integers(len(roots)))]
                found = tried(root, top / "edited", bases[root], name, rng)
            counts[name][found] += 1
            line = f"{k}\t{name}\t{root.name}\t{found}"
            print(line, file=sys.stderr, flush=True)
            if kept:
                with kept.open("a") as file:
                    file.write(f"{line}\n")
    return counts


def table(counts: dict[str, Counter]) -> str:
    """Return the counts as a Markdown table."""
    lines = ["| kind | edit | tried | harmless | found | doubted | silent |", "|---|---|---|---|---|---|---|"]
    for name, (kind, _) in EDITS.items():
        total = sum(counts[name].values())
        shares = " | ".join(f"{counts[name][o] / total:.0%}" if total else "-" for o in OUTCOMES)
        lines.append(f"| {kind} | {name} | {total} | {shares} |")
    total = sum(sum(count.values()) for count in counts.values())
    shares = " | ".join(f"{sum(c[o] for c in counts.values()) / total:.0%}" for o in OUTCOMES)
    return "\n".join([*lines, f"| all | | {total} | {shares} |"])


if __name__ == "__main__":
    warnings.simplefilter("error")
    numbers = [int(text) for text in sys.argv[1:3]]
    number, seed = numbers + [3000, 1][len(numbers) :]
    print(table(outcomes(number, seed, Path(sys.argv[3]) if len(sys.argv) > 3 else None)))
