"""Scores as the arrays that the likelihood reads, with each distinct interval listed once."""

from dataclasses import replace
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Array, Bool, Float, Int

from dyadloop.errors import FitError
from dyadloop.likelihood.random_parameters import LARGEST
from dyadloop.model import Plan, doublings
from dyadloop.observation.plan import ObservationPlan
from dyadloop.observation.scaling import COARSE, COUNT
from dyadloop.units import days

BEYOND = "beyond_limit"
"""Name of the auxiliary standard normals of values that are only bounded, by a limit or by a step, one each."""
_DECIMALS = 9  # intervals that differ by less than 1e-9 d (86 microseconds) are one
_SLACK = 4.0  # in-session couplings may exceed the own decay rates by this factor before a transition is refused


class Counts(NamedTuple):
    """Counts, out of how many trials they are, and the log odds of a score: ``center`` + ``scale`` * score.

    ``successes`` and ``trials`` are by dyad, time and indicator, 0 where there is no count; the others by indicator.
    """

    successes: Array
    trials: Array
    center: Array
    scale: Array

    def at(self, score: Array) -> "Counts":
        """Return the counts whose log odds are these scores."""
        share = jax.nn.sigmoid(self.center + self.scale * score)
        found = jnp.clip(jnp.round((self.trials + 1) * share - 0.5), 0, self.trials)
        return self._replace(successes=found)

    def score(self) -> Array:
        """Return the empirical logits as scores."""
        odds = jnp.log((self.successes + 0.5) / (self.trials - self.successes + 0.5))
        return (odds - self.center) / self.scale


class Answered(NamedTuple):
    """Number from 0 of the answer that each score is (dyad, time, indicator), and the borders that tell it.

    ``equal`` holds the borders between answers at equal distances by indicator, infinite beyond the last.
    """

    number: Array
    equal: Array

    def at(self, score: Array) -> "Answered":
        """Return the answers that other scores are."""
        return self._replace(number=(score[..., None] > self.equal).sum(axis=-1))


class Panel(eqx.Module):
    """Observations of all dyads on their own time lines.

    Attributes
    ----------
    score
        Observations, 0 where missing.
    seen
        Whether an observation is there.
    pair
        Index of the interval before each moment among the distinct (gate, duration) pairs.
    gates, durations
        The distinct pairs [d]; the first one is the empty interval.
    event
        Amount of each event of the theory at each moment.
    known_variance
        Variance of each observation's own known error, which adds to the indicator's; 0 where none is known.
    n_doublings
        Accuracy of the transitions, see :func:`dyadloop.model.doublings`.
    side
        -1 where the score is a limit and the value lies below it, +1 where above, 2 where it lies within half a step of
        the score, 3 where the score is the empirical logit of a count, 0 where the score is the value; None where every
        score is.
    beyond_at
        Dyad, time and indicator of each value that the score only bounds; kept beside ``side`` because its shape is
        known when a likelihood is compiled.
    half_step
        Half a step of each coarse indicator; None where none is coarse.
    answers
        Which answer each score is; None where no indicator's borders are estimated.
    counts
        Counts and their trials; None where there is none.
    covariate
        Covariates at each moment; None where the study declares none.
    context
        Contexts of each dyad that moderate arrows; None where none does.
    therapist
        Number of the therapist of each dyad; None where the study names none.
    plate
        Number of the plate of each value, -1 where it has none; None where no value has one.
    """

    score: Float[Array, "dyad time indicator"]
    seen: Bool[Array, "dyad time indicator"]
    pair: Int[Array, "dyad time"]
    gates: Bool[Array, " pair"]
    durations: Float[Array, " pair"]
    event: Float[Array, "dyad time event"]
    known_variance: Float[Array, "dyad time indicator"]
    n_doublings: int = eqx.field(static=True)
    side: Int[Array, "dyad time indicator"] | None = None
    beyond_at: Int[Array, "value 3"] | None = None
    half_step: Float[Array, " indicator"] | None = None
    answers: Answered | None = None
    counts: Counts | None = None
    covariate: Float[Array, "dyad time covariate"] | None = None
    context: Float[Array, "dyad context"] | None = None
    therapist: Int[Array, " dyad"] | None = None
    plate: Int[Array, "dyad time indicator"] | None = None

    @property
    def sides(self) -> np.ndarray:
        """``side`` as numbers, 0 throughout where every score is the value itself."""
        return np.zeros(self.score.shape, dtype=int) if self.side is None else np.asarray(self.side)

    @property
    def beyond_places(self) -> tuple[np.ndarray, ...]:
        """Dyad, time and indicator of each value that the score only bounds."""
        return np.nonzero(self.sides)

    def with_scores(self, score: Float[Array, "dyad time indicator"]) -> "Panel":
        """Return a panel with other scores of the same kinds."""
        counts, answers = (None if kind is None else kind.at(score) for kind in (self.counts, self.answers))
        return replace(self, score=score, counts=counts, answers=answers)

    def with_sides(self, side: np.ndarray) -> "Panel":
        """Return a panel with other sides of limits."""
        if not side.any():
            return replace(self, side=None, beyond_at=None)
        return replace(self, side=jnp.asarray(side), beyond_at=jnp.asarray(np.argwhere(side)))

    def without_limits(self) -> "Panel":
        """Return a panel of plain scores.

        Values beyond a limit are missing, coarse ones have the variance of a step, and counts that of their log odds.
        """
        seen = jnp.asarray(np.asarray(self.seen) & (np.abs(self.sides) != 1))
        variance = self.known_variance
        if self.half_step is not None:
            variance = variance + jnp.where(jnp.asarray(self.sides == COARSE), self.half_step**2 / 3, 0.0)
        if self.counts is not None:
            successes = self.counts.successes + 0.5
            odds = (1 / successes + 1 / (self.counts.trials + 1 - successes)) / self.counts.scale**2
            variance = variance + jnp.where(jnp.asarray(self.sides == COUNT), odds, 0.0)
        plain = replace(self, seen=seen, side=None, beyond_at=None, half_step=None, known_variance=variance)
        return replace(plain, counts=None, answers=None)

    @property
    def n_beyond(self) -> int:
        """Number of values that the score only bounds."""
        return 0 if self.beyond_at is None else self.beyond_at.shape[0]

    def of_dyads(self, rows: np.ndarray) -> "Panel":
        """Return a panel with some of the dyads, in the order given."""
        optional = ("covariate", "context", "therapist", "plate")
        own = tuple(name for name in optional if getattr(self, name) is not None)
        arrays = ("score", "seen", "pair", "event", "known_variance", *own)
        chosen = replace(self, **{name: getattr(self, name)[rows] for name in arrays})
        if self.counts is not None:
            own = self.counts._replace(successes=self.counts.successes[rows], trials=self.counts.trials[rows])
            chosen = replace(chosen, counts=own)
        if self.answers is not None:
            chosen = replace(chosen, answers=self.answers._replace(number=self.answers.number[rows]))
        return chosen.with_sides(self.sides[rows])

    def beyond_of(self, rows: np.ndarray) -> np.ndarray:
        """Return which of the values that are only bounded belong to some dyads, in the order of :meth:`of_dyads`."""
        dyad = self.beyond_places[0]
        return np.concatenate([np.flatnonzero(dyad == row) for row in rows] or [np.array([], dtype=int)]).astype(int)


def panel(scores: xr.Dataset, plan: Plan, observed: ObservationPlan, priors: pd.DataFrame) -> Panel:
    """Return the arrays of a likelihood; the priors tell how fine its transitions must be.

    Raises
    ------
    FitError
        If no value at all enters the fit, or all values of an indicator lie beyond a limit.
    """
    chosen = scores.sel(indicator=list(observed.indicators))
    score = chosen["score"].values
    seen = np.isfinite(score)
    if not seen.any():
        raise FitError("no value enters the fit; check the quantities in study.yaml")
    side = chosen["beyond"].values.astype(int)
    only = [
        str(n)
        for n, all_beyond in zip(observed.indicators, ((np.abs(side) == 1) | ~seen).all(axis=(0, 1)), strict=True)
        if all_beyond
    ]
    if only:
        raise FitError(
            f"all values of {', '.join(only)} lie beyond a limit, so they tell nothing about change; set `use: false` "
            "for the indicator in study.yaml"
        )
    event, moments, inside = _events(scores, plan), scores["days"].values, scores["in_session"].values
    variance = np.nan_to_num(chosen["error"].values) ** 2
    kept = _needed(seen, event, inside)
    trials = np.where(side == COUNT, chosen["trials"].values, 0.0)
    therapist, plate = numbered_therapists(scores), numbered_plates(scores, observed.indicators)
    covariate = scores["shift"].values
    moments, inside, score, seen, event, covariate, variance, side, plate, trials = (
        _compressed(v, kept) for v in (moments, inside, score, seen, event, covariate, variance, side, plate, trials)
    )
    pair, gates, durations = distinct_intervals(moments, inside)
    return Panel(
        score=jnp.asarray(np.where(seen, score, 0.0)),
        seen=jnp.asarray(seen),
        pair=jnp.asarray(pair),
        gates=jnp.asarray(gates),
        durations=jnp.asarray(durations),
        event=jnp.asarray(event),
        covariate=jnp.asarray(covariate) if observed.effects else None,
        context=jnp.asarray(_contexts(scores, plan)) if plan.given else None,
        therapist=jnp.asarray(therapist) if (therapist >= 0).all() else None,
        plate=jnp.asarray(plate) if (plate >= 0).any() else None,
        known_variance=jnp.asarray(variance),
        counts=_counts(chosen, score, trials) if trials.any() else None,
        half_step=jnp.asarray(np.nan_to_num(chosen["step"].values) / 2) if (side == COARSE).any() else None,
        n_doublings=doublings(float(durations.max()), _fastest(plan, priors)),
        answers=_answered(observed, score),
    ).with_sides(side)


def _needed(seen: np.ndarray, event: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return which moments matter: the first, those with a value or an event, and the edges of sessions."""
    after = np.concatenate([inside[:, 1:], np.zeros_like(inside[:, :1])], axis=1)
    needed = seen.any(axis=2) | (event != 0).any(axis=2) | (inside != after)
    needed[:, 0] = True
    return needed


def _compressed(values: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Move the kept moments of each dyad to the front and pad behind them."""
    order = np.argsort(~kept, axis=1, kind="stable")[:, : kept.sum(axis=1).max()]
    moved = np.take_along_axis(values, order.reshape(*order.shape, *[1] * (values.ndim - 2)), axis=1)
    padding = ~np.take_along_axis(kept, order, axis=1)
    moved[padding] = np.nan if values.dtype.kind == "f" and values.ndim == 2 else 0
    return moved


def distinct_intervals(moments: np.ndarray, in_session: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the index of each interval among the distinct (gate, duration) pairs, and the pairs.

    Parameters
    ----------
    moments
        Times, dyad by moment [d], NaN where padded.
    in_session
        Whether the interval before each moment lies in a session.
    """
    steps = np.diff(moments, axis=1, prepend=moments[:, :1])
    steps = np.where(np.isfinite(steps), steps, 0.0).round(_DECIMALS)
    gates = np.where(steps > 0, in_session, False)
    keys = np.stack([gates.ravel().astype(float), steps.ravel()], axis=1)
    unique, inverse = np.unique(keys, axis=0, return_inverse=True)
    return inverse.reshape(moments.shape), unique[:, 0] > 0, unique[:, 1]


def _events(scores: xr.Dataset, plan: Plan) -> np.ndarray:
    known = scores["event"].values.tolist()
    shape = scores["days"].shape
    columns = [
        scores["amount"].values[..., known.index(e.event)] if e.event in known else np.zeros(shape) for e in plan.events
    ]
    return np.stack(columns, axis=-1) if columns else np.zeros((*shape, 0))


def _counts(chosen: xr.Dataset, score: np.ndarray, trials: np.ndarray) -> Counts:
    """Return the counts behind empirical logits."""
    none, center, scale = jnp.zeros(trials.shape), chosen["center"].values, chosen["scale"].values
    counts = Counts(none, jnp.asarray(trials), jnp.asarray(center), jnp.asarray(scale))
    return counts.at(jnp.asarray(np.nan_to_num(score)))


def _answered(observed: ObservationPlan, score: np.ndarray) -> Answered | None:
    """Return which answer each score is, where the borders of an indicator are estimated."""
    if not observed.answers:
        return None
    equal = np.full((score.shape[2], max(len(entry.equal) for entry in observed.answers)), np.inf)
    for entry in observed.answers:
        equal[entry.indicator, : len(entry.equal)] = entry.equal
    none = jnp.zeros(score.shape, dtype=int)
    return Answered(none, jnp.asarray(equal)).at(jnp.asarray(np.nan_to_num(score)))


def numbered_therapists(scores: xr.Dataset) -> Int[np.ndarray, " dyad"]:
    """Return the number of the therapist of each dyad, in the order of their names; -1 where none is named."""
    names = scores["therapist"].values.astype(str)
    known = [name for name in np.unique(names) if name]
    return np.array([known.index(name) if name else -1 for name in names], dtype=int)


def numbered_plates(scores: xr.Dataset, indicators: tuple[str, ...]) -> Int[np.ndarray, "dyad time indicator"]:
    """Return the number of the plate of each value, -1 where it has none.

    Plates of different indicators are different, and an indicator read on one plate alone counts as read on none.
    """
    found = scores["plate"].sel(indicator=list(indicators)).values
    numbered, count = np.full(found.shape, -1), 0
    for j in range(len(indicators)):
        here = found[..., j] >= 0
        names, own = np.unique(found[..., j][here], return_inverse=True)
        if len(names) > 1:
            numbered[..., j][here] = count + own
            count += len(names)
    return numbered


def personal(scores: xr.Dataset) -> tuple[str, ...]:
    """Return the covariates that are constants of each dyad, which a theory can take for its contexts."""
    values = np.where(np.isfinite(scores["days"].values)[..., None], scores["shift"].values, np.nan)
    fixed = (np.nanmax(values, axis=1) == np.nanmin(values, axis=1)).all(axis=0)
    return tuple(str(name) for name, stays in zip(scores["covariate"].values, fixed, strict=True) if stays)


def _contexts(scores: xr.Dataset, plan: Plan) -> np.ndarray:
    """Return the contexts of each dyad, which are covariates of persons and so the same at each of its moments."""
    known = scores["covariate"].values.tolist()
    return np.stack([scores["shift"].values[:, 0, known.index(name)] for name in plan.given], axis=-1)


def _fastest(plan: Plan, priors: pd.DataFrame) -> float:
    """Return a bound on the drift norm: the fastest state at the far end of its prior, with its couplings."""
    rates, held = [], dict(plan.held)
    for variable in plan.variables:
        name, number = f"tau_{variable.id}", variable.time_constant
        if number is None:
            continue
        if name in held:
            rates.append(1 / days(held[name], number.unit))
            continue
        prior = priors.loc[name]
        reach = 4 * prior["scale"]
        for spread in (f"spread_{name}", f"spread_therapists_{name}"):
            if spread in priors.index:
                median, scale = (float(priors[column][spread]) for column in ("location", "scale"))
                reach += LARGEST * median * np.exp(scale)
        rates.append(np.exp(reach) / (prior["location"] * days(1.0, number.unit)))
    return float(_SLACK * max(rates))
