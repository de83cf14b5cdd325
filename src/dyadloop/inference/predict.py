"""What the fitted model implies: replicated data beside the observed, and the course of single persons."""

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from dyadloop.field import Field, transitions
from dyadloop.inference.problem import Problem
from dyadloop.observation import Observation
from dyadloop.simulation import sample_paths


def thinned(post: xr.DataTree, n_draws: int) -> dict[str, np.ndarray]:
    """Return ``n_draws`` evenly spaced draws of every parameter."""
    group = post["posterior"].to_dataset()
    flat = {str(name): group[name].values.ravel() for name in group.data_vars}
    size = len(next(iter(flat.values())))
    kept = np.linspace(0, size - 1, min(n_draws, size)).astype(int)
    return {name: values[kept] for name, values in flat.items()}


def replicate(problem: Problem, draws: dict[str, np.ndarray], seed: int) -> np.ndarray:
    """Return simulated scores with the study's own times and missing values (draw, dyad, time, indicator)."""
    panel, key = problem.panel, jax.random.key(seed)

    def one(index: jax.Array, values: dict[str, jax.Array]) -> jax.Array:
        path_key, noise_key = jax.random.split(jax.random.fold_in(key, index))
        field, observation = problem.plan.field(values), problem.observed.observation(values)
        states = sample_paths(path_key, field, panel.pair, panel.gates, panel.durations, panel.event, panel.n_doublings)
        signal = observation.mean + observation.loading * states[..., jnp.array(observation.states)]
        spread = jnp.sqrt(observation.error_sd**2 + panel.known_variance)
        return signal + spread * jax.random.normal(noise_key, signal.shape)

    n_draws = len(next(iter(draws.values())))
    run = jax.jit(one)
    found = [run(i, {name: values[i] for name, values in draws.items()}) for i in range(n_draws)]
    return np.where(np.asarray(panel.seen), np.stack([np.asarray(scores) for scores in found]), np.nan)


def statistics(scores: np.ndarray, names: list[str]) -> dict[str, float]:
    """Return the statistics by which a fit is checked: spread, persistence and going together, within persons.

    Parameters
    ----------
    scores
        Scores of all dyads (dyad, time, indicator), NaN where missing.
    names
        Indicators.
    """
    counts = np.isfinite(scores).sum(axis=1)
    means = np.where(counts > 0, np.nansum(scores, axis=1) / np.maximum(counts, 1), np.nan)
    centred = scores - means[:, None, :]
    found: dict[str, float] = {}
    for j, name in enumerate(names):
        freedom = max(int((counts[:, j] - 1).clip(0).sum()), 1)
        found[f"{name}: SD within persons"] = float(np.sqrt(np.nansum(centred[..., j] ** 2) / freedom))
        found[f"{name}: SD of person means"] = float(np.nanstd(means[:, j]))
        pairs = [row[np.isfinite(row)] for row in centred[..., j]]
        before = np.concatenate([row[:-1] for row in pairs])
        found[f"{name}: correlation with its last value"] = _correlation(before, np.concatenate([r[1:] for r in pairs]))
    for j, name in enumerate(names):
        for k in range(j):
            both = np.isfinite(scores[..., j]) & np.isfinite(scores[..., k])
            if both.sum() > 2:
                label = f"{names[k]} with {name}: same-moment correlation"
                found[label] = _correlation(centred[..., j][both], centred[..., k][both])
    return found


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    scale = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / scale) if scale > 0 else float("nan")


def predictive_checks(problem: Problem, post: xr.DataTree, n_draws: int = 100) -> xr.Dataset:
    """Compare the study with data replicated from the posterior.

    Returns
    -------
    xarray.Dataset
        ``observed`` (statistic), ``replicated`` (draw, statistic) and ``share_above`` (statistic), the share of
        replicates at or above the observed value; a share near 0 or 1 marks what the model does not reproduce.
    """
    names = list(problem.observed.indicators)
    observed = statistics(np.where(np.asarray(problem.panel.seen), np.asarray(problem.panel.score), np.nan), names)
    replicated = replicate(problem, thinned(post, n_draws), int(post.attrs["seed"]))
    found = [statistics(scores, names) for scores in replicated]
    table = np.array([[row[key] for key in observed] for row in found])
    values = np.array(list(observed.values()))
    return xr.Dataset(
        {
            "observed": ("statistic", values),
            "replicated": (("draw", "statistic"), table),
            "share_above": ("statistic", (table >= values).mean(axis=0)),
        },
        coords={"statistic": list(observed)},
    )


def trajectories(problem: Problem, post: xr.DataTree, dyads: list[str], n_draws: int = 100) -> xr.Dataset:
    """Return draws of the true course of some dyads given all their data.

    Each draw of the parameters gives one draw of the path from its exact conditional distribution.

    Returns
    -------
    xarray.Dataset
        ``path`` (draw, dyad, time, state) and ``days`` (dyad, time) [d], person means included.
    """
    draws, panel = thinned(post, n_draws), problem.panel
    rows = [problem.scores["dyad"].values.tolist().index(dyad) for dyad in dyads]
    generator = np.random.default_rng(int(post.attrs["seed"]))

    def numbers(values: dict[str, jax.Array]) -> tuple:
        field = problem.plan.field(values)
        steps = transitions(field, panel.gates, panel.durations, panel.n_doublings)
        return field, problem.observed.observation(values), steps

    compiled = jax.jit(numbers)
    n_draws = len(next(iter(draws.values())))
    shape = (n_draws, len(rows), panel.pair.shape[1], len(problem.plan.states))
    paths = np.empty(shape)
    for draw in range(n_draws):
        field, observation, steps = compiled({name: values[draw] for name, values in draws.items()})
        arrays = tuple(np.asarray(part) for part in steps)
        for place, row in enumerate(rows):
            paths[draw, place] = _conditional_path(field, observation, arrays, problem, row, generator)
    pair = np.asarray(panel.pair)[rows]
    days = np.cumsum(np.asarray(panel.durations)[pair], axis=1)
    return xr.Dataset(
        {"path": (("draw", "dyad", "time", "state"), paths), "days": (("dyad", "time"), days, {"units": "d"})},
        coords={"dyad": dyads, "state": list(problem.plan.names)},
    )


def _conditional_path(
    field: Field,
    observation: Observation,
    steps: tuple[np.ndarray, ...],
    problem: Problem,
    row: int,
    generator: np.random.Generator,
) -> np.ndarray:
    """Draw the path of one dyad by conditioning a draw from the prior path on the data (Matheron's rule)."""
    mean, cov = _path_moments(field, steps, np.asarray(problem.panel.pair)[row], np.asarray(problem.panel.event)[row])
    n_states, seen = len(field.names), np.asarray(problem.panel.seen)[row]
    moments, indicators = np.nonzero(seen)
    places = moments * n_states + np.array(observation.states)[indicators]
    loading = np.asarray(observation.loading)[indicators]
    known = np.asarray(problem.panel.known_variance)[row][seen]
    error = np.sqrt(np.asarray(observation.error_sd)[indicators] ** 2 + known)
    y = np.asarray(problem.panel.score)[row][seen] - np.asarray(observation.mean)[indicators]
    path = mean + np.linalg.cholesky(cov + 1e-10 * np.eye(len(cov))) @ generator.standard_normal(len(mean))
    simulated = loading * path[places] + error * generator.standard_normal(len(y))
    cross = cov[:, places] * loading
    gram = loading[:, None] * cross[places] + np.diag(error**2)
    return (path + cross @ np.linalg.solve(gram, y - simulated)).reshape(-1, n_states)


def _path_moments(
    field: Field, steps: tuple[np.ndarray, ...], pair: np.ndarray, event: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance of the stacked states of one dyad, person means included."""
    n, n_moments = len(field.names), len(pair)
    matrix, noise, shift = steps
    jump = event @ np.asarray(field.jumps)
    mean, cov = np.asarray(field.start), np.asarray(field.start_covariance)
    full = np.zeros((n_moments, n, n_moments, n))
    means = np.empty((n_moments, n))
    for t, index in enumerate(pair):
        step = matrix[index]
        cov = step @ cov @ step.T + noise[index]
        means[t] = step @ mean + shift[index]
        mean = means[t] + jump[t]
        full[t, :, t] = cov
        if t:
            full[t, :, :t] = np.einsum("ij,jsk->isk", step, full[t - 1, :, :t])
            full[:t, :, t] = full[t, :, :t].transpose(1, 2, 0)
    between = np.asarray(field.between)
    full += (between @ between.T)[None, :, None, :]
    return means.ravel(), full.reshape(n_moments * n, n_moments * n)
