"""Synergy: whether two components together do more than a null model of their joint effect says."""

from collections.abc import Callable, Mapping, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from dyadloop.data.names import known_names
from dyadloop.dynamics.compiled import Compiled, compiled
from dyadloop.dynamics.fixed_points import solve
from dyadloop.dynamics.search import evaluator, solved
from dyadloop.dynamics.session_loop import fixed_points
from dyadloop.errors import StateError
from dyadloop.model import System
from dyadloop.simulation.integrate import carried
from dyadloop.theory import Theory

_CURVE_POINTS = 41  # of the single dose-response curves that Loewe's null inverts
_SAME_SIGN = 1e-12


def synergy(
    theory: Theory,
    pair: tuple[str, str] = ("attachment", "empathy"),
    *,
    doses: Sequence[float] = (0.5, 1.0, 2.0),
    baseline: tuple[str, Sequence[float]] | None = None,
    response: str = "oxytocin",
    ceiling: float | None = None,
    values: Mapping[str, float] | None = None,
) -> xr.Dataset:
    """Push two components, alone and together, and compare the joint effect with four nulls.

    A push lifts the level of a component (or the bias of its activation) lastingly. The response is read where the
    theory settles: at its equilibrium or, where something acts in session only, at the end of a session.

    Parameters
    ----------
    theory
        Any theory.
    pair
        The two components that are pushed.
    doses
        Sizes of the push, the same for both [unit of the component's level or bias].
    baseline
        A parameter and the values it takes, such as ``("bias_oxytocin", [-4, -3, -2])``: the same push from different
        baselines.
    response
        Variable that is read.
    ceiling
        Largest possible response, needed for Bliss; default: 1 where the response is a share or the theory's
        response has a logistic activation, else Bliss is NaN.
    values
        Parameter values that replace those of the theory file.

    Returns
    -------
    xarray.Dataset
        By (baseline, dose): ``rest``, ``first``, ``second``, ``both`` (responses) and the excess over each null:
        ``additive`` = both - first - second + rest; ``bliss`` = s12 - (s1 + s2 - s1 s2), s the share of the way to
        the ceiling; ``hsa`` = both - the larger of the two; ``loewe`` = 1 - (d1 / D1 + d2 / D2), D the single dose
        that does what both do, NaN where no single dose of up to ten times the largest does. Positive is more than
        the null. By baseline: ``mechanistic``, the cross-derivative of the drive of oxytocin (of the response,
        where there is none) before any activation, and ``emergent``, that of the settled response; ``misleading``,
        whether the excess of a 2 x 2 design at that dose has another sign than the mechanism.

    Raises
    ------
    StateError
        If a component or the response is unknown, or a case does not settle.

    Examples
    --------
    >>> hub = dl.synergy(dl.read_theory("hub"), doses=[1.0], baseline=("bias_oxytocin", [-4.0, -2.0]))
    >>> hub["additive"].values.ravel().round(3).tolist()
    [0.013, -0.026]
    """
    model = compiled(theory, values)
    name, levels = baseline or ("", (0.0,))
    if name:
        model.known(name)
    system, read = model.system(), _reader(model, response)
    first, second = (model.states_of((component,))[0] for component in pair)
    sizes = np.asarray(doses, dtype=float)
    curve = np.linspace(0.0, 10.0 * sizes.max(), _CURVE_POINTS)
    grid = [(0.0, 0.0), *((d, 0.0) for d in sizes), *((0.0, d) for d in sizes), *((d, d) for d in sizes)]
    grid += [*((d, 0.0) for d in curve), *((0.0, d) for d in curve)]
    rows = []
    for level in levels:
        changed = model.system({name: float(level)}) if name else system
        pushes = np.zeros((len(grid), system.n_states))
        pushes[:, first], pushes[:, second] = np.array(grid).T
        rows.append((_settled(model, changed, pushes, read), _crossed(model, changed, (first, second), read)))
    responses = np.array([row for row, _ in rows])
    parts = np.split(responses, np.cumsum([1, *[len(sizes)] * 3, _CURVE_POINTS]), axis=1)
    rest, one, two, both = parts[0], parts[1], parts[2], parts[3]
    top = _ceiling(model, response) if ceiling is None else ceiling
    shares = [(part - rest) / (top - rest) for part in (one, two, both)]
    additive = both - one - two + rest
    crossed = np.array([row for _, row in rows])
    misleading = (np.sign(additive) != np.sign(crossed[:, :1])) & (
        (np.abs(additive) > _SAME_SIGN) | (np.abs(crossed[:, :1]) > _SAME_SIGN)
    )
    dims = ("baseline", "dose")
    return xr.Dataset(
        {
            "rest": ("baseline", rest[:, 0]),
            "first": (dims, one),
            "second": (dims, two),
            "both": (dims, both),
            "additive": (dims, additive),
            "bliss": (dims, shares[2] - (shares[0] + shares[1] - shares[0] * shares[1])),
            "hsa": (dims, both - np.maximum(one, two)),
            "loewe": (dims, _loewe(both, sizes, curve, parts[4], parts[5])),
            "mechanistic": ("baseline", crossed[:, 0]),
            "emergent": ("baseline", crossed[:, 1]),
            "misleading": (dims, misleading),
        },
        coords={"baseline": np.asarray(levels, dtype=float), "dose": sizes},
        attrs={"theory": model.plan.theory.id, "pair": " + ".join(pair), "response": response, "parameter": name},
    )


def _reader(model: Compiled, response: str) -> int:
    nodes = [node.id for node in model.system().nodes]
    own = [n for n in nodes if n == response or n.startswith(f"{response}_")]
    if not own:
        raise StateError(
            f"response {response!r} is no variable of {model.plan.theory.id!r}; known: {known_names(nodes, response)}"
        )
    return nodes.index(own[0])


def _ceiling(model: Compiled, response: str) -> float:
    variable = model.plan.theory.variable(response)
    bounded = variable.link == "logistic" or (
        variable.activation is not None and variable.activation.form == "logistic"
    )
    return 1.0 if bounded else np.nan


def pushed(system: System, push: Float[Array, "state ..."]) -> System:
    """Return the system with the level of each state, or the bias of its activation, lifted by a push."""
    levels, activations = list(system.levels), list(system.activations)
    for index in range(system.n_states):
        if system.nodes[index].activation is None:
            levels[index] = levels[index] + push[index]
        else:
            activations[index] = {**activations[index], "bias": activations[index]["bias"] + push[index]}
    return eqx.tree_at(lambda s: (s.levels, s.activations), system, (tuple(levels), tuple(activations)))


def _settled(model: Compiled, system: System, pushes: np.ndarray, read: int) -> np.ndarray:
    """Return the settled response for each push."""
    if model.is_gated:
        schedule = model.schedule
        begin = jnp.asarray(np.asarray(model.start())[:, None] + 0.0 * pushes.T)
        moved = pushed(system, jnp.asarray(pushes.T))
        points, _ = fixed_points(moved, schedule, begin)
        after = carried(moved, True, jnp.asarray(points), jnp.asarray(schedule.session_days), 1e-9)
        found = np.asarray(eqx.filter_jit(moved.acting)(after, True)[read])
    else:
        scale = jnp.asarray(model.scale())
        systems = jax.vmap(lambda push: pushed(system, push))(jnp.asarray(pushes))
        points, wrong = solve(systems, jnp.broadcast_to(model.start(), pushes.shape), scale)
        points = np.where(wrong[:, None] < 1e-9, points, np.nan)
        found = np.asarray(_read(systems, jnp.asarray(points), read))
    if not np.isfinite(found).all():
        raise StateError(f"theory {model.plan.theory.id!r}: {int((~np.isfinite(found)).sum())} pushes did not settle")
    return found


@eqx.filter_jit
def _read(systems: System, points: Array, read: int) -> Array:
    return jax.vmap(lambda system, point: system.acting(point, True)[read])(systems, points)


def _crossed(model: Compiled, system: System, pair: tuple[int, int], read: int) -> tuple[float, float]:
    """Return the cross-derivatives of the drive of the response and of the settled response.

    The latter is (-J)^-1 H[(-J)^-1 e_1, (-J)^-1 e_2] with pushes scaled by the decay, at the equilibrium; for a gated
    theory it is a central difference of settled responses.
    """
    at = model.start() if model.is_gated else jnp.asarray(_equilibrium(model, system))
    row = model.states_of(("oxytocin",))[0] if "oxytocin" in system.kinds else read
    mechanistic = float(_mechanism(system, at, pair, row))
    if not model.is_gated:
        return mechanistic, float(_emergence(system, at, pair, read))
    step = 0.1
    pushes = np.zeros((4, system.n_states))
    pushes[:, pair[0]], pushes[:, pair[1]] = step * np.array([1, 1, -1, -1]), step * np.array([1, -1, 1, -1])
    corners = _settled(model, system, pushes, read)
    return mechanistic, float((corners[0] - corners[1] - corners[2] + corners[3]) / (4 * step**2))


def _across(system: System, pair: tuple[int, int]) -> Float[Array, "state 2"]:
    return jnp.zeros((system.n_states, 2)).at[pair[0], 0].set(1.0).at[pair[1], 1].set(1.0)


@eqx.filter_jit
def _mechanism(system: System, at: Array, pair: tuple[int, int], row: int) -> Array:
    """Return the cross-derivative of what drives a state, per unit of what the two components act with."""
    cross = _across(system, pair)

    def along(function: Callable[[Array], Array], first: Array, second: Array) -> Array:
        return jax.jvp(lambda z: jax.jvp(function, (z,), (first,))[1], (at,), (second,))[1]

    acts = [jax.grad(lambda z, k=k: system.acting(z, True)[k])(at)[k] for k in pair]
    drive = along(lambda z: system.drive(z, True, row), cross[:, 0], cross[:, 1])
    return drive / (acts[0] * acts[1])


@eqx.filter_jit
def _emergence(system: System, at: Array, pair: tuple[int, int], read: int) -> Array:
    """Return the cross-derivative of the settled response at an equilibrium."""
    cross = _across(system, pair)
    inverse = jnp.linalg.inv(-jax.jacfwd(lambda z: system.drift(z, True))(at))
    pushes = jax.jacfwd(lambda push: pushed(system, push).drift(at, True))(jnp.zeros(system.n_states))
    moved = inverse @ pushes @ cross

    def whole(pair_of: Array) -> Array:
        state, push = jnp.split(pair_of, 2)
        return pushed(system, push).drift(state, True)

    joined = jnp.concatenate([at, jnp.zeros(system.n_states)])
    one, two = (jnp.concatenate([moved[:, k], cross[:, k]]) for k in (0, 1))
    second = jax.jvp(lambda z: jax.jvp(whole, (z,), (one,))[1], (joined,), (two,))[1]
    shown = jax.grad(lambda z: system.acting(z, True)[read])(at)
    return shown @ (inverse @ second)


def _equilibrium(model: Compiled, system: System) -> np.ndarray:
    evaluate = evaluator(system, True, jnp.asarray(model.scale()))
    return solved(evaluate, np.asarray(model.start())[None])[0][0]


def _loewe(
    both: np.ndarray, doses: np.ndarray, curve: np.ndarray, one: np.ndarray, two: np.ndarray
) -> Float[np.ndarray, "baseline dose"]:
    """Return 1 minus Loewe's combination index, NaN where a single dose cannot do what both do."""
    index = np.zeros_like(both)
    for row in range(len(both)):
        for responses in (one[row], two[row]):
            order = np.argsort(responses)
            alone = np.interp(both[row], responses[order], curve[order], left=np.nan, right=np.nan)
            index[row] += doses / np.where(alone > 0, alone, np.nan)
    return 1.0 - index
