"""Call measures and commands with random, often odd input, and print what becomes of each: answered, refused, broken.

Run from the repository: ``python docs/fuzz.py [NUMBER] [SEED] [FILE]``; prints the table of docs/measures.md, three
calls of measures to one of a command. The file keeps what was done, so that the next call goes on; warnings count as
errors.
"""

import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.cli import calls as commands  # noqa: E402
from tests.data.edits import first_dyads  # noqa: E402
from tests.laws import calls as measures  # noqa: E402

OUTCOMES = ("answered", "refused", "stopped", "broken")
SLOW = ("dynamics", "simulate", "checks", "report")
ROUNDS = 4  # a command that compiles takes as long as many of the others: asked once in so many rounds


def names() -> list[str | tuple[str, ...]]:
    """Return what is called in turn: three measures, one command."""
    quick = [words for words in commands.COMMANDS if words[0] not in SLOW]
    slow = [words for words in commands.COMMANDS if words[0] in SLOW]
    every = quick * ROUNDS + slow
    those = list(measures.CALLS)
    found: list[str | tuple[str, ...]] = []
    for k, words in enumerate(every):
        found += [those[(3 * k + i) % len(those)] for i in range(3)]
        found.append(words)
    return found


def fitted(kept: Path | None) -> Path:
    """Return a small result folder, beside the file where there is one."""
    home = Path(tempfile.mkdtemp()) if kept is None else kept.with_suffix(".fit")
    if not (home / "result" / "claims.json").is_file():
        study = first_dyads(ROOT / "examples" / "school", home / "study", 4)
        short = ("--chains", "1", "--warmup", "50", "--draws", "50", "--quiet")
        subprocess.run([sys.executable, "-m", "dyadloop", "run", study, "--out", home / "result", *short], check=False)
    return home / "result"


def main(number: int, seed: int, kept: Path | None) -> None:
    """Make the calls that the file does not hold and print the table of all."""
    done = [line.split("\t") for line in kept.read_text().splitlines()] if kept and kept.is_file() else []
    every = names()
    with tempfile.TemporaryDirectory() as folder:
        files = commands.Files(Path(folder), fitted(kept))
        for k in range(len(done), number):
            name, rng = every[k % len(every)], np.random.default_rng((seed, k))
            if isinstance(name, str):
                kind, found, call = name, measures.outcome(measures.CALLS[name], rng), ""
            else:
                found, words = commands.outcome(name, files, rng)
                kind, call = "dyadloop " + " ".join(name), " ".join(map(repr, words)).replace(folder, "FOLDER")
            row = [str(k), kind, found.partition(":")[0], found.partition(": ")[2].replace("\t", " "), call]
            done.append(row)
            if kept:
                with kept.open("a") as file:
                    file.write("\t".join(" ".join(text.split("\n")) for text in row) + "\n")
    print(table(done[:number]))
    for k, kind, what, why, call in done[:number]:
        if what == "broken":
            print(f"{k}\t{kind}\t{why}\t{call}", file=sys.stderr)


def table(done: list[list[str]]) -> str:
    """Return the counts as a Markdown table."""
    counts: dict[str, Counter] = {}
    for _, kind, what, *_ in done:
        counts.setdefault(kind, Counter())[what] += 1
    lines = [
        "| called | calls | answered | refused in words | stopped after 20 s of the processor | broken |",
        "|---|---|---|---|---|---|",
    ]
    for kind in sorted(counts):
        numbers = " | ".join(str(counts[kind][name]) for name in OUTCOMES)
        lines.append(f"| {kind} | {sum(counts[kind].values())} | {numbers} |")
    numbers = " | ".join(str(sum(count[name] for count in counts.values())) for name in OUTCOMES)
    return "\n".join([*lines, f"| all | {len(done)} | {numbers} |"])


if __name__ == "__main__":
    warnings.simplefilter("error")
    given = [int(text) for text in sys.argv[1:3]]
    number, seed = given + [20_000, 1][len(given) :]
    main(number, seed, Path(sys.argv[3]) if len(sys.argv) > 3 else None)
