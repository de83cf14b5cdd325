"""What a task of simulated studies asks for, and how a process does it."""

import zlib
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from dyadloop.design.contest import Contest
from dyadloop.design.planned_study import skeleton
from dyadloop.design.reader import design_of
from dyadloop.design.replication import Bench, judged, mode_of, simulated, study_of
from dyadloop.design.schema import Design
from dyadloop.design.tasks import Beat, Rows, Task, digest_of
from dyadloop.design.worlds import world_of
from dyadloop.inference.sampling import Settings, sample

SETTINGS = Settings(chains=2, warmup=200, draws=300)
"""How long a study is sampled to hold the approximation at its mode against."""


@dataclass
class Solver:
    """Does tasks, and keeps what those of one design share."""

    benches: dict[str, Bench] = field(default_factory=dict)
    contests: dict[tuple[str, ...], Contest] = field(default_factory=dict)

    def __call__(self, task: Task, beat: Beat = lambda: None) -> Rows:
        """Return the judged claims of the studies of a task, one row each."""
        bench = self._bench(task)
        truth = task["truth"]
        seed = [int(task["seed"]), zlib.crc32(truth.encode())]
        rows: Rows = []
        for number in range(task["first"], task["first"] + task["count"]):
            if task["fit"] == "compare":
                rows += self._contest(bench, task["rivals"]).study(truth, seed, number)
            elif task["fit"] == "nuts":
                rows += sampled(bench, truth, seed, number)
            else:
                rows += study_of(bench, truth, seed, number)
            beat()
        return [_plain(row | {"fit": task["fit"]}) for row in rows]

    def _contest(self, bench: Bench, names: list[str]) -> Contest:
        key = tuple(names)
        if key not in self.contests:
            self.contests[key] = Contest(bench, names)
        return self.contests[key]

    def _bench(self, task: Task) -> Bench:
        key = shared_by(task)
        if key not in self.benches:
            self.benches.clear()  # programs of designs that are done would only fill the memory
            self.contests.clear()
            self.benches[key] = Bench(skeleton(design_of(task["design"])))
        bench = self.benches[key]
        if task["truth"] not in bench.worlds:
            bench.add(world_of(bench.plan, task["truth"], task["values"]))
        return bench


def shared_by(task: Task) -> str:
    """Return what names all that tasks of one design share."""
    return digest_of([task["design"], task["values"]])


def tasks_of(
    design: Design,
    truths: tuple[str, ...],
    values: dict[str, float],
    replicates: int,
    seed: int,
    nuts: int,
    chunk: int,
    rivals: tuple[str, ...] = (),
) -> list[Task]:
    """Return the tasks of one design.

    Parameters
    ----------
    design
        The design.
    truths
        Worlds.
    values
        Values other than the theory file's.
    replicates
        Studies of each world.
    seed
        Seed of the studies.
    nuts
        How many of the first studies of each world are also sampled.
    chunk
        Studies per task.
    rivals
        Hypotheses that are compared on each study; none by default.
    """
    content = design.model_dump(mode="json")
    common = {"design": content, "values": dict(values), "seed": seed}
    kinds = [{"fit": "mode"}, *([{"fit": "compare", "rivals": list(rivals)}] if rivals else [])]
    found = [
        common | {"truth": truth, "first": first, "count": min(chunk, replicates - first)} | kind
        for kind in kinds
        for truth in truths
        for first in range(0, replicates, chunk)
    ]
    found += [
        common | {"truth": truth, "fit": "nuts", "first": number, "count": 1}
        for truth in truths
        for number in range(min(nuts, replicates))
    ]
    return found


def sampled(bench: Bench, name: str, seed: list[int], number: int) -> Rows:
    """Return the judged claims of one simulated study whose posterior is sampled by NUTS."""
    world, truths = bench.worlds[name]
    found = simulated(bench, world, seed, number)
    mode = mode_of(bench, found)
    with TemporaryDirectory() as scratch:
        drawn = sample(bench.posterior, found.problem.panel, mode, SETTINGS, 1, Path(scratch))["position"]
    values = jax.vmap(bench.constrain)(jnp.asarray(drawn))
    draws = xr.Dataset({key: (("chain", "draw"), np.asarray(values[key])) for key in bench.posterior.names})
    return [{"truth": name, "study": number} | row for row in judged(bench, truths, found, draws)]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as JSON holds it: numbers that are none are null, and all have 10 digits."""
    found: dict[str, Any] = {}
    for key, value in row.items():
        plain = value.item() if isinstance(value, np.generic) else value
        if isinstance(plain, float):
            plain = float(f"{plain:.10g}") if np.isfinite(plain) else None
        found[key] = plain
    return found
