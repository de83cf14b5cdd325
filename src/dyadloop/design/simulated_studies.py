"""How likely a design is to decide each claim: assurance by priors, power at fixed truths, errors under rivals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from dyadloop.design.cluster import run_cluster
from dyadloop.design.planned_study import skeleton
from dyadloop.design.pool import run_pool
from dyadloop.design.reader import design_of, read_design, theory_of
from dyadloop.design.schema import Design
from dyadloop.design.solving import Solver, shared_by, tasks_of
from dyadloop.design.tallies import agreement, by_claim, by_hypothesis, by_world
from dyadloop.design.tasks import Task, TaskFolder, work
from dyadloop.design.worlds import PRIOR, world_of
from dyadloop.errors import DataError, Fault, FitError
from dyadloop.theory import hypothesis

CHUNK = 10
"""Studies per task: little is lost with a process, and a task takes much longer than its files."""
Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Assurance:
    """What simulated studies of one or several designs came to.

    Attributes
    ----------
    claims
        One row per design, truth and claim, see :func:`dyadloop.design.tallies.by_claim`.
    worlds
        One row per design and truth: false support, with its upper bound.
    agreement
        One row per design and truth: share of verdicts that sampling by NUTS confirms; empty where none was asked.
    comparisons
        One row per design, truth and hypothesis, see :func:`dyadloop.design.tallies.by_hypothesis`; empty where no
        comparison was asked for.
    rows
        One row per simulated study and claim.
    designs
        The designs by the value of the factor that was varied, or by ``""``.
    """

    claims: pd.DataFrame
    worlds: pd.DataFrame
    agreement: pd.DataFrame
    comparisons: pd.DataFrame
    rows: pd.DataFrame
    designs: dict[str, Design]


def assurance(
    design: Design | str | Path,
    truths: Sequence[str] = (PRIOR,),
    replicates: int = 200,
    *,
    values: Mapping[str, float] | None = None,
    over: Mapping[str, Sequence[object]] | None = None,
    seed: int = 1,
    nuts: int = 0,
    compare: Sequence[str] = (),
    folder: str | Path | None = None,
    workers: int = 0,
    cluster: str = "",
    progress: Told = lambda done, total: None,
) -> Assurance:
    """Simulate studies of a design, fit and judge each as a real one, and count.

    Each study is fitted by its mode and the curvature there. Verdicts take no
    comparison of rivals into account, which would withhold more.

    Parameters
    ----------
    design
        A design, its name, or the path of its file.
    truths
        Worlds: ``prior`` (assurance), ``fixed`` (power) or hypotheses such as ``none`` and ``common_cause``.
    replicates
        Studies of each world.
    values
        Values other than the theory file's, in every world that has the parameter.
    over
        One factor of the design and its values, such as ``{"dyads": [20, 40, 80]}`` or ``{"sessions.count": [8, 16]}``.
    seed
        Seed of the studies; the same seed gives the same studies whatever the number of processes.
    nuts
        How many of the first studies of each world are also sampled by NUTS, which takes minutes each.
    compare
        Hypotheses of the theory that are also fitted to each study and compared, such as ``("none", "reciprocal",
        "common_cause")``; default: none. Each takes about as long as the fit that is judged.
    folder
        Folder of tasks that keeps each finished part, so that an interrupted run goes on; default: none.
    workers
        Processes; 0 does everything in this one.
    cluster
        A Dask cluster that does the tasks: ``local``, the address of a scheduler or the path of its file; default:
        none. A local one has ``workers`` processes.
    progress
        Called with tasks done and all tasks.

    Returns
    -------
    Assurance
        Tables.

    Raises
    ------
    DataError
        If the design, or one that ``over`` makes of it, has faults.
    FitError
        If a truth or a parameter does not exist, or there is nothing to simulate.
    ResultError
        If the folder holds the tasks of another question.

    Examples
    --------
    >>> found = dl.assurance("single_dose", ["none"], replicates=2)
    >>> found.claims["supported"].max()
    np.float64(0.0)
    """
    designs = variants(design if isinstance(design, Design) else read_design(design), over)
    if replicates < 1 or not truths:
        raise FitError(f"replicates={replicates}, truths={list(truths)}: expected 1 or more of each")
    if endless := [name for name, value in (values or {}).items() if not np.isfinite(value)]:
        raise FitError(f"values of {', '.join(endless)}: expected finite numbers")
    first = skeleton(next(iter(designs.values())))
    for truth in truths:
        world_of(first, truth, values)  # what does not exist is told before any work starts
    named = (str(hypothesis(name, theory_of(first.design)).hypothesis) for name in compare)
    rivals = tuple(dict.fromkeys(named))  # a hypothesis has a name and an id
    if len(rivals) == 1:
        raise FitError(f"compare={rivals[0]}: a comparison needs two hypotheses or more")
    changed = {name: float(value) for name, value in (values or {}).items()}
    tasks = {
        label: tasks_of(entry, tuple(truths), changed, replicates, seed, nuts, CHUNK, rivals)
        for label, entry in designs.items()
    }
    with TemporaryDirectory() as scratch:
        found = _done(TaskFolder(folder or scratch), tasks, workers, cluster, progress)
    factor = next(iter(over)) if over else ""
    return _tables(found, designs, factor)


def variants(design: Design, over: Mapping[str, Sequence[object]] | None) -> dict[str, Design]:
    """Return the designs that differ in one factor, by its value; the design itself where none is named.

    Raises
    ------
    DataError
        If the factor is no entry of the design, or a value is not one for it.
    """
    if not over:
        return {"": design}
    if len(over) > 1:
        raise FitError(f"{', '.join(over)}: one factor at a time can be varied")
    ((path, values),) = over.items()
    return {str(value): _with(design, path, value) for value in values}


def _with(design: Design, path: str, value: object) -> Design:
    content = design.model_dump(mode="json")
    *way, last = path.split(".")
    place: Any = content
    for part in way:
        place = place.get(part) if isinstance(place, dict) else None
    if not isinstance(place, dict) or last not in place:
        known = ", ".join(content if not isinstance(place, dict) else place)
        raise DataError(design.name, [Fault(design.name, None, path, "no entry of the design", known, "name one")])
    place[last] = value
    count = content["sessions"]["count"]
    for entry in (*content["measures"].values(), *content["events"].values()):
        if path == "sessions.count" and entry["sessions"] != "all":
            entry["sessions"] = [number for number in entry["sessions"] if number <= count] or "all"
    return design_of(content, f"{design.name} with {path} {value}")


def _done(
    folder: TaskFolder, tasks: dict[str, list[Task]], workers: int, cluster: str, progress: Told
) -> dict[str, list[dict]]:
    """Do all tasks and return their rows by label; a damaged result is made again."""
    names = {label: folder.add(entry) for label, entry in tasks.items()}
    every = [name for entry in names.values() for name in entry]
    while True:
        folder.refill()
        missing = [name for name in every if not (folder.done / f"{name}.json").exists()]
        if not missing:
            break
        if cluster:
            run_cluster(folder, cluster, workers, progress)
        elif workers:
            run_pool(folder, workers, progress)
        else:
            before = len(every) - len(missing)
            work(folder, Solver(), shared_by, told=lambda done, before=before: progress(before + done, len(every)))
    return {label: [row | {"task": name} for name in entry for row in folder.result(name) or []]
            for label, entry in names.items()}  # fmt: skip


def _tables(found: dict[str, list[dict]], designs: dict[str, Design], factor: str) -> Assurance:
    rows = pd.concat([pd.DataFrame(entry).assign(design=label) for label, entry in found.items()], ignore_index=True)
    theory = theory_of(next(iter(designs.values())))
    by_mode, by_nuts = rows[rows["fit"] == "mode"], rows[rows["fit"] == "nuts"]
    compared, judged = by_hypothesis(rows[rows["fit"] == "compare"]), rows[rows["fit"] != "compare"]
    tables = [by_claim(by_mode, theory), by_world(by_mode, theory), agreement(by_mode, by_nuts), compared, judged]
    if not factor:
        tables = [table.drop(columns="design", errors="ignore") for table in tables]
    else:
        tables = [table.rename(columns={"design": factor}) for table in tables]
    claims, worlds, agreeing, comparisons, every = tables
    return Assurance(claims, worlds, agreeing, comparisons, every, designs)
