"""Simulated studies: sample paths of a linear process model, and whole study folders with known truth."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from dyadloop.data import Indicator, StudyInfo, write_study
from dyadloop.data.names import known_names
from dyadloop.errors import TheoryError
from dyadloop.model import Flow, ProcessModel, Transition, compile_theory, doublings, flow, moves
from dyadloop.theory import Theory, hypothesis, linear_form, read_theory
from dyadloop.units import duration

SUBSTEPS = 8
"""Steps of an interval where the process model is not linear."""
_MINUTES = 1440  # of a day
_JITTER = 1e-12  # lets a zero process noise (an empty interval) pass the Cholesky factorisation


@dataclass(frozen=True)
class Design:
    """A published kind of study: who is measured when.

    Attributes
    ----------
    dyads, sessions
        Number of dyads and of sessions per dyad.
    every_days, length_minutes
        Distance and length of sessions [d, min].
    sampled
        Sessions with saliva of both persons before and after.
    missing
        Share of questionnaires and samples that are lost at random.
    source
        DOI or short description of the published design.
    """

    dyads: int
    sessions: int
    every_days: float
    length_minutes: float
    sampled: tuple[int, ...]
    missing: float
    source: str

    def changed(self, dyads: int | None, sessions: int | None, every: str | None, length: str | None) -> "Design":
        """Return the design with other numbers where they are given; its source says so."""
        days, minutes = (None if text is None else duration(text) for text in (every, length))
        given = {
            "dyads": dyads,
            "sessions": sessions,
            "every_days": days,
            "length_minutes": None if minutes is None else round(minutes * _MINUTES, 9),
        }
        new = {name: value for name, value in given.items() if value is not None and value != getattr(self, name)}
        if wrong := [f"{name} = {value:g}" for name, value in new.items() if value <= 0]:
            raise TheoryError(f"{', '.join(wrong)}: expected more than 0")
        shown = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in new.items())
        return replace(self, **new, source=f"{self.source}, with {shown}") if new else self


DESIGNS = {
    "haifa": Design(
        dyads=37,
        sessions=16,
        every_days=7.0,
        length_minutes=50.0,
        sampled=(1, 4, 8, 12, 16),
        missing=0.05,
        source="like the Haifa trial of 16-session therapy for depression (37 dyads, saliva before and after sessions)",
    ),
}
"""Designs that can be simulated, by name."""


def sample_paths(
    key: Array,
    process: ProcessModel,
    pair: Int[Array, "dyad time"],
    gates: Bool[Array, " pair"],
    durations: Float[Array, " pair"],
    event: Float[Array, "dyad time event"],
    n_doublings: int,
    context: Float[Array, "dyad context"] | None = None,
) -> Float[Array, "dyad time state"]:
    """Sample the state of every dyad at its moments, person means included.

    Exact whatever the intervals where the process model is linear; elsewhere each interval goes in steps.

    Parameters
    ----------
    key
        JAX random key.
    process
        Compiled theory with numbers.
    pair, gates, durations, event, n_doublings
        Time lines, as in the likelihood's panel [d].
    context
        Contexts of each dyad that moderate arrows; default: the average.
    """
    n, n_steps = len(process.names), 1 if process.nonlinear is None else SUBSTEPS
    keys, jumps = jax.random.split(key, pair.shape[0]), event @ process.jumps

    def prepared(own: ProcessModel) -> tuple[Transition | Flow, Array]:
        """Return the steps of all intervals, and the factor of the noise of each."""
        steps = moves(own, gates, durations, n_doublings, n_steps)
        noise = (steps if isinstance(steps, Transition) else steps.step).noise
        factor = jnp.linalg.cholesky(noise + _JITTER * jnp.eye(n))
        return steps, jnp.where(noise.any(axis=(1, 2), keepdims=True), factor, 0.0)

    def one_dyad(ready: tuple[Transition | Flow, Array], key: Array, pair: Array, jump: Array) -> Array:
        key_mean, key_start, key_noise = jax.random.split(key, 3)
        mean = process.between @ jax.random.normal(key_mean, (n,))
        start = process.start + jnp.linalg.cholesky(process.start_covariance) @ jax.random.normal(key_start, (n,))
        noise = jax.random.normal(key_noise, (len(pair), n_steps, n))

        def advance(state: Array, now: tuple[Array, Array, Array]) -> tuple[Array, Array]:
            index, push, shock = now
            here, factor = jax.tree.map(lambda leaf: leaf[index], ready)
            shock = shock @ factor.T
            if isinstance(here, Transition):
                state = here.matrix @ state + here.shift + shock[0]
            else:
                state = flow(process, here, state, shock)
            return state + push, state + mean

        return jax.lax.scan(advance, start, (pair, jump, noise))[1]

    if process.moderated is None or context is None:
        return jax.vmap(one_dyad, in_axes=(None, 0, 0, 0))(prepared(process), keys, pair, jumps)
    return jax.vmap(lambda own, *rest: one_dyad(prepared(process.of(own)), *rest))(context, keys, pair, jumps)


def simulate_study(
    path: str | Path,
    design: str = "haifa",
    theory: Theory | None = None,
    values: dict[str, float] | None = None,
    seed: int = 1,
    *,
    dyads: int | None = None,
    sessions: int | None = None,
    every: str | None = None,
    length: str | None = None,
) -> Path:
    """Write a simulated study folder whose true values are known; it says in its name that it is simulated.

    Parameters
    ----------
    path
        Folder to make; ``truth.json`` in it holds the values used, in the units of the theory.
    design
        Name of a design.
    theory
        Theory to simulate, in its linear form; default: the framework without direct couplings between components (M3).
    values
        Parameter values that replace those of the theory file.
    seed
        Seed of the random numbers.
    dyads, sessions, every, length
        Number of dyads and sessions, distance and length of sessions, such as ``"3.5 d"``; default: the design's.

    Raises
    ------
    TheoryError
        If the design or a parameter does not exist, or a number is not above 0.
    UnitError
        If a duration is not a number and a unit of time.

    Examples
    --------
    >>> folder = dl.simulate_study("results/simulated", "haifa", dyads=4, sessions=6, seed=1)
    >>> sorted(path.name for path in folder.iterdir())
    ['measurements.tsv', 'participants.tsv', 'sessions.tsv', 'study.yaml', 'truth.json']
    """
    if design not in DESIGNS:
        raise TheoryError(f"design {design!r} does not exist; known: {known_names(DESIGNS, design)}")
    plan_of = DESIGNS[design].changed(dyads, sessions, every, length)
    theory = hypothesis("reciprocal", read_theory("framework_linear")) if theory is None else linear_form(theory)
    indicators = _indicators(theory)
    plan = compile_theory(theory, {(entry.quantity, entry.person) for entry in indicators.values()}, events=())
    errors = {f"error_{name}": 0.25 if entry.transform == "log" else 0.6 for name, entry in indicators.items()}
    truth = {**plan.defaults(), **errors}
    unknown = sorted(set(values or {}) - set(truth))
    if unknown:
        raise TheoryError(f"{', '.join(unknown)}: no such parameter; known: {known_names(truth, *unknown)}")
    truth.update(values or {})
    generator = np.random.default_rng(seed)
    starts = _calendar(generator, plan_of)
    path_key = jax.random.key(int(generator.integers(2**31)))
    process = plan.process_model(truth)
    edges = np.stack([starts, starts + plan_of.length_minutes / _MINUTES], axis=2).reshape(plan_of.dyads, -1)
    states = np.asarray(_paths_on(path_key, process, edges))
    rows = _measurements(generator, plan_of, plan.names, states, indicators, truth)
    info = StudyInfo(
        schema_version=1,
        name=f"simulated-{design}",
        title=f"SIMULATED study, {plan_of.source}",
        licence="CC0-1.0",
        simulated=True,
        indicators=indicators,
    )
    calendar = [
        {"dyad": f"D{d + 1:02d}", "session": s + 1, "start": float(starts[d, s]), "length_min": plan_of.length_minutes}
        for d in range(plan_of.dyads)
        for s in range(plan_of.sessions)
    ]
    people = [
        {"participant_id": f"{role[0].upper()}{d + 1:02d}", "dyad": f"D{d + 1:02d}", "role": role}
        for d in range(plan_of.dyads)
        for role in ("patient", "therapist")
    ]
    record = {
        "simulated": True,
        "theory": theory.id,
        "hypothesis": plan.theory.hypothesis,
        "seed": seed,
        "values": truth,
    }
    return write_study(path, info, people, calendar, rows, {"truth.json": json.dumps(record, indent=2) + "\n"})


def _indicators(theory: Theory) -> dict[str, Indicator]:
    """Return what the design measures of a theory: ratings of the components, depression and saliva."""

    def rating(quantity: str, points: float) -> Indicator:
        return Indicator(quantity=quantity, person="patient", unit="points", sd_within=points, reason="simulated")

    known = {variable.id for variable in theory.variables}
    found = {variable.id: rating(variable.id, 1.0) for variable in theory.of_kind("component")}
    if found:
        found["alliance"] = rating("alliance", 1.0)
    if "depression" in known:
        found["depression"] = rating("depression", 5.0)
    for person in theory.variable("oxytocin").persons if "oxytocin" in known else ():
        found[f"saliva_{person}"] = Indicator.model_validate(
            {"quantity": "oxytocin", "person": person, "unit": "pg/ml", "transform": "log", "reason": "simulated"}
        )
    return found


def _calendar(generator: np.random.Generator, design: Design) -> np.ndarray:
    """Return session starts [d]: whole hours, with some appointments moved by days and some weeks skipped."""
    shape = (design.dyads, design.sessions)
    skipped = np.cumsum(generator.random(shape) < 0.08, axis=1)
    moved = generator.choice([-1, 0, 0, 0, 0, 0, 1], size=shape)
    hour = generator.integers(8, 19, size=(design.dyads, 1)) / 24
    return (np.arange(design.sessions) + skipped) * design.every_days + moved + hour + 1.0


def _paths_on(key: Array, process: ProcessModel, edges: np.ndarray) -> Array:
    """Sample states at session starts and ends, alternating."""
    steps = np.diff(edges, axis=1, prepend=edges[:, :1]).round(9)
    gates = np.tile([False, True], (edges.shape[0], edges.shape[1] // 2))
    keys, inverse = np.unique(np.stack([gates.ravel(), steps.ravel()], axis=1), axis=0, return_inverse=True)
    pair = jnp.asarray(inverse.reshape(edges.shape))
    norm = float(jnp.max(jnp.sum(jnp.abs(process.jacobian(1.0)), axis=1)))
    depth = doublings(float(steps.max()), norm)
    event = jnp.zeros((*edges.shape, process.jumps.shape[0]))
    return sample_paths(key, process, pair, jnp.asarray(keys[:, 0] > 0), jnp.asarray(keys[:, 1]), event, depth)


def _measurements(
    generator: np.random.Generator,
    design: Design,
    names: tuple[str, ...],
    states: np.ndarray,
    indicators: dict[str, Indicator],
    truth: dict[str, float],
) -> list[dict]:
    """Return the rows of measurements.tsv: ratings every session, saliva before and after some."""
    components = [names.index(name) for name in indicators if name in names and name != "depression"]
    rows = []
    for d, s in np.ndindex(design.dyads, design.sessions):
        before, after = states[d, 2 * s], states[d, 2 * s + 1]
        for name, entry in indicators.items():
            saliva = entry.transform == "log"
            phases = ("before", "after") if saliva else ("before",) if entry.quantity == "depression" else ("after",)
            for phase in phases:
                state = before if phase == "before" else after
                noise, lost = truth[f"error_{name}"] * generator.standard_normal(), generator.random() < design.missing
                if lost or (saliva and s + 1 not in design.sampled):
                    continue
                own = f"{entry.quantity}_{entry.person}"
                place = names.index(own if own in names else entry.quantity) if name != "alliance" else components
                true = float(np.mean(state[place]))
                person = f"{entry.person[0].upper()}{d + 1:02d}"
                key = {"dyad": f"D{d + 1:02d}", "participant_id": person, "session": s + 1, "phase": phase}
                rows.append({**key, "indicator": name, "value": _raw(entry, true + noise)})
    return rows


def _raw(entry: Indicator, score: float) -> str:
    """Return a score on the instrument's own scale, as a laboratory would write it."""
    if entry.transform == "log":
        return f"{6.0 * np.exp(score):.6g}"
    middle = 20.0 if entry.quantity == "depression" else 4.5
    return f"{middle + (entry.sd_within or 1.0) * score:.6g}"
