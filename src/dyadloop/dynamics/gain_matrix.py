"""Gains at a state: the gain matrix and the loop gain, for any system."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from dyadloop.field import System


def gain_matrix_at(system: System, state: Float[Array, " state"], gate: bool = True) -> Float[Array, "state state"]:
    """Return K = D^-1 N at a state: the lasting change of each state (row) per lasting unit of another (column).

    D holds the decay rates, N the rest of the Jacobian. NaN in the rows of states that do not decay.
    """
    decay = jnp.stack([jnp.asarray(value) for value in system.decay])
    other = system.jacobian(state, gate) + jnp.diag(decay)
    return other / jnp.where(decay > 0, decay, jnp.nan)[:, None]


def return_ratio(gains: Float[Array, "state state"], cut: list[int]) -> Float[Array, ""]:
    """Return the loop gain 1 - det(I - K) / det(I - K_CC), with C all states but the cut ones."""
    rest = jnp.array([index for index in range(len(gains)) if index not in cut], dtype=int)
    own = jnp.eye(len(rest)) - gains[jnp.ix_(rest, rest)]
    return 1.0 - jnp.linalg.det(jnp.eye(len(gains)) - gains) / jnp.linalg.det(own)
