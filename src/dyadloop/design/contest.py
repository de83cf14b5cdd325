"""Which hypothesis predicts simulated studies best, by the score that a comparison of a real study uses.

The posterior of each hypothesis is approximated by its mode and the curvature there, as for verdicts. Pareto-smoothed
importance sampling leaves each dyad out of it (Vehtari et al. 2017).
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray as xr
from arviz_stats.base.array import array_stats
from jaxtyping import Float

from dyadloop.appraisal.comparison import SMALL
from dyadloop.design.reader import theory_of
from dyadloop.design.replication import Bench, Simulated, simulated
from dyadloop.design.worlds import FIXED, fitted_values, world_of
from dyadloop.errors import FitError
from dyadloop.inference.mode import Mode, Posterior, constraining, find_mode, mode_near, posterior_of
from dyadloop.inference.problem import Problem
from dyadloop.theory import hypothesis

DRAWS = 400
"""Draws from the normal approximation of each hypothesis."""
_GOOD_K = 0.7


@dataclass(frozen=True)
class _Rival:
    """A hypothesis as it is fitted to the studies of a design."""

    problem: Problem
    reference: Mode

    @cached_property
    def posterior(self) -> Posterior:
        return posterior_of(self.problem)


class Contest:
    """Hypotheses that are fitted to the same simulated studies.

    Parameters
    ----------
    bench
        What all studies of the design share.
    names
        Hypotheses, two or more.

    Raises
    ------
    FitError
        If there are fewer than two.

    References
    ----------
    .. [1] Vehtari, Gelman & Gabry (2017). doi:10.1007/s11222-016-9696-4
    """

    def __init__(self, bench: Bench, names: Sequence[str]) -> None:
        if len(set(names)) < 2:
            raise FitError(f"{', '.join(names) or 'nothing'}: a comparison needs two hypotheses or more")
        self.bench, whole = bench, theory_of(bench.plan.design)
        example = simulated(bench, world_of(bench.plan, FIXED), [0, 0], 0)
        self.rivals: dict[str, _Rival] = {}
        for name in names:
            problem = _with_data(bench.plan.source(hypothesis(name, whole)), example)
            self.rivals[name] = _Rival(problem, find_mode(problem, posterior_of(problem), seed=1, starts=2))

    def study(self, world: str, seed: list[int], number: int) -> list[dict[str, Any]]:
        """Return the scores of one simulated study, one row per hypothesis.

        Each has its ``elpd`` (expected log predictive density of a dyad left out, summed over dyads), the
        ``difference`` to the best one with its standard error, whether it is ``best``, whether it is ``told`` apart as
        worse (by more than 4 and by two standard errors), and ``bad_k``, the share of dyads whose weights have a tail
        too heavy for the score to be trusted.
        """
        found = simulated(self.bench, self.bench.worlds[world][0], seed, number)
        scores = {name: self._score(rival, found, [*seed, number]) for name, rival in self.rivals.items()}
        best = max(scores, key=lambda name: scores[name][0].sum())
        rows = []
        for name, (pointwise, heavy) in scores.items():
            gap = pointwise - scores[best][0]
            error = float(np.sqrt(len(gap)) * gap.std(ddof=1)) if name != best else 0.0
            total = float(gap.sum())
            rows.append(
                {
                    "truth": world, "study": number, "claim": "", "hypothesis": name, "elpd": float(pointwise.sum()),
                    "difference": total, "difference_se": error, "best": name == best,
                    "told": total < -max(SMALL, 2 * error), "bad_k": heavy,
                }
            )  # fmt: skip
        return rows

    def _score(self, rival: _Rival, study: Simulated, seed: list[int]) -> tuple[Float[np.ndarray, " dyad"], float]:
        """Return the score of each dyad left out, and the share of them with heavy tails."""
        problem, posterior = _with_data(rival.problem, study), rival.posterior
        numbers = fitted_values(problem, study.values)
        normals = {name: np.zeros(size) for name, size in posterior.normals.items()}
        truth = posterior.unconstrain({name: np.asarray(value) for name, value in numbers.items()} | normals)
        mode = mode_near(problem, posterior, rival.reference, starts=[truth, rival.reference.center], sides=1)
        normal = np.random.default_rng([*seed, 2]).standard_normal((DRAWS, posterior.size))
        values = constraining(problem)(jnp.asarray(mode.center + normal @ mode.factor.T))
        density = problem.pointwise(_as_chain({name: np.asarray(values[name]) for name in values})).values
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.filterwarnings("ignore", "Estimated shape parameter of Pareto")  # the share is returned
            found = [array_stats.loo(density[..., row]) for row in range(density.shape[-1])]
        elpd, k = np.array([[float(entry[0]), float(entry[1])] for entry in found]).T
        return elpd, float((k > _GOOD_K).mean())


def _with_data(problem: Problem, study: Simulated) -> Problem:
    """Return the problem of a hypothesis with the data of a simulated study."""
    given = study.problem.panel
    panel = replace(problem.panel.with_events(given.event), score=given.score, seen=given.seen)
    return problem.with_panel(panel, study.problem.held_out)


def _as_chain(draws: dict[str, np.ndarray]) -> xr.Dataset:
    """Return draws as one chain."""
    shaped = {
        name: (("chain", "draw", *([f"{name}_dim"] if values.ndim > 1 else [])), values[None])
        for name, values in draws.items()
    }
    return xr.Dataset(shaped)
