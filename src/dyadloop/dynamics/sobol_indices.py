"""Sensitivity of an outcome to the parameters: local, and Sobol indices over their priors."""

from collections.abc import Mapping, Sequence
from typing import Literal

import jax.numpy as jnp
import numpy as np
import xarray as xr

from dyadloop.dynamics.compiled import Compiled, compiled
from dyadloop.dynamics.session_loop import fixed_points, session_loop_gains
from dyadloop.errors import TheoryError
from dyadloop.simulation import simulate
from dyadloop.theory import Prior, Protocol, Quantity, Theory

_STEP = 1e-3  # of the central difference, relative to the parameter's size or prior
_BATCH = 256


def sensitivity(
    theory: Theory,
    outcome: str = "session_loop_gain",
    parameters: Sequence[str] | None = None,
    *,
    method: Literal["sobol", "local"] = "sobol",
    protocol: Protocol | None = None,
    samples: int = 256,
    seed: int = 1,
) -> xr.Dataset:
    """Return how much an outcome depends on each parameter.

    Parameters
    ----------
    theory
        Any theory.
    outcome
        ``session_loop_gain`` (the loop gain L_W), or a variable: its value at the end of the protocol, without
        noise.
    parameters
        Parameter ids; default: the coefficients of the arrows with a prior that act in session, or all with a prior.
    method
        ``local``: central differences at the values of the file. ``sobol``: shares of the variance over the priors.
    protocol
        Protocol of a simulated outcome; default: that of the theory.
    samples
        Base samples of Sobol's method, a power of 2; the outcome is computed samples x (parameters + 2) times.
    seed
        Seed of the samples.

    Returns
    -------
    xarray.Dataset
        ``local``: ``slope`` (parameter) [outcome per parameter unit], ``per_sd`` (parameter), the slope times the sd
        of the prior (of its logarithm, times the value, where lognormal). ``sobol``: ``first`` and ``total``
        (parameter) with ``first_error`` and ``total_error``, half-widths of 95 % intervals, ``undefined``, the share of
        samples in which the outcome has no value (they count with the median), ``mean`` and ``sd`` of the outcome.

    Raises
    ------
    TheoryError
        If the outcome or a parameter is unknown, a parameter has no prior to vary over, or moves nothing but noise;
        if no parameter has a prior, or ``samples`` is no power of 2.

    Examples
    --------
    >>> local = dl.sensitivity(dl.read_theory("framework_linear"), method="local")
    >>> round(float(local["slope"].sel(parameter="a_trust")), 2)
    1.19
    """
    if samples < 2 or samples & (samples - 1):
        raise TheoryError(f"samples={samples}: Sobol's method takes a power of 2, such as 256")
    model = compiled(theory)
    chosen = list(parameters) if parameters is not None else _usual(model)
    numbers = model.plan.parameters()
    if not chosen:
        name = model.plan.theory.id
        raise TheoryError(f"theory {name!r}: no parameter has a prior to vary over; declare priors in its file")
    for name in chosen:
        model.known(name)
    if fixed := [name for name in chosen if numbers[name].prior is None]:
        raise TheoryError(f"{', '.join(fixed)}: no prior to vary over; choose among those with one")
    if noise := [name for name in chosen if _is_noise(name)]:
        raise TheoryError(
            f"{', '.join(noise)}: an outcome without noise does not depend on it; choose other parameters"
        )
    if outcome != "session_loop_gain" and outcome not in {variable.id for variable in model.plan.theory.variables}:
        known = ", ".join(variable.id for variable in model.plan.theory.variables)
        raise TheoryError(f"outcome {outcome!r} is not 'session_loop_gain' or one of {known}")
    if method == "local":
        return _local(model, outcome, chosen, numbers, protocol)
    return _sobol(model, outcome, chosen, numbers, protocol, samples, seed)


def _usual(model: Compiled) -> list[str]:
    gated = [c.id for c in model.plan.couplings if c.gate == "session" and c.coefficient.prior is not None]
    numbers = model.plan.parameters()
    return gated or [name for name, number in numbers.items() if number.prior is not None and not _is_noise(name)]


def _is_noise(name: str) -> bool:
    """Return whether a parameter moves nothing but noise and differences between dyads, which outcomes leave out."""
    return name.startswith(("rho_", "sd_", "between_"))


def outcomes(model: Compiled, outcome: str, changed: Mapping[str, np.ndarray], protocol: Protocol | None) -> np.ndarray:
    """Return the outcome for each of several values of some parameters, NaN where it has none."""
    cases = len(next(iter(changed.values())))
    if outcome == "session_loop_gain":
        parts = [
            _gains(model, {name: column[first : first + _BATCH] for name, column in changed.items()})
            for first in range(0, cases, _BATCH)
        ]
        return np.concatenate(parts)
    run = simulate(
        model.plan.theory, protocol, dyads=cases, noise=False, between=False, values={**model.numbers, **changed}
    )
    name = outcome if outcome in run else next(str(n) for n in run.data_vars if str(n).startswith(f"{outcome}_"))
    return run[name].values[:, -1]


def _gains(model: Compiled, changed: Mapping[str, np.ndarray]) -> np.ndarray:
    size = len(next(iter(changed.values())))
    filled = {name: np.resize(column, _BATCH if size > 1 else 1) for name, column in changed.items()}
    system = model.system(filled)
    begin = np.repeat(np.asarray(model.start())[:, None], len(next(iter(filled.values()))), axis=1)
    for name, column in filled.items():
        for index, state in enumerate(model.plan.states):
            if name == f"level_{state.variable.id}":
                begin[index] = column
    points, matrices = fixed_points(system, model.schedule, jnp.asarray(begin))
    safe = np.where(np.isfinite(points), points, 0.0)
    gains = session_loop_gains(system, model.schedule, safe, matrices)
    return np.where(np.isfinite(points).all(axis=0), gains, np.nan)[:size]


def _local(
    model: Compiled, outcome: str, chosen: list[str], numbers: dict[str, Quantity], protocol: Protocol | None
) -> xr.Dataset:
    values = {name: np.full(2 * len(chosen), model.numbers[name]) for name in chosen}
    steps, spreads = [], []
    for row, name in enumerate(chosen):
        prior = numbers[name].prior
        spread = _sd(prior, model.numbers[name])
        steps.append(_STEP * spread)
        spreads.append(spread)
        values[name][2 * row] += steps[-1]
        values[name][2 * row + 1] -= steps[-1]
    found = outcomes(model, outcome, values, protocol)
    slope = (found[::2] - found[1::2]) / (2 * np.array(steps))
    return xr.Dataset(
        {"slope": ("parameter", slope), "per_sd": ("parameter", slope * np.array(spreads))},
        coords={"parameter": chosen},
        attrs={"theory": model.plan.theory.id, "outcome": outcome, "method": "local"},
    )


def _sd(prior: Prior | None, value: float) -> float:
    used = prior or Prior(family="normal", location=0.0, scale=1.0)
    return used.scale * (abs(value) if used.family == "lognormal" else 1.0)


def _sobol(
    model: Compiled,
    outcome: str,
    chosen: list[str],
    numbers: dict[str, Quantity],
    protocol: Protocol | None,
    samples: int,
    seed: int,
) -> xr.Dataset:
    from SALib.analyze import sobol as sobol_analysis  # slow to import, and nothing else needs it
    from SALib.sample import sobol as sobol_sample

    problem = {"num_vars": len(chosen), "names": chosen, "bounds": [], "dists": []}
    for name in chosen:
        prior = numbers[name].prior or Prior(family="normal", location=0.0, scale=1.0)
        logarithmic = prior.family == "lognormal"
        problem["bounds"].append([np.log(prior.location) if logarithmic else prior.location, prior.scale])
        problem["dists"].append("lognorm" if logarithmic else "norm")
    draws = sobol_sample.sample(problem, samples, calc_second_order=False, seed=seed)
    found = outcomes(model, outcome, {name: draws[:, column] for column, name in enumerate(chosen)}, protocol)
    undefined = float(np.isnan(found).mean())
    filled = np.where(np.isnan(found), np.nanmedian(found), found)
    indices = sobol_analysis.analyze(problem, filled, calc_second_order=False, seed=seed)
    return xr.Dataset(
        {
            "first": ("parameter", indices["S1"]),
            "total": ("parameter", indices["ST"]),
            "first_error": ("parameter", indices["S1_conf"]),
            "total_error": ("parameter", indices["ST_conf"]),
            "undefined": undefined,
            "mean": float(np.nanmean(found)),
            "sd": float(np.nanstd(found)),
        },
        coords={"parameter": chosen},
        attrs={"theory": model.plan.theory.id, "outcome": outcome, "method": "sobol", "samples": samples, "seed": seed},
    )
