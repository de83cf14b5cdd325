"""From states to indicators: Gaussian observations with estimated or declared error.

y = mean + loading * (person's mean + shift by covariates + state) + error. The first indicator of a state has
loading 1, which sets the unit of the state; a declared reliability fixes the error sd, otherwise it is estimated. The
errors of what one rater answers at one moment, or before and after one session, may correlate, and so may those of
both persons about one session. A score's own known
error adds to it. A covariate shifts the level that a state moves about, at once and throughout.
How y is seen, as a number or otherwise, says its kind (:mod:`dyadloop.observation.kinds`).
"""

from dataclasses import dataclass, field
from typing import Any, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from dyadloop.errors import FitError
from dyadloop.model import Plan, correlation_factor
from dyadloop.observation.kinds import kind_named, kinds, mask
from dyadloop.observation.raters import Raters, raters_of
from dyadloop.theory import Prior, Quantity
from dyadloop.theory.numbers import PARTNERS


class Observation(eqx.Module):
    """Gaussian indicators with numbers in them.

    Attributes
    ----------
    states
        Index of the state that each indicator measures.
    mean, loading, error_sd
        Intercept, loading and error sd per indicator [units of the score].
    shift
        How far one unit of each covariate shifts the level of each state [unit of the state]; None where nothing does.
    varying
        State and covariate of each shift that differs between dyads.
    spread
        SD of each of these between dyads [unit of the state].
    numbers
        Arrays that the parameters of each kind of observation make, by its name.
    raters
        Indicators that one rater, or both persons, answer at one moment or visit, a group each, in rising order.
    error_factor
        Lower factor of the correlation of their errors; None where all are independent.
    lasting, lasting_days
        Indicators whose errors last beyond their moment, and the time constant with which they go [d].
    """

    states: tuple[int, ...] = eqx.field(static=True)
    mean: Float[Array, " indicator"]
    loading: Float[Array, " indicator"]
    error_sd: Float[Array, " indicator"]
    shift: Float[Array, "state covariate"] | None = None
    varying: tuple[tuple[int, int], ...] = eqx.field(static=True, default=())
    spread: Float[Array, " varying"] | None = None
    numbers: dict[str, Any] = eqx.field(default_factory=dict)
    raters: tuple[tuple[int, ...], ...] = eqx.field(static=True, default=())
    error_factor: Float[Array, "indicator indicator"] | None = None
    lasting: tuple[int, ...] = eqx.field(static=True, default=())
    lasting_days: float = eqx.field(static=True, default=1.0)

    def shifts(self, covariate: Float[Array, "*moment covariate"] | None) -> Float[Array, "*moment state"] | float:
        """Return how far covariates shift the level of each state."""
        return 0.0 if self.shift is None or covariate is None else covariate @ self.shift.T

    def design(
        self, n_states: int, covariate: Float[Array, "*moment covariate"] | None
    ) -> Float[Array, "*#moment state effect"]:
        """Return how the level of each state reads what differs between dyads: its mean, then its varying shifts."""
        means = jnp.eye(n_states)
        if not self.varying or covariate is None:
            return means
        states, columns = (jnp.array(part, dtype=int) for part in zip(*self.varying, strict=True))
        shifts = jnp.eye(n_states)[:, states] * covariate[..., None, columns]
        return jnp.concatenate([jnp.broadcast_to(means, (*shifts.shape[:-1], n_states)), shifts], axis=-1)

    def between(self, means: Float[Array, "state state"]) -> Float[Array, "effect effect"]:
        """Return the lower factor of the covariance of what differs between dyads."""
        if self.spread is None:
            return means
        return jax.scipy.linalg.block_diag(means, jnp.diag(self.spread))

    def expected(self, covariate: Float[Array, "*moment covariate"] | None) -> Float[Array, "*#moment indicator"]:
        """Return what each indicator reads where state and person mean are 0."""
        if self.shift is None or covariate is None:
            return self.mean
        return self.mean + self.loading * (covariate @ self.shift.T)[..., jnp.array(self.states, dtype=int)]


def pairs_of(raters: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, int], ...]:
    """Return the pairs (later, earlier) of indicators that are tied to each other, the later ones in order."""
    return tuple(sorted((later, group[k]) for group in raters for row, later in enumerate(group) for k in range(row)))


@dataclass(frozen=True)
class ObservationPlan:
    """Which indicator measures which state, and with which parameters."""

    indicators: tuple[str, ...]
    states: tuple[int, ...]
    units: tuple[str, ...]
    declared_error: tuple[float | None, ...]
    own_errors: tuple[bool, ...]
    left_out: tuple[str, ...]
    names: tuple[str, ...]
    effects: tuple[tuple[str, str], ...] = ()
    covariates: tuple[str, ...] = ()
    varying: tuple[tuple[str, str], ...] = ()
    kind_plans: tuple[tuple[str, tuple], ...] = ()
    raters: Raters = field(default_factory=Raters)
    ties: tuple[tuple[str, str], ...] = ()

    def kind_plan(self, name: str) -> tuple:
        """Return which parameters a kind of observation has, see :meth:`Kind.planned`; empty where it has none."""
        return dict(self.kind_plans).get(name, ())

    def _is_first(self, index: int) -> bool:
        return self.states.index(self.states[index]) == index

    def parameters(self) -> dict[str, Quantity]:
        """Return every parameter by id, with its default, unit, prior and source."""
        found = self._all_parameters()
        return {name: quantity for name, quantity in found.items() if name not in dict(self.ties)}

    def _all_parameters(self) -> dict[str, Quantity]:
        found: dict[str, Quantity] = {}
        for index, (name, unit) in enumerate(zip(self.indicators, self.units, strict=True)):
            found[f"mean_{name}"] = _quantity(0.0, unit, "normal", 0.0, 1.0, "scores are centred at the grand mean")
            if not self._is_first(index):
                found[f"loading_{name}"] = _quantity(
                    1.0, "1", "normal", 1.0, 0.5, "a further indicator moves with the state about as the first does"
                )
            if self.declared_error[index] is None:
                median, why = _error_prior(unit, self.own_errors[index])
                found[f"error_{name}"] = _quantity(median, unit, "lognormal", median, 0.4, why)
        for kind, plan in self.kind_plans:
            own = kind_named(kind).parameters(plan, self.indicators)
            found |= {name: _quantity(*parameter) for name, parameter in own.items()}
        for later, earlier in self.raters.pairs:
            why = "mood of the moment, halo, style and the session move answers that are given together, either way"
            name = f"rho_error_{self.indicators[later]}_{self.indicators[earlier]}"
            found[name] = _quantity(0.0, "Fisher z", "normal", 0.0, 0.5, why)
        for covariate, state in self.effects:
            unit = self.units[self.states.index(self.names.index(state))]
            why = "a level shifts by less than two SD within persons per unit of a covariate, either way"
            found[f"effect_{covariate}_{state}"] = _quantity(0.0, unit, "normal", 0.0, 1.0, why)
            if (covariate, state) in self.varying:
                why = "dyads differ in how a covariate moves their level, by about as much as it moves it"
                found[f"spread_{covariate}_{state}"] = _quantity(0.3, unit, "lognormal", 0.3, 0.8, why)
        return found

    def observation(self, values: dict[str, Array] | dict[str, float]) -> Observation:
        """Return the observation model for parameter values."""
        values = cast("dict[str, Array]", {**values, **{n: values[own] for n, own in self.ties if own in values}})
        errors = [
            values[f"error_{name}"] if declared is None else declared
            for name, declared in zip(self.indicators, self.declared_error, strict=True)
        ]
        loadings = [1.0 if self._is_first(i) else values[f"loading_{n}"] for i, n in enumerate(self.indicators)]
        shift = jnp.zeros((len(self.names), len(self.covariates))) if self.effects else None
        for covariate, state in self.effects:
            place = self.names.index(state), self.covariates.index(covariate)
            shift = jnp.asarray(shift).at[place].set(values[f"effect_{covariate}_{state}"])
        return Observation(
            states=self.states,
            mean=jnp.array([values[f"mean_{name}"] for name in self.indicators]),
            loading=jnp.array(loadings),
            error_sd=jnp.array(errors),
            shift=shift,
            varying=tuple((self.names.index(state), self.covariates.index(name)) for name, state in self.varying),
            spread=jnp.array([values[f"spread_{name}_{state}"] for name, state in self.varying])
            if self.varying
            else None,
            numbers={kind: kind_named(kind).numbers(plan, self.indicators, values) for kind, plan in self.kind_plans},
            raters=self.raters.groups,
            error_factor=self._error_factor(values) if self.raters.groups else None,
            lasting=self.raters.lasting,
            lasting_days=self.raters.lasting_days,
        )

    def _error_factor(self, values: dict[str, Array] | dict[str, float]) -> Array:
        """Return the lower factor of the correlation of the errors, from its partial correlations."""
        partial = jnp.zeros((len(self.indicators), len(self.indicators)))
        for later, earlier in self.raters.pairs:
            number = values[f"rho_error_{self.indicators[later]}_{self.indicators[earlier]}"]
            partial = partial.at[later, earlier].set(jnp.tanh(number))
        return correlation_factor(partial)


def _error_prior(unit: str, own: bool) -> tuple[float, str]:
    if own:
        return 0.2, "what remains beyond the known error of each score: small"
    if unit == "log ratio":
        return 0.3, "assay error on the log scale of a single score"
    return 0.7, "half of the variance of a single score"


def _quantity(value: float, unit: str, family: str, location: float, scale: float, why: str) -> Quantity:
    prior = Prior.model_validate({"family": family, "location": location, "scale": scale})
    return Quantity(value=value, unit=unit, prior=prior, assumed=why)


def observe(plan: Plan, scores: xr.Dataset) -> ObservationPlan:
    """Match the indicators of a study to the states of a compiled theory; the rest is left out by name."""
    chosen: list[tuple[str, int, str, float | None, bool]] = []
    left_out = []
    own_errors = np.any([mask(scores, kind.name) for kind in kinds() if kind.knows_error], axis=0)
    for place, name in enumerate(scores["indicator"].values.tolist()):
        entry = scores.sel(indicator=name)
        quantity, person, error = str(entry["quantity"].values), str(entry["person"].values), float(entry["error_sd"])
        index = _state_of(plan, quantity, person)
        if not bool(entry["use"]):
            left_out.append(f"indicator {name!r} is not used, as study.yaml says")
        elif index is None:
            left_out.append(f"indicator {name!r} ({quantity} of the {person}) is no variable of the theory")
        else:
            _check_unit(name, str(entry["unit"].values), plan.states[index].variable.unit)
            own = bool(entry["error"].notnull().any()) or bool(own_errors[..., place].any())
            chosen.append((name, index, str(entry["unit"].values), None if error != error else error, own))
    effects = _effects(plan, scores, {index for _, index, *_ in chosen})
    return ObservationPlan(
        tuple(name for name, *_ in chosen),
        tuple(index for _, index, *_ in chosen),
        tuple(unit for _, _, unit, *_ in chosen),
        tuple(error for *_, error, _ in chosen),
        tuple(own for *_, own in chosen),
        tuple(left_out),
        plan.names,
        effects,
        tuple(scores["covariate"].values.tolist()),
        tuple(effect for effect in effects if effect[0] in _changing(scores)),
        _kind_plans(scores.sel(indicator=[name for name, *_ in chosen])),
        raters_of(scores.sel(indicator=[name for name, *_ in chosen])),
    )


def _kind_plans(scores: xr.Dataset) -> tuple[tuple[str, tuple], ...]:
    """Return the kinds of observation that have parameters, and which."""
    return tuple((kind.name, plan) for kind in kinds() if (plan := kind.planned(scores)))


def _changing(scores: xr.Dataset) -> set[str]:
    """Return the covariates that change within at least two dyads, so that dyads can differ in their effect."""
    inside = np.isfinite(scores["days"].values)[..., None]
    values = scores["covariate_value"].values
    high, low = np.where(inside, values, -np.inf).max(axis=1), np.where(inside, values, np.inf).min(axis=1)
    count = (high > low).sum(axis=0)
    count[scores["covariate_of"].values == "time_of_day"] = 0  # a course that all have in common
    return {name for name, dyads in zip(scores["covariate"].values, count, strict=True) if dyads > 1}


def _effects(plan: Plan, scores: xr.Dataset, measured: set[int]) -> tuple[tuple[str, str], ...]:
    """Return which covariate may shift the level of which measured state."""
    found = []
    for name, acts_on in zip(scores["covariate"].values.tolist(), scores["acts_on"].values.tolist(), strict=True):
        quantities = acts_on.split(",") if acts_on else []
        states = [plan.states[index] for index in sorted(measured)]
        found += [(name, state.id) for state in states if not quantities or state.variable.measured_as in quantities]
    return tuple(found)


def _check_unit(name: str, found: str, expected: str) -> None:
    """Refuse scores in another unit than the theory's, on which priors and ROPEs rest."""
    if found.startswith("log ratio") != expected.startswith("log ratio"):
        remedy = "set `transform: log`" if expected.startswith("log ratio") else "set `transform: none`"
        raise FitError(
            f"indicator {name!r} is scored in {found}; the theory expects {expected}; {remedy} in study.yaml"
        )


def _state_of(plan: Plan, quantity: str, person: str) -> int | None:
    for index, state in enumerate(plan.states):
        persons = PARTNERS if state.person == "dyad" else (state.person,)
        if state.variable.measured_as == quantity and person in persons:
            return index
    return None
