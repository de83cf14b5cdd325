"""Time to the first answer of the program: its help, beside an empty interpreter and the import of its libraries."""

import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

REPEATS = 7
CALLS = {
    "python -c pass": ["-c", "pass"],
    "dyadloop --help": ["-m", "dyadloop", "--help"],
    "import jax, numpyro, xarray, pandas": ["-c", "import jax, numpyro, xarray, pandas"],
}


def seconds(call: list[str]) -> float:
    """Return the least wall time of some runs [s]."""
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        subprocess.run([sys.executable, *call], check=True, capture_output=True)
        times.append(time.perf_counter() - begin)
    return min(times)


if __name__ == "__main__":
    table = Table("start-up", "least of 7 [s]")
    for name, call in CALLS.items():
        table.add_row(name, f"{seconds(call):.2f}")
    Console(width=110).print(table)
