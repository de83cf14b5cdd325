"""The posterior of a theory that is not linear, corrected for what its fast filter misses."""

import jax.numpy as jnp
import numpy as np
import xarray as xr

from dyadloop.inference.particles import missed
from dyadloop.inference.predict import thinned
from dyadloop.inference.problem import Problem
from dyadloop.inference.sampling import Count

DRAWS = 200
"""Draws at which particles are run."""
_RUNS = 2  # of the particles at a draw: draws differ by more than such runs do
_FEWEST = 30  # the tail of fewer weights cannot be smoothed


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
