"""Scores as the arrays that the likelihood reads, with each distinct interval listed once."""

from dataclasses import replace

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Array, ArrayLike, Bool, Float, Int

from dyadloop.errors import FitError
from dyadloop.likelihood.expected_events import expected_amounts
from dyadloop.likelihood.random_parameters import LARGEST
from dyadloop.model import Plan, doublings
from dyadloop.observation.kinds import Kind, Record, kind_named, kinds, mask
from dyadloop.observation.plan import ObservationPlan
from dyadloop.units import days

LATENT = "latent_value"
"""Name of the auxiliary standard normals of values that are not seen as numbers, one each."""
_DECIMALS = 9  # intervals that differ by less than 1e-9 d (86 microseconds) are one
_SLACK = 4.0  # in-session couplings may exceed the own decay rates by this factor before a transition is refused


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
    session
        Number of the session that a moment belongs to, 0 where it belongs to none; None where no event is known.
    expected_event
        Amount that was to be expected of each event, see :func:`expected_amounts`; None where no event is known.
    known_variance
        Variance of each observation's own known error, which adds to the indicator's; 0 where none is known.
    n_doublings
        Accuracy of the transitions, see :func:`dyadloop.model.doublings`.
    kinds
        Names of the kinds of observation, beside plain scores, that the values are of.
    kind
        Number of the kind of each value: 0 where the score is the value, else from 1 the place in ``kinds``; None where
        every score is the value.
    latent_at
        Dyad, time and indicator of each value that needs an auxiliary normal; kept beside ``kind`` because its shape is
        known when a likelihood is compiled.
    records
        What is known of the values of each kind, by its name.
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
    kinds: tuple[str, ...] = eqx.field(static=True, default=())
    kind: Int[Array, "dyad time indicator"] | None = None
    latent_at: Int[Array, "value 3"] | None = None
    records: dict[str, Record] = eqx.field(default_factory=dict)
    covariate: Float[Array, "dyad time covariate"] | None = None
    context: Float[Array, "dyad context"] | None = None
    therapist: Int[Array, " dyad"] | None = None
    plate: Int[Array, "dyad time indicator"] | None = None
    session: Int[Array, "dyad time"] | None = None
    expected_event: Float[Array, "dyad time event"] | None = None

    @property
    def of_kinds(self) -> tuple[Kind, ...]:
        """The kinds of observation that the values are of, beside plain scores."""
        return tuple(kind_named(name) for name in self.kinds)

    def is_kind(self, name: str) -> Bool[np.ndarray, "dyad time indicator"]:
        """Return which values are of a kind; missing values are of none but may be marked as plain."""
        if self.kind is None or name not in self.kinds:
            return np.zeros(self.score.shape, dtype=bool)
        return np.asarray(self.kind) == self.kinds.index(name) + 1

    @property
    def is_plain(self) -> Bool[np.ndarray, "dyad time indicator"]:
        """Which scores are the values themselves."""
        return np.ones(self.score.shape, dtype=bool) if self.kind is None else np.asarray(self.kind) == 0

    def counts(self) -> dict[str, int]:
        """Return how many values are of each kind, plain scores first."""
        names = (kinds()[0].name, *self.kinds)
        masks = (self.is_plain, *(self.is_kind(name) for name in self.kinds))
        return {name: int((here & np.asarray(self.seen)).sum()) for name, here in zip(names, masks, strict=True)}

    @property
    def n_latent(self) -> int:
        """Number of values that need an auxiliary normal."""
        return 0 if self.latent_at is None else self.latent_at.shape[0]

    def with_scores(self, score: Float[Array, "dyad time indicator"]) -> "Panel":
        """Return a panel with other scores of the same kinds."""
        records = {kind.name: kind.recorded(self.records[kind.name], score) for kind in self.of_kinds}
        return replace(self, score=score, records=records)

    def with_events(self, event: ArrayLike) -> "Panel":
        """Return a panel in which other events took place."""
        amounts = np.asarray(event)
        expected = None if self.session is None else jnp.asarray(expected_amounts(amounts, np.asarray(self.session)))
        return replace(self, event=jnp.asarray(amounts), expected_event=expected)

    def with_kind(self, name: str, here: np.ndarray, record: Record) -> "Panel":
        """Return a panel in which some values are of a kind; other values of that kind become plain scores.

        Parameters
        ----------
        name
            Name of the kind.
        here
            Which values (dyad, time, indicator).
        record
            What is known of them, see :meth:`Kind.record`.
        """
        masks = {known: self.is_kind(known) & ~here for known in self.kinds if known != name} | {name: here}
        return self._with_kinds(masks, self.records | {name: record})

    def _with_kinds(self, masks: dict[str, np.ndarray], records: dict[str, Record]) -> "Panel":
        """Return a panel whose values are of the kinds that masks say; kinds without a value are dropped."""
        names = tuple(name for name, here in masks.items() if here.any())
        if not names:
            return replace(self, kinds=(), kind=None, latent_at=None, records={})
        number, latent = np.zeros(self.score.shape, dtype=int), np.zeros(self.score.shape, dtype=bool)
        for place, name in enumerate(names):
            number[masks[name]] = place + 1
            latent |= masks[name] & kind_named(name).latent
        return replace(
            self,
            kinds=names,
            kind=jnp.asarray(number),
            latent_at=jnp.asarray(np.argwhere(latent)),
            records={name: records[name] for name in names},
        )

    def plain(self) -> "Panel":
        """Return a panel of plain scores: with the error that each kind says, missing where a kind says nothing."""
        seen, variance = np.asarray(self.seen), self.known_variance
        for kind in self.of_kinds:
            own, here = kind.plain_variance(self.records[kind.name]), self.is_kind(kind.name)
            if own is None:
                seen = seen & ~here
            else:
                variance = variance + jnp.where(jnp.asarray(here), own, 0.0)
        return replace(self._with_kinds({}, {}), seen=jnp.asarray(seen), known_variance=variance)

    def of_dyads(self, rows: np.ndarray) -> "Panel":
        """Return a panel with some of the dyads, in the order given."""
        optional = ("covariate", "context", "therapist", "plate", "session", "expected_event")
        own = tuple(name for name in optional if getattr(self, name) is not None)
        arrays = ("score", "seen", "pair", "event", "known_variance", *own)
        chosen = replace(self._with_kinds({}, {}), **{name: getattr(self, name)[rows] for name in arrays})
        records = {name: record.of_dyads(rows) for name, record in self.records.items()}
        return chosen._with_kinds({name: self.is_kind(name)[rows] for name in self.kinds}, records)

    def latent_of(self, rows: np.ndarray) -> Int[np.ndarray, " value"]:
        """Return which of the values that need a normal belong to some dyads, in the order of :meth:`of_dyads`."""
        dyad = np.zeros(0, dtype=int) if self.latent_at is None else np.asarray(self.latent_at)[:, 0]
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
    masks = {kind.name: mask(chosen, kind.name) for kind in kinds()[1:]}
    _refuse_uninformative(observed, masks, seen)
    event, moments, inside = _events(scores, plan), scores["days"].values, scores["in_session"].values
    variance = np.nan_to_num(chosen["error"].values) ** 2
    session = scores["session"].values.astype(int)
    expected = expected_amounts(np.nan_to_num(event), session)
    kept = _needed(seen, np.concatenate([event, expected], axis=2), inside)
    therapist, plate = numbered_therapists(scores), numbered_plates(scores, observed.indicators)
    covariate = scores["covariate_value"].values
    moments, inside, score, seen, event, covariate, variance, plate, session = (
        _compressed(v, kept) for v in (moments, inside, score, seen, event, covariate, variance, plate, session)
    )
    has_events = event.shape[2] > 0
    masks = {name: _compressed(here, kept) for name, here in masks.items()}
    records = {
        name: _record(kind_named(name), chosen, observed, kept, score, here)
        for name, here in masks.items()
        if here.any()
    }
    pair, gates, durations = distinct_intervals(moments, inside)
    return Panel(
        score=jnp.asarray(np.where(seen, score, 0.0)),
        seen=jnp.asarray(seen),
        pair=jnp.asarray(pair),
        gates=jnp.asarray(gates),
        durations=jnp.asarray(durations),
        event=jnp.asarray(event),
        covariate=jnp.asarray(covariate) if observed.effects else None,
        context=jnp.asarray(_contexts(scores, plan)) if plan.observed_contexts else None,
        therapist=jnp.asarray(therapist) if (therapist >= 0).all() else None,
        plate=jnp.asarray(plate) if (plate >= 0).any() else None,
        known_variance=jnp.asarray(variance),
        session=jnp.asarray(session) if has_events else None,
        expected_event=jnp.asarray(_compressed(expected, kept)) if has_events else None,
        n_doublings=doublings(float(durations.max()), _fastest(plan, priors)),
    )._with_kinds(masks, records)


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


def _refuse_uninformative(observed: ObservationPlan, masks: dict[str, np.ndarray], seen: np.ndarray) -> None:
    """Refuse indicators all of whose values are of a kind that tells nothing alone."""
    for name, here in masks.items():
        whole = np.asarray((here | ~seen).all(axis=(0, 1)))
        only = [indicator for indicator, alone in zip(observed.indicators, whole.tolist(), strict=True) if alone]
        if only and (why := kind_named(name).alone):
            raise FitError(f"all values of {', '.join(only)} {why}; set `use: false` for the indicator in study.yaml")


def _record(
    kind: Kind, chosen: xr.Dataset, observed: ObservationPlan, kept: np.ndarray, score: np.ndarray, here: np.ndarray
) -> Record:
    """Return what is known of the values of a kind, at the moments that are kept."""
    values = {
        name: np.where(here, _compressed(chosen[name].values, kept), default)
        for name, default in kind.per_value.items()
    }
    about = {name: chosen[name].values for name in (*kind.per_indicator, "center", "scale")}
    return kind.record(values, about, score, observed.kind_plan(kind.name))


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
    values = np.where(np.isfinite(scores["days"].values)[..., None], scores["covariate_value"].values, np.nan)
    fixed = (np.nanmax(values, axis=1) == np.nanmin(values, axis=1)).all(axis=0)
    return tuple(str(name) for name, stays in zip(scores["covariate"].values, fixed, strict=True) if stays)


def _contexts(scores: xr.Dataset, plan: Plan) -> np.ndarray:
    """Return the contexts of each dyad, which are covariates of persons and so the same at each of its moments."""
    known = scores["covariate"].values.tolist()
    return np.stack(
        [scores["covariate_value"].values[:, 0, known.index(name)] for name in plan.observed_contexts], axis=-1
    )


def _fastest(plan: Plan, priors: pd.DataFrame) -> float:
    """Return a bound on the drift norm: the fastest state at the far end of its prior, with its couplings."""
    rates, held = [], dict(plan.fixed)
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
