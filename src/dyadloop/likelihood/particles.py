"""A particle filter: the likelihood of a nonlinear process model, to Monte Carlo error, to check the fast filter.

What differs between dyads enters linearly, so each particle carries its conditional mean and all share one covariance.
Only the states are drawn: from their conditional distribution given the next observations where the last step to them
is normal. Steps are finer than those of the fast filter, so what the two differ by is the whole error of the latter.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float

from dyadloop.likelihood.correlated_errors import combined, uncorrelated
from dyadloop.likelihood.joint_filter import design_rows, reading
from dyadloop.likelihood.lasting_errors import errors_of, lasts
from dyadloop.likelihood.panel import Panel
from dyadloop.likelihood.propagation import panel_transitions
from dyadloop.model import Flow, ProcessModel, flow
from dyadloop.observation.plan import Observation

STEPS = 8
PARTICLES = 1000
_LOG_2PI = 1.8378770664093453
_JITTER = 1e-12


class _Cloud(NamedTuple):
    """States of the particles, and the log density so far.

    ``effects`` is the mean of effects and lasting errors given each particle, ``cov`` their common covariance.
    """

    states: Float[Array, "state particle"]
    effects: Float[Array, "effect particle"]
    cov: Float[Array, "effect effect"]
    log_density: Float[Array, ""]


def particle_log_likelihood(
    key: Array, process: ProcessModel, observation: Observation, panel: Panel, particles: int, n_steps: int = STEPS
) -> Float[Array, " dyad"]:
    """Return an estimate of the log-likelihood of each dyad whose exponential is unbiased.

    References
    ----------
    .. [1] Doucet, Godsill & Andrieu (2000), optimal proposals, Rao-Blackwellisation. doi:10.1023/A:1008935410038
    .. [2] Schoen, Gustafsson & Nordlund (2005), marginalised particle filters. doi:10.1109/TSP.2005.849151
    """
    steps, axis, pair = panel_transitions(process, panel, n_steps)
    assert isinstance(steps, Flow)
    beside = panel.score - observation.expected(panel.covariate)

    def one_dyad(process: ProcessModel, steps: Flow, key: Array, covariate: Array | None, *data: Array) -> Array:
        return _one_dyad(key, process, observation, steps, particles, n_steps, covariate, *data)

    keys = jax.random.split(key, panel.pair.shape[0])
    apart = uncorrelated(observation, panel)
    beside = combined(observation, apart.weights, beside)
    left = lasts(observation, panel.durations[panel.pair])
    data = (keys, panel.covariate, beside, panel.seen, apart.variance, apart.weights, pair, left, panel.event)
    over_dyads = jax.vmap(one_dyad, in_axes=(process.dyad_axis, axis, *[0] * len(data)))
    return over_dyads(process, steps, *data)


def _one_dyad(
    key: Array, process: ProcessModel, observation: Observation, steps: Flow, particles: int, n_steps: int,
    covariate: Array | None, score: Array, seen: Array, own: Array, weights: Array, pair: Array, left: Array,
    event: Array,
) -> Array:  # fmt: skip
    n = len(process.names)
    between, common = observation.between(process.between), errors_of(observation).common
    start = jnp.broadcast_to(process.start[:, None], (n, particles))
    effects = jnp.zeros((len(between) + len(common), particles))
    cloud = _Cloud(start, effects, jax.scipy.linalg.block_diag(between @ between.T, common), jnp.zeros(()))

    def advance(cloud: _Cloud, now: tuple) -> tuple[_Cloud, None]:
        key, first, beside, y, is_seen, variance, mix, index, share, push = now
        key_way, key_last, key_kept = jax.random.split(key, 3)
        here = jax.tree.map(lambda leaf: leaf[index], steps)
        shocks = jax.random.normal(key_way, (n_steps, n, particles)).at[-1].set(0.0)  # the last one is drawn below
        factor = jnp.linalg.cholesky(here.step.noise + _JITTER * jnp.eye(n))
        moving = jnp.where(here.step.noise.any(), jnp.einsum("ij,sjp->sip", factor, shocks), 0.0)
        mean = flow(process, here, cloud.states, moving)
        noise = jnp.where(first, process.start_covariance, here.step.noise)
        rows = design_rows(observation, reading(observation, n, beside), mix)
        cloud, log_weight = _observed(_aged(cloud, share, common), rows, mean, noise, (y, is_seen, variance), key_last)
        total = logsumexp(log_weight) - jnp.log(particles)
        kept = _resampled(key_kept, log_weight, particles)
        moved = cloud._replace(
            states=cloud.states[:, kept] + push[:, None],
            effects=cloud.effects[:, kept],
            log_density=cloud.log_density + total,
        )
        return moved, None

    times = len(pair)
    data = (
        jax.random.split(key, times),
        jnp.arange(times) == 0,
        covariate,
        score,
        seen,
        own,
        weights,
        pair,
        left,
        event @ process.jumps,
    )
    return jax.lax.scan(advance, cloud, data)[0].log_density


def _aged(cloud: _Cloud, share: Array, common: Array) -> _Cloud:
    """Keep a share of the lasting errors, which stand behind what differs between dyads, and add what is new."""
    size, k = len(cloud.cov), len(common)
    kept = jnp.concatenate([jnp.ones(size - k), share * jnp.ones(k)])
    fresh = jax.scipy.linalg.block_diag(jnp.zeros((size - k, size - k)), (1.0 - share**2) * common)
    return cloud._replace(effects=kept[:, None] * cloud.effects, cov=kept[:, None] * cloud.cov * kept + fresh)


def _observed(cloud: _Cloud, rows: Array, mean: Array, noise: Array, data: tuple, key: Array) -> tuple[_Cloud, Array]:
    """Update states and effects by the observations of one moment, draw the states, and weigh the particles.

    Until the states are drawn they are normal given the particle, with ``mean`` and ``noise``.
    """
    n, particles = mean.shape
    belief = jnp.concatenate([mean, cloud.effects])
    cov = jax.scipy.linalg.block_diag(noise, cloud.cov)
    log_weight = jnp.zeros(particles)
    for row, y, seen, variance in zip(rows, *data, strict=True):
        column = cov @ row
        f = row @ column + variance
        v = y - row @ belief
        weight = jnp.where(seen, 1.0 / f, 0.0)
        log_weight = log_weight - 0.5 * jnp.where(seen, _LOG_2PI + jnp.log(f) + v**2 / f, 0.0)
        belief = belief + (column * weight)[:, None] * v
        cov = cov - weight * jnp.outer(column, column)
    factor = jnp.linalg.cholesky(cov[:n, :n] + _JITTER * jnp.eye(n))
    drawn = jax.random.normal(key, (n, particles))
    # the effects given the states that were drawn
    gain = jax.scipy.linalg.solve_triangular(factor, cov[:n, n:], lower=True).T
    effects = belief[n:] + gain @ drawn
    return cloud._replace(
        states=belief[:n] + factor @ drawn, effects=effects, cov=cov[n:, n:] - gain @ gain.T
    ), log_weight


def _resampled(key: Array, log_weight: Array, particles: int) -> Array:
    """Return which particles go on, by systematic resampling."""
    share = jnp.exp(log_weight - logsumexp(log_weight))
    places = (jax.random.uniform(key) + jnp.arange(particles)) / particles
    return jnp.minimum(jnp.searchsorted(jnp.cumsum(share), places), particles - 1)
