"""A simulated study of questionnaires at weekly sessions: alliance by patient and therapist, symptoms, ruptures."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from dyadloop.data import StudyInfo, write_study
from dyadloop.data.names import known_names
from dyadloop.errors import TheoryError
from dyadloop.model import Plan, compile_theory, doublings
from dyadloop.simulation.study import sample_paths
from dyadloop.theory import read_theory

_SCALES = {
    "wai_patient": ("alliance", "patient", (12.0, 60.0), 44.0, 4.0, "WAI-SR, sum of 12 items, after the session"),
    "wai_therapist": ("alliance", "therapist", (10.0, 50.0), 36.0, 3.0, "WAI-SRT, sum of 10 items, after the session"),
    "phq9": ("symptoms", "patient", (0.0, 27.0), 12.0, 3.0, "PHQ-9, sum of 9 items, since the last session"),
}
"""Per indicator: quantity, person, range, mean and points that are one SD within persons, and what it is."""
_RUPTURE, _REPAIR, _MISSING = 0.12, 0.6, 0.05
_LENGTH_MINUTES, _EVERY_DAYS = 50.0, 7.0
_ERROR, _THERAPISTS_SD = 0.6, 0.3
_TOGETHER = {
    "rho_between_symptoms_alliance_patient": -0.3,
    "rho_between_alliance_therapist_alliance_patient": 0.4,
    "rho_noise_symptoms_alliance_patient": -0.2,
    "rho_noise_alliance_therapist_alliance_patient": 0.3,
}
"""Fisher z of what goes together between patients, and of what moves two of them at one moment."""


def simulate_alliance(
    path: str | Path,
    dyads: int = 40,
    sessions: int = 12,
    therapists: int = 8,
    values: dict[str, float] | None = None,
    seed: int = 1,
) -> Path:
    """Write a SIMULATED study of alliance and symptoms at weekly sessions, under the theory ``alliance``.

    Scores are whole points within the range of their scale. About one in eight sessions has a rupture, which
    the next session repairs with probability .6.

    Parameters
    ----------
    path
        Folder to make; ``truth.json`` in it holds the values used, in the units of the theory.
    dyads, sessions, therapists
        Numbers of patients, of sessions each, and of therapists, who see about equally many patients.
    values
        Parameter values that replace those of the theory file, and ``error_INDICATOR``.
    seed
        Seed of the random numbers.

    Raises
    ------
    TheoryError
        If a parameter does not exist or a number is too small.

    Examples
    --------
    >>> folder = dl.simulate_alliance("results/simulated-alliance", dyads=6, sessions=5, therapists=3)
    >>> dl.read_study(folder).info.simulated
    True
    """
    if min(dyads, sessions, therapists) < 1:
        raise TheoryError(f"{dyads} dyads, {sessions} sessions, {therapists} therapists: expected 1 or more of each")
    theory = read_theory("alliance")
    plan = compile_theory(theory, {(entry[0], entry[1]) for entry in _SCALES.values()}, ("rupture", "repair"))
    truth = {
        **plan.defaults(),
        **_TOGETHER,
        **{f"error_{name}": _ERROR for name in _SCALES},
        "between_therapists": _THERAPISTS_SD,
    }
    if unknown := sorted(set(values or {}) - set(truth)):
        raise TheoryError(f"{', '.join(unknown)}: no such parameter; known: {known_names(truth, *unknown)}")
    truth |= values or {}
    generator = np.random.default_rng(seed)
    starts = np.arange(sessions) * _EVERY_DAYS + generator.choice([-1, 0, 0, 0, 1], size=(dyads, sessions)) + 1.0
    starts = starts + generator.integers(8, 19, size=(dyads, 1)) / 24
    happened = _happened(generator, dyads, sessions)
    states = _states(plan, truth, starts, happened, int(generator.integers(2**31)))
    own = np.arange(dyads) % therapists
    states = states + truth["between_therapists"] * generator.standard_normal((therapists, 1, states.shape[2]))[own]
    rows = [row for d, s in np.ndindex(dyads, sessions) for row in _rows(generator, plan, states, truth, d, s)]
    tables = _people(dyads, own), _calendar(starts, happened)
    record = {"simulated": True, "theory": theory.id, "hypothesis": None, "seed": seed, "values": truth}
    return write_study(path, _info(dyads, sessions), *tables, rows, {"truth.json": json.dumps(record, indent=2) + "\n"})


def _info(dyads: int, sessions: int) -> StudyInfo:
    indicators = {
        name: {
            "quantity": quantity,
            "person": person,
            "unit": "points",
            "scale": scale,
            **({"recall_days": _EVERY_DAYS} if name == "phq9" else {}),
            "reason": f"{what} (simulated)",
        }
        for name, (quantity, person, scale, _, _, what) in _SCALES.items()
    }
    title = f"SIMULATED study of alliance and symptoms, {dyads} patients, {sessions} weekly sessions"
    about = {"schema_version": 1, "name": "simulated-alliance", "title": title, "licence": "CC0-1.0", "simulated": True}
    return StudyInfo.model_validate({**about, "theory": "alliance", "indicators": indicators})


def _happened(generator: np.random.Generator, dyads: int, sessions: int) -> np.ndarray:
    """Return whether each session had a rupture, and whether it had a repair (dyad, session, 2)."""
    rupture = generator.random((dyads, sessions)) < _RUPTURE
    before = np.concatenate([np.zeros((dyads, 1), dtype=bool), rupture[:, :-1]], axis=1)
    return np.stack([rupture, before & (generator.random((dyads, sessions)) < _REPAIR)], axis=-1)


def _states(plan: Plan, truth: dict[str, float], starts: np.ndarray, happened: np.ndarray, seed: int) -> np.ndarray:
    """Return the states at starts and ends of sessions, alternating (dyad, moment, state)."""
    process = plan.process_model(truth)
    edges = np.stack([starts, starts + _LENGTH_MINUTES / 1440], axis=2).reshape(len(starts), -1)
    steps = np.diff(edges, axis=1, prepend=edges[:, :1]).round(9)
    gates = np.tile([False, True], steps.shape[1] // 2)[None].repeat(len(steps), axis=0)
    keys, pair = np.unique(np.stack([gates.ravel(), steps.ravel()], axis=1), axis=0, return_inverse=True)
    event = np.zeros((*edges.shape, len(plan.events)))
    for place, entry in enumerate(plan.events):
        event[:, ::2, place] = happened[..., ("rupture", "repair").index(str(entry.event))]
    norm = float(jnp.max(jnp.sum(jnp.abs(process.jacobian(1.0)), axis=1)))
    line = (jnp.asarray(pair.reshape(edges.shape)), jnp.asarray(keys[:, 0] > 0), jnp.asarray(keys[:, 1]))
    depth = doublings(float(steps.max()), norm)
    return np.asarray(sample_paths(jax.random.key(seed), process, *line, jnp.asarray(event), depth))


def _rows(
    generator: np.random.Generator, plan: Plan, states: np.ndarray, truth: dict[str, float], d: int, s: int
) -> list[dict[str, object]]:
    """Return the rows of measurements.tsv of one session."""
    rows = []
    for name, (quantity, person, (low, high), middle, points, _) in _SCALES.items():
        place = [(entry.variable.measured_as, entry.person) for entry in plan.states].index((quantity, person))
        score = (
            states[d, 2 * s + (quantity == "alliance"), place] + truth[f"error_{name}"] * generator.standard_normal()
        )
        if generator.random() < _MISSING:
            continue
        key = {"dyad": f"D{d + 1:02d}", "participant_id": f"{person[0].upper()}{d + 1:02d}", "session": s + 1}
        phase = "before" if quantity == "symptoms" else "after"
        value = f"{np.clip(np.round(middle + points * score), low, high):.0f}"
        rows.append({**key, "phase": phase, "indicator": name, "value": value})
    return rows


def _people(dyads: int, therapist: np.ndarray) -> list[dict[str, object]]:
    return [
        {
            "participant_id": f"{role[0].upper()}{d + 1:02d}",
            "dyad": f"D{d + 1:02d}",
            "role": role,
            "therapist": f"H{therapist[d] + 1}" if role == "patient" else "",
        }
        for d in range(dyads)
        for role in ("patient", "therapist")
    ]


def _calendar(starts: np.ndarray, happened: np.ndarray) -> list[dict[str, object]]:
    return [
        {
            "dyad": f"D{d + 1:02d}",
            "session": s + 1,
            "start": float(starts[d, s]),
            "length_min": _LENGTH_MINUTES,
            "events": "; ".join(np.array(["rupture", "repair"])[happened[d, s]]),
        }
        for d, s in np.ndindex(*starts.shape)
    ]
