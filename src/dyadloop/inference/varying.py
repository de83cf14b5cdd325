"""Parameters that differ between dyads, such as a coupling or a time constant: integrated out by quadrature.

A parameter with a lognormal prior varies on the log scale, any other on its own. The value of a dyad is
parameter + spread * z, or parameter * exp(spread * z), z standard normal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.polynomial.hermite_e import hermegauss

from dyadloop.errors import FitError
from dyadloop.field import Plan
from dyadloop.theory import Prior, Quantity

_NODES = {1: 9, 2: 7}
"""Points of the Gauss-Hermite rule on each axis, by the number of parameters that vary."""
LARGEST = float(hermegauss(max(_NODES.values()))[0].max())
_FIXED = ("between_", "rho_")


@dataclass(frozen=True)
class Varying:
    """Which parameters differ between dyads, and whether they do so on the log scale."""

    names: tuple[str, ...] = ()
    logs: tuple[bool, ...] = ()
    left_out: tuple[str, ...] = ()

    def parameters(self, plan: Plan) -> dict[str, Quantity]:
        """Return the sd between dyads of each."""
        known = plan.parameters()
        return {f"spread_{name}": _spread(known[name], log) for name, log in zip(self.names, self.logs, strict=True)}

    def of(self, values: Mapping[str, Any], z: Float[Array, " varying"]) -> dict[str, Any]:
        """Return the parameter values of a dyad."""
        own = dict(values)
        for place, (name, log) in enumerate(zip(self.names, self.logs, strict=True)):
            shift = values[f"spread_{name}"] * z[place]
            own[name] = values[name] * jnp.exp(shift) if log else values[name] + shift
        return own

    def nodes(self) -> tuple[Float[np.ndarray, "node varying"], Float[np.ndarray, " node"]]:
        """Return the points of the quadrature and the logarithms of their weights."""
        places, weights = hermegauss(_NODES[len(self.names)])
        log_weights = np.log(weights / weights.sum())
        grid = np.array(list(product(places, repeat=len(self.names))))
        return grid, np.array([sum(row) for row in product(log_weights, repeat=len(self.names))])


def varying(plan: Plan) -> Varying:
    """Return what of a theory's ``varies`` a fit can let vary.

    Raises
    ------
    FitError
        If too many parameters vary, or one cannot.
    """
    asked, known = plan.theory.varies, plan.parameters()
    names = tuple(name for name in asked if name in known)
    absent = tuple(
        f"{name} does not vary between dyads: it is no parameter of this fit" for name in asked if name not in known
    )
    if wrong := [name for name in names if name.startswith(_FIXED)]:
        raise FitError(f"{', '.join(wrong)}: cannot vary between dyads; couplings, time constants, sds and starts can")
    if len(names) > max(_NODES):
        raise FitError(
            f"{', '.join(names)}: at most {max(_NODES)} parameters can vary between dyads; choose among them"
        )
    priors = [known[name].prior for name in names]
    return Varying(names, tuple(prior is not None and prior.family == "lognormal" for prior in priors), absent)


def _spread(quantity: Quantity, log: bool) -> Quantity:
    if log or quantity.prior is None:
        median, unit, why = 0.3, "1", "dyads differ in it by about a third"
    else:
        median, unit = quantity.prior.scale / 2, quantity.unit
        why = "dyads differ in it by about half of what it might be"
    prior = Prior.model_validate({"family": "lognormal", "location": median, "scale": 0.8})
    return Quantity(value=median, unit=unit, prior=prior, assumed=why)


def draw(varying: Varying, key: Array, n_dyads: int) -> Float[Array, "dyad varying"]:
    """Return the standard normals of some dyads."""
    return jax.random.normal(key, (n_dyads, len(varying.names)))
