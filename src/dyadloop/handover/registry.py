"""All programs that a study or a result is handed over to."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from dyadloop.data import Study, read_study
from dyadloop.errors import DataError, Fault
from dyadloop.files import replacing_folder
from dyadloop.handover.ctsem import write_ctsem
from dyadloop.handover.draws import write_draws
from dyadloop.handover.mlvar import write_mlvar
from dyadloop.handover.mplus import write_mplus
from dyadloop.handover.statement import Statement, stated
from dyadloop.inference import load_result, problem_of
from dyadloop.inference.problem import Problem, build_problem
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import Theory, read_theory

DRAWS = "draws"


@dataclass(frozen=True)
class HandOver:
    """One program: its name, what it gets, and how that is written."""

    id: str
    title: str
    write: Callable[[Statement, Path], list[Path]] | None


HAND_OVERS: dict[str, HandOver] = {
    entry.id: entry
    for entry in (
        HandOver("ctsem", "data and an R script that states the same linear model in continuous time", write_ctsem),
        HandOver("mplus", "data and an Mplus input: DSEM in steps of one length, with starting values", write_mplus),
        HandOver("mlvar", "data and an R script: a multilevel vector autoregression", write_mlvar),
        HandOver(DRAWS, "of a result folder: the draws as R's package posterior reads them", None),
    )
}
"""Programs by name."""


def hand_over(
    source: Study | str | Path,
    out: str | Path,
    to: str = "ctsem",
    theory: Theory | None = None,
    values: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write a study and its linear model, or the draws of a result, for another program.

    Parameters
    ----------
    source
        Study, its folder, or the folder of a result of `dyadloop run`.
    out
        Folder to make.
    to
        One of :data:`dyadloop.handover.HAND_OVERS`.
    theory
        Theory; default: the study's own. A result has one.
    values
        Parameter values in the units of the theory file; default: the medians of the posterior, or of the priors. Some
        may be given; the others have their default.

    Returns
    -------
    list of Path
        Files that were written.

    Raises
    ------
    DataError
        If the study has faults, the program is unknown, or the folder exists already.

    Examples
    --------
    >>> theory = dl.keep(dl.read_theory("framework_linear"), ["trust", "depression"])
    >>> files = dl.hand_over("results/example-study", "results/for-ctsem", to="ctsem", theory=theory)
    >>> [path.name for path in files]
    ['ctsem.csv', 'ctsem.R']
    """
    folder = Path(out)
    if to not in HAND_OVERS:
        raise _refused(out, f"the program {to!r}", f"one of {', '.join(HAND_OVERS)}", "correct it")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise _refused(out, "an existing folder", "a new folder", "choose another or move it away")
    post = load_result(source) if not isinstance(source, Study) and is_result(source) else None
    if to == DRAWS:
        if post is None:
            raise _refused(source, "a study", "the folder of a result of dyadloop run", "name the result")
        return _written(folder, lambda draft: write_draws(post, draft))
    problem, start = _problem(source, theory, post)
    statement = stated(problem, start | dict(values or {}))
    write = HAND_OVERS[to].write
    assert write is not None
    return _written(folder, lambda draft: write(statement, draft))


def is_result(path: str | Path) -> bool:
    """Return whether a folder is the result of a run."""
    return (Path(path) / "manifest.json").is_file()


def _problem(
    source: Study | str | Path, theory: Theory | None, post: xr.DataTree | None
) -> tuple[Problem, dict[str, float]]:
    """Return the problem without randomised arrows, and the numbers of its parameters."""
    if post is None:
        study = source if isinstance(source, Study) else read_study(source)
        own = theory or read_theory(study.info.theory, study.path)
        problem = build_problem(scale_scores(study), own, None, study.info.priors, split=False)
    else:
        fitted = problem_of(post)
        problem = build_problem(fitted.scores, Theory.model_validate(json.loads(post.attrs["theory"])), split=False)
    start = {str(name): float(row["location"]) for name, row in problem.priors.iterrows()}
    if post is not None:
        draws = post["posterior"].to_dataset()
        start |= {name: float(draws[name].median()) for name in start if name in draws}
    return problem, start


def _written(folder: Path, write: Callable[[Path], list[Path]]) -> list[Path]:
    with replacing_folder(folder) as draft:
        files = [file.relative_to(draft) for file in write(draft)]
    return [folder / file for file in files]


def _refused(path: object, got: str, expected: str, remedy: str) -> DataError:
    return DataError(str(path), [Fault(str(path), None, None, got, expected, remedy)])
