"""The linear model of a study as matrices, and its moments as rows: what every hand-over states.

dx = (A x + g(t) (B x + d)) dt + G dW, g(t) = 1 in sessions; y = m + Lambda (x + c + E u(t)) + e, where c are the person
means and u the covariates. An event moves x after the moment at which it happens has been observed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax.numpy as jnp
import numpy as np
import pandas as pd

from dyadloop.inference.problem import Problem
from dyadloop.likelihood.linear_filter import log_likelihood
from dyadloop.likelihood.panel import Panel
from dyadloop.model import ProcessModel
from dyadloop.observation.kinds import kind_named
from dyadloop.observation.plan import Observation

_SPREAD = 0.3
"""How far parameters are moved to see which cells go together."""
_ALIKE = 10
COVARIANCES = ("noise", "start_covariance", "between", "error")
"""Matrices that scripts write as lower factors."""


@dataclass(frozen=True)
class Statement:
    """A linear model with numbers.

    Attributes
    ----------
    states, indicators, events, covariates
        Names, in the order of the matrices.
    matrices
        ``drift``, ``gated`` (what a session adds to the drift), ``drive`` (push of a session), ``noise`` (covariance
        rate), ``start``, ``start_covariance``, ``between`` (covariance of person means), ``loading`` (indicator by
        state), ``mean``, ``error`` (covariance of errors), ``shift`` (state by covariate), ``spread`` (SD between dyads
        of a shift, state by covariate), ``jumps`` (state by event).
    free
        Of each matrix, of covariances of their lower factor, which cells are parameters: 0 for a fixed number, else a
        number that equal parameters share.
    rows
        Moments in the order of each dyad: ``dyad``, ``time`` [d], the indicators (NaN where missing), ``gate`` of the
        interval before, the covariates and the events.
    unstated
        What the model of the study has and this one has not, in words.
    log_likelihood
        Log-likelihood of this model at these numbers.
    """

    states: tuple[str, ...]
    indicators: tuple[str, ...]
    events: tuple[str, ...]
    covariates: tuple[str, ...]
    matrices: dict[str, np.ndarray]
    free: dict[str, np.ndarray]
    rows: pd.DataFrame
    unstated: tuple[str, ...] = ()
    log_likelihood: float = float("nan")


def stated(problem: Problem, values: Mapping[str, Any]) -> Statement:
    """Return the linear model of a problem at parameter values in the units of the theory file."""
    numbers = {name: jnp.asarray(value, dtype=float) for name, value in values.items()}
    process, observation = _parts(problem, numbers)
    matrices = _matrices(process, observation)
    rng = np.random.default_rng(1)
    others = [_matrices(*_parts(problem, _moved(problem, numbers, rng))) for _ in range(3)]
    plain = replace(problem.panel.plain(), known_variance=jnp.zeros(problem.panel.score.shape), context=None)
    total = float(log_likelihood(process, observation, plain).sum())
    free = {name: _labels(name, matrix, [other[name] for other in others]) for name, matrix in matrices.items()}
    return Statement(
        states=process.names,
        indicators=problem.observed.indicators,
        events=tuple(entry.id for entry in problem.plan.events),
        covariates=problem.observed.covariates if problem.observed.effects else (),
        matrices=matrices,
        free=free,
        rows=_rows(problem, plain),
        unstated=_unstated(problem),
        log_likelihood=total,
    )


def _parts(problem: Problem, values: Mapping[str, Any]) -> tuple[ProcessModel, Observation]:
    """Return process model and observation model, whose errors are of one moment alone."""
    observation = problem.observed.observation(dict(values))
    return problem.at_mean(dict(values)), replace(observation, lasting=())


def _moved(problem: Problem, values: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Return parameter values of which no two stay in a fixed ratio."""
    found = dict(values)
    for name, family in problem.priors["family"].items():
        step = _SPREAD * rng.normal()
        found[str(name)] = values[str(name)] * np.exp(step) if family == "lognormal" else values[str(name)] + step
    return found


def _matrices(process: ProcessModel, observation: Observation) -> dict[str, np.ndarray]:
    n, m = len(process.names), len(observation.states)
    loading = np.zeros((m, n))
    loading[np.arange(m), list(observation.states)] = np.asarray(observation.loading)
    factor = np.diag(np.asarray(observation.error_sd))
    if observation.error_factor is not None:
        factor = factor @ np.asarray(observation.error_factor)
    shift = np.zeros((n, 0)) if observation.shift is None else np.asarray(observation.shift)
    spread = np.zeros(shift.shape)
    for place, size in zip(observation.varying, [] if observation.spread is None else observation.spread, strict=True):
        spread[place] = float(size)
    between, always = np.asarray(process.between), np.asarray(process.always)
    return {
        "drift": always - np.diag(np.asarray(process.decay)),
        "gated": np.asarray(process.session),
        "drive": np.asarray(process.drive)[:, None],
        "noise": np.asarray(process.noise),
        "start": np.asarray(process.start)[:, None],
        "start_covariance": np.asarray(process.start_covariance),
        "between": between @ between.T,
        "loading": loading,
        "mean": np.asarray(observation.mean)[:, None],
        "error": factor @ factor.T,
        "shift": shift,
        "spread": spread,
        "jumps": np.asarray(process.jumps).T,
    }


def factor(covariance: np.ndarray) -> np.ndarray:
    """Return the lower factor of a covariance; rows without variance are 0."""
    own = np.flatnonzero(np.diag(covariance) > 0)
    found = np.zeros(covariance.shape)
    if len(own):
        found[np.ix_(own, own)] = np.linalg.cholesky(covariance[np.ix_(own, own)])
    return found


def _labels(name: str, matrix: np.ndarray, others: list[np.ndarray]) -> np.ndarray:
    """Return 0 for cells that no parameter moves, else a number that cells share which always move together."""
    found, known = np.zeros(matrix.shape, dtype=int), {}
    seen = [factor(one) for one in (matrix, *others)] if name in COVARIANCES else [matrix, *others]
    for place in np.ndindex(*matrix.shape):
        key = tuple(round(float(one[place]), _ALIKE) for one in seen)
        if len(set(key)) > 1:
            found[place] = known.setdefault(key, len(known) + 1)
    return found


def _rows(problem: Problem, panel: Panel) -> pd.DataFrame:
    """Return the moments of all dyads; what lies behind the last of a dyad is left out."""
    pair, seen = np.asarray(panel.pair), np.asarray(panel.seen)
    steps, gate = np.asarray(panel.durations)[pair], np.asarray(panel.gates)[pair]
    times, event = np.cumsum(steps, axis=1), np.asarray(panel.event)
    kept = seen.any(axis=2) | (event != 0).any(axis=2) | (steps > 0)
    kept[:, 0] = True
    score = np.where(seen, np.asarray(panel.score), np.nan)
    dyad, moment = np.nonzero(kept)
    found = pd.DataFrame({"dyad": problem.scores["dyad"].values[dyad], "time": times[dyad, moment].round(9)})
    for j, name in enumerate(problem.observed.indicators):
        found[name] = score[dyad, moment, j]
    found["gate"] = gate[dyad, moment].astype(int)
    if panel.covariate is not None:
        for k, name in enumerate(problem.observed.covariates):
            found[name] = np.asarray(panel.covariate)[dyad, moment, k]
    for k, entry in enumerate(problem.plan.events):
        found[entry.id] = event[dyad, moment, k]
    return found


def _unstated(problem: Problem) -> tuple[str, ...]:
    """Return what of a problem a linear Gaussian model leaves out, in words."""
    panel = problem.panel
    told = [
        (count, f"{count} values are {kind_named(name).summary}; here they are {_as_plain(panel, name)}")
        for name, count in list(panel.counts().items())[1:]
    ]
    told += [
        (bool((np.asarray(panel.known_variance) > 0).any()), "known standard errors of single values are left out"),
        (bool(problem.normals and problem.random_levels.normals), "levels of therapists and plates are left out"),
        (
            bool(problem.random_parameters.names),
            f"{', '.join(problem.random_parameters.names)} vary between dyads in dyadloop, not here",
        ),
        (bool(problem.observed.raters.lasting), "errors that answers before and after a session share are left out"),
        (not problem.plan.is_linear, "arrows that are not linear stand with their slopes at the person's mean"),
        (bool(problem.plan.observed_contexts), "what contexts add to arrows is left out: all dyads are average ones"),
        (bool(problem.randomised.arrows), "arrows on randomised variation alone are left out"),
        (True, "priors: dyadloop's are not those of this program"),
    ]
    return tuple(words for holds, words in told if holds)


def _as_plain(panel: Panel, name: str) -> str:
    return "missing" if kind_named(name).plain_variance(panel.records[name]) is None else "plain numbers"
