"""What the page on exploring asks for: courses, gains, branches, synergy, and files to take along. All SIMULATED."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal, TypeVar

import anyio
import numpy as np
from pydantic import Field
from scipy.special import expit
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dyadloop.app.requests import Explorer, answer, content, explorer_of, in_thread, leave_alone, while_asked
from dyadloop.app.scenarios import (
    Asked,
    Finite,
    Scenario,
    calendar,
    multiple,
    prepared,
    script,
    settings,
    staged,
    theory_file,
)
from dyadloop.dynamics import continuation, gains_of_calendar, synergy
from dyadloop.simulation import refuse_unknown, simulate

_LEVELS = (0.055, 0.25, 0.5, 0.75, 0.945)  # median, and the middle 50 and 89 % of the dyads
_BAND = ("low", "lower", "middle", "upper", "high")
Kind = TypeVar("Kind", bound=Scenario)


class Along(Scenario):
    """A branch along a parameter."""

    parameter: str
    low: Finite
    high: Finite
    of: Literal["equilibrium", "calendar"] = "calendar"


class Pair(Scenario):
    """Two components that are pushed, alone and together, from several baselines."""

    first: str
    second: str
    parameter: str
    low: Finite
    high: Finite
    baselines: Annotated[int, Field(ge=2, le=15)] = 7
    response: str = "oxytocin"


def courses(explorer: Explorer, asked: Asked) -> dict[str, Any]:
    """Return the courses of a scenario: of the average dyad, or bands over many."""
    found, lost, moments = _average(explorer, asked) if asked.dyads == 1 else _bands(explorer, asked)
    shown = [name for name in asked.shown if name in found] or list(found)
    variables = [found[name] | {"id": name} for name in shown]
    return {"simulated": True, "dyads": asked.dyads, "lost": lost, **moments, "variables": variables}


def _average(explorer: Explorer, asked: Asked) -> tuple[dict[str, dict], int, dict]:
    """Return the course of the average dyad, for which one program takes all numbers of its theory."""
    average = prepared(explorer, asked)
    course = average.course(calendar(asked), asked.values, seed=asked.seed, multiple=multiple(asked.sessions))
    found = {
        name: {"label": variable.label, "unit": variable.acting_unit, "middle": course.values[name]}
        for name, variable in average.variables.items()
    }
    moments = {"days": course.days, "in_session": course.in_session, "session": course.session}
    return found, int(not course.is_whole), moments


def _bands(explorer: Explorer, asked: Asked) -> tuple[dict[str, dict], int, dict]:
    theory, plan = staged(explorer, asked)
    courses = simulate(theory, plan, multiple=multiple(asked.sessions), **settings(asked))
    names = [str(name) for name in courses.data_vars if not str(name).endswith("_logit")]
    found = {
        name: {"label": courses[name].attrs["long_name"], "unit": courses[name].attrs["units"]}
        | dict(zip(_BAND, quantiles(courses[name].values, _LEVELS), strict=True))
        for name in names
        if not asked.shown or name in asked.shown
    }
    moments = {"days": courses["days"].values[0]} | {name: courses[name].values for name in ("in_session", "session")}
    return found, sum(status != "ok" for status in courses["status"].values.tolist()), moments


def quantiles(values: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Return quantiles over the first axis, level by column, without NaN; a column of nothing else stays NaN."""
    ordered = np.sort(values, axis=0)  # NaN come last
    last = np.maximum((~np.isnan(values)).sum(axis=0) - 1, 0)
    place = np.outer(levels, last)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, last)
    low, high = (np.take_along_axis(ordered, rows, axis=0) for rows in (below, above))
    return low + (high - low) * (place - below)


def loops(explorer: Explorer, asked: Scenario) -> dict[str, Any]:
    """Return the gain matrix at the calendar's fixed point, the loop gain, and that from session to session."""
    theory, _ = staged(explorer, asked)
    if not any(variable.kind == "oxytocin" for variable in theory.active().variables):
        return {"simulated": True, "none": "this theory has no oxytocin, so there is no loop through it"}
    found, real = gains_of_calendar(theory, values=asked.values)
    return {
        "simulated": True,
        "names": found["target"].values.tolist(),
        "gain": found["gain"].values,
        "loop_gain": float(found["continuous_loop_gain"]),
        "session_loop_gain": float(real["session_loop_gain"]),
        "multiplier": float(np.hypot(real["multiplier_real"], real["multiplier_imaginary"]).max()),
        "stable": bool(real["stable"]),
        "kinks": found.attrs["kinks"],
    }


def branch(explorer: Explorer, asked: Along) -> dict[str, Any]:
    """Return a branch along a parameter, with the point at which the scenario is."""
    theory, _ = staged(explorer, asked)
    average = prepared(explorer, asked)
    refuse_unknown(theory.id, average.parameters, [*asked.values, asked.parameter])
    rest = {name: value for name, value in asked.values.items() if name != asked.parameter}
    here = asked.values.get(asked.parameter, average.parameters[asked.parameter].value)
    start = here if asked.low <= here <= asked.high else None
    found = continuation(
        theory, asked.parameter, asked.low, asked.high, of=asked.of, start=start, values=rest, max_points=250
    )
    numbers = found["parameter"].values
    units, state, special = [], found["state"].values.T.copy(), found["special_state"].values.T.copy()
    for row, name in enumerate(found["variable"].values.tolist()):
        units.append(average.variables[name].acting_unit)
        if average.variables[name].link == "logistic":  # as in the courses: a share, not its logit
            state[row], special[row] = expit(state[row]), expit(special[row])
    return {
        "simulated": True,
        "parameter": numbers,
        "stable": found["stable"].values,
        "variables": found["variable"].values.tolist(),
        "units": units,
        "state": state,
        "special": found["special"].values.tolist(),
        "special_parameter": found["special_parameter"].values,
        "special_state": special,
        "here": None if start is None else int(np.argmin(np.abs(numbers - start))),
        "bistable": [found.attrs["bistable_low"], found.attrs["bistable_high"]],
    }


def together(explorer: Explorer, asked: Pair) -> dict[str, Any]:
    """Return by how much two pushes together exceed each null, by dose and baseline."""
    theory, _ = staged(explorer, asked)
    levels = np.linspace(asked.low, asked.high, asked.baselines)
    found = synergy(
        theory, (asked.first, asked.second), doses=(0.5, 1.0, 2.0), response=asked.response,
        baseline=(asked.parameter, levels.tolist()), values=asked.values,
    )  # fmt: skip
    nulls = ("additive", "bliss", "loewe", "hsa")
    return {
        "simulated": True,
        "dose": found["dose"].values,
        "baseline": levels,
        "misleading": found["misleading"].values,
        "nulls": {name: found[name].values for name in nulls},
    }


@asynccontextmanager
async def lifespan(explorer: Explorer) -> AsyncIterator[None]:
    """Let no computation hold up the end of the app."""
    async with anyio.create_task_group() as group:
        group.start_soon(leave_alone, explorer)
        yield
        group.cancel_scope.cancel()


async def _courses(request: Request) -> Response:
    asked, explorer = await content(request, Asked), explorer_of(request)
    room = explorer.quick if asked.dyads == 1 else explorer.room  # a slider never waits behind a branch
    return answer(await while_asked(request, room, lambda: courses(explorer, asked)))


async def _loops(request: Request) -> Response:
    return await _found(request, Scenario, loops)


async def _branch(request: Request) -> Response:
    return await _found(request, Along, branch)


async def _together(request: Request) -> Response:
    return await _found(request, Pair, together)


async def _found(request: Request, model: type[Kind], work: Callable[[Explorer, Kind], dict[str, Any]]) -> Response:
    asked, explorer = await content(request, model), explorer_of(request)
    return answer(await while_asked(request, explorer.room, lambda: work(explorer, asked)))


async def _files(request: Request) -> Response:
    asked, explorer = await content(request, Asked), explorer_of(request)
    theory, _ = await in_thread(explorer, staged, explorer, asked)
    return answer({"python": script(asked), "theory": theory_file(theory, asked.values)})


ROUTES = (
    Route("/api/courses", _courses, methods=["POST"]),
    Route("/api/loops", _loops, methods=["POST"]),
    Route("/api/branch", _branch, methods=["POST"]),
    Route("/api/synergy", _together, methods=["POST"]),
    Route("/api/files", _files, methods=["POST"]),
)
