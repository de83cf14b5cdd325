"""How far a job has come: what its command printed, and the draws that are on disk."""

import re
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from dyadloop.app.job import LOG_FILE, RESULT

_COUNT = re.compile(r"^(?P<part>\S.*?) (?P<done>\d+)/(?P<total>\d+)(?:, (?P<divergences>\d+) divergences)?$")
_TAIL_BYTES = 20_000
_SHOWN = 12


def progress(folder: Path) -> dict[str, Any]:
    """Return the last count that a command printed, and its last messages.

    ``part``, ``done`` and ``total`` are None before the first count; ``divergences`` is None where nothing is sampled.
    """
    found: dict[str, Any] = dict.fromkeys(("part", "done", "total", "divergences"))
    messages: list[str] = []
    for line in _tail(folder / LOG_FILE).splitlines():
        count = _COUNT.match(line.strip())
        if count is None:
            messages += [line.rstrip()] if line.strip() else []
            continue
        found = {name: int(text) if text and text.isdigit() else text for name, text in count.groupdict().items()}
    return found | {"messages": messages[-_SHOWN:]}


def kept_iterations(folder: Path, several: bool = False) -> int:
    """Return how many iterations of all chains, warm-up included, are on disk of a fit, or of several."""
    chains = sorted((folder / RESULT).glob(f"{'**/' if several else 'chains/'}chain-*.npz"))
    return sum(_length(path, path.stat().st_mtime_ns) for path in chains)


def kept_tasks(folder: Path) -> int:
    """Return how many parts of an assurance are on disk."""
    return sum(1 for _ in (folder / RESULT / "done").glob("*.json"))


@lru_cache(maxsize=256)
def _length(path: Path, changed: int) -> int:
    """Return the length of a chain from the header of its file, without its draws."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open("diverging.npy") as stream:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            return int(read(stream)[0][0])
    except (OSError, KeyError, ValueError, IndexError, zipfile.BadZipFile):
        return 0  # a chain that cannot be read is one of which nothing is kept


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - _TAIL_BYTES))
            return stream.read().decode("utf-8", "replace")
    except OSError:
        return ""
