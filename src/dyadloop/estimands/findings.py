"""What a fit makes findings about, arrows and claims, as draws with the region that a finding must lie beyond."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import xarray as xr

from dyadloop.estimands.catalogue import ROUNDING, Estimand, Untestable, draws_of, estimand, over_draws
from dyadloop.inference.problem import Problem

SURE = 0.95
POSITIVE, NEGATIVE, ZERO, UNCLEAR = "positive", "negative", "practically zero", "unclear"
_RESTS = 0.25  # share of the largest move by an arrow, from which a claim rests on that arrow


@dataclass(frozen=True)
class Judged:
    """An arrow or a claim: its draws, the ROPE and the arrows it rests on."""

    name: str
    draws: np.ndarray
    low: float
    high: float
    arrows: tuple[str, ...]

    @property
    def shares(self) -> dict[str, np.ndarray]:
        """Which draws lie where."""
        above, below = self.draws > self.high, self.draws < self.low
        inside = ~(above | below) & np.isfinite(self.draws) & (self.low < self.high)
        return {POSITIVE: above, NEGATIVE: below, ZERO: inside}

    @property
    def finding(self) -> str:
        """Where the draws lie with 95 % probability, in a word."""
        return next((word for word, where in self.shares.items() if where.mean() >= SURE), UNCLEAR)


def judged(problem: Problem, post: xr.DataTree) -> list[Judged]:
    """Return every arrow of a fit, whose region is 0, and every claim that the study can tell."""
    group = post["posterior"].to_dataset()
    arrows = [coupling.id for coupling in problem.plan.couplings]
    found = [Judged(name, group[name].values.ravel(), 0.0, 0.0, (name,)) for name in arrows]
    for claim in problem.plan.theory.claims:
        subjects = problem.plan.theory.of_kind(claim.for_each) if claim.for_each else ()
        for subject in [variable.id for variable in subjects] or [""]:
            function = estimand(problem, claim, subject)
            if isinstance(function, Untestable):
                continue
            (draws,) = draws_of(function, group)
            if not np.isfinite(draws).any() or np.nanmax(draws) - np.nanmin(draws) < ROUNDING:
                continue
            low = -np.inf if claim.rope.low is None else claim.rope.low
            rests = _arrows_of(function, group, arrows)
            found.append(Judged(claim.id.format(id=subject, label=subject), draws, low, claim.rope.high, rests))
    return found


def _arrows_of(function: Estimand, group: xr.Dataset, arrows: list[str]) -> tuple[str, ...]:
    """Return the arrows that move an estimand most, each by one posterior sd from the medians."""
    if not arrows:
        return ()
    middle = {str(name): float(group[name].median()) for name in group.data_vars}
    rows = {name: np.full(len(arrows) + 1, value) for name, value in middle.items()}
    for place, name in enumerate(arrows):
        rows[name][place + 1] += float(group[name].std())
    values = np.asarray(over_draws(function)({name: jnp.asarray(column) for name, column in rows.items()}))
    moves = np.nan_to_num(np.abs(values[1:] - values[0]))
    largest = moves.max()
    return tuple(name for name, move in zip(arrows, moves, strict=True) if largest > 0 and move >= _RESTS * largest)
