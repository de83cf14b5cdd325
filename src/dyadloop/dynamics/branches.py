"""Follow equilibria, or the fixed point of the calendar, along a parameter: folds, Hopf points, hysteresis."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from dyadloop.dynamics.compiled import Compiled, compiled
from dyadloop.dynamics.fixed_points import settled
from dyadloop.dynamics.search import residual
from dyadloop.dynamics.session_loop import fixed_points
from dyadloop.errors import StateError
from dyadloop.model import System, system_of
from dyadloop.simulation.integrate import interval_map
from dyadloop.theory import Theory

_CONVERGED, _CORRECTIONS = 1e-10, 8
_FIRST, _LEAST, _MOST = 1e-2, 1e-6, 1e-1  # arc length of a step, the parameter's range being 1
_MAP_TOLERANCE = 1e-10

Branch = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]
"""From (state, share of the parameter's range) to residual, its derivative, and eigenvalues or log multipliers."""


@dataclass(frozen=True)
class Point:
    """A point of a branch with its direction."""

    place: np.ndarray
    tangent: np.ndarray
    eigenvalues: np.ndarray


def continuation(
    theory: Theory,
    parameter: str,
    low: float,
    high: float,
    *,
    of: str = "equilibrium",
    start: float | None = None,
    at: Mapping[str, float] | None = None,
    values: Mapping[str, float] | None = None,
    max_points: int = 600,
) -> xr.Dataset:
    """Follow a branch of equilibria or of session-to-session fixed points along a parameter, around folds.

    Pseudo-arclength steps with a Newton corrector; folds and Hopf points are located to 1e-8 of the range. The branch
    is followed both ways from where it starts until it leaves [low, high]; other branches are not looked for.

    Parameters
    ----------
    theory
        Any theory.
    parameter, low, high
        Parameter id and its range [its unit].
    of
        ``equilibrium``, in session as if it never ended, or ``calendar``, the fixed point from session to session.
    start
        Value of the parameter from which the branch is followed; default: ``low``.
    at
        State near the branch at ``start``, by id [state unit]; default: the levels.
    values
        Values of other parameters.
    max_points
        Most points per direction.

    Returns
    -------
    xarray.Dataset
        ``parameter`` (point) [its unit], ``state`` (point, variable), ``stable`` (point); ``special`` (mark): ``fold``
        or ``hopf`` (``neimark-sacker`` on the calendar) with ``special_parameter`` and ``special_state``; attributes
        ``bistable_low`` and ``bistable_high`` bound the hysteresis, NaN where there is none.

    Raises
    ------
    StateError
        If the branch has no start, or ``of`` is unknown.
    TheoryError
        If there is no such parameter.

    Examples
    --------
    >>> branch = dl.continuation(dl.read_theory("hub"), "bias_oxytocin", -4.0, 2.0)
    >>> branch["parameter"].size > 10, bool(branch["stable"].all())
    (True, True)
    """
    if of not in ("equilibrium", "calendar"):
        raise StateError(f"of={of!r}; give 'equilibrium' or 'calendar'")
    if not low < high:
        raise StateError(f"the range of {parameter} is [{low:g}, {high:g}]; give the lower bound first")
    model = compiled(theory, values)
    model.known(parameter)
    first = low if start is None else start
    branch = _branch(model, parameter, low, high, of)
    place = np.append(_begin(model, parameter, first, at, of), (first - low) / (high - low))
    place = _corrected(branch, place, np.append(np.zeros(len(place) - 1), 1.0))
    if place is None:
        raise StateError(f"no {of} was found at {parameter} = {first:g} from the levels; give `at`")
    origin = _point(branch, place, np.append(np.zeros(len(place) - 1), 1.0))
    forward = _followed(branch, origin, max_points)
    back = _followed(branch, Point(origin.place, -origin.tangent, origin.eigenvalues), max_points)
    points = [*(Point(p.place, -p.tangent, p.eigenvalues) for p in reversed(back)), origin, *forward]
    marks = _marks(branch, points, of)
    return _described(model, parameter, low, high, of, points, marks)


@eqx.filter_jit
def _standing(system: System, tangent: System, place: Array, scale: Array) -> tuple[Array, Array, Array]:
    def function(at: Array) -> Array:
        moved = jax.tree.map(lambda value, change: value + at[-1] * change, system, tangent)
        return residual(moved, at[:-1], True, scale)

    at = jnp.append(place, 0.0)
    return function(at), jax.jacfwd(function)(at), system.jacobian(place, True)


@eqx.filter_jit
def _returning(system: System, tangent: System, place: Array, session: Array, gap: Array) -> tuple[Array, Array, Array]:
    def function(at: Array) -> tuple[Array, Array]:
        moved = jax.tree.map(lambda value, change: value + at[-1] * change, system, tangent)
        after = interval_map(moved, at[:-1, None], session, gap, _MAP_TOLERANCE)[:, 0] - at[:-1]
        return after, after

    slope, after = jax.jacfwd(function, has_aux=True)(jnp.append(place, 0.0))
    return after, slope, slope[:, :-1] + jnp.eye(len(place))


def _branch(model: Compiled, parameter: str, low: float, high: float, of: str) -> Branch:
    scale = jnp.asarray(model.scale())
    schedule = model.schedule if of == "calendar" else None

    def build(share: Array) -> System:
        return system_of(model.plan, {**model.numbers, parameter: low + (high - low) * share})

    @jax.jit
    def moved(share: Array) -> tuple[System, System]:
        return jax.jvp(build, (share,), (jnp.ones(()),))

    def evaluate(place: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        system, tangent = moved(jnp.asarray(place[-1]))
        state = jnp.asarray(place[:-1])
        if schedule is None:
            wrong, slope, matrix = _standing(system, tangent, state, scale)
            return np.asarray(wrong), np.asarray(slope), np.linalg.eigvals(np.asarray(matrix))
        lengths = jnp.asarray(schedule.session_days), jnp.asarray(schedule.interval_days - schedule.session_days)
        wrong, slope, matrix = _returning(system, tangent, state, *lengths)
        multipliers = np.linalg.eigvals(np.asarray(matrix)).astype(complex)
        return np.asarray(wrong), np.asarray(slope), np.log(np.where(multipliers == 0, 1e-300, multipliers))

    return evaluate


def _begin(
    model: Compiled, parameter: str, first: float, at: Mapping[str, float] | None, of: str
) -> Float[np.ndarray, " state"]:
    here = Compiled(model.plan, {**model.numbers, parameter: first})
    if at is not None:
        state = np.array(here.start())
        for name, value in at.items():
            state[here.states_of((name,))] = value
        return state
    if of == "calendar":
        return fixed_points(here.system(), here.schedule, here.start()[:, None])[0][:, 0]
    return settled(here, here.system())


def _corrected(branch: Branch, guess: np.ndarray, tangent: np.ndarray) -> np.ndarray | None:
    """Return the point of the branch in the plane through ``guess`` across ``tangent``, None if there is none near."""
    place = guess.copy()
    for _ in range(_CORRECTIONS):
        wrong, slope, _ = branch(place)
        matrix, target = np.vstack([slope, tangent]), np.append(wrong, tangent @ (place - guess))
        if not (np.isfinite(matrix).all() and np.isfinite(target).all()):
            return None
        step = np.linalg.lstsq(matrix, target, rcond=None)[0]
        place = place - step
        if np.max(np.abs(step) / (1.0 + np.abs(place))) < _CONVERGED:
            return place
    return None


def _point(branch: Branch, place: np.ndarray, before: np.ndarray) -> Point:
    _, slope, eigenvalues = branch(place)
    tangent = np.linalg.svd(slope)[2][-1]
    return Point(place, tangent if tangent @ before >= 0 else -tangent, eigenvalues)


def _followed(branch: Branch, origin: Point, max_points: int) -> list[Point]:
    points, here, size = [], origin, _FIRST
    while len(points) < max_points and size >= _LEAST:
        reach = size * (1.0 + np.linalg.norm(here.place[:-1]) / len(here.place))
        place = _corrected(branch, here.place + reach * here.tangent, here.tangent)
        new = None if place is None else _point(branch, place, here.tangent)
        if new is None or new.tangent @ here.tangent < 0.95:  # too far around a bend
            size /= 2
            continue
        if not 0.0 <= new.place[-1] <= 1.0:
            edge = 0.0 if new.place[-1] < 0 else 1.0
            across = np.append(np.zeros(len(new.place) - 1), 1.0)
            guess = np.append(new.place[:-1], edge)
            last = _corrected(branch, guess, across)
            return points if last is None else [*points, _point(branch, last, here.tangent)]
        points.append(new)
        here, size = new, min(_MOST, size * 1.3)
    return points


def _marks(branch: Branch, points: list[Point], of: str) -> list[tuple[str, np.ndarray]]:
    """Return the folds and Hopf points between consecutive points."""
    marks = []
    for one, two in pairwise(points):
        length = float(one.tangent @ (two.place - one.place))
        if length <= 0:
            continue

        def at(distance: float, one: Point = one) -> Point:
            place = _corrected(branch, one.place + distance * one.tangent, one.tangent)
            return one if place is None else _point(branch, place, one.tangent)

        if one.tangent[-1] * two.tangent[-1] < 0:
            found = _root(lambda s, at=at: at(s).tangent[-1], length)
            marks.append(("fold", at(found).place))
        elif _unstable_pairs(one) != _unstable_pairs(two):
            edge = _root(lambda s, at=at: _pair_edge(at(s)), length) if _brackets(one, two) else None
            if edge is not None:
                marks.append(("hopf" if of == "equilibrium" else "neimark-sacker", at(edge).place))
    return marks


def _root(function: Callable[[float], float], length: float) -> float:
    from scipy.optimize import brentq  # slow to import, and only special points need it

    return float(brentq(function, 0.0, length, xtol=1e-10, full_output=False))  # pyright: ignore[reportArgumentType]


def _unstable_pairs(point: Point) -> int:
    return int(np.sum((np.real(point.eigenvalues) > 0) & (np.imag(point.eigenvalues) > 1e-9)))


def _pair_edge(point: Point) -> float:
    """Return the real part of the complex pair that is nearest to the edge of stability."""
    pairs = np.real(point.eigenvalues[np.imag(point.eigenvalues) > 1e-9])
    return float(pairs[np.argmin(np.abs(pairs))]) if len(pairs) else 0.0


def _brackets(one: Point, two: Point) -> bool:
    return _pair_edge(one) * _pair_edge(two) < 0


def _described(
    model: Compiled,
    parameter: str,
    low: float,
    high: float,
    of: str,
    points: list[Point],
    marks: list[tuple[str, np.ndarray]],
) -> xr.Dataset:
    places = np.array([point.place for point in points])
    stable = np.array([bool((np.real(point.eigenvalues) < 0).all()) for point in points])
    numbers = low + (high - low) * places[:, -1]
    folds = sorted(low + (high - low) * place[-1] for kind, place in marks if kind == "fold")
    both = [_count(numbers, stable, (a + b) / 2) >= 2 for a, b in pairwise(folds)]
    bounds = [(a, b) for (a, b), is_both in zip(pairwise(folds), both, strict=True) if is_both]
    special = np.array([place for _, place in marks]).reshape(len(marks), places.shape[1])
    return xr.Dataset(
        {
            "parameter": ("point", numbers),
            "state": (("point", "variable"), places[:, :-1]),
            "stable": ("point", stable),
            "special": ("mark", np.array([kind for kind, _ in marks], dtype=str)),
            "special_parameter": ("mark", low + (high - low) * special[:, -1]),
            "special_state": (("mark", "variable"), special[:, :-1]),
        },
        coords={"variable": list(model.plan.names)},
        attrs={
            "theory": model.plan.theory.id,
            "parameter": parameter,
            "of": of,
            "bistable_low": bounds[0][0] if bounds else np.nan,
            "bistable_high": bounds[-1][1] if bounds else np.nan,
        },
    )


def _count(numbers: np.ndarray, stable: np.ndarray, at: float) -> int:
    """Return how many stable stretches of the branch pass a value of the parameter."""
    passing = (numbers[:-1] - at) * (numbers[1:] - at) <= 0
    return int(np.sum(passing & stable[:-1] & stable[1:]))
