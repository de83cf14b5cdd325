"""The theory's equations: the only place where they are written as code."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float


class Field(eqx.Module):
    """A linear theory with numbers in it: one dyad's drift, noise, start and pushes.

    States are deviations from the person's means. All rates are per day.

    Attributes
    ----------
    names
        State ids, in order.
    kinds
        ``oxytocin``, ``component`` or ``symptom`` per state.
    decay
        Own decay rates [1/d].
    always, session
        Coupling rates that act always and only in session, target by source [1/d].
    drive
        Push on each state while a session runs [state unit/d].
    noise
        Covariance rate of the Brownian noise [state unit^2/d].
    start, start_covariance
        Mean and covariance of the first deviation.
    between
        Lower factor of the covariance of the person means.
    jumps
        Jump of each state per unit of each event, event by state.
    """

    names: tuple[str, ...] = eqx.field(static=True)
    kinds: tuple[str, ...] = eqx.field(static=True)
    decay: Float[Array, " state"]
    always: Float[Array, "state state"]
    session: Float[Array, "state state"]
    drive: Float[Array, " state"]
    noise: Float[Array, "state state"]
    start: Float[Array, " state"]
    start_covariance: Float[Array, "state state"]
    between: Float[Array, "state state"]
    jumps: Float[Array, "event state"]

    def jacobian(self, gate: Float[Array, ""] | float) -> Float[Array, "state state"]:
        """Return the drift matrix with the session gate at ``gate`` (0 or 1) [1/d]."""
        return self.always + gate * self.session - jnp.diag(self.decay)

    def drift(self, state: Float[Array, " state"], gate: Float[Array, ""] | float) -> Float[Array, " state"]:
        """Return the rate of change of a state [state unit/d]."""
        return self.jacobian(gate) @ state + gate * self.drive
