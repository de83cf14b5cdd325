"""The field's standard question: what X now means for Y at the next session or prompt, as a fit implies it."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Array, Float

from dyadloop.appraisal.occasions import Occasions, occasions
from dyadloop.appraisal.regressions import COVERAGE, Route, routes
from dyadloop.appraisal.replication import sampled, thinned
from dyadloop.inference.cache import made_once
from dyadloop.inference.problem import Problem
from dyadloop.inference.result import problem_of
from dyadloop.likelihood.programs import program
from dyadloop.model import transitions

QUANTILES = ((1 - COVERAGE) / 2, 0.5, (1 + COVERAGE) / 2)
N_DRAWS = 400
EFFECT_COLUMNS: tuple[str, ...] = (
    "arrow", "source", "target", "person", "gap_days", "coefficient", "coefficient_low", "coefficient_high",
    "effect", "effect_low", "effect_high", "points", "points_low", "points_high", "points_unit", "source_points",
    "slope", "slope_low", "slope_high", "noise_correlation", "error_correlation", "error_source", "error_target",
    "persistence_source", "persistence_target", "explosive",
)  # fmt: skip
"""Columns of the table of lagged effects."""


@dataclass(frozen=True)
class Implied:
    """What draws of a fit imply: how states pass along each route, and their moments within a dyad.

    ``passed`` (draw, route, state, state), ``covariance`` (draw, state, state), NaN where nothing settles, ``noise``.
    """

    passed: np.ndarray
    covariance: np.ndarray
    noise: np.ndarray


def lagged_effects(post: xr.DataTree, gap_days: float | None = None, n_draws: int = N_DRAWS) -> pd.DataFrame:
    """Return what a source one SD above the person's usual level now means for the target at the next occasion.

    Parameters
    ----------
    post
        Result of :func:`dyadloop.fit`.
    gap_days
        Distance of occasions [d]; default: the median distance of an occasion and the next.
    n_draws
        Posterior draws used.

    Returns
    -------
    pandas.DataFrame
        One row per arrow between measured states. ``coefficient`` of the arrow, as an effect on the target;
        ``effect``, the whole effect at the next occasion, other paths included, of a source one SD higher (SD
        within persons of the true state, without error) [SD within persons of the target's score], and in ``points``
        of the target's scale for ``source_points`` points of the source's; ``slope``, the same per unit of the score.
        ``noise_correlation``, of what moves both at one moment; ``error_correlation``, of errors at one moment where
        the fit has one; ``error_source`` and ``error_target``, the share of error in the variance of a score within
        persons; ``persistence_...``, what is left of a deviation at the next occasion; ``explosive``, the share of
        draws in which nothing settles. 89 % intervals; other numbers are medians.

    Notes
    -----
    The states pass through the intervals of one pair of occasions of the study, the one of median distance. A theory
    that is not linear is taken near the person's own mean.

    Examples
    --------
    >>> table = dl.lagged_effects(dl.load_result("results/example"), gap_days=7.0)
    >>> print(table[["source", "target"]].head(2).to_string(index=False))
    source             target
     trust   oxytocin_patient
     trust oxytocin_therapist
    """
    problem = problem_of(post)
    return effects_of(problem, post, occasions(problem, gap_days), n_draws)


def effects_of(problem: Problem, post: xr.DataTree, seen: Occasions, n_draws: int = N_DRAWS) -> pd.DataFrame:
    """Return the table of lagged effects for occasions at hand."""
    found = list(routes(problem, seen.states))
    if not found or problem.plan.has_kink:
        return pd.DataFrame(columns=list(EFFECT_COLUMNS))
    draws = thinned(post, n_draws)
    told = implied(problem, seen, found, draws)
    group = sampled(post)
    middle = {str(name): jnp.asarray(group[name].median(("chain", "draw")).values) for name in group.data_vars}
    shares = _error_shares(problem, middle, np.nanmedian(told.covariance, axis=0))
    info = json.loads(post.attrs["study_info"])["indicators"]
    rows = [
        _row(problem, seen, route, told, place, draws, shares, info) | _shared(problem, seen, route, middle)
        for place, route in enumerate(found)
    ]
    return pd.DataFrame(rows, columns=list(EFFECT_COLUMNS))


def _row(
    problem: Problem,
    seen: Occasions,
    route: Route,
    implied: Implied,
    place: int,
    draws: dict[str, np.ndarray],
    shares: np.ndarray,
    info: dict,
) -> dict[str, object]:
    source, target = seen.states[route.source], seen.states[route.target]
    coupling = next(entry for entry in problem.plan.couplings if entry.id == route.arrow)
    slope = implied.passed[:, place, target, source]
    sd = np.sqrt(implied.covariance[:, source, source])
    scales = [points_of(problem, state, info) for state in (source, target)]
    noise = implied.noise
    with np.errstate(invalid="ignore", divide="ignore"):
        together = noise[:, source, target] / np.sqrt(noise[:, source, source] * noise[:, target, target])
    own = [float(np.median(implied.passed[:, place, state, state])) for state in (source, target)]
    about = {
        "arrow": route.arrow,
        "source": problem.plan.names[source],
        "target": problem.plan.names[target],
        "person": problem.plan.states[target].person,
        "gap_days": seen.gap,
        "points_unit": scales[1][1],
        "source_points": _middle(sd) * scales[0][0],
        "noise_correlation": float(np.median(together)),
        "error_source": float(shares[source]),
        "error_target": float(shares[target]),
        "persistence_source": own[0],
        "persistence_target": own[1],
        "explosive": float(np.isnan(sd).mean()),
    }
    numbers = {
        "coefficient": coupling.sign * np.asarray(draws[route.arrow]),
        "effect": slope * sd,
        "points": slope * sd * scales[1][0],
        "slope": slope,
    }
    for name, values in numbers.items():
        about |= dict(zip((f"{name}_low", name, f"{name}_high"), quantiles_of(values), strict=True))
    return about


def quantiles_of(values: np.ndarray) -> list[float]:
    """Return the ends and the middle of the 89 % interval of what is finite, NaN where nothing is."""
    kept = values[np.isfinite(values)]
    return [float(value) for value in np.quantile(kept, QUANTILES)] if len(kept) else [float("nan")] * 3


def _middle(values: np.ndarray) -> float:
    return quantiles_of(values)[1]


def points_of(problem: Problem, state: int, info: dict) -> tuple[float, str]:
    """Return how many points of the first indicator one unit of a state is, and their name; NaN where it is no sum."""
    name = problem.observed.indicators[problem.observed.states.index(state)]
    if info[name]["transform"] != "none":
        return float("nan"), f"{name} is transformed"
    return float(problem.scores["scale"].sel(indicator=name)), f"{info[name]['unit']} of {name}"


def _shared(problem: Problem, seen: Occasions, route: Route, middle: dict[str, Array]) -> dict[str, object]:
    """Return the correlation of the errors of source and target at one moment, NaN where the fit has none."""
    first, second = (problem.observed.states.index(seen.states[end]) for end in (route.source, route.target))
    factor = problem.observed.observation(middle).error_factor
    if factor is None or not any({first, second} <= set(group) for group in problem.observed.raters.groups):
        return {"error_correlation": float("nan")}
    return {"error_correlation": float(np.asarray(factor @ factor.T)[first, second])}


def _error_shares(problem: Problem, middle: dict[str, Array], covariance: np.ndarray) -> np.ndarray:
    """Return the share of error in the variance within persons of the first indicator of each state."""
    observation = problem.observed.observation(middle)
    found = np.full(len(problem.plan.names), np.nan)
    known, seen = np.asarray(problem.panel.known_variance), np.asarray(problem.panel.seen)
    for state in set(problem.observed.states):
        j = problem.observed.states.index(state)
        own = known[..., j][seen[..., j]]
        error = float(np.asarray(observation.error_sd)[j]) ** 2 + (float(own.mean()) if len(own) else 0.0)
        found[state] = error / (error + covariance[state, state])
    return found


def implied(problem: Problem, seen: Occasions, found: list[Route], draws: dict[str, np.ndarray]) -> Implied:
    """Return how states pass along routes, and their moments, at draws."""
    gates, durations = _paths(problem, seen, found)
    run = _passing(problem, problem.panel.n_doublings, _session_share(problem))
    kept = {name: jnp.asarray(draws[str(name)]) for name in problem.priors.index}
    passed, drift, noise = run(kept, jnp.asarray(gates), jnp.asarray(durations))
    return Implied(np.asarray(passed), settled(np.asarray(drift), np.asarray(noise)), np.asarray(noise))


@made_once
def _passing(problem: Problem, depth: int, share: float) -> Callable[..., tuple[Array, Array, Array]]:
    """Return the program that finds, at many draws, what passes along paths, the drift and the noise."""

    def one(values: dict[str, Array], gates: Array, durations: Array) -> tuple[Array, Array, Array]:
        process = problem.at_mean(values)
        steps = transitions(process, gates.ravel(), durations.ravel(), depth).matrix
        steps = steps.reshape(*gates.shape, *steps.shape[1:])
        passed = jnp.broadcast_to(jnp.eye(steps.shape[-1]), (len(gates), *steps.shape[2:]))
        for place in range(gates.shape[1]):
            passed = steps[:, place] @ passed
        return passed, process.jacobian(share), process.noise

    return program(lambda draws, *paths: jax.lax.map(lambda values: one(values, *paths), draws))


def settled(
    drift: Float[np.ndarray, "draw state state"], noise: Float[np.ndarray, "draw state state"]
) -> Float[np.ndarray, "draw state state"]:
    """Return the covariance to which states settle, NaN where they do not: J P + P J' + Q = 0."""
    size = drift.shape[-1]
    eye = np.eye(size)
    whole = np.einsum("dij,kl->dikjl", drift, eye) + np.einsum("ij,dkl->dikjl", eye, drift)
    stable = (np.linalg.eigvals(drift).real < 0).all(axis=-1)
    found = np.full_like(noise, np.nan)
    kept = whole.reshape(-1, size**2, size**2)[stable]
    found[stable] = np.linalg.solve(kept, -noise[stable].reshape(-1, size**2, 1)).reshape(-1, size, size)
    return found


def _session_share(problem: Problem) -> float:
    """Return the share of time that is spent in sessions."""
    lengths = np.asarray(problem.panel.durations)[np.asarray(problem.panel.pair)]
    total = float(lengths.sum())
    return (
        float(lengths[np.asarray(problem.panel.gates)[np.asarray(problem.panel.pair)]].sum()) / total if total else 0.0
    )


def _paths(problem: Problem, seen: Occasions, found: list[Route]) -> tuple[np.ndarray, np.ndarray]:
    """Return gates and lengths [d] of the intervals that each route goes through, padded by intervals of length 0."""
    days, inside = problem.scores["days"].values, problem.scores["in_session"].values
    ways = []
    for route in found:
        start, end = seen.days[:, :-1, route.source], seen.days[:, 1:, route.target]
        usable = seen.follows & np.isfinite(start) & np.isfinite(end)
        if not usable.any():
            ways.append((np.array([False]), np.array([np.nan])))
            continue
        lengths = np.where(usable, end - start, np.nan)
        nearest = np.nanargmin(np.abs(lengths - np.nanmedian(lengths)))
        dyad, pair = np.unravel_index(nearest, lengths.shape)
        first, last = start[dyad, pair], end[dyad, pair]
        between = days[dyad][(days[dyad] > first) & (days[dyad] < last)]
        edges = np.concatenate([[first], between, [last]])
        after = np.searchsorted(days[dyad][np.isfinite(days[dyad])], edges[1:] - 1e-9)
        ways.append((inside[dyad][after], np.diff(edges)))
    longest = max(len(gate) for gate, _ in ways)
    gates = np.stack([np.pad(gate, (0, longest - len(gate))) for gate, _ in ways])
    return gates, np.stack([np.pad(length, (0, longest - len(length))) for _, length in ways])
