"""Whether oxytocin has settled by the next moment of a study, so that its time constant leaves no trace.

Couplings act as gains, so where oxytocin is quasi-steady (a gain times its inputs, and noise) nothing else in a fit
depends on how fast it gets there.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from dyadloop.model import Plan
from dyadloop.units import days

SETTLED = 5.0
"""Time constants after which less than 1 % of a deviation is left."""
_SLOW_END = 2.0  # sds of the prior of a time constant above its median
_SAME = 1e-9  # moments closer than this are one [d]


def fixed_at_median(plan: Plan, scores: xr.Dataset, given: set[str]) -> Plan:
    """Return the plan with the time constants held that the study cannot tell.

    An oxytocin variable is quasi-steady if even the slow end of its prior, two sds above the median, lies below a fifth
    of the shortest interval; its time constant is then held at the prior median. It stays free where an event acts on
    oxytocin, for what the event does scales with it, and where a prior is ``given`` for this study.
    """
    shortest = shortest_interval(scores)
    held = []
    for variable in plan.variables:
        name, number = f"tau_{variable.id}", variable.time_constant
        if variable.kind != "oxytocin" or number is None or number.prior is None or name in given:
            continue
        slow = days(number.prior.location * np.exp(_SLOW_END * number.prior.scale), number.unit)
        pushed = any(event.target == variable.id for event in plan.events)
        if shortest >= SETTLED * slow and not pushed:
            held.append((name, float(number.prior.location)))
    return replace(plan, fixed=tuple(held))


def shortest_interval(scores: xr.Dataset) -> float:
    """Return the shortest interval between two moments of a dyad, edges of sessions among them [d]."""
    steps = np.diff(scores["days"].values, axis=1)
    return float(np.min(steps[steps > _SAME], initial=np.inf))


def oxytocin_timescale(plan: Plan, scores: xr.Dataset, priors: pd.DataFrame) -> str:
    """Say whether oxytocin is fitted with its full dynamics or as quasi-steady, and why; empty without oxytocin."""
    said, shortest = [], shortest_interval(scores)
    held = dict(plan.fixed)
    for variable in plan.variables:
        name, number = f"tau_{variable.id}", variable.time_constant
        if variable.kind != "oxytocin" or number is None:
            continue
        median = held[name] if name in held else float(priors["location"][name])
        ratio = shortest / days(median, number.unit)
        about = (
            f"the shortest interval is {ratio:.2g} of its time constants "
            f"({median:g} {number.unit}, a half-life of {np.log(2) * median:.2g} {number.unit})"
        )
        said.append(
            f"{variable.id} is fitted as quasi-steady: {about}, so {name} is held at the median of its prior"
            if name in held
            else f"{variable.id} is fitted with its full dynamics: {about}"
        )
    return "; ".join(said)
