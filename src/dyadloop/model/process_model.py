"""The equations of a fitted theory, in deviations from the person's own mean."""

from dataclasses import replace

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from dyadloop.model.nonlinear_terms import NonlinearTerms


class ProcessModel(eqx.Module):
    """A theory with numbers in it: one dyad's drift, noise, start and pushes.

    States are deviations from the person's means. All rates are per day. The theory is linear where ``nonlinear`` is
    None.

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
    moderated
        What one unit of each context adds to ``always`` and to ``session`` [1/d]; None where no context moderates.
    nonlinear
        Arrows that are not linear; None where all are.
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
    moderated: Float[Array, "context 2 state state"] | None = None
    nonlinear: NonlinearTerms | None = None

    def of(self, context: Float[Array, " context"] | None) -> "ProcessModel":
        """Return the field of a dyad whose contexts have these values."""
        if self.moderated is None or context is None:
            return self
        always, session = jnp.tensordot(context, self.moderated, 1)
        return replace(self, always=self.always + always, session=self.session + session, moderated=None)

    def at_mean(self) -> "ProcessModel":
        """Return the linear field that this one is near the own mean of a person with average contexts."""
        if self.nonlinear is None:
            return replace(self, moderated=None)
        n = len(self.names)
        always = self.nonlinear.slopes(n, 0.0)
        session = self.nonlinear.slopes(n, 1.0) - always
        return replace(
            self, always=self.always + always, session=self.session + session, moderated=None, nonlinear=None
        )

    def jacobian(self, gate: Float[Array, ""] | float) -> Float[Array, "state state"]:
        """Return the drift matrix of the linear arrows with the session gate at ``gate`` (0 or 1) [1/d]."""
        return self.always + gate * self.session - jnp.diag(self.decay)

    def drift(self, state: Float[Array, " state"], gate: Float[Array, ""] | float) -> Float[Array, " state"]:
        """Return the rate of change of a state [state unit/d]."""
        linear = self.jacobian(gate) @ state + gate * self.drive
        return linear if self.nonlinear is None else linear + self.nonlinear.drift(state, gate)
