"""Simulate dyads: any theory, any protocol, with or without noise, all dyads at once."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array

from dyadloop.files import sha256
from dyadloop.machine import processors
from dyadloop.model import Plan, System, compile_theory, system_of
from dyadloop.simulation.beginning import (
    jumps_of,
    moments_of,
    numbers_of,
    offsets_of,
    refuse_unknown,
    segments_of,
    spread_out,
    start_of,
)
from dyadloop.simulation.calendar import Timeline
from dyadloop.simulation.chances import Chances, chances_of
from dyadloop.simulation.integrate import STATUS, Adaptive, Course, Noisy, Segments, integrate
from dyadloop.simulation.noise import mesh
from dyadloop.theory import Protocol, Theory, Variable
from dyadloop.theory.nodes import nodes_of
from dyadloop.units import days

CHUNK = 512  # dyads that go through together: enough for the vector units, little enough for the cache
SESSION_STEPS, GAP_STEPS = 20, 24  # of a noisy course: 2.5 min in a session of 50 min, at most 1.7 d in a week
_FIRST_GAP_STEP = days(5.0, "min")

_integrate = eqx.filter_jit(integrate)


def simulate(
    theory: Theory,
    protocol: Protocol | None = None,
    *,
    dyads: int = 1,
    seed: int = 1,
    noise: bool = True,
    between: bool = True,
    values: Mapping[str, Any] | None = None,
    spread: Mapping[str, float] | None = None,
    start: Mapping[str, float] | None = None,
    span: str | None = None,
    points: tuple[int, int] = (1, 1),
    tolerance: float = 1e-7,
    steps: tuple[int, int] = (SESSION_STEPS, GAP_STEPS),
    multiple: int = 1,
) -> xr.Dataset:
    """Simulate dyads under a theory and a protocol.

    Parameters
    ----------
    theory
        Any theory: a preset, a hypothesis, with switches on, with states held or arrows cut.
    protocol
        Calendar, events and arms; default: that of the theory.
    dyads
        Number of dyads.
    seed
        Seed of levels, noise and chance events; the same seed gives the same result.
    noise
        Whether states fluctuate within dyads. Without noise steps are as fine as ``tolerance`` asks.
    between
        Whether dyads differ in their levels, as the theory's ``between`` says.
    values
        Parameter values that replace those of the theory file [its units]; an array gives one value per dyad.
    spread
        Sd between dyads of any parameter: of its logarithm where its prior is lognormal, else in its own unit.
    start
        State at the first moment by state id, instead of level plus ``start`` [state unit].
    span
        Length of a stretch without sessions, such as ``"60 min"``, instead of a protocol.
    points
        Moments per session and per gap that are kept (with ``span``: the second number).
    tolerance
        Error allowed per step without noise, relative to 1 + the size of the state.
    steps
        Steps per kept stretch of a session and of a gap with noise.
    multiple
        The number of stretches is rounded up to a multiple of this, by empty ones that change nothing: calendars of
        different lengths then share one compiled program.

    Returns
    -------
    xarray.Dataset
        One variable per variable of the theory, (dyad, time): the value that acts on others, and ``..._logit`` where
        that is a share; with ``days``, ``session``, ``in_session``, and per dyad ``status``, ``steps``, ``arm``,
        ``ruptures``. A moment shows what was before the events at it. After a dropout all is NaN.

    Raises
    ------
    TheoryError
        If a parameter, state or event is unknown, or neither a protocol nor a span is given.

    Examples
    --------
    >>> courses = dl.simulate(dl.read_theory("hub"), dyads=3, span="2 d", points=(1, 5), seed=1)
    >>> dict(courses.sizes)
    {'dyad': 3, 'time': 6}
    """
    plan = compile_theory(theory)
    line = moments_of(plan, protocol, dyads, span, points)
    generator = np.random.default_rng(seed)
    parameters = plan.parameters()
    refuse_unknown(plan.theory.id, parameters, spread or {})
    numbers = numbers_of(plan.theory.id, parameters, values, dyads)
    numbers = spread_out(parameters, numbers, spread or {}, dyads, generator)
    offsets = offsets_of(plan, numbers, dyads, generator) if between else {}
    system = system_of(plan, numbers, offsets)
    begin = start_of(plan, system, numbers, start, dyads)
    jumps = jumps_of(plan, numbers, line)
    method = _noisy(line, steps) if noise and any(node.noisy for node in system.nodes) else Adaptive(tolerance)
    segments = segments_of(line, jumps, multiple)
    key = jax.random.key(int(generator.integers(2**31)))
    course = run(system, begin, segments, chances_of(plan, numbers), method, key)
    return _dataset(plan, system, line, begin, course, protocol or theory.protocol, seed)


def run(
    system: System, start: Array, segments: Segments, chances: Chances, method: Adaptive | Noisy, key: Array
) -> Course:
    """Integrate in chunks of dyads, as many at a time as there are cores."""
    n_dyads = start.shape[1]
    size = min(CHUNK, n_dyads)
    chunks = range(0, n_dyads, size)

    def part(first: int) -> Course:
        chosen = np.minimum(np.arange(first, first + size), n_dyads - 1)  # the last chunk is filled up
        own = Segments(
            segments.in_session,
            segments.durations[:, chosen],
            segments.jumps[:, :, chosen],
            segments.opens,
            segments.first,
        )
        return _integrate(
            system.at_dyads(chosen),
            start[:, chosen],
            own,
            chances.at_dyads(chosen),
            method,
            jax.random.fold_in(key, first),
        )

    with ThreadPoolExecutor(min(len(chunks), processors())) as pool:
        parts = list(pool.map(part, chunks))
    joined = jax.tree.map(lambda *arrays: np.concatenate(arrays, axis=-1)[..., :n_dyads], *parts)
    return Course(*joined)


def _noisy(line: Timeline, steps: tuple[int, int]) -> Noisy:
    gaps = np.diff(line.days, axis=1)[:, ~line.in_session[1:]]
    longest = float(gaps.max()) if gaps.size else 1.0
    first = min(1.0, _FIRST_GAP_STEP / longest) if longest > 0 else 1.0
    return Noisy(jnp.asarray(mesh(steps[0], 1.0)), jnp.asarray(mesh(steps[1], first)))


@eqx.filter_jit
def _acting(system: System, states: Array, gate: bool) -> Array:
    return jnp.stack([jnp.broadcast_to(value, states.shape[1:]) for value in system.acting(states, gate)])


def _speed(theory: Theory, variable: Variable) -> dict[str, float]:
    """Return how fast a variable may move [d]: its time constant, or the shortest of what a definition is made of."""
    sources = {name for coupling in theory.couplings if coupling.target == variable.id for name in coupling.sources}
    own = [variable] if variable.time_constant else [v for v in theory.variables if v.id in sources]
    known = [days(v.time_constant.value, v.time_constant.unit) for v in own if v.time_constant is not None]
    return {"time_constant_days": min(known)} if known else {}


def _dataset(
    plan: Plan, system: System, line: Timeline, begin: Array, course: Course, protocol: Protocol | None, seed: int
) -> xr.Dataset:
    length = len(line.session)
    whole = np.concatenate([np.asarray(begin)[None], np.asarray(course.states)])
    everything = jnp.asarray(np.moveaxis(whole, 1, 0))
    acting = [np.asarray(_acting(system, everything, gate))[:, :length] for gate in (True, False)]
    states = whole[:length]
    stays = np.concatenate([np.ones_like(course.fates.stays[:1]), course.fates.stays])[:length]
    there = stays & line.present.T
    states = np.where(there[:, None, :], states, np.nan)
    inside, outside = (np.where(there, part, np.nan) for part in acting)
    dims = ("dyad", "time")
    data: dict[str, Any] = {}
    declared = {node.id: node.variable for node in (*plan.states, *nodes_of(plan.theory, "definition"))}
    for index, node in enumerate(system.nodes):
        if node.id not in declared:
            continue
        variable = declared[node.id]
        value = np.where(line.in_session[:, None], inside[index], outside[index]).T
        told = {"units": variable.acting_unit, "long_name": variable.label}
        data[node.id] = (dims, value, told | _speed(plan.theory, variable))
        if node.logistic:
            name = f"{variable.label}, on the scale where it moves"
            data[f"{node.id}_logit"] = (dims, states[:, index].T, {"units": "logit", "long_name": name})
    n_dyads = states.shape[2]
    left = ~stays[-1]
    status = [
        "dropped out" if gone and code == 0 else STATUS[int(code)]
        for code, gone in zip(course.status, left, strict=True)
    ]
    arms = [protocol.arm(dyad) or "" for dyad in range(n_dyads)] if protocol is not None else [""] * n_dyads
    coords = {
        "dyad": np.arange(n_dyads),
        "days": (dims, line.days, {"units": "d"}),
        "session": ("time", line.session),
        "in_session": ("time", line.in_session.astype(np.int8)),
        "status": ("dyad", status),
        "steps": ("dyad", np.asarray(course.steps)),
        "arm": ("dyad", arms),
        "ruptures": (dims, np.concatenate([np.zeros((1, n_dyads), int), course.fates.ruptures])[:length].T),
    }
    text = plan.theory.model_dump_json(by_alias=True)
    attrs = {
        "theory": plan.theory.id,
        "hypothesis": plan.theory.hypothesis or "",
        "theory_sha256": sha256(text),
        "seed": seed,
        "simulated": 1,
        "version": version("dyadloop"),
    }
    return xr.Dataset(data, coords=coords, attrs=attrs)
