"""What a fit does to studies that break its assumptions: wrong findings, coverage, power, and whether checks see it.

The studies are those of :mod:`dyadloop.appraisal.violations`. Each is fitted by its mode and the curvature there, and
both arrows are looked at. Everything here is simulated.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr

from dyadloop.appraisal.faults import faults_of
from dyadloop.appraisal.records import Records, chosen_from
from dyadloop.appraisal.violations import FAST, PLANTED, VIOLATIONS, Design, Scores, plain, simulated
from dyadloop.data import Covariate, Indicator, StudyInfo, Times, read_study, write_study
from dyadloop.inference.cache import made_once
from dyadloop.inference.mode import Mode, Posterior, constraining, find_mode, mode_near, posterior_of
from dyadloop.inference.problem import Problem, build_problem
from dyadloop.inference.sampling import Count
from dyadloop.observation.scaling import scale_scores
from dyadloop.theory import keep, read_theory

FOUND = 1.96
"""Distance of an arrow from 0 in standard errors from which it counts as found (95 %)."""
CHECKED = 40
"""Studies without an arrow that are checked whatever is found in them; of the others, those with a finding."""
_DRAWS = 400  # from the normal approximation, for checks
INSIDE = 1.598  # half the width of an 89 % interval in standard errors


def misspecified(
    names: tuple[str, ...] | None = None,
    replicates: int = 200,
    *,
    seed: int = 1,
    shared_errors: bool = True,
    checks: bool = True,
    folder: str | Path | None = None,
    progress: Count = lambda name, done, total: None,
) -> pd.DataFrame:
    """Return what a fit does to simulated studies that break its assumptions.

    Parameters
    ----------
    names
        Violations; default: all of ``VIOLATIONS``.
    replicates
        Studies per violation, with and without an arrow each.
    seed
        Seed of the studies.
    shared_errors
        Whether errors of one moment may correlate in the fit, as they do by default.
    checks
        Whether to ask whether a check withholds findings (:func:`dyadloop.finding_faults`), in every study without an
        arrow in which one is found and in the first 40 of the others.
    folder
        Folder that keeps each finished study, so that an interrupted run goes on; default: none.
    progress
        Called after each study.

    Returns
    -------
    pandas.DataFrame
        One row per violation: ``violation``, ``design``, ``what``; in studies without an arrow ``found``, the share of
        arrows that are found at 95 %, with its standard error ``found_se``, and ``coverage``, the share of 89 %
        intervals that hold the truth; in studies with a planted arrow ``power`` and ``reversed``, the shares in which
        it, or its opposite, is found; and with ``checks`` ``flagged``, the share of arrows that a check withholds in
        the first studies without an arrow, and ``flagged_if_wrong``, that of arrows found which are not there. NaN
        where nothing is found.

    Raises
    ------
    FitError
        If a violation does not exist; the message lists those that do.
    """
    chosen = chosen_from(VIOLATIONS, names, "violation", replicates)
    problems: dict[tuple[Design, tuple[str, ...]], Problem] = {}
    rows = []
    for name in chosen:
        design, declared = VIOLATIONS[name].design, VIOLATIONS[name].declared
        if (design, declared) not in problems:
            problems[design, declared] = _problem(design, shared_errors, declared)
        problem = problems[design, declared]
        kind = "shared" if shared_errors else "independent"
        settings = {"violation": VIOLATIONS[name].words, "design": repr(design), "planted": PLANTED, "checks": checks}
        settings |= {"declared": declared} if declared else {}
        records = Records(folder, f"broken-{name}-{kind}-{seed}", settings)
        runs = []
        for number in range(2 * replicates):
            runs.append(records.made(number, partial(_run, problem, name, seed, number, checks)))
            progress(name, number + 1, 2 * replicates)
        about = {"violation": name, "design": design.words, "what": VIOLATIONS[name].words}
        rows.append(about | _summary(runs, checks))
    return pd.DataFrame(rows)


def _run(problem: Problem, name: str, seed: int, number: int, checks: bool) -> dict[str, Any]:
    """Return of one study the planted arrow, and of both arrows distance from 0, whether it is covered, and flags.

    The first arrow, along which one is planted, comes first. ``flagged`` is None where no check was asked.
    """
    rng = np.random.default_rng([seed, number])
    arrow = PLANTED if number % 2 else 0.0
    study = _with_scores(problem, simulated(rng, name, arrow), f"{name} {arrow}")
    posterior = posterior_of(problem)
    mode = mode_near(study, posterior, _first_mode(problem, VIOLATIONS[name].design))
    arrows, signs = _arrows(problem, VIOLATIONS[name].design)
    places = [posterior.names.index(found) for found in arrows]
    # in SDs of what varies within persons, states and so arrows have about the unit of the simulation
    estimates, errors = signs * mode.center[places], np.sqrt((mode.factor**2).sum(axis=1))[places]
    inside = np.abs(estimates - np.array([arrow, 0.0])) <= INSIDE * errors
    distances = estimates / errors
    asked = checks and not arrow and (number < 2 * CHECKED or bool((np.abs(distances) > FOUND).any()))
    faults = faults_of(study, _drawn(study, posterior, mode)) if asked else {}
    flagged = [found in faults for found in arrows] if asked else None
    return {"arrow": arrow, "distances": distances.tolist(), "inside": inside.tolist(), "flagged": flagged}


def _with_scores(problem: Problem, scores: Scores, name: str) -> Problem:
    """Return the problem of a study with other scores, NaN where missing."""
    own = np.nansum(scores, axis=1, keepdims=True) / np.maximum(np.isfinite(scores).sum(axis=1, keepdims=True), 1)
    scale = np.sqrt(np.nanmean((scores - own) ** 2, axis=(0, 1)))
    scores = (scores - np.nanmean(scores, axis=(0, 1))) / scale
    panel = problem.panel.with_scores(jnp.asarray(np.nan_to_num(scores)))
    panel = replace(panel, seen=jnp.asarray(np.isfinite(scores)))
    observed = problem.scores.assign(score=(problem.scores["score"].dims, scores))
    return replace(problem.with_panel(panel, name), scores=observed)


@made_once
def _first_mode(problem: Problem, design: Design) -> Mode:
    """Return the mode of one study of the design in which nothing is broken, from which all others are sought."""
    scores = np.where(design.rated(), plain(np.random.default_rng(0), 0.0, design).scores(), np.nan)
    return find_mode(_with_scores(problem, scores, "first"), posterior_of(problem), seed=1, starts=1)


def _arrows(problem: Problem, design: Design) -> tuple[tuple[str, str], np.ndarray]:
    """Return the arrow from the first quantity to the second and the one back, and their signs."""
    known = {(c.sources, c.target): c for c in problem.plan.couplings}
    first, second = design.names
    found = [known[(first,), second], known[(second,), first]]
    return (found[0].id, found[1].id), np.array([float(c.sign) for c in found])


def _drawn(problem: Problem, posterior: Posterior, mode: Mode) -> xr.DataTree:
    """Return draws from the normal approximation at a mode in the groups of a fit that checks read."""
    rng = np.random.default_rng(1)
    places = mode.center + rng.standard_normal((_DRAWS, posterior.size)) @ mode.factor.T
    values = constraining(problem)(jnp.asarray(places))
    draws = xr.Dataset(
        {name: (("chain", "draw"), np.asarray(values[name])[None]) for name in posterior.names},
        coords={"chain": [0], "draw": np.arange(_DRAWS)},
    )
    groups = {"posterior": draws, "log_likelihood": xr.Dataset({"dyads": problem.pointwise(draws)})}
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = {"seed": 1, "study_info": problem.scores.attrs["study_info"]}
    return tree


def _summary(runs: list[dict[str, Any]], checked: bool) -> dict[str, float]:
    """Return the shares of one violation."""
    without, planted = [run for run in runs if not run["arrow"]], [run for run in runs if run["arrow"]]
    wrong = np.abs(np.array([run["distances"] for run in without])) > FOUND
    forth = np.array([run["distances"][0] for run in planted])
    found = {
        "found": float(wrong.mean()),
        "found_se": float(np.sqrt(wrong.mean() * (1 - wrong.mean()) / wrong.size)),
        "coverage": float(np.mean([run["inside"] for run in without])),
        "power": float((forth > FOUND).mean()),
        "reversed": float((forth < -FOUND).mean()),
    }
    if checked:
        flags = np.array([run["flagged"] or [False, False] for run in without])
        found |= {
            "flagged": float(flags[:CHECKED].mean()),
            "flagged_if_wrong": float(flags[wrong].mean()) if wrong.any() else np.nan,
        }
    return found


def _problem(design: Design = FAST, shared_errors: bool = True, declared: tuple[str, ...] = ()) -> Problem:
    """Return the fitting problem of a design with covariates of the calendar; its values play no role."""
    rng, days = np.random.default_rng(0), design.moments()
    theory = keep(read_theory(design.theory), list(design.names))
    info = StudyInfo(
        schema_version=1,
        name="misspecified",
        title=f"SIMULATED, {design.words}",
        licence="CC0-1.0",
        simulated=True,
        indicators={
            name: Indicator.model_validate({"quantity": name, "person": "patient", "unit": "points"})
            for name in design.names
        },
        shared_errors="auto" if shared_errors else "none",
        times=Times(first_day="monday"),
        covariates={name: Covariate.model_validate({"of": name}) for name in declared},
    )
    who = [f"{p:02d}" for p in range(design.persons)]
    people = [{"participant_id": f"P{p}", "dyad": f"D{p}", "role": "patient"} for p in who]
    sessions = [{"dyad": f"D{p}", "session": 1, "start": float(days[0]), "length_min": 0.0} for p in who]
    rows = [
        {"dyad": f"D{p}", "participant_id": f"P{p}", "time": float(day), "phase": "between", "indicator": name,
         "value": f"{rng.normal():.6f}"}
        for p in who for day, own in zip(days, design.rated(), strict=True)
        for name in np.array(design.names)[own]
    ]  # fmt: skip
    with TemporaryDirectory() as scratch:
        folder = write_study(Path(scratch) / "study", info, people, sessions, rows, {})
        scores = scale_scores(read_study(folder))
    scores.attrs["study_info"] = info.model_dump_json()
    return build_problem(scores, theory)
