"""Equilibria: all that are found in a box, each with its eigenvalues."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optimistix
import xarray as xr
from jaxtyping import Array, Float
from scipy.stats import qmc

from dyadloop.dynamics.compiled import Compiled, compiled
from dyadloop.errors import StateError
from dyadloop.field import System
from dyadloop.simulation.integrate import carried
from dyadloop.theory import Theory

_SAME = 1e-6  # two solutions closer than this, relative to 1 + |state|, are one
_SOLVED = 1e-9
_SETTLING = 30.0  # slowest time constants after which a course has gone where it goes
_WIDTH = {"logistic": 6.0, "identity": 3.0}


def residual(system: System, state: Float[Array, " state"], gate: bool, scale: Array) -> Float[Array, " state"]:
    """Return how far each state is from standing still [state unit].

    A state at its floor stands still where everything pushes it down.
    """
    lower = jnp.array([-jnp.inf if node.lower is None else node.lower for node in system.nodes[: system.n_states]])
    held = jnp.array([jnp.nan if node.held is None else node.held for node in system.nodes[: system.n_states]])
    moved = jnp.maximum(state + system.drift(state, gate, floors=False) * scale, lower) - state
    return jnp.where(jnp.isnan(held), moved, held - state)


@eqx.filter_jit
def _solve(system: System, starts: Float[Array, "start state"], gate: bool, scale: Array) -> tuple[Array, Array]:
    return jax.vmap(lambda start: _search(system, start, gate, scale))(starts)


@eqx.filter_jit
def solve(
    systems: System, starts: Float[Array, "case state"], scale: Float[Array, " state"]
) -> tuple[Float[Array, "case state"], Float[Array, " case"]]:
    """Return the equilibrium in session of each of several systems, and how far it is from standing still."""
    return jax.vmap(lambda system, start: _search(system, start, True, scale))(systems, starts)


def _search(system: System, begin: Array, gate: bool, scale: Array) -> tuple[Array, Array]:
    solver = optimistix.LevenbergMarquardt(rtol=1e-12, atol=1e-13)

    def function(state: Array, _: None = None) -> Array:
        return residual(system, state, gate, scale)

    found = optimistix.least_squares(function, solver, begin, max_steps=400, throw=False).value
    for _ in range(2):  # full Newton steps polish what is already close
        better = found - jnp.linalg.lstsq(jax.jacfwd(function)(found), function(found))[0]
        smaller = jnp.linalg.norm(function(better)) < jnp.linalg.norm(function(found))
        found = jnp.where(smaller, better, found)
    return found, jnp.max(jnp.abs(function(found)) / (1.0 + jnp.abs(found)))


def equilibria(
    theory: Theory,
    *,
    in_session: bool = True,
    box: Mapping[str, tuple[float, float]] | None = None,
    values: Mapping[str, float] | None = None,
    starts: int = 128,
    seed: int = 0,
) -> xr.Dataset:
    """Find the equilibria of a theory in a box.

    Newton searches from many points of a Sobol sequence, and from where courses from these points have gone. An
    unstable equilibrium that few searches lead to may be missed, so a larger ``starts`` makes the list surer.

    Parameters
    ----------
    theory
        Any theory.
    in_session
        Whether a session runs, as if it never ended; False is the time between sessions.
    box
        Lowest and highest state by id [state unit]; default: 6 logits around 0, or 3 units around the level.
    values
        Parameter values that replace those of the theory file.
    starts
        Number of starting points.
    seed
        Seed of the Sobol sequence.

    Returns
    -------
    xarray.Dataset
        ``state`` (equilibrium, state) [state unit], ``value`` (equilibrium, state), what acts on others, ``stable``,
        ``eigenvalue_real`` and ``eigenvalue_imaginary`` (equilibrium, mode) [1/d]; ordered by the first state.

    Raises
    ------
    StateError
        If ``box`` names no state, or is empty.
    """
    model = compiled(theory, values)
    system, scale = model.system(), jnp.asarray(model.scale())
    low, high = _box(model, box)
    found = _searched(model, system, in_session, scale, (low, high), starts, seed)
    margin = 1e-6 * (1.0 + np.abs(high - low))
    inside = (found >= low - margin).all(axis=1) & (found <= high + margin).all(axis=1)
    return _described(model, system, _distinct(found[inside]), in_session)


def _searched(
    model: Compiled,
    system: System,
    gate: bool,
    scale: Array,
    box: tuple[np.ndarray, np.ndarray],
    starts: int = 128,
    seed: int = 0,
) -> np.ndarray:
    """Return what searches find, doubles included.

    They start at the levels, at points of a Sobol sequence, and where courses from all of these have gone.
    """
    low, high = box
    points = qmc.Sobol(len(low), rng=seed).random(2 ** int(np.ceil(np.log2(max(starts, 2)))))
    begin = np.concatenate([np.asarray(model.start())[None], low + (high - low) * points])
    span = jnp.asarray(_SETTLING * float(jnp.max(scale)))
    settled = np.asarray(carried(system, gate, jnp.asarray(begin.T), span, 1e-6)).T
    begin = np.concatenate([begin, settled[np.isfinite(settled).all(axis=1)]])
    found, wrong = (np.asarray(part) for part in _solve(system, jnp.asarray(begin), gate, scale))
    lower = [-np.inf if node.lower is None else node.lower for node in system.nodes[: system.n_states]]
    return np.maximum(found[wrong < _SOLVED], lower)


def settled(model: Compiled, system: System, in_session: bool = True) -> Float[np.ndarray, " state"]:
    """Return the equilibrium that a search from the levels finds, or else the stable one nearest to them.

    Raises
    ------
    StateError
        If it finds none.
    """
    scale = jnp.asarray(model.scale())
    found, wrong = _solve(system, model.start()[None], in_session, scale)
    if float(wrong[0]) < _SOLVED:
        return np.asarray(found[0])
    others = _distinct(_searched(model, system, in_session, scale, _box(model, None)))
    stable = [p for p in others if np.all(np.real(np.linalg.eigvals(_jacobian(system, p, in_session))) < 0)]
    if not stable:
        raise StateError(f"theory {model.plan.theory.id!r}: no equilibrium was found from its levels; see equilibria()")
    start = np.asarray(model.start())
    return min(stable, key=lambda point: float(np.linalg.norm(point - start)))


def _box(model: Compiled, box: Mapping[str, tuple[float, float]] | None) -> tuple[np.ndarray, np.ndarray]:
    middle = np.asarray(model.start())
    links = [state.variable.link for state in model.plan.states]
    width = np.array([_WIDTH[link] for link in links])
    middle = np.where([link == "logistic" for link in links], 0.0, middle)
    low, high = middle - width, middle + width
    for name, (least, most) in (box or {}).items():
        if least >= most:
            raise StateError(f"box of {name!r} is [{least:g}, {most:g}]; give the lower bound first")
        for index in model.states_of((name,)):
            low[index], high[index] = least, most
    return low, high


def _distinct(found: np.ndarray) -> np.ndarray:
    kept: list[np.ndarray] = []
    for point in sorted(found.tolist()):
        here = np.array(point)
        if not any(np.all(np.abs(here - other) <= _SAME * (1.0 + np.abs(other))) for other in kept):
            kept.append(here)
    return np.array(kept).reshape(len(kept), found.shape[1])


def _described(model: Compiled, system: System, points: np.ndarray, gate: bool) -> xr.Dataset:
    eigenvalues = np.array([_ordered(np.linalg.eigvals(_jacobian(system, p, gate))) for p in points]).reshape(
        points.shape
    )
    acting = [[float(v) for v in system.acting(jnp.asarray(p), gate)[: system.n_states]] for p in points]
    names = list(model.plan.names)
    units = {state.id: state.variable.unit for state in model.plan.states}
    return xr.Dataset(
        {
            "state": (("equilibrium", "variable"), points),
            "value": (("equilibrium", "variable"), np.array(acting).reshape(points.shape)),
            "stable": ("equilibrium", np.all(np.real(eigenvalues) < 0, axis=1)),
            "eigenvalue_real": (("equilibrium", "mode"), np.real(eigenvalues), {"units": "1/d"}),
            "eigenvalue_imaginary": (("equilibrium", "mode"), np.imag(eigenvalues), {"units": "1/d"}),
        },
        coords={"variable": names, "unit": ("variable", [units[name] for name in names])},
        attrs={"theory": model.plan.theory.id, "in_session": int(gate)},
    )


def _jacobian(system: System, point: np.ndarray, gate: bool) -> np.ndarray:
    """Return the Jacobian at an equilibrium; a state that is pushed against its floor falls back to it by itself."""
    matrix = np.array(system.jacobian(jnp.asarray(point), gate))
    pushed = np.asarray(system.drift(jnp.asarray(point), gate, floors=False)) < -_SOLVED
    for index, node in enumerate(system.nodes[: system.n_states]):
        if node.held is not None or (node.lower is not None and pushed[index]):
            matrix[index] = 0.0
            matrix[index, index] = -max(float(system.decay[index]), 1.0)
    return matrix


def _ordered(values: np.ndarray) -> np.ndarray:
    return values[np.argsort(-np.real(values), kind="stable")]
