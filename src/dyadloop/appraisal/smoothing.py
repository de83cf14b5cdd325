"""The course of each dyad given all its data, and what each observation adds to those before it.

The filter of :mod:`dyadloop.likelihood.joint_filter`, then one pass back that needs no inverse.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from dyadloop.appraisal.replication import thinned
from dyadloop.errors import FitError
from dyadloop.inference.cache import made_once
from dyadloop.inference.problem import Problem
from dyadloop.inference.result import problem_of
from dyadloop.likelihood.correlated_errors import uncorrelated
from dyadloop.likelihood.joint_filter import Step, design_rows, filter_jointly, reading
from dyadloop.likelihood.panel import LATENT, Panel
from dyadloop.likelihood.programs import program
from dyadloop.model import ProcessModel
from dyadloop.observation.plan import Observation


class Course(NamedTuple):
    """Moments of the states, person means included, and standardised one-step residuals (0 where unseen)."""

    mean: Float[Array, "dyad time state"]
    variance: Float[Array, "dyad time state"]
    residual: Float[Array, "dyad time indicator"]


def smooth(post: xr.DataTree, dyads: list[str] | None = None, n_draws: int = 200) -> xr.Dataset:
    """Return the course of the true states of each dyad given all its data, with full uncertainty.

    Parameters
    ----------
    post
        Result of :func:`dyadloop.fit`.
    dyads
        Which dyads; default: all.
    n_draws
        Draws of the parameters, each with one draw of the state at each moment from its exact conditional
        distribution. Draws of different moments are independent: read bands moment by moment.

    Returns
    -------
    xarray.Dataset
        ``state_draw`` (draw, dyad, time, state) in the units of the states as deviations from the mean of the sample,
        person means included; ``days`` (dyad, time) [d], NaN after a dyad's last moment.

    Raises
    ------
    FitError
        If a dyad is not in the study.

    References
    ----------
    .. [1] Durbin & Koopman (2012), Time Series Analysis by State Space Methods, section 6.4.

    Examples
    --------
    >>> courses = dl.smooth(dl.load_result("results/example"), ["D01"], n_draws=50)
    >>> dict(courses["state_draw"].sizes)
    {'draw': 50, 'dyad': 1, 'time': 32, 'state': 4}
    """
    problem = problem_of(post)
    known = problem.scores["dyad"].values.tolist()
    chosen = known if dyads is None else dyads
    unknown = [dyad for dyad in chosen if dyad not in known]
    if unknown:
        raise FitError(f"{', '.join(unknown)}: no dyad of this study; it has {', '.join(known)}")
    rows = np.array([known.index(dyad) for dyad in chosen], dtype=int)
    panel = problem.panel.of_dyads(rows)
    draws = {name: jnp.asarray(values) for name, values in thinned(post, n_draws).items()}
    if LATENT in draws:
        draws[LATENT] = draws[LATENT][:, problem.panel.latent_of(rows)]
    keys = jax.random.split(jax.random.key(int(post.attrs["seed"])), len(next(iter(draws.values()))))

    found = np.array(_smoothing(problem)(keys, draws, panel))
    days = moments(problem)[rows]
    found[:, ~np.isfinite(days)] = np.nan
    coords = {"draw": np.arange(len(found)), "dyad": chosen, "state": list(problem.plan.names)}
    data = {
        "state_draw": (("draw", "dyad", "time", "state"), found),
        "days": (("dyad", "time"), days, {"units": "d"}),
    }
    attrs = {"theory": problem.plan.theory.id, "hypothesis": post.attrs["hypothesis"], "seed": post.attrs["seed"]}
    return xr.Dataset(data, coords=coords, attrs=attrs)


@made_once
def _smoothing(problem: Problem) -> Callable[[Array, dict[str, Array], Panel], Float[Array, "draw dyad time state"]]:
    """Return the program that draws the states of the dyads of a panel at many draws of the parameters."""

    def one(key: Array, values: dict[str, Array], panel: Panel) -> Array:
        course = course_at(problem, values, panel, jax.random.fold_in(key, 1))
        return course.mean + jnp.sqrt(course.variance) * jax.random.normal(key, course.mean.shape)

    return program(lambda keys, draws, panel: jax.lax.map(lambda now: one(now[0], now[1], panel), (keys, draws)))


def moments(problem: Problem) -> np.ndarray:
    """Return the time of each moment of the panel [d] (dyad, time), NaN behind the last value of a dyad."""
    panel = problem.panel
    days = np.cumsum(np.asarray(panel.durations)[np.asarray(panel.pair)], axis=1)
    events = (np.asarray(panel.event) != 0).any(axis=2)
    here = np.asarray(panel.seen).any(axis=2) | events
    last = here.shape[1] - 1 - np.argmax(here[:, ::-1], axis=1)
    return np.where(np.arange(here.shape[1]) <= last[:, None], days, np.nan)


def residual_at(problem: Problem, values: dict[str, Array]) -> Float[np.ndarray, "dyad time indicator"]:
    """Return the standardised one-step residuals of a study at parameter values."""
    return np.asarray(_residuals(problem)(values, problem.panel))


@made_once
def _residuals(problem: Problem) -> Callable[[dict[str, Array], Panel], Float[Array, "dyad time indicator"]]:
    return program(lambda values, panel: course_at(problem, values, panel).residual)


def course_at(problem: Problem, values: dict[str, Array], panel: Panel, key: Array | None = None) -> Course:
    """Return the courses of all dyads at parameter values.

    Where parameters vary between dyads each has those of a node of the quadrature: drawn by its probability given the
    data, or without ``key`` the most probable one.
    """

    def course(values: dict[str, Array]) -> Course:
        process, observation = problem.process_of(values, panel), problem.observed.observation(values)
        found = course_of(process, observation, problem.alone(values, observation, panel), values.get(LATENT))
        level, response = problem.random_levels.level(values, panel), problem.response(values, panel)
        return found._replace(mean=found.mean + level[:, None, :] + response)

    if not problem.random_parameters.names:
        return course(values)
    log_p = problem.by_node(values, panel)
    chosen = jnp.argmax(log_p, axis=0) if key is None else jax.random.categorical(key, log_p, axis=0)
    places = jnp.asarray(problem.random_parameters.nodes()[0])
    every = jax.vmap(lambda z: course(problem.random_parameters.of(values, z)))(places)
    return jax.tree.map(lambda part: part[chosen, jnp.arange(part.shape[1])], every)


def course_of(process: ProcessModel, observation: Observation, panel: Panel, latent: Array | None = None) -> Course:
    """Return smoothed moments and one-step residuals of every dyad at fixed parameters.

    ``latent`` is as in :func:`dyadloop.likelihood.joint_filter.filter_jointly`; the course then holds for the values
    drawn.
    """
    taken = filter_jointly(process, observation, panel, latent).steps
    n = len(process.names)

    def back(covariate: Array | None, mix: Array, step: Step) -> tuple[Array, Array]:
        return _way_back(observation, n, covariate, mix, step)

    mean, variance = jax.vmap(back)(panel.covariate, uncorrelated(observation, panel).weights, taken)
    mean = mean + observation.shifts(panel.covariate)
    return Course(mean, variance, taken.innovation * jnp.sqrt(taken.weight))


def _way_back(
    observation: Observation, n: int, covariate: Array | None, weights: Array, taken: Step
) -> tuple[Array, Array]:
    """Return mean and variance of the ``n`` states of one dyad given all its data, its own level included."""
    size = taken.mean.shape[-1]

    def backward(carry: tuple[Array, Array], now: tuple) -> tuple[tuple[Array, Array], tuple]:
        r, info = carry
        beside, mix, step = now
        levels = reading(observation, n, beside)
        rows = design_rows(observation, levels, mix)
        for j in reversed(range(len(rows))):
            keep = jnp.eye(size) - jnp.outer(step.gain[j], rows[j])
            r = rows[j] * step.weight[j] * step.innovation[j] + keep.T @ r
            info = step.weight[j] * jnp.outer(rows[j], rows[j]) + keep.T @ info @ keep
        whole = step.mean + step.cov @ r
        left = step.cov - step.cov @ info @ step.cov
        variance = jnp.diagonal(levels @ left @ levels.T)
        return (step.move.T @ r, step.move.T @ info @ step.move), (levels @ whole, variance)

    end = (jnp.zeros(size), jnp.zeros((size, size)))
    _, (mean, variance) = jax.lax.scan(backward, end, (covariate, weights, taken), reverse=True)
    return mean, jnp.maximum(variance, 0.0)
