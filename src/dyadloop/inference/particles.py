"""A particle filter: the likelihood of a field that is not linear, to Monte Carlo error, to check the fast filter.

What differs between dyads enters linearly, so each particle carries its conditional mean and all share one covariance.
Only the states are drawn: from their conditional distribution given the next observations where the last step to them
is normal. Steps are finer than those of the fast filter, so what the two differ by is the whole error of the latter.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float

from dyadloop.field import Field, Flow, flow
from dyadloop.inference.augmented import design_rows, filtered, reading
from dyadloop.inference.motion import axis_of, motion
from dyadloop.inference.panel import Panel
from dyadloop.inference.problem import Problem
from dyadloop.inference.programs import program
from dyadloop.inference.shared_error import combined, uncorrelated
from dyadloop.observation import Observation

STEPS = 8
PARTICLES = 1000
RUNS = 8
"""Independent runs, from whose spread the Monte Carlo error is taken."""
_LOG_2PI = 1.8378770664093453
_JITTER = 1e-12


class Discrepancy(NamedTuple):
    """Log-likelihood by particles minus that of the fast filter, and its Monte Carlo standard error, by dyad."""

    gap: Float[np.ndarray, " dyad"]
    error: Float[np.ndarray, " dyad"]


class _Cloud(NamedTuple):
    """States of the particles, the mean of the effects given each, their common covariance, and the density so far."""

    states: Float[Array, "state particle"]
    effects: Float[Array, "effect particle"]
    cov: Float[Array, "effect effect"]
    log_density: Float[Array, ""]


def discrepancy(
    field: Field, observation: Observation, panel: Panel, seed: int, particles: int = PARTICLES, runs: int = RUNS
) -> Discrepancy:
    """Return by how much the fast filter misses the likelihood of each dyad.

    Values beyond a limit count as missing in both.

    Parameters
    ----------
    field, observation
        Theory and observation model with numbers.
    panel
        Observations and intervals.
    seed
        Seed of the particles.
    particles, runs
        Particles of a run, and runs.
    """
    panel = panel.without_limits()
    fast = filtered(field, observation, panel).log_density
    keys = jax.random.split(jax.random.key(seed), runs)
    run = program(lambda key: particle_log_likelihood(key, field, observation, panel, particles))
    return _beside(fast, jnp.stack([run(key) for key in keys]))


def _beside(fast: Array, found: Float[Array, "run dyad"]) -> Discrepancy:
    """Return how far the mean likelihood of some runs lies from another."""
    mean = logsumexp(found, axis=0) - jnp.log(len(found))
    # of the mean of the likelihoods, by the delta method
    spread = jnp.std(jnp.exp(found - mean), axis=0, ddof=1) / jnp.sqrt(len(found))
    return Discrepancy(np.asarray(mean - fast), np.asarray(spread))


def correction(problem: Problem, draws: xr.Dataset, seed: int) -> xr.Dataset:
    """Return what the fast filter misses at the mean of draws: ``correction`` and ``correction_se`` by dyad.

    Both are 0 where the theory is linear, for then the filter is exact. Where parameters vary between dyads, both
    likelihoods are integrated over them, by particles at each node of the quadrature.
    """
    dyads = problem.scores["dyad"].values
    found = Discrepancy(np.zeros(len(dyads)), np.zeros(len(dyads)))
    if not problem.plan.is_linear:
        names = [*problem.priors.index, *problem.shared.normals]
        values = {str(name): jnp.asarray(draws[name].mean(("chain", "draw")).values) for name in names}
        found = missed(problem)(values, seed)
    data = {"correction": ("dyad", found.gap), "correction_se": ("dyad", found.error)}
    return xr.Dataset(data, coords={"dyad": dyads})


def missed(problem: Problem, runs: int | None = None) -> Callable[[dict[str, Array], int], Discrepancy]:
    """Return a function of parameter values and a seed that finds what the fast filter misses; it is compiled once."""
    varying = problem.varying
    places, log_weights = varying.nodes() if varying.names else (np.zeros((1, 0)), np.zeros(1))

    def at(values: dict[str, Array], z: Array, key: Array) -> tuple[Array, Array]:
        panel = problem.alone(values, problem.observed.observation(values), problem.panel).without_limits()
        own = varying.of(values, z) if varying.names else values
        field, observation = problem.field_of(own, panel), problem.observed.observation(own)
        fast = filtered(field, observation, panel).log_density
        return fast, particle_log_likelihood(key, field, observation, panel, PARTICLES)

    run, weights = program(at), jnp.asarray(log_weights)[:, None]

    def find(values: dict[str, Array], seed: int) -> Discrepancy:
        keys = jax.random.split(jax.random.key(seed), (runs or RUNS, len(places)))
        pairs = [[run(values, jnp.asarray(z), key) for z, key in zip(places, row, strict=True)] for row in keys]
        fast = logsumexp(jnp.stack([fast for fast, _ in pairs[0]]) + weights, axis=0)
        return _beside(fast, jnp.stack([logsumexp(jnp.stack([p for _, p in row]) + weights, axis=0) for row in pairs]))

    return find


def particle_log_likelihood(
    key: Array, field: Field, observation: Observation, panel: Panel, particles: int, n_steps: int = STEPS
) -> Float[Array, " dyad"]:
    """Return an estimate of the log-likelihood of each dyad whose exponential is unbiased.

    References
    ----------
    .. [1] Doucet, Godsill & Andrieu (2000), optimal proposals, Rao-Blackwellisation. doi:10.1023/A:1008935410038
    .. [2] Schoen, Gustafsson & Nordlund (2005), marginalised particle filters. doi:10.1109/TSP.2005.849151
    """
    steps, axis, pair = motion(field, panel, n_steps)
    assert isinstance(steps, Flow)
    beside = panel.score - observation.expected(panel.covariate)

    def one_dyad(field: Field, steps: Flow, key: Array, covariate: Array | None, *data: Array) -> Array:
        return _one_dyad(key, field, observation, steps, particles, n_steps, covariate, *data)

    keys = jax.random.split(key, panel.pair.shape[0])
    apart = uncorrelated(observation, panel)
    beside = combined(observation, apart.weights, beside)
    data = (keys, panel.covariate, beside, panel.seen, apart.variance, apart.weights, pair, panel.event)
    over_dyads = jax.vmap(one_dyad, in_axes=(axis_of(field), axis, *[0] * len(data)))
    return over_dyads(field, steps, *data)


def _one_dyad(
    key: Array, field: Field, observation: Observation, steps: Flow, particles: int, n_steps: int,
    covariate: Array | None, score: Array, seen: Array, own: Array, weights: Array, pair: Array, event: Array,
) -> Array:  # fmt: skip
    n = len(field.names)
    between = observation.between(field.between)
    start = jnp.broadcast_to(field.start[:, None], (n, particles))
    cloud = _Cloud(start, jnp.zeros((len(between), particles)), between @ between.T, jnp.zeros(()))

    def advance(cloud: _Cloud, now: tuple) -> tuple[_Cloud, None]:
        key, first, beside, y, is_seen, variance, mix, index, push = now
        key_way, key_last, key_kept = jax.random.split(key, 3)
        here = jax.tree.map(lambda leaf: leaf[index], steps)
        shocks = jax.random.normal(key_way, (n_steps, n, particles)).at[-1].set(0.0)  # the last one is drawn below
        factor = jnp.linalg.cholesky(here.step.noise + _JITTER * jnp.eye(n))
        moving = jnp.where(here.step.noise.any(), jnp.einsum("ij,sjp->sip", factor, shocks), 0.0)
        mean = flow(field, here, cloud.states, moving)
        noise = jnp.where(first, field.start_covariance, here.step.noise)
        rows = design_rows(observation, reading(observation, n, beside), mix)
        cloud, log_weight = _observed(cloud, rows, mean, noise, (y, is_seen, variance), key_last)
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
        event @ field.jumps,
    )
    return jax.lax.scan(advance, cloud, data)[0].log_density


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
