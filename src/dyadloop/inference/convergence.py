"""Diagnostics of a sampled posterior: R-hat, effective sample sizes, divergences, and one answer."""

import numpy as np
import xarray as xr

MAX_RHAT = 1.01
MIN_ESS = 400.0
"""Bars of Vehtari et al. (2021), doi:10.1214/20-BA1221."""
FAR_RHAT = 1.05
MAX_DIVERGENT = 0.005
"""Beyond these no claim is judged: the chains disagree, or have not gone where the posterior is."""


def diagnose(post: xr.DataTree) -> xr.DataTree:
    """Add a group ``diagnostics`` and the attribute ``converged`` (1 or 0) to a posterior.

    Converged means: every R-hat at most 1.01, every bulk and tail effective sample size at least 400, and at most one
    divergent transition in 200.
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
    diverging = post["sample_stats"].to_dataset()["diverging"]
    if float(diverging.mean()) > MAX_DIVERGENT:
        faults.append(f"{int(diverging.sum())} divergent transitions of {diverging.size}")
    return faults


def sampling_fault(post: xr.DataTree) -> str:
    """Return why nothing can be judged by these draws, in words; empty where claims may be judged one by one.

    A few divergent transitions, or a parameter that mixes a little slower than the bar, leave a claim untouched whose
    own estimand has converged (:func:`estimand_fault`) and at whose ends no divergences gather
    (:func:`dyadloop.inference.divergences.divergence_fault`).
    """
    table, stats = post["diagnostics"].to_dataset(), post["sample_stats"].to_dataset()
    if np.isnan(table["rhat"].values).all():
        return "one chain cannot show whether the sampling has converged"
    worst, share = float(np.nanmax(table["rhat"].values)), float(stats["diverging"].mean())
    if worst > FAR_RHAT:
        name = table["parameter"].values[int(np.nanargmax(table["rhat"].values))]
        return f"the sampling has not converged (R-hat of {name} {worst:.3g})"
    if share > MAX_DIVERGENT:
        return f"the sampling has not converged ({share:.1%} of the transitions diverged)"
    return ""


def estimand_fault(draws: np.ndarray, n_chains: int) -> str:
    """Return why the draws of one estimand have not converged, in words; empty where they have.

    Parameters
    ----------
    draws
        Draws, chain by chain; where some have no value only the others are looked at.
    n_chains
        Number of chains.
    """
    from arviz_stats.sampling_diagnostics import ess, rhat

    rows = draws.reshape(n_chains, -1)
    rows = rows[:, np.isfinite(rows).all(axis=0)]
    if n_chains < 2 or rows.shape[1] < 4 or np.ptp(rows) == 0.0:
        return ""
    table = xr.Dataset({"estimand": (("chain", "draw"), rows)})
    mixed, bulk = float(rhat(table)["estimand"]), float(ess(table, method="bulk")["estimand"])
    tail = float(ess(table, method="tail")["estimand"])
    if mixed <= MAX_RHAT and min(bulk, tail) >= MIN_ESS:
        return ""
    return f"its estimand has not converged (R-hat {mixed:.3f}, effective draws {min(bulk, tail):.0f})"


def prior_conflicts(post: xr.DataTree) -> list[str]:
    """Return the parameters whose posterior median lies outside the central 99 % of the prior."""
    before, after = post["prior"].to_dataset(), post["posterior"].to_dataset()
    found = []
    for name in map(str, after.data_vars):
        low, high = np.quantile(before[name].values, [0.005, 0.995])
        if not low <= np.median(after[name].values) <= high:
            found.append(name)
    return found
