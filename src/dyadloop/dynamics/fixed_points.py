"""Equilibria: all that are found in a box or, without one, in wider and wider boxes, each with its eigenvalues."""

from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from dyadloop.dynamics.compiled import Compiled, compiled
from dyadloop.dynamics.search import evaluator, gone, solved, spread_out
from dyadloop.errors import StateError
from dyadloop.model import System, kinks_at
from dyadloop.theory import Theory

_SAME = 1e-6  # two solutions closer than this, relative to 1 + |state|, are one
_SOLVED = 1e-9
_SETTLING = 30.0  # slowest time constants after which a course has gone where it goes
_AT_FLOOR = 1e-12  # above a floor that is as good as at it [state unit]
_WIDENINGS = 6  # a box 729 times as wide as the usual one
_WIDTH = {"logistic": 6.0, "identity": 3.0}


@eqx.filter_jit
def _all_about(system: System, states: Array, gate: bool) -> tuple[Array, Array, Array]:
    """Return Jacobian, drift without floors, and acting values at each of several states."""

    def one(state: Array) -> tuple[Array, Array, Array]:
        acting = jnp.stack(system.acting(state, gate)[: system.n_states])
        return jax.jacfwd(lambda z: system.drift(z, gate))(state), system.drift(state, gate, floors=False), acting

    return jax.vmap(one)(states)


def solve(
    systems: System, starts: Float[Array, "case state"], scale: Float[Array, " state"]
) -> tuple[Float[np.ndarray, "case state"], Float[np.ndarray, " case"]]:
    """Return the equilibrium in session of each of several systems, and how far it is from standing still."""
    return solved(evaluator(systems, True, scale, own=True), np.asarray(starts))


def equilibria(
    theory: Theory,
    *,
    in_session: bool = True,
    box: Mapping[str, tuple[float, float]] | None = None,
    values: Mapping[str, float] | None = None,
    starts: int = 128,
    seed: int = 1,
) -> xr.Dataset:
    """Find the equilibria of a theory.

    Newton searches from many points that fill a box evenly, and from where courses from these points have gone.
    Without a ``box`` of its own the search begins in the usual one and widens it threefold until a wider box holds
    nothing new. An unstable equilibrium that few searches lead to may be missed, so a larger ``starts`` makes the list
    surer.

    Parameters
    ----------
    theory
        Any theory.
    in_session
        Whether a session runs, as if it never ended; False is the time between sessions.
    box
        Lowest and highest state by id [state unit]; nothing outside is listed. Default: 6 logits around 0, or 3 units
        around the level, widened. States that a box does not name have the default without widening.
    values
        Parameter values that replace those of the theory file.
    starts
        Number of starting points.
    seed
        Seed of the shift of these points.

    Returns
    -------
    xarray.Dataset
        ``state`` (equilibrium, state) [state unit], ``value`` (equilibrium, state), what acts on others, ``stable``,
        ``at_kink``, where a form has a kink just there, so that the eigenvalues hold on one side only (attribute
        ``kinks`` says which), ``eigenvalue_real`` and ``eigenvalue_imaginary`` (equilibrium, mode) [1/d]; ordered by
        the first state. ``searched_low`` and ``searched_high`` (state), the box; attributes ``starts``, ``widened``,
        how often it was widened, and ``outside``, how many equilibria were met beyond it.

    Raises
    ------
    StateError
        If ``box`` names no state, or is empty.

    Examples
    --------
    >>> found = dl.equilibria(dl.read_theory("panic_core"))
    >>> found["stable"].values.tolist()
    [True, False, True]
    """
    model = compiled(theory, values)
    system, scale = model.system(), jnp.asarray(model.scale())
    bounds = _box(model, box)
    found = _searched(model, system, in_session, scale, bounds, starts, seed)
    widened = 0
    while box is None and widened < _WIDENINGS:
        wider = _widened(system, bounds)
        more = _searched(model, system, in_session, scale, wider, starts, seed)
        both = _distinct(np.concatenate([found, more]))
        is_new = _inside(both, wider).sum() > _inside(_distinct(found), bounds).sum()
        found, bounds, widened = both, wider, widened + 1
        if not is_new and _inside(found, bounds).all():
            break
    everything = _distinct(found)
    inside = _inside(everything, bounds)
    result = _described(model, system, everything[inside], in_session)
    for name, values_of in zip(("searched_low", "searched_high"), bounds, strict=True):
        result[name] = ("variable", values_of)
    return result.assign_attrs(starts=starts, widened=widened, outside=int((~inside).sum()))


def _widened(system: System, bounds: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    low, high = bounds
    floors = [-np.inf if node.lower is None else node.lower for node in system.nodes[: system.n_states]]
    return np.maximum(low - (high - low), floors), high + (high - low)


def _inside(points: np.ndarray, bounds: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    low, high = bounds
    margin = 1e-6 * (1.0 + np.abs(high - low))
    return np.asarray((points >= low - margin).all(axis=1) & (points <= high + margin).all(axis=1))


def _searched(
    model: Compiled,
    system: System,
    gate: bool,
    scale: Array,
    box: tuple[np.ndarray, np.ndarray],
    starts: int = 128,
    seed: int = 1,
) -> np.ndarray:
    """Return what searches find, doubles included.

    They start at the levels, at points that fill the box evenly, and where courses from all of these have gone.
    """
    low, high = box
    points = spread_out(starts, len(low), seed)
    begin = np.concatenate([np.asarray(model.start())[None], low + (high - low) * points])
    evaluate = evaluator(system, gate, scale, size=2 * len(begin))
    gone_to = gone(evaluate, begin, np.asarray(scale), _SETTLING * float(np.max(scale)))
    begin = np.concatenate([begin, gone_to[np.isfinite(gone_to).all(axis=1)]])
    found, wrong = solved(evaluate, begin)
    lower = [-np.inf if node.lower is None else node.lower for node in system.nodes[: system.n_states]]
    kept = found[wrong < _SOLVED]
    return np.where(kept < np.array(lower) + _AT_FLOOR, lower, kept)


def settled(model: Compiled, system: System, in_session: bool = True) -> Float[np.ndarray, " state"]:
    """Return the equilibrium that a search from the levels finds, or else the stable one nearest to them.

    Raises
    ------
    StateError
        If it finds none.
    """
    scale = jnp.asarray(model.scale())
    found, wrong = solved(evaluator(system, in_session, scale), np.asarray(model.start())[None])
    if float(wrong[0]) < _SOLVED:
        return found[0]
    others = _distinct(_searched(model, system, in_session, scale, _box(model, None)))
    stable = [p for p in others if np.all(np.real(np.linalg.eigvals(_jacobians(system, p[None], in_session)[0])) < 0)]
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
    matrices, acting = _jacobians(system, points, gate), np.asarray(_all_about(system, jnp.asarray(points), gate)[2])
    eigenvalues = np.array([_ordered(np.linalg.eigvals(matrix)) for matrix in matrices]).reshape(points.shape)
    kinks = [kinks_at(system, jnp.asarray(point), gate) for point in points]
    names = list(model.plan.names)
    units = {state.id: state.variable.unit for state in model.plan.states}
    return xr.Dataset(
        {
            "state": (("equilibrium", "variable"), points),
            "value": (("equilibrium", "variable"), acting.reshape(points.shape)),
            "stable": ("equilibrium", np.all(np.real(eigenvalues) < 0, axis=1)),
            "at_kink": ("equilibrium", np.array([bool(found) for found in kinks], dtype=bool)),
            "eigenvalue_real": (("equilibrium", "mode"), np.real(eigenvalues), {"units": "1/d"}),
            "eigenvalue_imaginary": (("equilibrium", "mode"), np.imag(eigenvalues), {"units": "1/d"}),
        },
        coords={"variable": names, "unit": ("variable", [units[name] for name in names])},
        attrs={
            "theory": model.plan.theory.id,
            "in_session": int(gate),
            "kinks": "; ".join(dict.fromkeys(name for found in kinks for name in found)),
        },
    )


def _jacobians(system: System, points: np.ndarray, gate: bool) -> np.ndarray:
    """Return the Jacobian at each equilibrium; a state that is pushed against its floor falls back to it by itself."""
    matrices, drifts, _ = (np.array(part) for part in _all_about(system, jnp.asarray(points), gate))
    for index, node in enumerate(system.nodes[: system.n_states]):
        falls = np.full(len(points), node.clamped is not None)
        if node.lower is not None:
            falls |= drifts[:, index] < -_SOLVED
        matrices[falls, index] = 0.0
        matrices[falls, index, index] = -max(float(system.decay[index]), 1.0)
    return matrices


def _ordered(values: np.ndarray) -> np.ndarray:
    return values[np.argsort(-np.real(values), kind="stable")]
