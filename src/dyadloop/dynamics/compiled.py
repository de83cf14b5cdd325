"""A theory ready to be explored: its plan and numbers, checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dyadloop.data.names import known_names
from dyadloop.dynamics.linear import SessionSchedule
from dyadloop.errors import StateError, TheoryError
from dyadloop.model import Plan, System, compile_theory, system_of
from dyadloop.theory import Theory
from dyadloop.units import days


@dataclass(frozen=True)
class Compiled:
    """A plan with the numbers of its theory, some of them replaced."""

    plan: Plan
    numbers: dict[str, float]

    def system(self, changed: Mapping[str, Any] | None = None) -> System:
        """Return the system, with some numbers replaced by traced ones or by one per case."""
        return system_of(self.plan, {**self.numbers, **(changed or {})})

    @property
    def schedule(self) -> SessionSchedule:
        """Interval and length of the sessions of the theory's protocol.

        Raises
        ------
        TheoryError
            If the theory has no protocol.
        """
        protocol = self.plan.theory.protocol
        if protocol is None:
            raise TheoryError(f"theory {self.plan.theory.id!r} has no protocol, so there is no rhythm of sessions")
        return SessionSchedule(protocol.every_days, days(protocol.length_minutes, "min"))

    @property
    def is_gated(self) -> bool:
        """Whether anything acts in session only."""
        return any(c.gate == "session" for c in self.plan.couplings) or any(
            entry.kind == "session" for entry in self.plan.inputs
        )

    def known(self, name: str) -> str:
        """Return a parameter id.

        Raises
        ------
        TheoryError
            If the theory has no such parameter.
        """
        if name not in self.numbers:
            listed = known_names(self.numbers, name)
            raise TheoryError(f"{name}: no parameter of {self.plan.theory.id!r}; known: {listed}")
        return name

    def states_of(self, variables: tuple[str, ...]) -> list[int]:
        """Return the states of some kinds or variables.

        Raises
        ------
        StateError
            If there is none.
        """
        found = [
            index
            for index, state in enumerate(self.plan.states)
            if state.variable.id in variables or state.variable.kind in variables or state.id in variables
        ]
        if not found:
            raise StateError(
                f"theory {self.plan.theory.id!r} has no state {' or '.join(variables)}; "
                f"known: {', '.join(self.plan.names)}"
            )
        return found

    def start(self) -> Float[Array, " state"]:
        """Return the levels of the states, or the values at which they are held."""
        rows = [
            state.variable.clamped
            if state.variable.clamped is not None
            else self.numbers.get(f"level_{state.variable.id}", 0.0)
            for state in self.plan.states
        ]
        return jnp.asarray(rows, dtype=float)

    def scale(self) -> Float[np.ndarray, " state"]:
        """Return 1 / decay of each state, what turns a rate into a distance [d]; 1 where nothing decays."""
        decay = np.array([float(value) for value in self.system().decay])
        return np.where(decay > 0, 1.0 / np.where(decay > 0, decay, 1.0), 1.0)


def compiled(theory: Theory, values: Mapping[str, float] | None = None) -> Compiled:
    """Return a theory ready to be explored, with some numbers replaced.

    Raises
    ------
    TheoryError
        If a name is no parameter.
    """
    plan = compile_theory(theory)
    model = Compiled(plan, plan.defaults())
    for name in values or {}:
        model.known(name)
    return Compiled(plan, {**model.numbers, **{name: float(value) for name, value in (values or {}).items()}})
