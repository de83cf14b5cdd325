"""The course of the average dyad, again and again with other numbers: one compiled program from numbers to course.

:func:`dyadloop.simulate` builds its system anew for every call and hands hundreds of small arrays to the compiled
program, which takes several times as long as one course. Here the numbers go in as one vector.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from dyadloop.model import System, compile_theory, system_of
from dyadloop.simulation.beginning import jumps_of, moments_of, numbers_of, segments_of, start_of
from dyadloop.simulation.chances import chances_of
from dyadloop.simulation.integrate import OK, Adaptive, Segments, integrate
from dyadloop.theory import Protocol, Theory, Variable
from dyadloop.theory.nodes import nodes_of


@dataclass(frozen=True)
class AverageCourse:
    """One course without noise and without differences between dyads.

    Attributes
    ----------
    days, session, in_session
        Moments [d], the session that each belongs to, and whether the stretch before it lies in a session.
    values
        Value that acts on others, by variable [unit of the variable]; NaN after a dropout.
    is_whole
        Whether the course could be computed to its end.
    """

    days: Float[np.ndarray, " moment"]
    session: Int[np.ndarray, " moment"]
    in_session: Bool[np.ndarray, " moment"]
    values: dict[str, Float[np.ndarray, " moment"]]
    is_whole: bool


class AverageDyad:
    """The average dyad of a theory, ready to be simulated with many numbers and calendars.

    Parameters
    ----------
    theory
        Any theory; its protocol is not looked at.
    points, tolerance
        As for :func:`dyadloop.simulate`.
    """

    def __init__(self, theory: Theory, *, points: tuple[int, int] = (1, 1), tolerance: float = 1e-7) -> None:
        self.plan = compile_theory(theory)
        self.points, self.tolerance = points, tolerance
        self.parameters = self.plan.parameters()
        nodes = (*self.plan.states, *nodes_of(self.plan.theory, "definition"))
        self.variables: dict[str, Variable] = {node.id: node.variable for node in nodes}
        self._program = jax.jit(self._computed)

    def course(
        self, protocol: Protocol, values: Mapping[str, float] | None = None, *, seed: int = 1, multiple: int = 1
    ) -> AverageCourse:
        """Return the course under a protocol: that of ``simulate(..., noise=False, between=False)``.

        Parameters
        ----------
        protocol
            Calendar and events.
        values
            Parameter values that replace those of the theory file [its units].
        seed
            Seed of what is left to chance.
        multiple
            The number of stretches is rounded up to a multiple of this, so that calendars share one program.

        Raises
        ------
        TheoryError
            If a parameter or event is unknown, or a number cannot be used.
        """
        line = moments_of(self.plan, protocol, 1, None, self.points)
        numbers = numbers_of(self.plan.theory.id, self.parameters, values, 1)
        segments = segments_of(line, jumps_of(self.plan, numbers, line), multiple)
        key = jax.random.fold_in(jax.random.key(int(np.random.default_rng(seed).integers(2**31))), 0)  # as a cohort's
        vector = np.array([float(number) for number in numbers.values()])
        acting, stays, status = (np.asarray(part) for part in self._program(vector, segments, key))
        length = len(line.session)
        there = stays[:length] & line.present[0]
        return AverageCourse(
            line.days[0],
            line.session,
            line.in_session,
            {name: np.where(there, row[:length], np.nan) for name, row in zip(self.variables, acting, strict=True)},
            bool(status == OK and stays[-1]),
        )

    def _computed(self, vector: Array, segments: Segments, key: Array) -> tuple[Array, Array, Array]:
        """Return what acts on others, variable by moment; whether the dyad stays, by moment; and how it fared."""
        numbers = dict(zip(self.parameters, vector, strict=True))
        system = system_of(self.plan, numbers)
        begin = start_of(self.plan, system, numbers, None, 1)
        course = integrate(system, begin, segments, chances_of(self.plan, numbers), Adaptive(self.tolerance), key)
        states = jnp.concatenate([begin[None], course.states])[..., 0].T
        gate = jnp.concatenate([jnp.zeros(1, bool), segments.in_session])
        acting = jnp.where(gate, _acting(system, states, True), _acting(system, states, False))
        places = jnp.array([index for index, node in enumerate(system.nodes) if node.id in self.variables])
        stays = jnp.concatenate([jnp.ones(1, bool), course.fates.stays[:, 0]])
        return acting[places], stays, course.status[0]


def _acting(system: System, states: Float[Array, "state moment"], gate: bool) -> Float[Array, "node moment"]:
    return jnp.stack([jnp.broadcast_to(value, states.shape[1:]) for value in system.acting(states, gate)])
