"""What a fitted model implies for another calendar, another event, or without some of its arrows."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatch

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr

from dyadloop.appraisal.replication import thinned
from dyadloop.errors import FitError
from dyadloop.inference.cache import made_once
from dyadloop.inference.problem import Problem
from dyadloop.inference.randomised import PREFIX, contrasted
from dyadloop.inference.result import problem_of
from dyadloop.likelihood.joint_filter import predicted
from dyadloop.likelihood.panel import distinct_intervals
from dyadloop.likelihood.programs import program
from dyadloop.likelihood.propagation import STEPS
from dyadloop.model import ProcessModel, doublings, moves
from dyadloop.theory import Protocol, protocol
from dyadloop.units import duration as days_of

SESSIONS = 16
"""Sessions of a baseline."""
QUANTILES = (0.055, 0.5, 0.945)
NOTE = (
    "model-implied: what would follow if the fitted arrows were causes and stayed what they are; a common cause leaves "
    "the same trace in passive data and would follow none of this"
)
_ROUNDING = 1e-9  # what two solutions of the same equations may differ by, relative to their size
_FASTEST_NORM = 5000.0  # [1/d]: time constants of minutes with couplings


def whatif(
    post: xr.DataTree,
    scenario: Protocol | None = None,
    *,
    baseline: Protocol | None = None,
    cut: Sequence[str] = (),
    n_draws: int = 400,
) -> xr.Dataset:
    """Return the mean course of a dyad of the fitted population under a scenario, beside a baseline.

    Parameters
    ----------
    post
        Result of :func:`dyadloop.fit`.
    scenario
        Calendar and events of the scenario; default: those of the baseline.
    baseline
        Default: 16 sessions in the rhythm of the study, without events.
    cut
        Arrows that the scenario lacks: ids or patterns of couplings (``w_*``), or a variable, whose arrows all go.
    n_draws
        Draws of the parameters.

    Returns
    -------
    xarray.Dataset
        ``baseline``, ``scenario`` and ``difference`` (quantile, time, state) at the session starts of the baseline and
        one interval after its last, as deviations from the person's own mean in the units of the states;
        ``p_positive`` (time, state) of the difference, NaN where nothing differs; ``days`` (time). Attributes: ``note``
        says what it rests on, ``unmoved`` names the states that the scenario does not reach.

    Raises
    ------
    FitError
        If nothing differs or can differ, an arrow or an event is unknown to the fit, an event is not at the start of a
        session, or the study has no rhythm and no baseline is given.

    Examples
    --------
    >>> found = dl.whatif(dl.load_result("results/example"), dl.protocol(32, "3.5 d"), n_draws=50)
    >>> sorted(found.data_vars)
    ['baseline', 'days', 'difference', 'p_positive', 'scenario']
    """
    problem = problem_of(post)
    baseline = baseline or calendars(post)[1]
    scenario = scenario or baseline
    gone = _arrows(problem, cut)
    if scenario == baseline and not gone:
        raise FitError("the scenario is the baseline; change its calendar or events, or cut an arrow")
    if not gone and not _depends(problem, scenario, baseline):
        raise FitError(
            "no arrow of this fit acts in sessions alone and no session acts on a state, so their number, distance and "
            "length change nothing; ask for an event or cut an arrow, or fit a theory with arrows of `gate: session`"
        )
    days = np.append(baseline.starts(), baseline.starts()[-1] + baseline.every_days)
    draws = {name: jnp.asarray(values) for name, values in thinned(post, n_draws).items()}
    without = {name: values * (0.0 if name.removeprefix(PREFIX) in gone else 1.0) for name, values in draws.items()}
    one, other = _courses(problem, baseline, days, draws), _courses(problem, scenario, days, without)
    gap = other - one
    gap[np.abs(gap) <= _ROUNDING * (np.abs(one) + np.abs(other) + 1.0)] = 0.0
    same = (gap == 0).all(axis=0)
    dims = ("quantile", "time", "state")
    data = {
        name: (dims, np.quantile(values, QUANTILES, axis=0))
        for name, values in (("baseline", one), ("scenario", other), ("difference", gap))
    }
    moved = {target for _, target in contrasted(problem.plan, problem.scores)[0]}
    found = xr.Dataset(
        data
        | {
            "p_positive": (dims[1:], np.where(same, np.nan, (gap > 0).mean(axis=0))),
            "days": ("time", days, {"units": "d"}),
        },
        coords={"quantile": list(QUANTILES), "state": list(problem.plan.names)},
    )
    found.attrs = {
        "study": post.attrs["study"],
        "hypothesis": post.attrs["hypothesis"],
        "cut": ", ".join(sorted(gone)),
        "unmoved": ", ".join(np.array(problem.plan.names)[same.all(axis=0)].tolist()),
        "note": NOTE + (f"; moved by randomised events in this study: {', '.join(sorted(moved))}" if moved else ""),
    }
    return found


def _depends(problem: Problem, scenario: Protocol, baseline: Protocol) -> bool:
    """Say whether a scenario that cuts nothing can differ: by its events, or by what acts in sessions alone."""
    gated = any(coupling.gate == "session" for coupling in problem.plan.couplings)
    acts = any(entry.kind == "session" for entry in problem.plan.inputs)
    return gated or acts or scenario.happening(0) != baseline.happening(0)


def calendars(
    post: xr.DataTree,
    every: str | None = None,
    length: str | None = None,
    sessions: int | None = None,
    events: Sequence[dict] = (),
) -> tuple[Protocol, Protocol]:
    """Return a scenario that differs from the rhythm of the study where an argument is given, and that schedule.

    Raises
    ------
    FitError
        If the study has no schedule.
    """
    schedule = problem_of(post).schedule
    if schedule is None:
        raise FitError("no dyad has two sessions with a length, so the study has no rhythm to start from")
    usual = f"{schedule.interval_days!r} d", f"{schedule.session_days!r} d"
    baseline = protocol(SESSIONS, *usual)
    distance = days_of(every or usual[0])
    enough = max(1, math.ceil(SESSIONS * schedule.interval_days / distance - 1e-9))
    scenario = protocol(sessions or enough, every or usual[0], length or usual[1], events=events)
    return (baseline if scenario == baseline else scenario), baseline


def _arrows(problem: Problem, cut: Sequence[str]) -> set[str]:
    """Return the couplings that patterns or variables name."""
    gone: set[str] = set()
    for entry in cut:
        found = {c.id for c in problem.plan.couplings if fnmatch(c.id, entry) or entry in c.sources}
        if not found:
            known = ", ".join(coupling.id for coupling in problem.plan.couplings) or "none"
            raise FitError(f"{entry!r} is no arrow of this fit and no variable with one; arrows: {known}")
        gone |= found
    return gone


def _courses(problem: Problem, calendar: Protocol, days: np.ndarray, draws: Mapping[str, jax.Array]) -> np.ndarray:
    """Return the mean course at some days, draw by draw (draw, time, state)."""
    starts, lengths = np.array(calendar.starts()), np.array(calendar.lengths())
    times = np.unique(np.concatenate([starts, starts + lengths, days]))
    middles = (times[1:] + times[:-1]) / 2
    inside = np.append(False, ((middles[:, None] > starts) & (middles[:, None] < starts + lengths)).any(axis=1))
    pair, gates, durations = distinct_intervals(times[None], inside[None])
    amounts = _amounts(problem, calendar, times)
    run = _travelling(problem, doublings(float(durations.max()), _FASTEST_NORM))
    kept = np.searchsorted(times, days)
    return np.asarray(run(dict(draws), *map(jnp.asarray, (pair[0], gates, durations, amounts, kept))))


@made_once
def _travelling(problem: Problem, n_doublings: int) -> Callable[..., jax.Array]:
    """Return the program that finds mean courses at many draws, given intervals, events and the moments kept."""
    at_random = np.isin(np.arange(len(problem.plan.events)), problem.randomised.events)

    def course(process: ProcessModel, amounts: jax.Array, calendar: tuple[jax.Array, ...]) -> jax.Array:
        pair, gates, durations = calendar
        steps = moves(process, gates, durations, n_doublings, STEPS)
        nothing_else = jnp.zeros(0), jnp.zeros((0, 0))

        def advance(
            belief: tuple[jax.Array, jax.Array], now: tuple[jax.Array, jax.Array]
        ) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
            index, push = now
            mean, cov, _ = predicted(process, steps, index, *belief, *nothing_else)
            return (mean + push, cov), mean

        start = (process.start, process.start_covariance)
        return jax.lax.scan(advance, start, (pair, amounts @ process.jumps))[1]

    def one(values: dict[str, jax.Array], amounts: jax.Array, calendar: tuple[jax.Array, ...]) -> jax.Array:
        natural = course(problem.plan.process_model(values), amounts * ~at_random, calendar)
        if problem.randomised.plan is None:
            return natural
        # what randomised events do travels on the arrows that rest on them
        own = problem.randomised.plan.process_model(problem.randomised.values(values))
        return natural + course(replace(own, start=jnp.zeros_like(own.start)), amounts * at_random, calendar)

    return program(
        lambda draws, pair, gates, durations, amounts, kept: jax.lax.map(
            lambda values: one(values, amounts, (pair, gates, durations))[kept], draws
        )
    )


def _amounts(problem: Problem, calendar: Protocol, times: np.ndarray) -> np.ndarray:
    """Return the amount of each event of the fit at each moment."""
    names = [entry.event for entry in problem.plan.events]
    amounts = np.zeros((len(times), len(names)))
    for when, name, amount in calendar.happening(0):
        if name not in names:
            raise FitError(
                f"event {name!r} did not occur in this study, so its effect was not estimated; "
                f"known: {', '.join(map(str, names)) or 'none'}"
            )
        place = int(np.argmin(np.abs(times - when)))
        if times[place] != when or when not in calendar.starts():
            raise FitError(f"event {name!r} at day {when:g}: events of a fit act at the start of a session")
        amounts[place, names.index(name)] += amount
    return amounts
