"""The posterior of a theory that is not linear, corrected for what its fast filter misses."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.scipy.special import logsumexp
from jaxtyping import Array, Float

from dyadloop.appraisal.replication import thinned
from dyadloop.inference.cache import made_once
from dyadloop.inference.problem import Problem
from dyadloop.inference.sampling import Count
from dyadloop.likelihood.joint_filter import filter_jointly
from dyadloop.likelihood.panel import Panel
from dyadloop.likelihood.particles import PARTICLES, particle_log_likelihood
from dyadloop.likelihood.programs import program
from dyadloop.model import ProcessModel
from dyadloop.observation.plan import Observation

RUNS = 8
"""Independent runs, from whose spread the Monte Carlo error is taken."""
DRAWS = 200
"""Draws at which particles are run."""
_RUNS = 2  # of the particles at a draw: draws differ by more than such runs do
_FEWEST = 30  # the tail of fewer weights cannot be smoothed


class Discrepancy(NamedTuple):
    """Log-likelihood by particles minus that of the fast filter, and its Monte Carlo standard error, by dyad."""

    gap: Float[np.ndarray, " dyad"]
    error: Float[np.ndarray, " dyad"]


def corrected(
    problem: Problem,
    post: xr.DataTree,
    n_draws: int = DRAWS,
    progress: Count = lambda name, done, total: None,
) -> xr.Dataset:
    """Weigh draws by how much more likely the data are under a particle filter than under the fast one.

    Noise in the weights leaves the corrected posterior right, for the mean of the particles' likelihood is exact, and
    only costs effective draws.

    Returns
    -------
    xarray.Dataset
        By ``parameter``: ``mean`` and ``sd`` of the fit, ``corrected_mean``, its standard error
        ``corrected_mean_se``, ``corrected_sd``, ``shift`` of the mean in sds of the fit. Attributes: ``pareto_k`` of
        the weights, ``good_k``, up to which they can be trusted with that many draws, and ``ess``, how many equally
        weighted draws they are worth.

    References
    ----------
    .. [1] Vehtari et al. (2024), Pareto smoothed importance sampling. JMLR 25(72)
    .. [2] Andrieu & Roberts (2009), weights that are estimates. doi:10.1214/07-AOS574
    """
    from arviz_stats.base.array import array_stats

    draws = thinned(post, max(n_draws, _FEWEST))
    n_draws = len(next(iter(draws.values())))
    find, log_weight = missed(problem, _RUNS), np.empty(n_draws)
    seed = int(post.attrs["seed"])
    for number in range(n_draws):
        progress("particle filter", number, n_draws)
        values = {name: jnp.asarray(found[number]) for name, found in draws.items()}
        # each draw has its own particles, or the error of one set would pass for a difference between draws
        log_weight[number] = find(values, int(np.random.SeedSequence([seed, number]).generate_state(1)[0])).gap.sum()
    progress("particle filter", n_draws, n_draws)
    smoothed, k = array_stats.psislw(-(log_weight - log_weight.max()))
    weight = np.exp(smoothed - np.logaddexp.reduce(smoothed))
    group = post["posterior"].to_dataset()
    names = [str(name) for name in problem.priors.index]
    whole = np.stack([group[name].values.ravel() for name in names])
    mean, sd = whole.mean(axis=1), whole.std(axis=1)
    kept = np.stack([draws[name] for name in names])
    new = kept @ weight
    deviation = kept - new[:, None]
    # the draws that were kept have a mean of their own, which is no part of the correction
    moved = new - kept.mean(axis=1)
    data = {
        "mean": mean,
        "sd": sd,
        "corrected_mean": mean + moved,
        "corrected_mean_se": np.sqrt(((weight - 1 / n_draws) ** 2 * deviation**2).sum(axis=1)),
        "corrected_sd": np.sqrt((weight * deviation**2).sum(axis=1)),
        "shift": moved / sd,
    }
    return xr.Dataset(
        {name: ("parameter", numbers) for name, numbers in data.items()},
        coords={"parameter": names},
        attrs={
            "pareto_k": float(k),
            "good_k": float(min(1 - 1 / np.log10(n_draws), 0.7)),
            "ess": float(1 / (weight**2).sum()),
        },
    )


def discrepancy(
    process: ProcessModel, observation: Observation, panel: Panel, seed: int, particles: int = PARTICLES, runs: int = RUNS
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
    panel = panel.plain()
    fast = filter_jointly(process, observation, panel).log_density
    keys = jax.random.split(jax.random.key(seed), runs)
    run = program(lambda key: particle_log_likelihood(key, process, observation, panel, particles))
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
        names = [*problem.priors.index, *problem.random_levels.normals]
        values = {str(name): jnp.asarray(draws[name].mean(("chain", "draw")).values) for name in names}
        found = missed(problem)(values, seed)
    data = {"correction": ("dyad", found.gap), "correction_se": ("dyad", found.error)}
    return xr.Dataset(data, coords={"dyad": dyads})


def missed(problem: Problem, runs: int | None = None) -> Callable[[dict[str, Array], int], Discrepancy]:
    """Return a function of parameter values and a seed that finds what the fast filter misses."""
    varying = problem.random_parameters
    places, log_weights = varying.nodes() if varying.names else (np.zeros((1, 0)), np.zeros(1))
    run, weights = _both_filters(problem, PARTICLES), jnp.asarray(log_weights)[:, None]
    plain = problem.panel.plain()

    def find(values: dict[str, Array], seed: int) -> Discrepancy:
        keys = jax.random.split(jax.random.key(seed), (runs or RUNS, len(places)))
        pairs = [[run(values, jnp.asarray(z), key, plain) for z, key in zip(places, row, strict=True)] for row in keys]
        fast = logsumexp(jnp.stack([fast for fast, _ in pairs[0]]) + weights, axis=0)
        return _beside(fast, jnp.stack([logsumexp(jnp.stack([p for _, p in row]) + weights, axis=0) for row in pairs]))

    return find


@made_once
def _both_filters(
    problem: Problem, particles: int
) -> Callable[[dict[str, Array], Array, Array, Panel], tuple[Array, Array]]:
    """Return the program of the log-likelihood of each dyad by the fast filter and by particles, of plain scores."""
    varying = problem.random_parameters

    def at(values: dict[str, Array], z: Array, key: Array, plain: Panel) -> tuple[Array, Array]:
        panel = problem.alone(values, problem.observed.observation(values), plain)
        own = varying.of(values, z) if varying.names else values
        process, observation = problem.process_of(own, panel), problem.observed.observation(own)
        fast = filter_jointly(process, observation, panel).log_density
        return fast, particle_log_likelihood(key, process, observation, panel, particles)

    return program(at)
