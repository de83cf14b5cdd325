"""Where to spend: more dyads or more samples, and in which sessions, by expected information about one claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from dyadloop.claims.claims_table import subjects
from dyadloop.data.names import known_names
from dyadloop.design.before_data import slope_of
from dyadloop.design.costs import effort
from dyadloop.design.information import Planned, information
from dyadloop.design.planned_study import Skeleton, skeleton
from dyadloop.design.reader import design_of, read_design
from dyadloop.design.schema import Design
from dyadloop.design.worlds import FIXED, fitted_values, world_of
from dyadloop.errors import FitError
from dyadloop.estimands.catalogue import Estimand, Untestable, estimand

FEWEST = 3  # dyads below which a study is none


@dataclass(frozen=True)
class Schedule:
    """Ways to spend a budget.

    Attributes
    ----------
    table
        One row per number of sampled sessions: ``sampled`` (which), ``dyads`` that the budget pays, ``cost``,
        ``expected_sd`` of what the claim is about, its ``contraction`` against the prior, and ``best``.
    designs
        The designs of the rows, in their order.
    """

    table: pd.DataFrame
    designs: tuple[Design, ...]


def schedule(design: Design | str | Path, claim: str, budget: float, *, by_events: bool | None = None) -> Schedule:
    """Return what a budget buys, from samples in one session of few dyads to samples in all sessions of fewer still.

    For each number of sampled sessions these are chosen one after another, each the one that tells most beside those
    chosen before. Nothing is lost in the studies that are imagined.

    Parameters
    ----------
    design
        A design with samples and costs, its name, or the path of its file.
    claim
        Claim whose estimand is to be known best, such as ``C2.trust``.
    budget
        What the study may cost, in the currency of the design.
    by_events
        Whether the estimand of randomised events counts, or the association; default: that of events if there are any.

    Raises
    ------
    DataError
        If the design has faults.
    FitError
        If the design samples nothing, cannot tell the claim, or the budget pays no study.

    Examples
    --------
    >>> plan = dl.schedule("haifa", "C2.trust", budget=100_000)
    >>> best = plan.table[plan.table["best"]]
    >>> int(best["dyads"].iloc[0]), best["sampled"].iloc[0]
    (25, '1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16')
    """
    found = design if isinstance(design, Design) else read_design(design)
    samples = [name for name, entry in found.measures.items() if entry.is_sample]
    if not samples:
        raise FitError(f"{found.name}: no samples are taken, so there is nothing to schedule")
    if not effort(found).cost:
        raise FitError(f"{found.name}: a schedule needs costs, such as costs: {{per_dyad: 300, per_sample: 35}}")
    whole = _sampling(found, samples, found.of_sessions("all"))
    plan = skeleton(whole)
    function = _estimand(plan, claim, bool(found.randomised) if by_events is None else by_events)
    planned = Planned(plan.fitted)
    point = planned.scale.place(fitted_values(plan.fitted, world_of(plan, FIXED).truth(0)))
    value = _Value(plan, planned, point, slope_of(function, planned.scale, point), samples)
    chosen, rows, designs = [], [], []
    for _ in range(whole.sessions.count):
        chosen.append(value.best_next(chosen))
        sampled = tuple(sorted(chosen))
        changed = _sampling(found, samples, sampled)
        dyads = _affordable(changed, budget)
        if dyads < FEWEST:
            break
        changed = changed.model_copy(update={"dyads": dyads})
        designs.append(changed)
        sd = value.expected_sd(sampled, dyads)
        about = {"sampled": ", ".join(map(str, sampled)), "dyads": dyads, "cost": effort(changed).cost}
        rows.append(about | {"expected_sd": sd, "contraction": 1 - sd / value.prior_sd})
    if not rows:
        raise FitError(f"{found.name}: a budget of {budget:g} does not pay {FEWEST} dyads")
    table = pd.DataFrame(rows)
    return Schedule(table.assign(best=table["expected_sd"] == table["expected_sd"].min()), tuple(designs))


def frontier(design: Design | str | Path, claim: str, budgets: Sequence[float]) -> pd.DataFrame:
    """Return the best schedule for each of several budgets: ``budget`` and the columns of :func:`schedule`."""
    rows = []
    for budget in budgets:
        table = schedule(design, claim, budget).table
        rows.append({"budget": budget} | table[table["best"]].iloc[0].to_dict())
    return pd.DataFrame(rows).drop(columns="best")


@dataclass
class _Value:
    """Expected SD of an estimand by sampled sessions and dyads."""

    plan: Skeleton
    planned: Planned
    point: np.ndarray
    slope: np.ndarray
    samples: list[str]

    @property
    def prior_sd(self) -> float:
        return float(np.sqrt(self.slope @ (self.planned.scale.sd**2 * self.slope)))

    def expected_sd(self, sampled: Sequence[int], dyads: int) -> float:
        """Return that of a study whose dyads tell as much each as those of the plan do."""
        seen = np.broadcast_to(self._there(sampled), (self.planned.n_dyads, self.planned.n_values))
        found = information(self.planned, self.point, seen) * dyads / self.planned.n_dyads
        return float(np.sqrt(self.slope @ np.linalg.solve(found + np.diag(1 / self.planned.scale.sd**2), self.slope)))

    def best_next(self, chosen: Sequence[int]) -> int:
        """Return the session whose samples tell most beside those of others."""
        others = [n for n in self.plan.design.of_sessions("all") if n not in chosen]
        return min(others, key=lambda n: self.expected_sd([*chosen, n], self.plan.design.dyads))

    def _there(self, sampled: Sequence[int]) -> np.ndarray:
        """Return which planned values of a dyad are there: all answers, and the samples of some sessions."""
        indicators = self.plan.fitted.observed.indicators
        is_sample = np.array([name in self.samples for name in indicators])
        session = self.plan.session[0][:, None]
        there = ~is_sample[None, :] | np.isin(session, list(sampled))
        return np.broadcast_to(there, self.planned.seen.shape)[self.planned.seen]


def _estimand(plan: Skeleton, claim: str, by_events: bool) -> Estimand:
    problem, known = plan.fitted, []
    components = frozenset(problem.randomised.variables) & {v.id for v in problem.plan.theory.of_kind("component")}
    for entry in problem.plan.theory.claims:
        for subject in subjects(problem, entry):
            known.append(entry.id.format(id=subject))
            if known[-1] == claim:
                found = estimand(
                    problem, entry, subject, (components or None) if by_events else None, by_events=by_events
                )
                if isinstance(found, Untestable):
                    raise FitError(f"{claim} is not testable with this design: {found.reason}")
                return found
    raise FitError(f"{claim}: no claim of the theory; known: {known_names(known, claim)}")


def _sampling(design: Design, samples: list[str], sessions: Sequence[int]) -> Design:
    """Return a design that takes its samples in other sessions."""
    content = design.model_dump(mode="json")
    for name in samples:
        content["measures"][name]["sessions"] = list(sessions)
    return design_of(content, design.name)


def _affordable(design: Design, budget: float) -> int:
    """Return how many dyads a budget pays."""
    fixed = design.costs.fixed
    per_dyad = (effort(design).cost - fixed) / design.dyads
    return int((budget - fixed) // per_dyad) if per_dyad else 0
