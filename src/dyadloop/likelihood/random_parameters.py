"""Parameters that differ between dyads or therapists, such as a coupling or a time constant.

A parameter with a lognormal prior varies on the log scale, any other on its own. The value of a dyad is
parameter + spread * z, or parameter * exp(spread * z), z standard normal. The z of dyads are integrated out by
quadrature, those of therapists are sampled with the parameters (see :mod:`dyadloop.likelihood.random_levels`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.polynomial.hermite_e import hermegauss

from dyadloop.errors import FitError
from dyadloop.model import Plan
from dyadloop.theory import Prior, Quantity

_NODES = {1: 9, 2: 7}
"""Points of the Gauss-Hermite rule on each axis, by the number of parameters that vary."""
LARGEST = float(hermegauss(max(_NODES.values()))[0].max())
_FIXED = ("between_", "rho_")


@dataclass(frozen=True)
class RandomParameters:
    """Which parameters differ, by dyad or by therapist, and whether they do so on the log scale."""

    names: tuple[str, ...] = ()
    logs: tuple[bool, ...] = ()
    left_out: tuple[str, ...] = ()
    whose: Literal["dyads", "therapists"] = "dyads"

    def parameters(self, plan: Plan) -> dict[str, Quantity]:
        """Return the sd of each."""
        known, pairs = plan.parameters(), zip(self.names, self.logs, strict=True)
        return {self._spread(name): _spread(known[name], log, self.whose) for name, log in pairs}

    def _spread(self, name: str) -> str:
        return f"spread_{name}" if self.whose == "dyads" else f"spread_{self.whose}_{name}"

    def of(self, values: Mapping[str, Any], z: Float[Array, "*who varying"]) -> dict[str, Any]:
        """Return the parameter values of a dyad or therapist, or of several."""
        own = dict(values)
        for place, (name, log) in enumerate(zip(self.names, self.logs, strict=True)):
            shift = values[self._spread(name)] * z[..., place]
            own[name] = values[name] * jnp.exp(shift) if log else values[name] + shift
        return own

    def nodes(self) -> tuple[Float[np.ndarray, "node varying"], Float[np.ndarray, " node"]]:
        """Return the points of the quadrature and the logarithms of their weights."""
        places, weights = hermegauss(_NODES[len(self.names)])
        log_weights = np.log(weights / weights.sum())
        grid = np.array(list(product(places, repeat=len(self.names))))
        return grid, np.array([sum(row) for row in product(log_weights, repeat=len(self.names))])


def random_parameters(plan: Plan) -> RandomParameters:
    """Return what of a theory's ``varies`` a fit can let vary.

    Raises
    ------
    FitError
        If too many parameters vary, or one cannot.
    """
    found = _chosen(plan, plan.theory.varies, "dyads")
    if len(found.names) > max(_NODES):
        raise FitError(
            f"{', '.join(found.names)}: at most {max(_NODES)} parameters can vary between dyads; choose among them"
        )
    return found


def varying_by_therapist(plan: Plan) -> RandomParameters:
    """Return what of a theory's ``varies_by_therapist`` a fit can let vary.

    Raises
    ------
    FitError
        If a parameter cannot vary.
    """
    return _chosen(plan, plan.theory.varies_by_therapist, "therapists")


def _chosen(plan: Plan, asked: tuple[str, ...], whose: Literal["dyads", "therapists"]) -> RandomParameters:
    known = plan.parameters()
    names = tuple(name for name in asked if name in known)
    absent = tuple(
        f"{name} does not vary between {whose}: it is no parameter of this fit" for name in asked if name not in known
    )
    if wrong := [name for name in names if name.startswith(_FIXED)]:
        raise FitError(
            f"{', '.join(wrong)}: cannot vary between {whose}; couplings, time constants, sds and starts can"
        )
    priors = [known[name].prior for name in names]
    logs = tuple(prior is not None and prior.family == "lognormal" for prior in priors)
    return RandomParameters(names, logs, absent, whose)


def _spread(quantity: Quantity, log: bool, whose: str) -> Quantity:
    if log or quantity.prior is None:
        median, unit, why = 0.3, "1", f"{whose} differ in it by about a third"
    else:
        median, unit = quantity.prior.scale / 2, quantity.unit
        why = f"{whose} differ in it by about half of what it might be"
    prior = Prior.model_validate({"family": "lognormal", "location": median, "scale": 0.8})
    return Quantity(value=median, unit=unit, prior=prior, assumed=why)


def draw(varying: RandomParameters, key: Array, n_dyads: int) -> Float[Array, "dyad varying"]:
    """Return the standard normals of some dyads."""
    return jax.random.normal(key, (n_dyads, len(varying.names)))
