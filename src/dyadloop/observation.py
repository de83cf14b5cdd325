"""From states to indicators: Gaussian observations with estimated or declared error.

y = mean + loading * (person's mean + state) + error. The first indicator of a state has loading 1, which sets the
unit of the state; a declared reliability fixes the error sd, otherwise it is estimated. A score's own known
error adds to it.
"""

from dataclasses import dataclass

import equinox as eqx
import jax.numpy as jnp
import xarray as xr
from jaxtyping import Array, Float

from dyadloop.errors import FitError
from dyadloop.field import Plan
from dyadloop.theory import Prior, Quantity


class Observation(eqx.Module):
    """Gaussian indicators with numbers in them.

    Attributes
    ----------
    states
        Index of the state that each indicator measures.
    mean, loading, error_sd
        Intercept, loading and error sd per indicator [units of the score].
    """

    states: tuple[int, ...] = eqx.field(static=True)
    mean: Float[Array, " indicator"]
    loading: Float[Array, " indicator"]
    error_sd: Float[Array, " indicator"]


@dataclass(frozen=True)
class ObservationPlan:
    """Which indicator measures which state, and with which parameters."""

    indicators: tuple[str, ...]
    states: tuple[int, ...]
    units: tuple[str, ...]
    declared_error: tuple[float | None, ...]
    own_errors: tuple[bool, ...]
    left_out: tuple[str, ...]

    def _is_first(self, index: int) -> bool:
        return self.states.index(self.states[index]) == index

    def parameters(self) -> dict[str, Quantity]:
        """Return every parameter by id, with its default, unit, prior and source."""
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
        return found

    def observation(self, values: dict[str, Array] | dict[str, float]) -> Observation:
        """Return the observation model for parameter values."""
        errors = [
            values[f"error_{name}"] if declared is None else declared
            for name, declared in zip(self.indicators, self.declared_error, strict=True)
        ]
        loadings = [1.0 if self._is_first(i) else values[f"loading_{n}"] for i, n in enumerate(self.indicators)]
        return Observation(
            states=self.states,
            mean=jnp.array([values[f"mean_{name}"] for name in self.indicators]),
            loading=jnp.array(loadings),
            error_sd=jnp.array(errors),
        )


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
    for name in scores["indicator"].values.tolist():
        entry = scores.sel(indicator=name)
        quantity, person, error = str(entry["quantity"].values), str(entry["person"].values), float(entry["error_sd"])
        index = _state_of(plan, quantity, person)
        if not bool(entry["use"]):
            left_out.append(f"indicator {name!r} is not used, as study.yaml says")
        elif index is None:
            left_out.append(f"indicator {name!r} ({quantity} of the {person}) is no variable of the theory")
        else:
            _check_unit(name, str(entry["unit"].values), plan.states[index].variable.unit)
            own = bool(entry["error"].notnull().any())
            chosen.append((name, index, str(entry["unit"].values), None if error != error else error, own))
    return ObservationPlan(
        tuple(name for name, *_ in chosen),
        tuple(index for _, index, *_ in chosen),
        tuple(unit for _, _, unit, *_ in chosen),
        tuple(error for *_, error, _ in chosen),
        tuple(own for *_, own in chosen),
        tuple(left_out),
    )


def _check_unit(name: str, found: str, expected: str) -> None:
    """Refuse scores in another unit than the theory's, on which priors and ROPEs rest."""
    if found.startswith("log ratio") != expected.startswith("log ratio"):
        remedy = "set `transform: log`" if expected.startswith("log ratio") else "set `transform: none`"
        raise FitError(
            f"indicator {name!r} is scored in {found}; the theory expects {expected}; {remedy} in study.yaml"
        )


def _state_of(plan: Plan, quantity: str, person: str) -> int | None:
    for index, state in enumerate(plan.states):
        persons = ("patient", "therapist") if state.person == "dyad" else (state.person,)
        if state.variable.id == quantity and person in persons:
            return index
    return None
