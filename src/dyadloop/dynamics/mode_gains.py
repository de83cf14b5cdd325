"""Gains at a state: the gain matrix and the loop gain, for any system."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dyadloop.model import System


@eqx.filter_jit
def gain_matrix_at(system: System, state: Float[Array, " state"], gate: bool = True) -> Float[Array, "state state"]:
    """Return K = D^-1 N at a state: the lasting change of each state (row) per lasting unit of another (column).

    D holds the decay rates, N the rest of the Jacobian. NaN in the rows of states that do not decay.
    """
    decay = jnp.stack([jnp.asarray(value) for value in system.decay])
    other = system.jacobian(state, gate) + jnp.diag(decay)
    return other / jnp.where(decay > 0, decay, jnp.nan)[:, None]


def return_ratio(gains: Float[np.ndarray, "state state"], cut: list[int]) -> float:
    """Return the loop gain 1 - det(I - K) / det(I - K_CC), with C all states but the cut ones."""
    rest = [index for index in range(len(gains)) if index not in cut]
    own = np.eye(len(rest)) - gains[np.ix_(rest, rest)]
    return float(1.0 - np.linalg.det(np.eye(len(gains)) - gains) / np.linalg.det(own))
