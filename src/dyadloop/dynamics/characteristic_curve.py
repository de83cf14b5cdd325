"""The open-loop characteristic: what the alliance answers to each level of oxytocin when the loop is cut."""

from collections.abc import Mapping
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, ArrayLike, Float

from dyadloop.dynamics.compiled import compiled
from dyadloop.dynamics.fixed_points import solve
from dyadloop.dynamics.session_loop import fixed_points
from dyadloop.errors import StateError
from dyadloop.model import System
from dyadloop.theory import Theory

_STEP = 1e-4  # of the central difference for the slope, relative to 1 + |oxytocin|


def pinned(system: System, places: list[int], value: Float[Array, "*case"]) -> System:
    """Return the system in which some states rest at a value, whatever acts on them."""
    kept = [i for i, arrow in enumerate(system.arrows) if not set(arrow.targets) & set(places)]
    rows = jnp.array(places)
    levels, nodes = list(system.levels), list(system.nodes)
    rests = [list(system.always_rest), list(system.session_rest), list(system.pushes)]
    for place in places:
        levels[place] = value
        nodes[place] = replace(nodes[place], activation=None, clamped=None)
        for rest in rests:
            rest[place] = jnp.zeros(())
    return replace(
        system,
        nodes=tuple(nodes),
        arrows=tuple(system.arrows[i] for i in kept),
        rates=tuple(system.rates[i] for i in kept),
        constants=tuple(system.constants[i] for i in kept),
        levels=tuple(levels),
        always=system.always.at[rows].set(0.0),
        session=system.session.at[rows].set(0.0),
        always_rest=tuple(rests[0]),
        session_rest=tuple(rests[1]),
        pushes=tuple(rests[2]),
        activations=tuple({} if i in places else numbers for i, numbers in enumerate(system.activations)),
    )


@eqx.filter_jit
def _driven(system: System, states: Float[Array, "state case"], place: int) -> Float[Array, " case"]:
    return system.push(states, True)[place] / system.decay[place]


def characteristic(
    theory: Theory,
    oxytocin: ArrayLike | None = None,
    *,
    values: Mapping[str, float] | None = None,
) -> xr.Dataset:
    """Hold oxytocin at each of several values, let everything else settle, and read what would drive oxytocin.

    Where the answer equals the value held, the closed loop can rest; it is stable there where the slope is below 1.
    Where something acts in session only, everything settles into the calendar, with oxytocin held in its sessions.

    Parameters
    ----------
    theory
        A theory with oxytocin.
    oxytocin
        Values to hold [unit of oxytocin]; default: 61 from 0 to 1 where it is a share, else to 5.
    values
        Parameter values that replace those of the theory file.

    Returns
    -------
    xarray.Dataset
        ``response`` (oxytocin) [unit of oxytocin] and ``slope`` (oxytocin) [1]; ``crossing``, the values at which the
        loop can rest, with ``crossing_slope``.

    Raises
    ------
    StateError
        If the theory has no oxytocin, or nothing settles at some value.

    Examples
    --------
    >>> curve = dl.characteristic(dl.read_theory("hub"))
    >>> curve["crossing"].values.round(3).tolist()
    [0.67]
    """
    model = compiled(theory, values)
    places = model.states_of(("oxytocin",))
    bounded = model.plan.states[places[0]].variable.activation is not None
    held = np.linspace(0.0, 1.0 if bounded else 5.0, 61) if oxytocin is None else np.asarray(oxytocin, dtype=float)
    step = _STEP * (1.0 + np.abs(held))
    system = model.system()
    every = jnp.asarray(np.concatenate([held, held - step, held + step]))
    states = _rested(model, system, places, every)
    answer = np.asarray(_driven(system, jnp.asarray(states), places[0]))
    if not np.isfinite(answer).all():
        raise StateError(f"theory {model.plan.theory.id!r}: nothing settles with oxytocin held at some of these values")
    response, low, high = np.split(answer, 3)
    slope = (high - low) / (2 * step)
    gap = response - held
    crossing, at = [], np.flatnonzero((gap[:-1] == 0) | (np.sign(gap[:-1]) * np.sign(gap[1:]) < 0))
    for i in at:
        crossing.append(held[i] + (held[i + 1] - held[i]) * gap[i] / (gap[i] - gap[i + 1]))
    return xr.Dataset(
        {
            "response": ("oxytocin", response),
            "slope": ("oxytocin", slope),
            "crossing": ("point", np.array(crossing)),
            "crossing_slope": ("point", np.interp(crossing, held, slope)),
        },
        coords={"oxytocin": held},
        attrs={"theory": model.plan.theory.id},
    )


def _rested(model, system: System, places: list[int], every: Array) -> np.ndarray:  # noqa: ANN001 - a Compiled
    """Return the settled states, state by value of oxytocin."""
    begin = jnp.broadcast_to(model.start()[:, None], (system.n_states, len(every)))
    begin = begin.at[jnp.array(places)].set(every)
    if model.is_gated:
        points, _ = fixed_points(pinned(system, places, every), model.schedule, begin)
        return points
    systems = jax.vmap(lambda value: pinned(system, places, value))(every)
    points, wrong = solve(systems, begin.T, jnp.asarray(model.scale()))
    return np.where(np.asarray(wrong) < 1e-9, np.asarray(points).T, np.nan)
