"""Expected information of a planned study: exact for a linear theory, from the product's own likelihood.

The log-likelihood of a dyad is quadratic in its scores. So its gradient in the scores, at no scores and at each unit
score, holds the inverse covariance of all planned values and their mean, and central differences of these in the
parameters hold all that Fisher information needs. Parameters are on the scale on which their priors are normal.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from dyadloop.errors import FitError
from dyadloop.inference.prior_scale import Scale
from dyadloop.inference.problem import Problem
from dyadloop.likelihood.panel import Panel
from dyadloop.likelihood.programs import program

_STEP = 1e-4  # of a parameter, on the scale of its prior: truncation and rounding errors are both near 1e-8


@dataclass(frozen=True)
class Moments:
    """What a theory expects of one dyad's planned values at some parameters.

    ``precision`` is the inverse covariance of all planned values; ``pull`` is precision times mean, of each dyad.
    """

    precision: Float[np.ndarray, "value value"]
    pull: Float[np.ndarray, "dyad value"]

    @property
    def covariance(self) -> Float[np.ndarray, "value value"]:
        """Covariance of all planned values."""
        return np.linalg.inv(self.precision)

    @property
    def mean(self) -> Float[np.ndarray, "dyad value"]:
        """Mean of all planned values of each dyad."""
        return self.pull @ self.covariance


class Planned:
    """The likelihood of a planned study as a function of parameters and of any scores.

    Differences between therapists and between plates are left aside: each dyad and each sample counts as independent.

    Raises
    ------
    FitError
        If the theory is not linear, a parameter differs between dyads, or dyads have calendars of their own.
    """

    def __init__(self, problem: Problem) -> None:
        panel = problem.panel
        if not problem.plan.is_linear or problem.random_parameters.names or panel.n_latent:
            raise FitError("expected information is exact for linear theories with the same parameters in all dyads")
        if not (np.asarray(panel.pair) == np.asarray(panel.pair)[:1]).all():
            raise FitError("expected information of a plan takes one calendar for all dyads")
        self.problem, self.scale = problem, Scale.of(problem.priors)
        self.seen = np.asarray(panel.seen)[0]
        self.event = np.asarray(panel.event)
        self.n_dyads, self.n_values = len(self.event), int(self.seen.sum())
        self._normals = {name: jnp.zeros(size) for name, size in problem.normals.items()}
        self._known: dict[bytes, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        self._slope = program(jax.grad(self._total, argnums=1))

    def _total(self, point: Any, score: Any, panel: Panel) -> Any:  # noqa: ANN401 - JAX arrays
        values = self.scale.values(point) | self._normals
        return self.problem.log_likelihood(values, replace(panel, score=score)).sum()

    def rows(self, events: Float[np.ndarray, "row time event"]) -> Panel:
        """Return a panel of imagined dyads that have every planned value, with these events."""
        copies = self.problem.panel.of_dyads(np.zeros(len(events), dtype=int))
        seen = jnp.asarray(np.broadcast_to(self.seen, (len(events), *self.seen.shape)))
        return replace(copies, seen=seen, event=jnp.asarray(events))

    def scores(self, values: Float[np.ndarray, "row value"]) -> Float[np.ndarray, "row time indicator"]:
        """Return planned values in their places."""
        found = np.zeros((len(values), *self.seen.shape))
        found[:, self.seen] = values
        return found

    def moments(self) -> Callable[[np.ndarray], Moments]:
        """Return the function that gives the moments at a point."""
        size = self.n_values
        unit = np.concatenate([np.zeros((1, size)), np.eye(size), np.zeros((self.n_dyads, size))])
        events = np.concatenate([np.zeros((size + 1, *self.event.shape[1:])), self.event])
        panel, score = self.rows(events), jnp.asarray(self.scores(unit))

        def at(point: np.ndarray) -> Moments:
            slopes = np.asarray(self._slope(jnp.asarray(point), score, panel))[:, self.seen]
            precision = slopes[0] - slopes[1 : size + 1]
            return Moments((precision + precision.T) / 2, slopes[size + 1 :])

        return at

    def slopes(self, point: Float[np.ndarray, " parameter"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the covariance of all planned values, and the slopes of it and of the means in each parameter."""
        key = point.tobytes()
        if key not in self._known:
            self._known[key] = _slopes(self.moments(), point)
        return self._known[key]


def information(
    planned: Planned, point: Float[np.ndarray, " parameter"], seen: Bool[np.ndarray, "dyad value"] | None = None
) -> Float[np.ndarray, "parameter parameter"]:
    """Return the expected Fisher information of a study.

    Parameters
    ----------
    planned
        Likelihood of the plan.
    point
        Parameters, on the scale of their priors.
    seen
        Which planned values of each dyad are there; default: all.
    """
    cov, covs, means = planned.slopes(point)
    return _summed(cov, covs, means, seen)


def _slopes(at: Callable[[np.ndarray], Moments], point: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the covariance of all planned values, and the slopes of it and of the means in each parameter."""
    here, size = at(point), len(point)
    cov, mean = here.covariance, here.mean
    covs, means = [], []
    for place in range(size):
        step = np.zeros(size)
        step[place] = _STEP
        high, low = at(point + step), at(point - step)
        precision, pull = ((getattr(high, key) - getattr(low, key)) / (2 * _STEP) for key in ("precision", "pull"))
        covs.append(-cov @ precision @ cov)
        means.append((pull - mean @ precision) @ cov)
    return cov, np.array(covs), np.array(means)


def _summed(cov: np.ndarray, covs: np.ndarray, means: np.ndarray, seen: np.ndarray | None) -> np.ndarray:
    """Return the information of all dyads; those with the same values there share the part of the covariance."""
    n_dyads, n_values = means.shape[1:]
    there = np.ones((n_dyads, n_values), dtype=bool) if seen is None else seen
    total = np.zeros((len(covs), len(covs)))
    patterns, which = np.unique(there, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        if not pattern.any():
            continue
        weight = np.linalg.inv(cov[np.ix_(pattern, pattern)])
        scaled = weight @ covs[:, pattern][:, :, pattern]
        rows = np.flatnonzero(which.ravel() == number)
        flat = scaled.reshape(len(covs), -1)
        turned = scaled.swapaxes(1, 2).reshape(len(covs), -1)
        total += len(rows) * 0.5 * (flat @ turned.T)
        for dyad in rows:
            own = means[:, dyad][:, pattern]
            total += own @ weight @ own.T
    return (total + total.T) / 2
