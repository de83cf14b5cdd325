"""What several dyads or values share: the therapist of some patients, the plate of some samples.

Each therapist shifts the level of every measured quantity and, by choice, has arrows or time constants of its own; each
plate shifts the values that were read on it. All this is sd times a standard normal that is sampled with the
parameters, so it fits any process model and any observation model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from dyadloop.likelihood.panel import Panel, numbered_plates, numbered_therapists
from dyadloop.likelihood.random_parameters import RandomParameters, varying_by_therapist
from dyadloop.model import Plan
from dyadloop.observation.plan import Observation, ObservationPlan
from dyadloop.theory import Prior, Quantity

THERAPIST = "therapist_effect"
PLATE = "plate_effect"
"""Names of the standard normals of therapists (one per quantity and varying parameter each) and of plates."""
FEWEST = 3
"""Therapists below whose number nothing can be said of how they differ."""


@dataclass(frozen=True)
class RandomLevels:
    """What differs between therapists, which indicators differ between plates, and how many of these there are.

    ``levels`` holds index, variable and unit of each state whose level differs between therapists, ``varying`` their
    other parameters, ``indicators`` index, name and unit of each indicator that differs between plates.
    """

    n_states: int = 0
    n_therapists: int = 0
    levels: tuple[tuple[int, str, str], ...] = ()
    n_plates: int = 0
    indicators: tuple[tuple[int, str, str], ...] = ()
    left_out: tuple[str, ...] = ()
    random_parameters: RandomParameters = field(default_factory=RandomParameters)

    @property
    def normals(self) -> dict[str, int]:
        """How many standard normals there are, by name."""
        per_therapist = len(self.levels) + len(self.random_parameters.names)
        sizes = {THERAPIST: self.n_therapists * per_therapist, PLATE: self.n_plates}
        return {name: size for name, size in sizes.items() if size}

    def parameters(self, plan: Plan) -> dict[str, Quantity]:
        """Return the sd between therapists of each level and parameter and between plates of each indicator."""
        why = "therapists differ in the level of their patients, by about half of what a patient varies by"
        found = {f"between_therapists_{name}": _sd(0.5, unit, why) for _, name, unit in self.levels}
        found |= self.random_parameters.parameters(plan)
        why = "plates of one assay differ by about a tenth"
        return found | {f"spread_plates_{name}": _sd(0.1, unit, why) for _, name, unit in self.indicators}

    def level(self, values: Mapping[str, Any], panel: Panel) -> Float[Array, "dyad #state"]:
        """Return how far the therapist of each dyad shifts the level of each state."""
        if THERAPIST not in self.normals:
            return jnp.zeros((panel.pair.shape[0], 1))
        sd = jnp.stack([jnp.asarray(values[f"between_therapists_{name}"]) for _, name, _ in self.levels])
        own = sd * self._effects(values)[:, : len(self.levels)]
        states = jnp.array([index for index, _, _ in self.levels])
        return jnp.zeros((self.n_therapists, self.n_states)).at[:, states].set(own)[panel.therapist]

    def own(self, values: Mapping[str, Any], panel: Panel) -> dict[str, Float[Array, " dyad"]]:
        """Return what differs between therapists as each dyad has it."""
        if not self.random_parameters.names:
            return {}
        found = self.random_parameters.of(values, self._effects(values)[panel.therapist, len(self.levels) :])
        return {name: found[name] for name in self.random_parameters.names}

    def _effects(self, values: Mapping[str, Any]) -> Float[Array, "therapist effect"]:
        return values[THERAPIST].reshape(self.n_therapists, -1)

    def offset(
        self, values: Mapping[str, Any], observation: Observation, panel: Panel
    ) -> Float[Array, "dyad time indicator"] | float:
        """Return how far therapists and plates shift each score."""
        found = 0.0
        if THERAPIST in self.normals:
            level = self.level(values, panel)
            found = (observation.loading * level[:, jnp.array(observation.states)])[:, None, :]
        if PLATE in self.normals:
            sd = jnp.zeros(len(observation.states))
            for index, name, _ in self.indicators:
                sd = sd.at[index].set(values[f"spread_plates_{name}"])
            plate = jnp.asarray(panel.plate)
            found = found + jnp.where(plate >= 0, sd * values[PLATE][plate], 0.0)
        return found


def random_levels(plan: Plan, observed: ObservationPlan, scores: xr.Dataset) -> RandomLevels:
    """Return what the dyads and the values of a study share; what too few share is left out by name."""
    varying, left_out = varying_by_therapist(plan), []
    therapists = numbered_therapists(scores)
    counts = np.bincount(therapists[therapists >= 0])
    n_therapists = len(counts) if len(counts) >= FEWEST and counts.max() > 1 and therapists.min() >= 0 else 0
    if len(counts) and not n_therapists:
        left_out.append(
            f"therapists are no level of the fit: it takes {FEWEST} or more of whom one has two dyads, each dyad with "
            f"one; got {len(counts)} with {int(counts.max())} at most, {int((therapists < 0).sum())} dyads with none"
        )
    if not n_therapists and varying.names:
        left_out.append(f"{', '.join(varying.names)}: the same for all therapists, who are no level of this fit")
    states = sorted(set(observed.states)) if n_therapists else []
    variables = [plan.states[index].variable for index in states]
    plates = numbered_plates(scores, observed.indicators)
    read = [j for j in range(len(observed.indicators)) if (plates[..., j] >= 0).any()]
    return RandomLevels(
        len(plan.states),
        n_therapists,
        tuple((index, variable.id, variable.unit) for index, variable in zip(states, variables, strict=True)),
        int(plates.max(initial=-1)) + 1,
        tuple((j, observed.indicators[j], observed.units[j]) for j in read),
        (*left_out, *varying.left_out),
        varying if n_therapists else RandomParameters(),
    )


def _sd(median: float, unit: str, why: str) -> Quantity:
    prior = Prior.model_validate({"family": "lognormal", "location": median, "scale": 0.8})
    return Quantity(value=median, unit=unit, prior=prior, assumed=why)
