"""The quantities that the claims are about, as functions of a process model, or why a study cannot tell them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array

from dyadloop import dynamics
from dyadloop.estimands.absence import why_absent
from dyadloop.inference.cache import made_once
from dyadloop.inference.problem import Problem
from dyadloop.inference.randomised import randomised_covariates
from dyadloop.likelihood.programs import program
from dyadloop.theory import Claim, Coupling
from dyadloop.theory.formula import coefficients_of

Values = dict[str, Array]
Estimand = Callable[[Values], Array]

OXYTOCIN = "oxytocin"
ROUNDING = 1e-9
"""An estimand whose draws differ by less is one number: the hypothesis has no arrow that could move it."""
_BATCH = 250  # draws evaluated at once: bounds the memory of a long posterior


@dataclass(frozen=True)
class Untestable:
    """Why a claim cannot be tested with a study, and which variables that it needs are not measured."""

    reason: str
    missing: tuple[str, ...] = ()


class Compiled:
    """An estimand whose program over many draws is kept, so that studies of one design share it."""

    def __init__(self, function: Estimand) -> None:
        self.function = function
        self.over_draws = program(jax.vmap(function))
        self.known: dict[str, np.ndarray] = {}

    def __call__(self, values: Values) -> Array:
        """Return the estimand at one draw."""
        return self.function(values)


def estimand(
    problem: Problem, claim: Claim, subject: str, sources: frozenset[str] | None = None, *, by_events: bool = False
) -> Estimand | Untestable:
    """Return the estimand of a claim about ``subject`` (a component or symptom), or why there is none.

    ``sources`` are the components whose effects a sum takes in; default: all that are measured. ``pushed`` asks for the
    estimand of the randomised part, whose arrows rest on randomised events alone.
    """
    chosen = _components(problem) if sources is None else sources
    return _compiled(problem, claim.estimand, claim.formula.format(id=subject), subject, chosen, by_events)


@made_once
def _compiled(
    problem: Problem, kind: str, formula: str, subject: str, sources: frozenset[str], by_events: bool
) -> Estimand | Untestable:
    """Return an estimand with its program over many draws, or why there is none."""
    asked = problem.of_randomised() if by_events else problem
    found = _coefficient(asked, formula) if kind == "coefficient" else _ESTIMANDS[kind](asked, subject, sources)
    return found if isinstance(found, Untestable) else Compiled(_over(problem, found, by_events))


def _over(problem: Problem, function: Estimand, by_events: bool) -> Estimand:
    """Return a function of the parameters of a fit."""
    part = problem.randomised
    return (lambda values: function(part.values(values))) if by_events else function


def draws_of(function: Estimand, *groups: xr.Dataset) -> list[np.ndarray]:
    """Evaluate an estimand at all draws of posterior or prior groups; flat, chain by chain, one array per group.

    What a compiled estimand is at a group with the attribute ``kept``, a name, is evaluated once.
    """
    first, *others = groups
    if isinstance(function, Compiled) and others and "kept" in first.attrs:
        name = str(first.attrs["kept"])
        if name not in function.known:
            function.known[name] = draws_of(function, first)[0]
        return [function.known[name], *draws_of(function, *others)]
    names = [str(name) for name in first.data_vars]
    sizes = [int(np.prod(list(group.sizes.values()))) for group in groups]
    # variables rather than labelled arrays, which take a tenth of a millisecond each to make
    flat = {name: np.concatenate([group.variables[name].values.ravel() for group in groups]) for name in names}
    # the last batch is filled up, so that one program does for all of them
    places = np.resize(np.arange(sum(sizes)), -(-sum(sizes) // _BATCH) * _BATCH)
    batch = over_draws(function)
    parts = [
        np.asarray(batch(cast("Values", {name: values[rows] for name, values in flat.items()})))
        for rows in places.reshape(-1, _BATCH)
    ]
    return np.split(np.concatenate(parts)[: sum(sizes)], np.cumsum(sizes)[:-1])


def over_draws(function: Estimand) -> Callable[[Values], Array]:
    """Return the program that evaluates an estimand at many draws."""
    return function.over_draws if isinstance(function, Compiled) else program(jax.vmap(function))


def _labels(problem: Problem) -> dict[str, str]:
    return {variable.id: variable.label for variable in problem.plan.theory.variables}


def _has(problem: Problem, kind: str) -> list[str]:
    return [state.id for state in problem.plan.states if state.variable.kind == kind]


def _components(problem: Problem) -> frozenset[str]:
    return frozenset(state.variable.id for state in problem.plan.states if state.variable.kind == "component")


def _states(problem: Problem, variables: frozenset[str]) -> frozenset[str]:
    return frozenset(state.id for state in problem.plan.states if state.variable.id in variables)


def _measured(problem: Problem, name: str) -> bool:
    return any(state.variable.id == name for state in problem.plan.states)


def _absent(problem: Problem, *names: str) -> Untestable | None:
    labels = _labels(problem)
    unknown = [name for name in names if name not in labels]
    if unknown:
        return Untestable(f"{' and '.join(unknown)} is no variable of the theory {problem.plan.theory.id!r}")
    missing = tuple(name for name in names if not _measured(problem, name))
    verb = "is" if len(missing) == 1 else "are"
    listed = " and ".join(f"{labels[name][0].lower()}{labels[name][1:]}" for name in missing)
    return Untestable(f"{listed} {verb} not measured in this study", missing) if missing else None


def _no_component(problem: Problem) -> Untestable | None:
    return None if _has(problem, "component") else Untestable("no component is measured in this study")


def _no_arrow(problem: Problem, name: str) -> Untestable:
    return Untestable(f"the fitted hypothesis ({problem.plan.theory.hypothesis}) has no {name}")


def arrows_between(problem: Problem, sources: frozenset[str], targets: frozenset[str]) -> list[Coupling]:
    """Return the arrows from one variable of a set to one of another, whatever they are called."""
    found = (c for c in problem.plan.couplings if len(c.sources) == 1 and c.id in _fitted(problem))
    return [c for c in found if c.sources[0] in sources and c.target in targets]


def _fitted(problem: Problem) -> set[str]:
    """Return the parameters of a fit, with those of a second partner, which are the first's."""
    own = set(map(str, problem.priors.index))
    return own | {name for name, first in (*problem.plan.ties, *problem.observed.ties) if first in own}


def _effect(problem: Problem, sources: frozenset[str], target: str) -> Estimand | Untestable:
    """Return the sum of the effects of some variables on one, positive where they raise it."""
    found = arrows_between(problem, sources, frozenset([target]))
    if not found:
        return _no_arrow(problem, f"arrow from {' or '.join(sorted(sources))} to {target}")
    return lambda values: sum((c.sign * values[c.id] for c in found), jnp.zeros(()))


def _opposite(function: Estimand | Untestable) -> Estimand | Untestable:
    return function if isinstance(function, Untestable) else lambda values: -function(values)


def _coefficient(problem: Problem, formula: str) -> Estimand | Untestable:
    """Return a weighted sum of coefficients, such as a difference of two."""
    weights = coefficients_of(formula)
    names = [name for name, _ in weights]
    if absent := [name for name in names if name not in _fitted(problem)]:
        return Untestable("; ".join(dict.fromkeys(why_absent(problem, name) for name in absent)))
    if passive := [name for name in names if not _of_its_part(problem, name)]:
        return Untestable(f"{' and '.join(passive)} rests on what goes together by itself, not on randomised events")
    lone = [entry for entry in _lone_therapists(problem) if any(name.startswith(f"effect_{entry}_") for name in names)]
    if lone:
        return Untestable(
            f"{', '.join(lone)} is a number of therapists, and participants.tsv does not say who has whom, so dyads of "
            "one therapist would count as independent; add a column therapist"
        )
    return lambda values: sum((weight * values[name] for name, weight in weights), jnp.zeros(()))


def _of_its_part(problem: Problem, name: str) -> bool:
    """Say whether a coefficient belongs to the part of a fit that is asked: in that of randomised events few do."""
    part = problem.randomised
    if problem.plan is not part.plan:
        return True
    effects = tuple(f"effect_{covariate}_" for covariate in randomised_covariates(problem.scores))
    return name in part.arrows or name.startswith(effects)


def _lone_therapists(problem: Problem) -> list[str]:
    """Return the covariates of therapists in a study that names no therapist."""
    scores = problem.scores
    if (scores["therapist"].values.astype(str) != "").all():
        return []
    owners = zip(scores["covariate"].values.tolist(), scores["covariate_of"].values.tolist(), strict=True)
    return [str(name) for name, owner in owners if owner == "therapist"]


def _component_to_oxytocin(problem: Problem, subject: str, sources: frozenset[str]) -> Estimand | Untestable:
    return _absent(problem, OXYTOCIN, subject) or _effect(problem, frozenset([subject]), OXYTOCIN)


def _oxytocin_to_component(problem: Problem, subject: str, sources: frozenset[str]) -> Estimand | Untestable:
    return _absent(problem, OXYTOCIN, subject) or _effect(problem, frozenset([OXYTOCIN]), subject)


def _oxytocin_to_symptom(problem: Problem, subject: str, sources: frozenset[str]) -> Estimand | Untestable:
    return _absent(problem, OXYTOCIN, subject) or _opposite(_effect(problem, frozenset([OXYTOCIN]), subject))


def _no_slope(problem: Problem) -> Untestable | None:
    if not problem.plan.has_kink:
        return None
    return Untestable(f"{', '.join(problem.plan.has_kink)} has a kink, so no gain is defined at the own mean")


def _no_rhythm(problem: Problem) -> Untestable | None:
    return None if problem.schedule else Untestable("no dyad has two sessions with a length, so there is no loop")


def _reciprocity(problem: Problem, subject: str, sources: frozenset[str]) -> Estimand | Untestable:
    blocked = _absent(problem, OXYTOCIN, subject) or _no_rhythm(problem) or _no_slope(problem)
    raises = _effect(problem, frozenset([subject]), OXYTOCIN)
    returns = _effect(problem, frozenset([OXYTOCIN]), subject)
    for arrow in (raises, returns):
        blocked = blocked or (arrow if isinstance(arrow, Untestable) else None)
    if blocked or problem.schedule is None or isinstance(raises, Untestable) or isinstance(returns, Untestable):
        return blocked or Untestable("no sessions")
    schedule = problem.schedule

    def through(values: Values) -> Array:
        gain = dynamics.component_loop_gain(problem.at_mean(values), schedule, subject)
        both_negative = (raises(values) < 0) & (returns(values) < 0)
        return jnp.where(both_negative, -gain, gain)

    return through


def _session_loop_gain(problem: Problem, subject: str, sources: frozenset[str]) -> Estimand | Untestable:
    blocked = _absent(problem, OXYTOCIN) or _no_component(problem) or _no_rhythm(problem) or _no_slope(problem)
    components, oxytocin = _components(problem), frozenset([OXYTOCIN])
    closed = arrows_between(problem, sources, oxytocin) and arrows_between(problem, oxytocin, components)
    if not blocked and not closed:
        blocked = Untestable(f"the fitted hypothesis ({problem.plan.theory.hypothesis}) has no loop through oxytocin")
    if blocked or problem.schedule is None:
        return blocked or Untestable("no sessions")
    schedule, others = problem.schedule, arrows_between(problem, components - sources, oxytocin)

    def gain(values: Values) -> Array:
        return dynamics.session_loop_gain(problem.at_mean(values | {c.id: jnp.zeros(()) for c in others}), schedule)

    return gain


def _one_component(problem: Problem, components: list[str]) -> Untestable:
    """Return why one component, or none, cannot show what it takes two for."""
    for state in problem.plan.states:
        if state.variable.made_of:
            label = f"{state.variable.label[0].lower()}{state.variable.label[1:]}"
            return Untestable(f"it takes two components; this study measures {label}, which tells none apart")
    return Untestable(f"it takes two components, and this study measures {len(components) or 'none'}")


def _spill_over(problem: Problem, subject: str, sources: frozenset[str]) -> Estimand | Untestable:
    components = _has(problem, "component")
    if len(components) < 2:
        return _one_component(problem, components)
    if blocked := _no_slope(problem):
        return blocked
    states = _states(problem, sources)
    return lambda values: dynamics.spill_over(problem.at_mean(values), problem.schedule, states)


def _synergy(problem: Problem, subject: str, sources: frozenset[str]) -> Estimand | Untestable:
    blocked = _absent(problem, OXYTOCIN)
    components = _components(problem)
    products = [
        c.id
        for c in problem.plan.couplings
        if len(c.sources) == 2 and set(c.sources) <= components and c.target == OXYTOCIN and c.id in _fitted(problem)
    ]
    if blocked or not products:
        hypothesis = problem.plan.theory.hypothesis
        reason = f"the fitted hypothesis ({hypothesis}) is additive: it has no product of two measured components"
        return blocked or (_one_component(problem, sorted(components)) if len(components) < 2 else Untestable(reason))
    return lambda values: sum((values[name] for name in products), jnp.zeros(())) / len(products)


def _components_to_symptom(problem: Problem, subject: str, sources: frozenset[str]) -> Estimand | Untestable:
    if blocked := _absent(problem, subject) or _no_component(problem):
        return blocked
    return _opposite(_effect(problem, sources, subject))


def _mediated_share(problem: Problem, subject: str, sources: frozenset[str]) -> Estimand | Untestable:
    blocked = _absent(problem, OXYTOCIN, subject) or _no_component(problem) or _no_rhythm(problem)
    blocked = blocked or _no_slope(problem)
    if blocked or problem.schedule is None:
        return blocked or Untestable("no sessions")
    schedule, states = problem.schedule, _states(problem, sources)

    def share(values: Values) -> Array:
        process = problem.at_mean(values)
        whole = dynamics.relief(process, schedule, subject, states)
        direct = dynamics.relief(dynamics.without_arrows_into_oxytocin(process), schedule, subject, states)
        return jnp.where(whole > 0, 1.0 - direct / whole, jnp.nan)  # no relief, no share of it

    return share


_ESTIMANDS: dict[str, Callable[[Problem, str, frozenset[str]], Estimand | Untestable]] = {
    "component_to_oxytocin": _component_to_oxytocin,
    "oxytocin_to_component": _oxytocin_to_component,
    "reciprocity": _reciprocity,
    "spill_over": _spill_over,
    "session_loop_gain": _session_loop_gain,
    "synergy": _synergy,
    "components_to_symptom": _components_to_symptom,
    "oxytocin_to_symptom": _oxytocin_to_symptom,
    "mediated_share": _mediated_share,
}
