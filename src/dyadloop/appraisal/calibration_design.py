"""The study whose moments a calibration simulates, where nobody names one: what a theory can be measured by."""

from pathlib import Path

import numpy as np

from dyadloop.data import Study, StudyInfo, read_study, write_study
from dyadloop.simulation import simulate_study
from dyadloop.theory import Theory
from dyadloop.units import days

_EVENTS = 0.2  # share of sessions with each event of a theory
_PER_CHANGE = 0.5  # distance of occasions in time constants, where a theory names no rhythm


def design_of(theory: Theory, folder: Path, dyads: int, sessions: int, seed: int) -> Study:
    """Write and read a study with a fitting design; its values play no role.

    With oxytocin or components of the framework it has saliva before and after some sessions and ratings after all.
    Any other theory is measured by one answer per variable and person, all given at one moment, as often as the theory
    meets or, where it does not say, twice per time constant; each event of the theory takes place in a fifth of the
    sessions.

    Parameters
    ----------
    theory
        Theory in its linear form.
    folder
        Folder to write to.
    dyads, sessions
        Numbers of both.
    seed
        Seed of the random numbers.
    """
    if any(v.id == "oxytocin" or (v.kind == "component" and v.quantity is None) for v in theory.variables):
        return read_study(simulate_study(folder, theory=theory, seed=seed))
    states = [v for v in theory.active().variables if v.dynamics == "state" and v.kind != "factor"]
    rng = np.random.default_rng(seed)
    protocol = theory.protocol
    length = 0.0 if protocol is None else protocol.length_minutes
    taus = [days(v.time_constant.value, v.time_constant.unit) for v in states if v.time_constant is not None]
    gap = _PER_CHANGE * float(np.median(taus)) if protocol is None else protocol.every_days
    starts = np.cumsum(gap * rng.uniform(0.7, 1.3, size=(dyads, sessions)), axis=1)
    answers = [
        (v.id if len(v.persons) == 1 else f"{v.id}_{person}", v, "patient" if person == "dyad" else person)
        for v in states
        for person in v.persons
    ]
    info = {
        "schema_version": 1,
        "name": "design",
        "title": "SIMULATED design of a calibration",
        "licence": "CC0-1.0",
        "simulated": True,
        "indicators": {
            name: {"quantity": v.measured_as, "person": person, "unit": "points"} for name, v, person in answers
        },
    }
    events = sorted({entry.event for entry in theory.inputs if entry.event is not None})
    roles = sorted({"patient", *(person for _, _, person in answers)})
    people = [{"participant_id": f"{role[0].upper()}{d}", "dyad": f"D{d:03d}", "role": role}
              for d in range(dyads) for role in roles]  # fmt: skip
    calendar, rows = [], []
    for d, s in np.ndindex(dyads, sessions):
        given = [name for name in events if rng.random() < _EVENTS]
        key = {"dyad": f"D{d:03d}", "session": s + 1}
        calendar.append(key | {"start": f"{starts[d, s]:.6f}", "length_min": length, "events": "; ".join(given)})
        for name, _, person in answers:
            about = {"participant_id": f"{person[0].upper()}{d}", "phase": "after", "indicator": name}
            rows.append(key | about | {"value": f"{rng.normal():.6f}"})
    return read_study(write_study(folder, StudyInfo.model_validate(info), people, calendar, rows))
