"""Diagnostics of a sampled posterior: R-hat, effective sample sizes, divergences, and one answer."""

import numpy as np
import xarray as xr

MAX_RHAT = 1.01
MIN_ESS = 400.0
"""Bars of Vehtari et al. (2021), doi:10.1214/20-BA1221."""


def diagnose(post: xr.DataTree) -> xr.DataTree:
    """Add a group ``diagnostics`` and the attribute ``converged`` (1 or 0) to a posterior.

    Converged means: every R-hat at most 1.01, every bulk and tail effective sample size at least 400, no divergence.
    """
    from arviz_stats.sampling_diagnostics import ess, rhat

    draws = post["posterior"].to_dataset()
    measures = {
        "rhat": rhat(draws),
        "ess_bulk": ess(draws, method="bulk"),
        "ess_tail": ess(draws, method="tail"),
    }
    names = list(draws.data_vars)
    rows = {key: [float(found[n]) for n in names] for key, found in measures.items()}
    if "auxiliary" in post.children:  # one row for all normals of a kind: the worst of them
        drawn = post["auxiliary"].to_dataset()
        names += map(str, drawn.data_vars)
        rows["rhat"] += [float(worst) for worst in rhat(drawn).max().data_vars.values()]
        rows["ess_bulk"] += [float(worst) for worst in ess(drawn, method="bulk").min().data_vars.values()]
        rows["ess_tail"] += [float(worst) for worst in ess(drawn, method="tail").min().data_vars.values()]
    table = {key: ("parameter", np.array(values)) for key, values in rows.items()}
    post["diagnostics"] = xr.DataTree(xr.Dataset(table, coords={"parameter": names}))
    faults = convergence_faults(post)
    post.attrs["converged"] = int(not faults)
    return post


def convergence_faults(post: xr.DataTree) -> list[str]:
    """Return what is wrong with the sampling, in words; an empty list means converged."""
    table = post["diagnostics"].to_dataset()
    faults = []
    for key, word, limit in (
        ("rhat", "R-hat", MAX_RHAT),
        ("ess_bulk", "bulk ESS", MIN_ESS),
        ("ess_tail", "tail ESS", MIN_ESS),
    ):
        values = table[key].values
        if np.isnan(values).all():
            faults.append(f"{word} cannot be computed from these draws; sample at least two chains")
            continue
        bad = ~(values <= limit) if key == "rhat" else ~(values >= limit)
        if bad.any():
            worst = int(np.nanargmax(values) if key == "rhat" else np.nanargmin(values))
            side = "above" if key == "rhat" else "below"
            faults.append(
                f"{word} {side} {limit:g} for {int(bad.sum())} parameters, worst {table['parameter'].values[worst]} "
                f"at {values[worst]:.4g}"
            )
    divergences = int(post["sample_stats"].to_dataset()["diverging"].sum())
    if divergences:
        faults.append(f"{divergences} divergent transitions")
    return faults


def prior_conflicts(post: xr.DataTree) -> list[str]:
    """Return the parameters whose posterior median lies outside the central 99 % of the prior."""
    before, after = post["prior"].to_dataset(), post["posterior"].to_dataset()
    found = []
    for name in map(str, after.data_vars):
        low, high = np.quantile(before[name].values, [0.005, 0.995])
        if not low <= np.median(after[name].values) <= high:
            found.append(name)
    return found
