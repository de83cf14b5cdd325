"""Ruptures, repairs and dropping out: what strikes by chance at the start of a session."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from dyadloop.model import Plan, System
from dyadloop.model.numbers import Number
from dyadloop.model.system import at_dyads


class Fate(NamedTuple):
    """What chance has done to each dyad so far."""

    open_ruptures: Int[Array, " dyad"]
    ruptures: Int[Array, " dyad"]
    stays: Bool[Array, " dyad"]


class Chances(eqx.Module):
    """Ruptures and dropout with numbers in them; either may be absent.

    The first session brings no dropout: chance decides after a session whether the next one takes place.
    """

    ruptured: int | None = eqx.field(static=True)
    alliance: int | None = eqx.field(static=True)
    symptom: int | None = eqx.field(static=True)
    numbers: dict[str, Number]

    @property
    def any(self) -> bool:
        """Whether anything is left to chance."""
        return self.ruptured is not None or self.alliance is not None

    def at_dyads(self, chosen: np.ndarray) -> "Chances":
        """Return the chances of some dyads."""
        return replace(self, numbers=at_dyads(self.numbers, chosen))

    def begin(self, n_dyads: int) -> Fate:
        """Return the fate of dyads to whom nothing has happened."""
        zero = jnp.zeros(n_dyads, dtype=int)
        return Fate(zero, zero, jnp.ones(n_dyads, dtype=bool))

    def strike(
        self, system: System, key: Array, state: Float[Array, "state dyad"], fate: Fate, first: Array
    ) -> tuple[Float[Array, "state dyad"], Fate]:
        """Return states and fates after the start of a session."""
        values = system.acting(state, False)
        key_leave, key_repair, key_rupture = jax.random.split(key, 3)
        if self.alliance is not None and self.symptom is not None:
            strength = self.numbers["dropout_burden"] * values[self.symptom]
            strength = strength - self.numbers["dropout_protection"] * values[self.alliance]
            leaves = self._happens(key_leave, self.numbers["dropout_hazard"] * jnp.exp(strength))
            fate = fate._replace(stays=fate.stays & (first | ~leaves))
        if self.ruptured is not None:
            state, fate = self._rupture(state, values, fate, key_repair, key_rupture)
        return state, fate

    @staticmethod
    def _happens(key: Array, hazard: Array) -> Array:
        return jax.random.uniform(key, hazard.shape) < 1.0 - jnp.exp(-hazard)

    def _rupture(
        self, state: Array, values: list[Array], fate: Fate, key_repair: Array, key_rupture: Array
    ) -> tuple[Array, Fate]:
        numbers = self.numbers
        depth = numbers["ruptures_depth"]
        chance = jax.random.uniform(key_repair, fate.stays.shape)
        repaired = (fate.open_ruptures > 0) & (chance < numbers["ruptures_repair_probability"])
        hazard = numbers["ruptures_hazard"] * jnp.exp(-numbers["ruptures_protection"] * values[self.ruptured or 0])
        struck = self._happens(key_rupture, hazard)
        change = repaired * (1.0 + numbers["ruptures_overshoot"]) * depth - struck * depth
        fate = Fate(fate.open_ruptures - repaired + struck, fate.ruptures + struck, fate.stays)
        return state.at[self.ruptured].add(change), fate


def chances_of(plan: Plan, values: Mapping[str, Number]) -> Chances:
    """Return what a theory leaves to chance."""
    names = list(plan.names)
    ruptures, dropout = plan.theory.ruptures, plan.theory.dropout
    numbers = {
        name: jnp.asarray(value, dtype=float)
        for name, value in values.items()
        if name.startswith(("ruptures_", "dropout_"))
    }
    return Chances(
        ruptured=names.index(ruptures.target) if ruptures is not None else None,
        alliance=names.index(dropout.alliance) if dropout is not None else None,
        symptom=names.index(dropout.symptom) if dropout is not None else None,
        numbers=numbers,
    )
