"""Find the posterior mode from several starts and the curvature there; whiten the space for the sampler."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist
import pandas as pd
from jaxtyping import Array
from numpyro.distributions import biject_to
from numpyro.infer.util import potential_energy
from scipy.optimize import OptimizeResult, minimize

from dyadloop.errors import FitError
from dyadloop.inference.cache import made_once
from dyadloop.inference.one_thread import one_thread
from dyadloop.inference.problem import Problem
from dyadloop.likelihood.panel import LATENT, Panel
from dyadloop.likelihood.programs import program

_FLOOR = 1e-3  # curvature below this (sd above 30 on the unconstrained scale) is treated as this
_STEP = 1e-4  # central differences of exact gradients: truncation and rounding errors are both near 1e-8
_NOWHERE = 1e12  # stands for a density that is not finite
_AGREE = 0.1  # log density: starts that end within this of the best found the same mode
_NEAR = 0.5  # unconstrained scale: a run this near to the end of another, at about its value, need not go on


@dataclass(frozen=True, eq=False)
class Posterior:
    """The log posterior on an unconstrained vector, given a panel, and the ways between it and parameters.

    One such object serves all problems that differ in their data alone, so what is compiled is compiled once.
    """

    negative: Callable[[Array, Panel], Array]
    slope: Callable[[Array | np.ndarray, Panel], tuple[Array, Array]]
    densities: Callable[[Array, Panel], Array]
    constrain: Callable[[Array], dict[str, Array]]
    unconstrain: Callable[[dict[str, np.ndarray]], np.ndarray]
    names: tuple[str, ...]
    splits: tuple[np.ndarray, np.ndarray]
    normals: dict[str, int]

    @property
    def size(self) -> int:
        """Number of parameters and of auxiliary normals."""
        return len(self.names) + sum(self.normals.values())


@dataclass(frozen=True)
class Mode:
    """Posterior mode, a factor L with L L' = inverse curvature, and how the starts agreed."""

    center: np.ndarray
    factor: np.ndarray
    log_density: float
    starts: int
    agreeing: int


def distribution(row: pd.Series) -> dist.Distribution:
    """Return the NumPyro distribution of one row of a prior table."""
    if row["family"] == "lognormal":
        return dist.LogNormal(np.log(row["location"]), row["scale"])
    return dist.Normal(row["location"], row["scale"])


@made_once
def posterior_of(problem: Problem) -> Posterior:
    """Return the log posterior of a problem with one NumPyro site per parameter."""
    priors = {str(name): distribution(row) for name, row in problem.priors.iterrows()}
    normals = problem.normals

    def model(panel: Panel) -> None:
        values = {name: jnp.asarray(numpyro.sample(name, prior)) for name, prior in priors.items()}
        for name, size in normals.items():
            values[name] = jnp.asarray(numpyro.sample(name, dist.Normal().expand((size,)).to_event(1)))
        numpyro.factor("log_likelihood", problem.log_likelihood(values, panel).sum())

    names = tuple(priors)
    splits = _variance_splits(problem, names)

    def unpack(vector: Array) -> dict[str, Array]:
        values = dict(zip(names, _split_variance(vector[: len(names)], *splits), strict=True))
        ends = np.cumsum([len(names), *normals.values()])
        return values | {name: vector[begin:end] for name, begin, end in zip(normals, ends[:-1], ends[1:], strict=True)}

    def constrain(vector: Array) -> dict[str, Array]:
        unpacked = unpack(vector)
        return unpacked | {name: biject_to(priors[name].support)(unpacked[name]) for name in names}

    def unconstrain(values: dict[str, np.ndarray]) -> np.ndarray:
        free = [np.asarray(biject_to(priors[name].support).inv(jnp.asarray(values[name]))) for name in names]
        merged = _merge_variance(np.stack(free, axis=-1), *splits)
        return np.concatenate([merged, *(values[name] for name in normals)], axis=-1)

    def negative(vector: Array, panel: Panel) -> Array:
        return jnp.asarray(potential_energy(model, (panel,), {}, unpack(vector)))

    return Posterior(
        negative=negative,
        slope=program(jax.value_and_grad(negative)),
        densities=program(lambda points, panel: jax.lax.map(lambda point: -negative(point, panel), points)),
        constrain=constrain,
        unconstrain=unconstrain,
        names=names,
        splits=splits,
        normals=normals,
    )


@made_once
def constraining(problem: Problem) -> Callable[[Array], dict[str, Array]]:
    """Return the program that turns many unconstrained vectors (draw, parameter) into parameters."""
    return program(jax.vmap(posterior_of(problem).constrain))


def _variance_splits(problem: Problem, order: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of log sd_x and log error_y for each state x whose first indicator y has a free error."""
    places: dict[int, int] = {}
    for indicator, state in zip(problem.observed.indicators, problem.observed.states, strict=True):
        sd, error = f"sd_{problem.plan.states[state].variable.id}", f"error_{indicator}"
        if sd in order and error in order:  # parameters of the second of two partners are those of the first
            places.setdefault(order.index(sd), order.index(error))
    return np.array(list(places), dtype=int), np.array(list(places.values()), dtype=int)


def _split_variance(vector: Array, sd: np.ndarray, error: np.ndarray) -> Array:
    """Turn (log total sd, log ratio) into (log sd, log error); the map keeps volumes, so no Jacobian is due.

    What a score varies by is known well, how that divides into change and error is not: in these coordinates the
    ridge between the two is straight.
    """
    total, ratio = vector[sd], vector[error]
    log_error = total - 0.5 * jax.nn.softplus(2.0 * ratio)
    return vector.at[error].set(log_error).at[sd].set(log_error + ratio)


def _merge_variance(vector: np.ndarray, sd: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Invert :func:`_split_variance`."""
    merged = vector.copy()
    merged[..., sd] = 0.5 * np.logaddexp(2 * vector[..., sd], 2 * vector[..., error])
    merged[..., error] = vector[..., sd] - vector[..., error]
    return merged


def mode_near(
    problem: Problem, posterior: Posterior, other: Mode, starts: Sequence[np.ndarray] | None = None, sides: int = 2
) -> Mode:
    """Return the mode that is reached from that of another study of the same design, with its curvature.

    The other's curvature makes the scales alike, so that many like studies take a fraction of the steps. ``starts`` are
    places to begin at instead of the other mode; the highest mode counts. The curvature takes differences to both
    sides, or to one (``sides`` 1) in half the time, which errs by about one in 10,000.
    """

    def slope(vector: np.ndarray) -> tuple[Array, Array]:
        return posterior.slope(vector, problem.panel)  # a plain array: JAX takes it over faster than we could

    def objective(place: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = slope(other.center + other.factor @ place)
        if not np.isfinite(value):
            return _NOWHERE, np.zeros_like(place)
        return float(value), other.factor.T @ np.nan_to_num(np.asarray(gradient))

    # coordinates in posterior SDs: a slope of .01 is an error of about .01 SD
    runs: list[OptimizeResult] = []
    for start in [other.center] if starts is None else starts:
        place = np.linalg.solve(other.factor, start - other.center)
        runs.append(_descent(objective, place, runs, ftol=1e-9, gtol=1e-2))
    run = min(runs, key=lambda run: run.fun)
    if run.fun >= _NOWHERE:
        raise FitError("the posterior has no value at the mode of a study of the same design; it is not alike")
    center = other.center + other.factor @ run.x
    agreeing = sum(entry.fun < run.fun + _AGREE for entry in runs)
    return Mode(center, _whitening(slope, center, sides), -float(run.fun), len(runs), int(agreeing))


def find_mode(problem: Problem, posterior: Posterior, seed: int, starts: int = 4) -> Mode:
    """Return the best mode found from ``starts`` draws of the prior, with its curvature.

    The likelihood of such models has many local maxima; priors and several starts guard against them, and the
    number of starts that agree is reported. Where values are not seen as numbers, the mode is that of plain scores in
    their place: the joint mode with the normals that stand for what is not known of them lies far from where they
    mostly are.
    """
    if problem.panel.n_latent:
        plain = problem.with_panel(problem.panel.plain(), problem.held_out)
        return _among_normals(find_mode(plain, posterior_of(plain), seed, starts), posterior)

    def slope(vector: np.ndarray) -> tuple[Array, Array]:
        return posterior.slope(vector, problem.panel)  # a plain array: JAX takes it over faster than we could

    def objective(vector: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = slope(vector)
        if not np.isfinite(value):
            return _NOWHERE, np.zeros_like(vector)
        return float(value), np.nan_to_num(np.asarray(gradient))

    generator = np.random.default_rng(seed)
    places = [_unconstrained(row) for _, row in problem.priors.iterrows()] + [(0.0, 1.0)] * sum(
        posterior.normals.values()
    )
    middle, spread = np.array(places).T * np.array([[1.0], [0.5]])
    runs: list[OptimizeResult] = []
    for start in range(starts):
        place = middle + (spread * generator.standard_normal(posterior.size) if start else 0.0)
        runs.append(_descent(objective, _merge_variance(place, *posterior.splits), runs))
    best = min(runs, key=lambda run: run.fun)
    if best.fun >= _NOWHERE:
        raise FitError("the posterior has no value at any start; check the priors of time constants and of sds")
    agreeing = sum(run.fun < best.fun + _AGREE for run in runs)
    return Mode(best.x, _whitening(slope, best.x), -float(best.fun), starts, int(agreeing))


def _among_normals(mode: Mode, posterior: Posterior) -> Mode:
    """Return a mode with standard normals put in for the values that are not seen as numbers."""
    begin, size = len(posterior.names), posterior.normals[LATENT]
    others = np.r_[:begin, begin + size : posterior.size]
    center, factor = np.zeros(posterior.size), np.eye(posterior.size)
    center[others] = mode.center
    factor[np.ix_(others, others)] = mode.factor
    return replace(mode, center=center, factor=factor)


def _descent(
    objective: Callable, place: np.ndarray, before: list[OptimizeResult], ftol: float = 1e-12, gtol: float = 1e-4
) -> OptimizeResult:
    """Go down from a place as far as it goes, or until it is where the best of the runs before ended."""
    best = min(before, key=lambda run: run.fun, default=None)

    def arrived(intermediate_result: OptimizeResult) -> None:
        if best is None or intermediate_result.fun > best.fun + _AGREE / 2:
            return
        if np.max(np.abs(intermediate_result.x - best.x)) < _NEAR:
            raise StopIteration

    with one_thread():
        return minimize(
            objective,
            place,
            jac=True,
            method="L-BFGS-B",
            callback=arrived,
            options={"maxiter": 2000, "maxcor": 30, "ftol": ftol, "gtol": gtol},
        )


def _whitening(slope: Callable, center: np.ndarray, sides: int = 2) -> np.ndarray:
    columns = []
    here = np.asarray(slope(center)[1]) if sides == 1 else None
    for index in range(center.size):
        step = np.zeros_like(center)
        step[index] = _STEP
        low = np.asarray(slope(center - step)[1]) if here is None else here
        columns.append((np.asarray(slope(center + step)[1]) - low) / (sides * _STEP))
    hessian = np.array(columns)
    with one_thread():
        values, vectors = np.linalg.eigh(np.nan_to_num((hessian + hessian.T) / 2))
    return vectors / np.sqrt(np.maximum(values, _FLOOR))


def _unconstrained(row: pd.Series) -> tuple[float, float]:
    """Return location and scale of a prior on the unconstrained scale."""
    location = np.log(row["location"]) if row["family"] == "lognormal" else row["location"]
    return float(location), float(row["scale"])
