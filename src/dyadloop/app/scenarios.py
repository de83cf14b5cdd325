"""A scenario as the page names it: a theory with other numbers, and a protocol; and the Python that says the same."""

import json
from typing import Annotated, Any

from pydantic import Field

from dyadloop.app.requests import Body, Explorer
from dyadloop.app.theories import Choice, chosen
from dyadloop.errors import TheoryError
from dyadloop.simulation import AverageDyad
from dyadloop.theory import PRESETS, Protocol, Theory, protocol

POINTS = (5, 7)
"""Moments per session and per gap that are kept."""

_DRAWING = """
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

shown = SHOWN
days = courses["days"].values[0]
figure, axes = plt.subplots(len(shown), figsize=(7, 2 * len(shown)), sharex=True, squeeze=False)
tables = []
for name, axis in zip(shown, axes[:, 0]):
    levels = [0.055, 0.25, 0.5, 0.75, 0.945]
    low_89, low_50, median, high_50, high_89 = np.nanquantile(courses[name].values, levels, axis=0)
    axis.fill_between(days, low_89, high_89, alpha=0.15, color="tab:blue", linewidth=0)
    axis.fill_between(days, low_50, high_50, alpha=0.3, color="tab:blue", linewidth=0)
    axis.plot(days, median, color="tab:blue")
    axis.set_title(f"SIMULATED {name}", loc="left", fontsize="small")
    columns = {"low_89": low_89, "low_50": low_50, "median": median, "high_50": high_50, "high_89": high_89}
    tables.append(pd.DataFrame({"simulated": "SIMULATED", "day": days, "variable": name, **columns}))
axes[-1, 0].set_xlabel("days")
figure.tight_layout()
figure.savefig("simulated-courses.svg")
pd.concat(tables).to_csv("simulated-courses.csv", index=False)
"""
"""What a script does with the courses: the bands and medians that the page shows, as a figure and as a table."""

_ALL = "[name for name, course in courses.data_vars.items() if course.dims == courses.days.dims]"

LENGTHS = (8, 16, 32, 64)
"""Numbers of sessions that share a compiled program; a calendar takes the next one up."""

ONE = {"noise": False, "between": False, "tolerance": 1e-4}
MANY = {"steps": (4, 6)}
"""How the average dyad and how many dyads are simulated; with these steps one lasts 2.5 min in a session of 50 min."""

_PREPARED = 20  # theories whose programs are kept, some MiB each
_SPARE = 24  # stretches for events that split one
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Happening(Body):
    """What happens in some sessions."""

    event: str
    sessions: Annotated[tuple[Annotated[int, Field(ge=1, le=64)], ...], Field(max_length=64)]
    amount: Finite = 1.0
    minutes: Finite = 0.0


class Scenario(Choice):
    """A theory with other numbers and a protocol."""

    values: Annotated[dict[str, Finite], Field(max_length=500)] = Field(default_factory=dict)
    sessions: Annotated[int, Field(ge=1, le=64)] = 16
    every_days: Annotated[float, Field(gt=0, le=365)] = 7.0
    length_minutes: Annotated[float, Field(gt=0, le=1440)] = 50.0
    events: Annotated[tuple[Happening, ...], Field(max_length=40)] = ()


class Asked(Scenario):
    """Courses of a scenario."""

    dyads: Annotated[int, Field(ge=1, le=200)] = 1
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 1
    shown: Annotated[tuple[str, ...], Field(max_length=40)] = ()


def staged(explorer: Explorer, asked: Scenario) -> tuple[Theory, Protocol]:
    """Return the theory under the protocol of a scenario, and the protocol.

    Raises
    ------
    TheoryError
        If the theory has no such event, or the protocol contradicts itself.
    """
    theory, plan = chosen(explorer, asked), calendar(asked)
    known = {entry.event for entry in theory.active().inputs if entry.kind == "event"}
    unknown = sorted({entry.event for entry in asked.events} - known)
    if unknown:
        listed = ", ".join(sorted(str(name) for name in known)) or "none"
        raise TheoryError(f"protocol: got event {', '.join(unknown)}; expected one of {listed}; choose another event")
    return theory.model_copy(update={"protocol": plan}), plan


def calendar(asked: Scenario) -> Protocol:
    """Return the protocol of a scenario.

    Raises
    ------
    TheoryError
        If it contradicts itself.
    """
    return protocol(
        asked.sessions,
        f"{asked.every_days!r} d",
        f"{asked.length_minutes!r} min",
        events=[_event(entry) for entry in asked.events],
    )


def prepared(explorer: Explorer, asked: Scenario) -> AverageDyad:
    """Return the average dyad of the theory of a scenario, the same object, and so program, as long as it is in use."""
    theory = chosen(explorer, asked)
    known: dict[int, tuple[Theory, AverageDyad]] = explorer.kept.setdefault("prepared", {})
    found = known.get(id(theory))
    if found is None:
        while len(known) >= _PREPARED:
            known.pop(next(iter(known)), None)
        found = known.setdefault(id(theory), (theory, AverageDyad(theory, points=POINTS, tolerance=ONE["tolerance"])))
    return found[1]


def _event(entry: Happening) -> dict[str, Any]:
    return entry.model_dump()


def multiple(sessions: int) -> int:
    """Return the number of stretches that calendars of about this length share."""
    room = next(length for length in LENGTHS if sessions <= length)
    return room * sum(POINTS) + _SPARE


def settings(asked: Asked) -> dict[str, Any]:
    """Return what a simulation of a scenario is called with beside theory and protocol."""
    how = ONE if asked.dyads == 1 else MANY
    return {"dyads": asked.dyads, "seed": asked.seed, "values": asked.values, "points": POINTS, **how}


def script(asked: Asked) -> str:
    """Return Python that makes the numbers of a figure."""
    source = asked.theory if asked.theory in PRESETS else "theory.json"
    lines = ["import dyadloop as dl", "", f"theory = dl.read_theory({json.dumps(source)})"]
    if asked.theory not in PRESETS:
        lines[-1] += "  # the theory file that the page offers; numbers and switches are in it"
    elif asked.hypothesis:
        lines.append(f"theory = dl.hypothesis({json.dumps(asked.hypothesis)}, theory)")
    if asked.on and asked.theory in PRESETS:
        lines.append(f"theory = dl.switch_on(theory, {', '.join(map(json.dumps, asked.on))})")
    if asked.patient_only and asked.theory in PRESETS:
        lines.append("theory = dl.patient_only(theory)")
    lines += [
        f"events = {[_event(entry) for entry in asked.events]!r}",
        f'every, length = "{asked.every_days!r} d", "{asked.length_minutes!r} min"',
        f"protocol = dl.protocol({asked.sessions}, every, length, events=events)",
        'theory = theory.model_copy(update={"protocol": protocol})',
        f"values = {asked.values!r}",
        "",
        "# SIMULATED: these courses follow from the theory and are nobody's data",
        "courses = dl.simulate(theory, protocol, values=values, "
        + ", ".join(f"{name}={value!r}" for name, value in settings(asked).items() if name != "values")
        + ")",
        "print(dl.loop_gain(theory, values=values))",
        "",
        *_drawn(asked),
    ]
    return "\n".join(lines) + "\n"


def _drawn(asked: Asked) -> list[str]:
    """Return the lines that draw the figures of the page and write their numbers."""
    text = _DRAWING.replace("SHOWN", repr(list(asked.shown)) if asked.shown else _ALL)
    return text.strip().splitlines()


def theory_file(theory: Theory, values: dict[str, float]) -> str:
    """Return a theory with other numbers as a JSON theory file."""
    found = theory.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    for variable in found["variables"]:
        for name, entry in (("tau", "time_constant"), ("sd", "fluctuation"), *((n, n) for n in _OWN)):
            _set(variable.get(entry), values.get(f"{name}_{variable['id']}"))
    for entry in (*found["couplings"], *found.get("inputs", ())):
        _set(entry["coefficient"], values.get(entry["id"]))
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


_OWN = ("level", "bias", "between", "start")


def _set(number: dict[str, Any] | None, value: float | None) -> None:
    if number is not None and value is not None:
        number["value"] = value
        number["assumed"] = "set by hand in the explorer; before: " + number.get("assumed", "from evidence")
