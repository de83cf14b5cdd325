"""One simulated study of a design: drawn, thinned out, fitted by its mode and the curvature there, and judged."""

from dataclasses import dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from dyadloop.appraisal.replication import replicate
from dyadloop.claims.claims_table import UNTESTABLE, judge
from dyadloop.claims.randomisation import randomisation_of
from dyadloop.design.losses import Losses, lose
from dyadloop.design.planned_study import Skeleton
from dyadloop.design.testability import of_design
from dyadloop.design.worlds import FIXED, Truths, World, fitted_values, world_of
from dyadloop.errors import FitError
from dyadloop.inference.fitting import prior_draws
from dyadloop.inference.mode import Mode, Posterior, find_mode, mode_near, posterior_of
from dyadloop.inference.problem import Problem
from dyadloop.likelihood.programs import program

DRAWS = 500
"""Independent draws from the prior and from the normal approximation of each study."""
_TRIES = 50
_WILD = 30.0  # SDs within persons: scores beyond belong to a world that runs away


@dataclass
class Bench:
    """What all studies of one design share: the planned study, its fit, and what is compiled for both."""

    plan: Skeleton
    posterior: Posterior = field(init=False)
    prior: xr.Dataset = field(init=False)
    worlds: dict[str, tuple[World, Truths]] = field(default_factory=dict)
    reference: Mode | None = None

    def __post_init__(self) -> None:
        self.posterior = posterior_of(self.plan.fitted)
        self.prior = prior_draws(self.plan.fitted.priors, 1, DRAWS)
        self.prior.attrs["kept"] = "prior"  # estimands of these are the same in every study
        self.constrain = program(jax.vmap(self.posterior.constrain))

    def add(self, world: World) -> None:
        """Take in a world from which studies are to be drawn."""
        self.worlds[world.name] = (world, Truths(world, self.plan.fitted))

    def near(self) -> Mode:
        """Return the mode from which those of all studies are sought: that of one study of the fixed world.

        It does not depend on which studies a process makes, so that each study has the same result everywhere.
        """
        if self.reference is None:
            study = simulated(self, world_of(self.plan, FIXED), [0, 0], 0).problem
            self.reference = find_mode(study, self.posterior, seed=1, starts=1)
        return self.reference


@dataclass(frozen=True)
class Simulated:
    """A study, its true values, and what it lost."""

    problem: Problem
    values: dict[str, float]
    losses: Losses
    redrawn: int


def simulated(bench: Bench, world: World, seed: list[int], number: int) -> Simulated:
    """Return the study of a number in a world.

    A truth under which the states run away is drawn anew, and counted.

    Raises
    ------
    FitError
        If every truth that was tried runs away.
    """
    rng = np.random.default_rng([*seed, number])
    plan = bench.plan
    for attempt in range(_TRIES):
        values = world.truth(number + attempt * 7919)  # a prime, so that attempts of other studies are not met
        event = plan.events(rng)
        panel = world.source.panel.with_events(event)
        draw = {name: np.array([value]) for name, value in values.items()}
        scores = replicate(world.source.with_panel(panel, "simulated"), draw, int(rng.integers(2**31)))[0]
        if np.nanmax(np.abs(scores), initial=0.0) < _WILD:
            break
    else:
        raise FitError(f"the world {world.name!r} runs away at every one of {_TRIES} truths that were tried")
    losses = lose(rng, plan, scores, event)
    kept = plan.fitted.panel.with_scores(jnp.asarray(np.where(losses.seen, losses.scores, 0.0)))
    kept = replace(kept.with_events(event), seen=jnp.asarray(losses.seen))
    study = plan.fitted.with_panel(kept, f"{world.name} {seed} {number}")
    return Simulated(study, values, losses, attempt)


def study_of(bench: Bench, name: str, seed: list[int], number: int) -> list[dict[str, Any]]:
    """Return the judged claims of one simulated study, one row each.

    A study whose posterior has no mode near that of the others has one row that says so.
    """
    world, truths = bench.worlds[name]
    found = simulated(bench, world, seed, number)
    common = {
        "truth": name,
        "study": number,
        "redrawn": found.redrawn,
        "below_limit": found.losses.below_limit,
        "dropped_out": found.losses.dropped_out,
    }
    try:
        draws = normal_draws(bench, found, [*seed, number])
    except FitError as error:
        return [common | {"claim": "", "verdict": "not fitted", "reason": str(error)}]
    return [common | row for row in judged(bench, truths, found, draws)]


def judged(bench: Bench, truths: Truths, found: Simulated, draws: xr.Dataset) -> list[dict[str, Any]]:
    """Return the claims of a study as judged by draws of its posterior, beside what is true."""
    groups = {"prior": bench.prior, "posterior": draws}
    rows = judge(found.problem, groups)
    moved = randomisation_of(found.problem, groups).moved if found.problem.randomised.events else frozenset()
    everything = truths.of(found.values, frozenset())
    of_events = truths.of(found.values, moved) if moved else everything
    return [_short(row, everything, of_events) for row in rows]


def normal_draws(bench: Bench, study: Simulated, seed: list[int]) -> xr.Dataset:
    """Return draws from the normal approximation at the mode of a study."""
    mode = mode_of(bench, study)
    rng = np.random.default_rng([*seed, 1])
    places = mode.center + rng.standard_normal((DRAWS, bench.posterior.size)) @ mode.factor.T
    values = bench.constrain(jnp.asarray(places))
    return xr.Dataset({name: (("chain", "draw"), np.asarray(values[name])[None]) for name in bench.posterior.names})


def mode_of(bench: Bench, study: Simulated) -> Mode:
    """Return the higher of two modes: that reached from the true values, and that from another study of the design.

    The two stand for the several starts of a real fit, at a fraction of their cost.
    """
    other = bench.near()
    numbers = fitted_values(bench.plan.fitted, study.values)
    normals = {name: np.zeros(size) for name, size in bench.posterior.normals.items()}
    place = bench.posterior.unconstrain({name: np.asarray(value) for name, value in numbers.items()} | normals)
    return mode_near(study.problem, bench.posterior, other, starts=[place, other.center], sides=1)


def _short(
    row: dict[str, Any], everything: dict[str, tuple[float, bool]], of_events: dict[str, tuple[float, bool]]
) -> dict[str, Any]:
    """Return what is kept of a judged claim: the estimate that its verdict rests on, and the truth."""
    kept = {"claim": row["claim"], "verdict": row["verdict"], "finding": row["finding"]}
    if row["verdict"] == UNTESTABLE:
        return kept | {"reason": of_design(row["reason"])}
    by_events = row["randomised_median"] is not None
    value, holds = (of_events if by_events else everything).get(row["claim"], (np.nan, False))
    ends = [row[f"{'randomised_' if by_events else ''}{key}"] for key in ("median", "low", "high")]
    kept |= dict(zip(("median", "low", "high"), (None if end is None else float(end) for end in ends), strict=True))
    told = np.isfinite(np.array([*ends, value], dtype=float)).all()
    passive = np.isfinite(np.array([row["low"], row["high"], value], dtype=float)).all()
    return kept | {
        "by_events": by_events,
        "value": value if np.isfinite(value) else None,
        "holds": holds,
        "inside": bool(ends[1] <= value <= ends[2]) if told else None,
        "association_inside": bool(row["low"] <= value <= row["high"]) if passive and not by_events else None,
        "reason": "" if row["verdict"] != "undecided" else row["reason"][:160],
    }
