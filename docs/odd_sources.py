"""Import odd sources of every family of readers: `python docs/odd_sources.py NUMBER SEED OUT.tsv [FAMILY...]`."""

import sys
import tempfile
from collections import Counter
from pathlib import Path
from zlib import crc32

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.exchange import odd_folders, odd_recordings, odd_statistics
from tests.exchange.odd import Family, outcome

KINDS = dict.fromkeys(("csv", "excel", "redcap", "surveys"), Family)
KINDS |= dict.fromkeys(odd_statistics.FAMILIES, odd_statistics.Statistics)
KINDS |= dict.fromkeys(odd_folders.FAMILIES, odd_folders.Folders)
FAMILIES = (*KINDS, *odd_recordings.FAMILIES)


def main(number: int, seed: int, out: Path, families: tuple[str, ...] = FAMILIES) -> None:
    """Import so many odd files of each family, print what became of them, and write every one to a table."""
    lines = ["family\toutcome\tkind"]
    for name in families:
        place = crc32(name.encode())
        with tempfile.TemporaryDirectory() as folder:
            keys = [np.random.default_rng([seed, place, k]) for k in range(number)]
            if name in odd_recordings.FAMILIES:
                found = [odd_recordings.outcome(name, Path(folder), rng) for rng in keys]
            else:
                family = KINDS[name](name, Path(folder))
                found = [outcome(family, rng) for rng in keys]
        counts = Counter(result.split(":")[0] for result, _ in found)
        print(f"{name:8s}", "  ".join(f"{what} {count}" for what, count in sorted(counts.items())), flush=True)
        lines += [f"{name}\t{' '.join(result.split())}\t{kind}" for result, kind in found]
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), tuple(sys.argv[4:]) or FAMILIES)
