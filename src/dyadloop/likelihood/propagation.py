"""How the states of each dyad move over the intervals of a panel, and what that does to what is believed of them."""

from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int
from scipy.stats import norm
from scipy.stats.qmc import Sobol

from dyadloop.likelihood.panel import Panel
from dyadloop.model import ProcessModel, Flow, NonlinearTerms, Transition, flow, moves

STEPS = 4
"""Steps of an interval where the field is not linear; eight times as many change that of a dyad by less than 0.02."""
_POINTS = 64  # for arrows with a kink
_JITTER = 1e-12  # lets a state that is known without error pass the Cholesky factorisation


class Motion(NamedTuple):
    """Steps over distinct intervals, shared by all dyads (``axis`` None) or each dyad's own (0), and their places."""

    steps: Transition | Flow
    axis: int | None
    pair: Int[Array, "dyad time"]


def axis_of(process: ProcessModel) -> int | None:
    """Return 0 if each dyad has a field of its own, the first axis of all its numbers, None if all have the same."""
    return 0 if process.decay.ndim == 2 else None


def motion(process: ProcessModel, panel: Panel, n_steps: int = STEPS) -> Motion:
    """Return the transitions of a linear field or the flows of one that is not, for all intervals of a panel."""

    def steps(own: ProcessModel, gates: Array, durations: Array) -> Transition | Flow:
        return moves(own, gates, durations, panel.n_doublings, n_steps)

    axis = axis_of(process)
    if axis is None and (process.moderated is None or panel.context is None):
        return Motion(steps(process, panel.gates, panel.durations), None, panel.pair)
    n_dyads, n_times = panel.pair.shape
    few = len(panel.durations) <= n_times
    places = jnp.arange(len(panel.durations) if few else n_times)
    wanted = jnp.broadcast_to(places, (n_dyads, len(places))) if few else panel.pair

    def of_dyad(own: ProcessModel, context: Array | None, pair: Array) -> Transition | Flow:
        return steps(own.of(context), panel.gates[pair], panel.durations[pair])

    found = jax.vmap(of_dyad, in_axes=(axis, 0, 0))(process, panel.context, wanted)
    return Motion(found, 0, panel.pair if few else jnp.broadcast_to(places, (n_dyads, n_times)))


class Moved(NamedTuple):
    """Mean and covariance of the states after an interval, and the slope of the new states in the old ones."""

    mean: Float[Array, " state"]
    cov: Float[Array, "state state"]
    slope: Float[Array, "state state"]


def carried(
    process: ProcessModel, steps: Flow, mean: Float[Array, " state"], cov: Float[Array, "state state"], n_steps: int = STEPS
) -> Moved:
    """Carry a normal belief about the states through one interval of a field that is not linear.

    Points that stand for the belief go through the interval; the new states are their regression on the old ones, with
    the noise of the linear part. Smooth arrows take the points of the cubature rule, whose means are exact for
    polynomials of degree 3. Where they bend in session only, what the regression leaves, taken to second order, acts as
    one more push that is as good as constant while a session runs; elsewhere noise matters on the way, so new points
    are taken at each step. Arrows with a kink need more points, which show themselves what the regression leaves.

    References
    ----------
    .. [1] Arasaratnam & Haykin (2009), cubature Kalman filters. doi:10.1109/TAC.2009.2019800
    .. [2] Saerkkae & Svensson (2023), Bayesian Filtering and Smoothing, chapters 8 and 9.
    """
    assert process.nonlinear is not None
    n, at_once, has_kink = len(process.names), process.nonlinear.in_session_only, process.nonlinear.has_kink
    stages, inner = (1, n_steps) if at_once else (n_steps, 1)
    noise = (steps.whole if at_once else steps.step).noise
    still = jnp.zeros((inner, n, 1))
    normal = jnp.asarray(_many_points(n) if has_kink else _cubature(n))
    push = _unexplained(process.nonlinear, steps, mean, cov) if at_once and not has_kink else jnp.zeros((n, n))

    def stage(belief: Moved, _: None) -> tuple[Moved, None]:
        root = jnp.linalg.cholesky(belief.cov + _JITTER * jnp.eye(n))
        moved = flow(process, steps, belief.mean[:, None] + root @ normal, still)
        centre = moved.mean(axis=1)
        apart = moved - centre[:, None]
        scaled = apart @ normal.T / normal.shape[1]
        slope = jax.scipy.linalg.solve_triangular(root, scaled.T, lower=True, trans=1).T
        spread = apart @ apart.T / normal.shape[1] if has_kink else slope @ belief.cov @ slope.T
        return Moved(centre, (spread + spread.T) / 2 + noise, slope @ belief.slope), None

    found, _ = jax.lax.scan(stage, Moved(mean, cov, jnp.eye(n)), None, length=stages)
    return found._replace(cov=found.cov + push)


def _cubature(n: int) -> Float[np.ndarray, "state point"]:
    """Return two points on each axis, whose mean is 0 and whose covariance is the identity."""
    return np.sqrt(n) * np.concatenate([np.eye(n), -np.eye(n)], axis=1)


@lru_cache
def _many_points(n: int) -> Float[np.ndarray, "state point"]:
    """Return spread-out normal points and their opposites, whose mean is 0 and whose covariance is the identity."""
    points = norm.ppf(Sobol(n, rng=1).random(_POINTS // 2)).T
    points = np.concatenate([points, -points], axis=1)
    return np.linalg.solve(np.linalg.cholesky(points @ points.T / _POINTS), points)


def _unexplained(nonlinear: NonlinearTerms, steps: Flow, mean: Array, cov: Array) -> Array:
    """Return the covariance of what bent arrows add beyond their regression on the states, to second order."""
    curvature = jax.jacfwd(jax.jacfwd(lambda state: nonlinear.drift(state, steps.gate)))(mean)
    spread = jnp.einsum("aij,jk->aik", curvature, cov)
    variance = 0.5 * jnp.einsum("aij,bji->ab", spread, spread)
    return steps.whole_response @ variance @ steps.whole_response.T
