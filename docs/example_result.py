"""Make the SIMULATED study and the fit from which the examples of the Python pages begin: results/example.

Run from the repository: ``python docs/example_result.py``; it takes a minute or two and goes on where it was stopped.
"""

from pathlib import Path

import xarray as xr

import dyadloop as dl

VARIABLES = ["oxytocin", "trust", "depression"]
DYADS = 20


def make(home: Path) -> xr.DataTree:
    """Write ``example-study`` and ``example``, its result, into a folder and return the fit.

    The study holds the first dyads of the simulated design ``haifa``; component and symptom are trust and depression.
    """
    theory = dl.keep(dl.hypothesis("reciprocal", dl.read_theory("framework_linear")), VARIABLES)
    folder = home / "example-study"
    if not folder.exists():
        dl.simulate_study(folder, theory=theory, seed=5, values={"a_trust": 0.3})
        _first(folder, DYADS)
    settings = dl.Settings(chains=2, warmup=200, draws=700)
    return dl.fit(dl.read_study(folder), theory, seed=2, settings=settings, folder=home / "example")


def _first(folder: Path, dyads: int) -> None:
    """Keep the first dyads of a study folder."""
    kept: list[str] = []
    for name in ("participants.tsv", "sessions.tsv", "measurements.tsv"):
        head, *rows = (folder / name).read_text(encoding="utf-8").splitlines()
        place = head.split("\t").index("dyad")
        kept = kept or sorted({row.split("\t")[place] for row in rows})[:dyads]
        rows = [row for row in rows if row.split("\t")[place] in kept]
        (folder / name).write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    make(Path("results"))
