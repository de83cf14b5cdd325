"""The marginal likelihood of a fit by bridge sampling between its posterior and a normal distribution."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray as xr
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from dyadloop.appraisal.replication import sampled
from dyadloop.inference.mode import posterior_of
from dyadloop.inference.problem import Problem

_ROUNDS = 1000
_SETTLED = 1e-10


def log_evidence(problem: Problem, post: xr.DataTree, seed: int) -> tuple[float, float]:
    """Return the log marginal likelihood of a fit and its standard error.

    The first half of each chain shapes a normal proposal on the unconstrained scale, the second half and as many
    draws of the proposal are bridged.

    References
    ----------
    .. [1] Meng & Wong (1996), Statistica Sinica 6, 831-860 (the optimal bridge).
    .. [2] Fruehwirth-Schnatter (2004), Econometrics Journal 7, 143-167 (its relative error).
    .. [3] Gronau et al. (2017). doi:10.1016/j.jmp.2017.09.005
    """
    posterior = posterior_of(problem)
    group = sampled(post)
    places = posterior.unconstrain({str(name): group[name].values for name in group.data_vars})
    half = places.shape[1] // 2
    shape, kept = places[:, :half].reshape(-1, posterior.size), places[:, half:].reshape(-1, posterior.size)
    covariance: Any = np.cov(shape, rowvar=False)
    proposal = multivariate_normal(shape.mean(axis=0), covariance, seed=np.random.default_rng(seed))
    proposed = np.atleast_2d(proposal.rvs(len(kept))).reshape(-1, posterior.size)
    at_posterior = post["sample_stats"].to_dataset()["lp"].values[:, half:].ravel() - np.asarray(proposal.logpdf(kept))
    at_proposal = np.asarray(posterior.densities(jnp.asarray(proposed), problem.panel)) - np.asarray(
        proposal.logpdf(proposed)
    )
    at_proposal = np.where(np.isfinite(at_proposal), at_proposal, -np.inf)
    return _bridge(at_posterior, at_proposal, places.shape[0])


def _bridge(at_posterior: np.ndarray, at_proposal: np.ndarray, chains: int) -> tuple[float, float]:
    """Return the log ratio of normalising constants from log density ratios, and its standard error."""
    from arviz_stats.sampling_diagnostics import ess

    share = np.log([0.5, 0.5])
    shift = float(np.median(at_posterior))  # keeps the exponentials near 1
    one, two = at_posterior - shift, at_proposal - shift
    log_r = 0.0
    for _ in range(_ROUNDS):
        top = logsumexp(two - np.logaddexp(share[0] + two, share[1] + log_r))
        bottom = logsumexp(-np.logaddexp(share[0] + one, share[1] + log_r))
        change = top - np.log(len(two)) - (bottom - np.log(len(one))) - log_r
        log_r += change
        if abs(change) < _SETTLED:
            break
    numerator = np.exp(two - np.logaddexp(share[0] + two, share[1] + log_r))
    denominator = np.exp(-np.logaddexp(share[0] + one, share[1] + log_r))
    size = float(np.asarray(ess(denominator.reshape(chains, -1), chain_axis=0, draw_axis=1)))
    error = numerator.var() / numerator.mean() ** 2 / len(two) + denominator.var() / denominator.mean() ** 2 / size
    return float(log_r + shift), float(np.sqrt(error))
