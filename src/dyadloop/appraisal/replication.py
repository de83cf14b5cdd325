"""What the fitted model implies: replicated data beside the observed."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from dyadloop.inference.cache import made_once
from dyadloop.inference.problem import Problem
from dyadloop.likelihood.lasting_errors import drawn_errors
from dyadloop.likelihood.panel import Panel
from dyadloop.likelihood.programs import program
from dyadloop.likelihood.random_parameters import draw
from dyadloop.simulation import sample_paths


def sampled(post: xr.DataTree) -> xr.Dataset:
    """Return all that was sampled: the parameters and, where there are any, the auxiliary normals."""
    group = post["posterior"].to_dataset()
    return group.merge(post["auxiliary"].to_dataset()) if "auxiliary" in post.children else group


def thinned(post: xr.DataTree, n_draws: int) -> dict[str, np.ndarray]:
    """Return ``n_draws`` evenly spaced draws of every parameter, and of the auxiliary normals."""
    group = sampled(post)
    flat = {str(name): found.values.reshape(-1, *found.shape[2:]) for name, found in group.data_vars.items()}
    size = len(next(iter(flat.values())))
    kept = np.linspace(0, size - 1, min(n_draws, size)).astype(int)
    return {name: values[kept] for name, values in flat.items()}


def replicate(problem: Problem, draws: dict[str, np.ndarray], seed: int) -> np.ndarray:
    """Return simulated scores with the study's own times and missing values (draw, dyad, time, indicator).

    Therapists and plates are those of the study where ``draws`` hold their effects, otherwise new ones.
    """
    run = _replicating(problem)
    keys = jax.random.split(jax.random.key(seed), len(next(iter(draws.values()))))
    found = [run(key, {name: values[i] for name, values in draws.items()}, problem.panel) for i, key in enumerate(keys)]
    return np.where(np.asarray(problem.panel.seen), np.stack([np.asarray(scores) for scores in found]), np.nan)


@made_once
def _replicating(problem: Problem) -> Callable[[jax.Array, dict[str, np.ndarray], Panel], jax.Array]:
    """Return the program that simulates scores at one draw."""

    def one(key: jax.Array, values: dict[str, jax.Array], panel: Panel) -> jax.Array:
        path_key, noise_key, effect_key = jax.random.split(key, 3)
        for index, (name, size) in enumerate(problem.random_levels.normals.items()):
            values = {name: jax.random.normal(jax.random.fold_in(effect_key, index), (size,))} | values
        observation = problem.observed.observation(values)
        states = _paths(path_key, problem, values, problem.randomised.natural(panel))
        if observation.spread is not None:
            n, shape = states.shape[-1], (states.shape[0], observation.spread.shape[0])
            own = observation.spread * jax.random.normal(effect_key, shape)
            states = states + jnp.einsum("dtse,de->dts", observation.design(n, panel.covariate)[..., n:], own)
        level = observation.expected(panel.covariate)
        signal = level + observation.loading * states[..., jnp.array(observation.states)]
        signal = signal + problem.added(values, observation, panel)
        score = signal + drawn_errors(noise_key, observation, panel)
        kind_key = jax.random.fold_in(noise_key, 1)  # one for all kinds: no value is of two
        for kind in panel.of_kinds:
            score = kind.draw(kind_key, score, panel.records[kind.name], observation.numbers.get(kind.name))
        return score

    return program(one)


def _paths(key: jax.Array, problem: Problem, values: dict[str, jax.Array], panel: Panel) -> jax.Array:
    """Return states of all dyads (dyad, time, state), each with its own parameters where these vary."""

    def sampled(key: jax.Array, values: dict[str, jax.Array], pair: jax.Array, event: jax.Array, own: Any) -> jax.Array:  # noqa: ANN401 - contexts or None
        line = (pair, panel.gates, panel.durations, event, panel.n_doublings, own)
        return sample_paths(key, problem.plan.process_model(values), *line)

    own = problem.random_levels.own(values, panel)
    if not problem.random_parameters.names and not own:
        return sampled(key, values, panel.pair, panel.event, panel.context)
    n_dyads = panel.pair.shape[0]
    places = draw(problem.random_parameters, jax.random.fold_in(key, 1), n_dyads)

    def one(key: jax.Array, own: dict[str, jax.Array], z: jax.Array, *rows: Any) -> jax.Array:  # noqa: ANN401 - arrays, or None for contexts
        rows = jax.tree.map(lambda row: row[None], rows)
        return sampled(key, problem.random_parameters.of(values | own, z), *rows)[0]

    return jax.vmap(one)(jax.random.split(key, n_dyads), own, places, panel.pair, panel.event, panel.context)


def as_recorded(problem: Problem) -> Callable[[np.ndarray], np.ndarray]:
    """Return what makes data and replicates alike, such as the steps of coarse scales and the strictest limits."""
    panel, score = problem.panel, np.asarray(problem.panel.score)
    found = [kind.alike(panel.records[kind.name], score, panel.is_kind(kind.name)) for kind in reversed(panel.of_kinds)]
    steps = [step for step in found if step is not None]

    def alike(scores: np.ndarray) -> np.ndarray:
        for step in steps:
            scores = step(scores)
        return scores

    return alike


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


def cross_lags(scores: np.ndarray, names: list[str]) -> dict[str, float]:
    """Return the correlation of each indicator with the last earlier value of each other, within persons."""
    counts = np.isfinite(scores).sum(axis=1, keepdims=True)
    centred = scores - np.nansum(scores, axis=1, keepdims=True) / np.maximum(counts, 1)
    when = np.arange(scores.shape[1])[None, :, None]
    last = np.maximum.accumulate(np.where(np.isfinite(centred), when, -1), axis=1)
    last = np.concatenate([np.full_like(last[:, :1], -1), last[:, :-1]], axis=1)
    earlier = np.where(last >= 0, np.take_along_axis(centred, np.maximum(last, 0), axis=1), np.nan)
    found = {}
    for j, source in enumerate(names):
        for k, target in enumerate(names):
            both = np.isfinite(earlier[..., j]) & np.isfinite(centred[..., k])
            if j != k and both.sum() > 2:
                found[f"{source} then {target}: cross-lag"] = _correlation(earlier[..., j][both], centred[..., k][both])
    return found


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    scale = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / scale) if scale > 0 else float("nan")


def predictive_checks(problem: Problem, post: xr.DataTree, n_draws: int = 100, lags: bool = False) -> xr.Dataset:
    """Compare the study with data replicated from the posterior, cross-lags too if ``lags``.

    Returns
    -------
    xarray.Dataset
        ``observed`` (statistic), ``replicated`` (draw, statistic) and ``share_above`` (statistic), the share of
        replicates at or above the observed value; a share near 0 or 1 marks what the model does not reproduce.
    """
    names = list(problem.observed.indicators)

    recorded = as_recorded(problem)

    def of(scores: np.ndarray) -> dict[str, float]:
        scores = recorded(scores)
        return statistics(scores, names) | (cross_lags(scores, names) if lags else {})

    observed = of(np.where(np.asarray(problem.panel.seen), np.asarray(problem.panel.score), np.nan))
    replicated = replicate(problem, thinned(post, n_draws), int(post.attrs["seed"]))
    found = [of(scores) for scores in replicated]
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
