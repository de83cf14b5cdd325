"""What randomised events do, told apart from what happens by itself.

In a linear theory the states are the sum of two parts. One follows its own noise and starts; its arrows, and those of
every common cause that the theory knows, take up every association, whatever made it. The other answers to randomised
events alone and nothing else reaches it; its arrows (``randomised_`` and the name of the arrow) rest on the randomised
contrast, as in an instrumental variable. The event is assumed to reach the rest of the theory through the variable that
it acts on.

References
----------
.. [1] Angrist, Imbens & Rubin (1996), instrumental variables. doi:10.1080/01621459.1996.10476902
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Bool, Float

from dyadloop.inference.assignment import balance_fault, course_fault, covariate_faults, season_fault
from dyadloop.likelihood.panel import Panel
from dyadloop.likelihood.propagation import panel_transitions
from dyadloop.model import Plan, Transition
from dyadloop.theory import Coupling, Quantity, Theory, hypothesis, switch_on

PREFIX = "randomised_"
MIN_SESSIONS = 5  # with and without an event, below which a contrast is an anecdote
MIN_DYADS = 3  # that had some sessions with and some without
MIN_ARM = 5  # dyads with and dyads without, where each dyad had all or none


@dataclass(frozen=True)
class Randomised:
    """The part of a fit that answers to randomised events.

    ``plan`` holds all arrows on which their effect can travel, those that the fitted hypothesis excludes included;
    ``events`` are the places of the randomised events among those of the fit, ``variables`` what each acts on;
    ``untold`` are variables that a randomised event acts on and no arrow rests on, each with the reason.
    """

    plan: Plan | None = None
    events: tuple[int, ...] = ()
    variables: tuple[str, ...] = ()
    arrows: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    untold: tuple[tuple[str, str], ...] = ()

    def parameters(self) -> dict[str, Quantity]:
        """Return the arrows of this part by name; each has the prior of its namesake."""
        if self.plan is None:
            return {}
        return {PREFIX + c.id: c.coefficient for c in self.plan.couplings if c.id in self.arrows}

    def values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return parameter values in which the arrows are those that rest on randomised events, else 0."""
        if self.plan is None:
            return dict(values)
        none = {c.id: jnp.zeros(()) for c in self.plan.couplings}
        return {**values, **none, **{name: values[PREFIX + name] for name in self.arrows}}

    def natural(self, panel: Panel) -> Panel:
        """Return the panel with what was to be expected of the randomised events in their place."""
        if not self.events:
            return panel
        places = jnp.array(self.events)
        return replace(panel, event=panel.event.at[..., places].set(self._expected(panel)))

    def _expected(self, panel: Panel) -> Float[Array, "dyad time event"]:
        assert panel.expected_event is not None  # as in every panel of a study with events
        return panel.expected_event[..., jnp.array(self.events)]

    def response(
        self, values: Mapping[str, Any], own: Mapping[str, Array], panel: Panel
    ) -> Float[Array, "dyad time state"] | float:
        """Return by how much randomised events have moved the states of each dyad at each time, beyond expectation.

        An event counts by what its amount differs from the mean over all dyads in the same session: a change that all
        share, such as the course of a therapy, cannot pass for its effect.

        ``own`` holds the parameters that have a value per dyad, since therapists differ in them; arrows are those of
        this part, which are the same for all.
        """
        if self.plan is None:
            return 0.0
        arrows = {coupling.id for coupling in self.plan.couplings}
        kept = {name: value for name, value in own.items() if name in self.plan.parameters() and name not in arrows}
        process = self.plan.process_by_dyad(self.values(values), kept)
        steps, axis, pair = panel_transitions(process, panel)
        assert isinstance(steps, Transition)
        n_dyads = pair.shape[0]
        whose = pair if axis is None else (jnp.arange(n_dyads)[:, None], pair)
        places = jnp.array(self.events)
        by_chance = panel.event[..., places] - self._expected(panel)
        given = jnp.zeros_like(panel.event).at[..., places].set(by_chance)
        jumps = jnp.einsum("dte,des->dts", given, jnp.broadcast_to(process.jumps, (n_dyads, *process.jumps.shape[-2:])))

        def advance(state: Array, now: tuple[Array, Array]) -> tuple[Array, Array]:
            matrix, jump = now
            moved = jnp.einsum("dij,dj->di", matrix, state)
            return moved + jump, moved

        sequence = (jnp.moveaxis(steps.matrix[whose], 1, 0), jnp.moveaxis(jumps, 1, 0))
        return jnp.moveaxis(jax.lax.scan(advance, jnp.zeros(jumps[:, 0].shape), sequence)[1], 0, 1)


def randomised(theory: Theory, plan: Plan, scores: xr.Dataset) -> Randomised:
    """Return the part of a fit that answers to the randomised events of a study.

    Parameters
    ----------
    theory
        Theory in its linear form.
    plan
        What is fitted.
    scores
        Result of :func:`dyadloop.scale_scores`.
    """
    kept, left_out = contrasted(plan, scores)
    if kept and not plan.is_linear:
        why = "a theory that is not linear cannot tell what randomised events do from what happens by itself"
        return Randomised(left_out=(*left_out, f"{why}: it supports no claim about what they act on"))
    if not kept:
        return Randomised(left_out=left_out)
    couplings = _couplings(theory, plan)
    arrows = _reached(couplings, {target for _, target in kept})
    whole = replace(plan, couplings=couplings, inputs=plan.events)
    places, targets = zip(*kept, strict=True)
    return Randomised(whole, places, targets, tuple(c.id for c in couplings if c.id in arrows), left_out)


def of_partners(plan: Plan, scores: xr.Dataset) -> Randomised:
    """Return the part of partners whom nothing tells apart: none, with the reason for each randomised event."""
    names = {str(name) for name in scores["event"].values[scores["event_randomised"].values > 0]}
    acting = [entry for entry in plan.events if entry.event in names]
    why = (
        "acts on partners whom nothing tells apart (`exchangeable`), so what it does to one is not told from the other"
    )
    left_out = dict.fromkeys(f"randomised event {entry.event!r} {why}: it supports no claim" for entry in acting)
    untold = {entry.target: f"{entry.event} {why}" for entry in acting}
    return Randomised(left_out=tuple(left_out), untold=tuple(untold.items()))


def confounded(theory: Theory, plan: Plan) -> Theory:
    """Return the fitted theory with every common cause that it knows, whatever its hypothesis says of it.

    What happens by itself may have a cause that nobody measured (M6). Its arrows belong to that part alone, so that
    neither the arrows of the theory nor the standard errors of what randomised events do have to make up for it.
    """
    fitted = theory
    if theory.hypothesis is None and plan.theory.hypothesis is not None:
        fitted = hypothesis(plan.theory.hypothesis, theory)
    groups = {v.group for v in fitted.of_kind("factor") if v.dynamics == "state" and v.group is not None}
    return switch_on(fitted, *sorted(groups - set(fitted.switched_on)))


def contrasted(plan: Plan, scores: xr.Dataset) -> tuple[list[tuple[int, str]], tuple[str, ...]]:
    """Return place and variable of each randomised event that makes a contrast, and why others make none, in words."""
    names = {str(name) for name in scores["event"].values[scores["event_randomised"].values > 0]}
    kept, left_out = [], []
    for place, entry in enumerate(plan.events):
        if entry.event not in names:
            continue
        acts_on = [other.target for other in plan.events if other.event == entry.event]
        fault = contrast_fault(scores, str(entry.event))
        if len(acts_on) > 1:
            fault = fault or f"acts on {' and '.join(acts_on)} at once, so it identifies the effect of neither"
        if fault:
            left_out.append(f"randomised event {entry.event!r} {fault}: it supports no claim")
        else:
            kept.append((place, entry.target))
    return kept, tuple(left_out)


def randomised_covariates(scores: xr.Dataset) -> set[str]:
    """Return the randomised covariates, such as the arm of a trial, whose effects were identified by chance."""
    declared = scores["covariate"].values[scores["covariate_randomised"].values > 0].tolist()
    return set(map(str, declared)) - set(covariate_faults(scores, MIN_ARM))


def _couplings(theory: Theory, plan: Plan) -> tuple[Coupling, ...]:
    """Return the linear arrows between what is fitted, in no hypothesis or in the one that is fitted."""
    known = {state.variable.id for state in plan.states if state.variable.kind != "factor"}
    excluded = [c for c in theory.excluded if c.group is None or c.group in theory.switched_on]
    every = {c.id: c for c in (*theory.active().couplings, *excluded, *plan.couplings) if c.is_linear}
    return tuple(c for c in every.values() if {*c.sources, c.target} <= known)


def _reached(couplings: tuple[Coupling, ...], start: set[str]) -> set[str]:
    """Return the arrows on which something can travel from some variables."""
    reached, arrows = set(start), set()
    while True:
        new = {c.id for c in couplings if set(c.sources) <= reached} - arrows
        if not new:
            return arrows
        arrows |= new
        reached |= {c.target for c in couplings if c.id in new}


def contrast_fault(scores: xr.Dataset, event: str) -> str:
    """Return why a randomised event makes no contrast, in words; empty where it makes one.

    An event needs sessions with and without it in several dyads, or several dyads with and several without it, and
    within dyads it may not follow from the number of the session, as it does when everybody's second half has it.
    """
    given, held, followed = _sessions(scores, event)
    with_it, without = int((given & held).sum()), int((~given & held).sum())
    if min(with_it, without) < MIN_SESSIONS:
        return f"was given in {with_it} sessions and not in {without}; it takes {MIN_SESSIONS} of each"
    if followed < MIN_SESSIONS:
        return f"was followed by a measurement in {followed} sessions; it takes {MIN_SESSIONS}"
    some, every = (given & held).any(axis=1), (given | ~held).all(axis=1) & held.any(axis=1)
    both, neither = some & ~every, ~some & held.any(axis=1)
    if fault := balance_fault(scores, given, held) or season_fault(scores, given, held):
        return fault
    if min(int(some.sum()), int(neither.sum())) >= MIN_ARM:
        return ""
    if int(both.sum()) < MIN_DYADS:
        return (
            f"was given and not given within {int(both.sum())} dyads, and to {int(some.sum())} dyads against "
            f"{int(neither.sum())}; it takes {MIN_DYADS} within or {MIN_ARM} of each"
        )
    return course_fault(scores, given, held)


def _sessions(
    scores: xr.Dataset, event: str
) -> tuple[Bool[np.ndarray, "dyad session"], Bool[np.ndarray, "dyad session"], int]:
    """Return where an event was given, where there was a session, and after how many events something was measured."""
    amount = scores["amount"].sel(event=event).values
    number, days = scores["session"].values, scores["days"].values
    seen = np.asarray(np.isfinite(scores["score"].values).any(axis=2))
    n_dyads, n_sessions = len(amount), int(number.max(initial=0))
    given, held = (np.zeros((n_dyads, n_sessions), dtype=bool) for _ in range(2))
    followed = 0
    for dyad in range(n_dyads):
        here = number[dyad][(number[dyad] > 0) & np.isfinite(days[dyad])]
        held[dyad, np.unique(here) - 1] = True
        places = np.flatnonzero(np.nan_to_num(amount[dyad]) != 0)
        given[dyad, np.unique(number[dyad, places][number[dyad, places] > 0]) - 1] = True
        ends = [*places, len(days[dyad])][1:] if len(places) else []
        followed += sum(bool(seen[dyad, a + 1 : b + 1].any()) for a, b in zip(places, ends, strict=True))
    return given, held, followed
