"""Arrows of a fitted theory that are not linear: products, the weakest link, saturating forms."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from dyadloop.model.system import Arrow, Gate, joined


class NonlinearTerms(eqx.Module):
    """Arrows that are not linear in deviations, with numbers in them. Rates are per day.

    Attributes
    ----------
    arrows
        Which states act on which, and how.
    rates
        Signed coefficient of each [target unit/d].
    constants
        Constants of the forms of each arrow's sources.
    """

    arrows: tuple[Arrow, ...] = eqx.field(static=True)
    rates: tuple[Array, ...]
    constants: tuple[tuple[dict[str, Array], ...], ...]

    @property
    def in_session_only(self) -> bool:
        """Whether all of them act in session only."""
        return all(arrow.gated for arrow in self.arrows)

    @property
    def has_kink(self) -> bool:
        """Whether any of them has a kink, by what its forms declare, or a curvature that jumps or has no bound."""
        return any(arrow.roughness is not None for arrow in self.arrows)

    def drift(self, state: Float[Array, "state ..."], gate: Gate) -> Float[Array, "state ..."]:
        """Return what these arrows add to the drift of a state [state unit/d]."""
        found = jnp.zeros_like(state)
        for arrow, rate, constants in zip(self.arrows, self.rates, self.constants, strict=True):
            acts = joined(arrow, constants, [[state[i] for i in source.nodes] for source in arrow.sources])
            weight = jnp.asarray(gate, dtype=float) if arrow.gated else 1.0
            found = found.at[jnp.array(arrow.targets)].add(weight * rate * acts)
        return found

    def slopes(self, n_states: int, gate: Gate) -> Float[Array, "state state"]:
        """Return the derivative of the drift at the person's own mean, where the deviations are 0 [1/d]."""
        return jax.jacfwd(lambda state: self.drift(state, gate))(jnp.zeros(n_states))
