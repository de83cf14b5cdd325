"""What the page on exploring asks for: courses, gains, branches, synergy, and files to take along. All SIMULATED."""

from typing import Annotated, Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dyadloop.app.requests import Explorer, answer, content, explorer_of, in_thread
from dyadloop.app.scenarios import Asked, Finite, Scenario, multiple, script, settings, staged, theory_file
from dyadloop.dynamics import continuation, gains, session_map, synergy
from dyadloop.simulation import simulate

_LEVELS = (0.055, 0.25, 0.5, 0.75, 0.945)  # median, and the middle 50 and 89 % of the dyads


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
    theory, plan = staged(explorer, asked)
    found = simulate(theory, plan, multiple=multiple(asked.sessions), **settings(asked))
    names = [str(name) for name in found.data_vars if not str(name).endswith("_logit")]
    shown = [name for name in asked.shown if name in names] or names
    return {
        "simulated": True,
        "dyads": asked.dyads,
        "lost": sum(status != "ok" for status in found["status"].values.tolist()),
        "days": found["days"].values[0],
        "in_session": found["in_session"].values,
        "session": found["session"].values,
        "variables": [_course(found[name], name) for name in shown],
    }


def _course(course: xr.DataArray, name: str) -> dict[str, Any]:
    values = course.values
    known = {"id": name, "label": course.attrs["long_name"], "unit": course.attrs["units"]}
    if len(values) == 1:
        return known | {"middle": values[0]}
    present = ~np.isnan(values).all(axis=0)
    bands = np.full((len(_LEVELS), values.shape[1]), np.nan)
    bands[:, present] = np.nanquantile(values[:, present], _LEVELS, axis=0)
    names = ("low", "lower", "middle", "upper", "high")
    return known | dict(zip(names, bands, strict=True))


def loops(explorer: Explorer, asked: Scenario) -> dict[str, Any]:
    """Return the gain matrix at the calendar's fixed point, the loop gain, and that from session to session."""
    theory, _ = staged(explorer, asked)
    if not any(variable.kind == "oxytocin" for variable in theory.active().variables):
        return {"simulated": True, "none": "this theory has no oxytocin, so there is no loop through it"}
    found, real = gains(theory, values=asked.values), session_map(theory, values=asked.values)
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
    rest = {name: value for name, value in asked.values.items() if name != asked.parameter}
    here = asked.values.get(asked.parameter)
    start = here if here is not None and asked.low <= here <= asked.high else None
    found = continuation(
        theory, asked.parameter, asked.low, asked.high, of=asked.of, start=start, values=rest, max_points=250
    )
    numbers = found["parameter"].values
    at = int(np.argmin(np.abs(numbers - (asked.low if here is None else here))))
    return {
        "simulated": True,
        "parameter": numbers,
        "stable": found["stable"].values,
        "variables": found["variable"].values.tolist(),
        "state": found["state"].values.T,
        "special": found["special"].values.tolist(),
        "special_parameter": found["special_parameter"].values,
        "special_state": found["special_state"].values.T,
        "here": at,
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


async def _courses(request: Request) -> Response:
    asked, explorer = await content(request, Asked), explorer_of(request)
    return answer(await in_thread(explorer, courses, explorer, asked))


async def _loops(request: Request) -> Response:
    asked, explorer = await content(request, Scenario), explorer_of(request)
    return answer(await in_thread(explorer, loops, explorer, asked))


async def _branch(request: Request) -> Response:
    asked, explorer = await content(request, Along), explorer_of(request)
    return answer(await in_thread(explorer, branch, explorer, asked))


async def _together(request: Request) -> Response:
    asked, explorer = await content(request, Pair), explorer_of(request)
    return answer(await in_thread(explorer, together, explorer, asked))


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
