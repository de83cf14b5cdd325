"""Each dyad left out of a fit by importance sampling, without fitting again."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

_ROUNDING = 1e-9


def leave_one_out(post: xr.DataTree) -> Any:  # noqa: ANN401 - ArviZ's ELPDData, which its package types as a tuple
    """Return ArviZ's leave-one-dyad-out result, with scores, Pareto k and importance weights of each dyad."""
    from arviz_stats.loo.loo import loo

    groups = {group: post[group].to_dataset() for group in ("posterior", "log_likelihood")}
    groups["log_likelihood"] = _told_apart(groups["log_likelihood"])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Estimated shape parameter of Pareto")  # callers read k themselves
        with np.errstate(all="ignore"):  # of a dyad so far out that its weights underflow
            found: Any = loo(xr.DataTree.from_dict(groups), pointwise=True, var_name="dyads")
    # the fit of such a dyad's tail fails silently and may report a small k
    return replace(found, pareto_k=found.pareto_k.where(np.isfinite(found.elpd_i), np.inf))


def _told_apart(log_likelihood: xr.Dataset) -> xr.Dataset:
    """Return log-likelihoods of dyads whose values differ at least by rounding.

    A dyad without any value has a log-likelihood of 0 at every draw, and no tail can be fitted to equal weights.
    """
    values = log_likelihood["dyads"]
    same = values.std(("chain", "draw")) == 0
    noise = xr.zeros_like(values) + _ROUNDING * np.random.default_rng(0).standard_normal(values.shape)
    return log_likelihood.assign(dyads=values + noise.where(same, 0.0))
