"""What a study loses between plan and table: coarse scales, limits of assays, spoilt samples, values, dyads."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from dyadloop.design.skeleton import Skeleton


@dataclass(frozen=True)
class Losses:
    """Scores as the study would hold them, whether each is there, and how many of each kind were lost."""

    scores: Float[np.ndarray, "dyad time indicator"]
    seen: Bool[np.ndarray, "dyad time indicator"]
    below_limit: int
    dropped_out: int


def lose(
    rng: np.random.Generator,
    plan: Skeleton,
    scores: Float[np.ndarray, "dyad time indicator"],
    event: Float[np.ndarray, "dyad time event"],
) -> Losses:
    """Return what is left of simulated scores.

    Scores are rounded to the steps of their scale and end where it ends. A value below the detection limit is left out,
    which loses more than a fit of the real study would, as that keeps it as a limit.

    Parameters
    ----------
    rng
        Random numbers.
    plan
        Planned study.
    scores
        Scores as planned, NaN where none is planned.
    event
        Amounts of events.
    """
    names, missing = plan.fitted.observed.indicators, plan.design.missing
    found, seen, below = scores.copy(), np.isfinite(scores), 0
    for j, name in enumerate(names):
        entry = plan.design.measures[name]
        if entry.sd_within is not None and entry.scale is not None:
            middle = sum(entry.scale) / 2
            low, high = ((end - middle) / entry.sd_within for end in entry.scale)
            found[..., j] = np.clip(found[..., j], low, high)
        if entry.step is not None and entry.sd_within is not None:
            width = entry.step / entry.sd_within
            found[..., j] = width * np.round(found[..., j] / width)
        if entry.assay is not None and entry.assay.limit_pg_ml is not None:
            limit = np.log(entry.assay.limit_pg_ml / entry.assay.typical_pg_ml)
            lost = seen[..., j] & (np.nan_to_num(found[..., j]) < limit)
            below += int(lost.sum())
            seen[..., j] &= ~lost
        seen[..., j] &= ~_spoilt(plan, event, entry.spoilt_by)
    seen &= rng.random(seen.shape) >= missing.values
    last = _last_sessions(rng, plan, np.where(seen, found, np.nan))
    seen &= (plan.session <= last[:, None])[..., None]
    return Losses(found, seen, below, int((last < plan.design.sessions.count).sum()))


def _spoilt(plan: Skeleton, event: Float[np.ndarray, "dyad time event"], by: tuple[str, ...]) -> np.ndarray:
    """Return which moments of a session come after an event that spoils samples."""
    found = np.zeros(plan.session.shape, dtype=bool)
    for place, entry in enumerate(plan.fitted.plan.events):
        if entry.event in by:
            for dyad, moment in zip(*np.nonzero(event[..., place]), strict=True):
                found[dyad, moment + 1 :] |= plan.session[dyad, moment + 1 :] == plan.session[dyad, moment]
    return found


def _last_sessions(rng: np.random.Generator, plan: Skeleton, scores: np.ndarray) -> np.ndarray:
    """Return the last session of each dyad; a lower last rating of the alliance may make ending more likely."""
    missing, count = plan.design.missing, plan.design.sessions.count
    n_dyads = len(scores)
    if missing.dropout == 0 or count < 2:
        return np.full(n_dyads, count)
    hazard = -np.log1p(-missing.dropout) / (count - 1)
    kinds = [plan.fitted.plan.states[state].variable.kind for state in plan.fitted.observed.states]
    rated = scores[..., [kind == "component" for kind in kinds]]
    counts = np.isfinite(rated).sum(axis=-1)
    alliance = np.where(counts > 0, np.nansum(rated, axis=-1) / np.maximum(counts, 1), np.nan)
    chance, last, current = rng.random((n_dyads, count)), np.full(n_dyads, count), np.zeros(n_dyads)
    for session in range(1, count):
        for moment in np.flatnonzero((plan.session == session).any(axis=0)):
            here = (plan.session[:, moment] == session) & np.isfinite(alliance[:, moment])
            current = np.where(here, alliance[:, moment], current)
        leaves = chance[:, session] < -np.expm1(-hazard * np.exp(-missing.dropout_alliance * current))
        last = np.where(leaves & (last == count), session, last)
    return last
