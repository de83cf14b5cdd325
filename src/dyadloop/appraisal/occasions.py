"""Scores by occasion: what each measured state was at each session or prompt, and which occasions follow each other.

Written for the referees of a fit, which must not share its machinery: NumPy alone, no filter, no states.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from dyadloop.inference.problem import Problem

NEAR = (0.5, 1.5)
"""Pairs whose distance lies between these multiples of the declared gap are used; nights and holidays are not."""
_PER_SESSION = 2.0  # values of an indicator per session up to which a session is one occasion


@dataclass(frozen=True)
class Occasions:
    """Scores of the measured states by occasion, centred at the mean of each dyad.

    Attributes
    ----------
    states
        Index of each measured state in the plan.
    value
        Mean score at an occasion, NaN where missing [units of the score].
    level
        Mean of each dyad [units of the score].
    days
        When a state was measured at an occasion [d], NaN where it was not.
    gap
        Distance of an occasion and the next one that pairs have about [d]; NaN where there are no two occasions.
    follows
        Whether an occasion and the next one form a pair.
    """

    states: tuple[int, ...]
    value: Float[np.ndarray, "dyad occasion state"]
    level: Float[np.ndarray, "dyad state"]
    days: Float[np.ndarray, "dyad occasion state"]
    gap: float
    follows: Bool[np.ndarray, "dyad pair"]


def occasions(
    problem: Problem, gap: float | None = None, scores: np.ndarray | None = None, trend: bool = False
) -> Occasions:
    """Return the scores of a study by occasion.

    A session is one occasion where indicators have at most two values in it, otherwise each moment is one. Indicators
    of one state are centred at the dyad's mean and averaged. What covariates explain within dyads is taken out first.

    Parameters
    ----------
    gap
        Distance of a pair [d]; default: the median distance of an occasion and the next.
    scores
        Scores (dyad, time, indicator) at the moments of the panel instead of the study's own, such as replicated ones.
    trend
        Whether a straight course over the time since the first moment, the same in all dyads, is taken out too.
    """
    raw, days, session, shifts = _seen_moments(problem, scores)
    place = _numbered(raw, session)
    also = [days - _mean(days, 1)[:, None]] if trend else []
    centred = without(raw - _mean(raw, 1)[:, None, :], [*shifts, *also])
    states = tuple(sorted(set(problem.observed.states)))
    value, when = _by_occasion(centred, days, place, [states.index(state) for state in problem.observed.states])
    of_state = np.array(problem.observed.states)[None, :] == np.array(states)[:, None]
    level = np.stack([_mean(_mean(raw, 1)[:, own], 1) for own in of_state], axis=1)
    steps = np.diff(_mean(when, 2), axis=1)
    typical = gap if gap is not None else float(np.nanmedian(steps)) if np.isfinite(steps).any() else float("nan")
    with np.errstate(invalid="ignore"):
        follows = (steps >= NEAR[0] * typical) & (steps <= NEAR[1] * typical)
    return Occasions(states, value, level, when, typical, follows)


def by_occasion(problem: Problem, values: np.ndarray) -> Float[np.ndarray, "dyad occasion indicator"]:
    """Return numbers at the moments of the panel (dyad, time, indicator), such as residuals, by occasion."""
    raw, days, session, _ = _seen_moments(problem, values)
    return _by_occasion(raw, days, _numbered(raw, session), list(range(raw.shape[2])))[0]


def _seen_moments(
    problem: Problem, scores: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[np.ndarray]]:
    """Return scores, days, sessions and changing covariates at the moments with a value, moved to the front."""
    seen = np.asarray(problem.panel.seen)
    found = np.where(seen, np.asarray(problem.panel.score) if scores is None else scores, np.nan)
    raw = _to_front(found, np.asarray(seen.any(axis=2)))
    whole = problem.scores
    finite = np.isfinite(whole["score"].sel(indicator=list(problem.observed.indicators)).values)
    here = np.asarray(finite.any(axis=2))
    days, session, shift = (
        _to_front(whole[name].values.astype(float), here) for name in ("days", "session", "covariate_value")
    )
    inside = np.isfinite(days)
    session = np.where(inside, np.nan_to_num(session), 0).astype(int)
    columns = [np.where(inside, shift[..., layer], np.nan) for layer in range(shift.shape[2])]
    changing = [column for column in columns if np.nanstd(column - _mean(column, 1)[:, None]) > 0]
    return raw, days, session, changing


def _to_front(values: np.ndarray, here: np.ndarray) -> np.ndarray:
    """Move chosen moments of each dyad to the front, NaN behind them."""
    order = np.argsort(~here, axis=1, kind="stable")[:, : int(here.sum(axis=1).max(initial=0))]
    extra = (1,) * (values.ndim - 2)
    kept = np.take_along_axis(here, order, axis=1).reshape(*order.shape, *extra)
    return np.where(kept, np.take_along_axis(values, order.reshape(*order.shape, *extra), axis=1), np.nan)


def _numbered(raw: np.ndarray, session: np.ndarray) -> Int[np.ndarray, "dyad time"]:
    """Return the number of the occasion of each moment, -1 where there is none."""
    seen = np.isfinite(raw)
    anything = seen.any(axis=2)
    dyad, time, layer = np.nonzero(seen)
    keys = np.stack([dyad, session[dyad, time], layer], axis=1)
    if session.max(initial=0) > 0 and len(keys) <= _PER_SESSION * len(np.unique(keys, axis=0)):
        return np.where(anything, session - 1, -1)
    return np.where(anything, np.cumsum(anything, axis=1) - 1, -1)


def _by_occasion(
    centred: np.ndarray, days: np.ndarray, place: np.ndarray, layers: list[int]
) -> tuple[Float[np.ndarray, "dyad occasion state"], Float[np.ndarray, "dyad occasion state"]]:
    """Return the mean score and the mean time of each state at each occasion."""
    total, moments, seen = np.zeros((3, len(centred), int(place.max(initial=0)) + 1, max(layers) + 1))
    rows = np.broadcast_to(np.arange(len(centred))[:, None], place.shape)
    for j, layer in enumerate(layers):
        here = np.isfinite(centred[..., j]) & (place >= 0)
        at = (rows[here], place[here], np.full(int(here.sum()), layer))
        np.add.at(total, at, centred[..., j][here])
        np.add.at(moments, at, days[here])
        np.add.at(seen, at, 1.0)
    with np.errstate(invalid="ignore"):
        return total / seen, moments / seen


def without(values: np.ndarray, columns: list[np.ndarray]) -> np.ndarray:
    """Return centred values (dyad, time, layer) less what columns (dyad, time) explain within dyads, alike in all."""
    if not columns:
        return values
    left = values.copy()
    stacked = np.stack(columns, axis=-1)
    for j in range(values.shape[2]):
        here = np.isfinite(values[..., j]) & np.isfinite(stacked).all(axis=-1)
        design, target = _centred(stacked, here), _centred(values[..., j : j + 1], here)[..., 0]
        slope = np.linalg.lstsq(design.reshape(-1, design.shape[2]), target.ravel(), rcond=None)[0]
        left[..., j] = np.where(here, target - design @ slope, values[..., j])
    return left


def _centred(values: np.ndarray, here: np.ndarray) -> np.ndarray:
    """Return values (dyad, time, layer) less the mean of the chosen ones of their dyad, 0 where not chosen."""
    kept = np.where(here[..., None], values, np.nan)
    return np.where(here[..., None], kept - _mean(kept, 1)[:, None, :], 0.0)


def _mean(values: np.ndarray, axis: int) -> np.ndarray:
    """Return the mean of what is finite, NaN where nothing is."""
    finite = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.where(finite, values, 0.0).sum(axis=axis) / finite.sum(axis=axis)
