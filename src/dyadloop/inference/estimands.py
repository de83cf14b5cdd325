"""The quantities that the claims are about, as functions of a field, or the reason why a study cannot tell them."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array

from dyadloop import dynamics
from dyadloop.inference.problem import Problem
from dyadloop.inference.programs import program
from dyadloop.theory import Claim

Values = dict[str, Array]
Estimand = Callable[[Values], Array]

_BATCH = 250  # draws evaluated at once: bounds the memory of a long posterior


@dataclass(frozen=True)
class Untestable:
    """Why a claim cannot be tested with a study."""

    reason: str


def estimand(problem: Problem, claim: Claim, subject: str) -> Estimand | Untestable:
    """Return the estimand of a claim about ``subject`` (a component or symptom), or why there is none."""
    if claim.estimand == "coefficient":
        return _coefficient(problem, claim.formula.format(id=subject))
    return _ESTIMANDS[claim.estimand](problem, subject)


def draws_of(function: Estimand, *groups: xr.Dataset) -> list[np.ndarray]:
    """Evaluate an estimand at all draws of posterior or prior groups; flat, chain by chain, one array per group."""
    names = [str(name) for name in groups[0].data_vars]
    sizes = [int(np.prod(list(group.sizes.values()))) for group in groups]
    flat = {name: np.concatenate([group[name].values.ravel() for group in groups]) for name in names}
    # the last batch is filled up, so that one program does for all of them
    places = np.resize(np.arange(sum(sizes)), -(-sum(sizes) // _BATCH) * _BATCH)
    batch = program(jax.vmap(function))
    parts = [
        np.asarray(batch({name: jnp.asarray(values[rows]) for name, values in flat.items()}))
        for rows in places.reshape(-1, _BATCH)
    ]
    return np.split(np.concatenate(parts)[: sum(sizes)], np.cumsum(sizes)[:-1])


def _labels(problem: Problem) -> dict[str, str]:
    return {variable.id: variable.label for variable in problem.plan.theory.variables}


def _has(problem: Problem, kind: str) -> list[str]:
    return [state.id for state in problem.plan.states if state.variable.kind == kind]


def _measured(problem: Problem, name: str) -> bool:
    return any(state.variable.id == name for state in problem.plan.states)


def _absent(problem: Problem, *names: str) -> Untestable | None:
    labels = _labels(problem)
    unknown = [name for name in names if name not in labels]
    if unknown:
        return Untestable(f"{' and '.join(unknown)} is no variable of the theory {problem.plan.theory.id!r}")
    missing = [labels[name] for name in names if not _measured(problem, name)]
    verb = "is" if len(missing) == 1 else "are"
    listed = " and ".join(f"{label[0].lower()}{label[1:]}" for label in missing)
    return Untestable(f"{listed} {verb} not measured in this study") if missing else None


def _no_component(problem: Problem) -> Untestable | None:
    return None if _has(problem, "component") else Untestable("no component is measured in this study")


def _no_arrow(problem: Problem, name: str) -> Untestable:
    return Untestable(f"the fitted hypothesis ({problem.plan.theory.hypothesis}) has no {name}")


def _parameter(problem: Problem, name: str) -> Estimand | Untestable:
    if name not in problem.priors.index:
        return _no_arrow(problem, name)
    return lambda values: values[name]


def _coefficient(problem: Problem, formula: str) -> Estimand | Untestable:
    """Return one coefficient, or with a leading minus its opposite."""
    name = formula.removeprefix("-")
    if name not in problem.priors.index:
        return Untestable(f"the fit has no coefficient {name}: the study measures too little, or it is no part of it")
    sign = -1.0 if formula.startswith("-") else 1.0
    return lambda values: sign * values[name]


def _component_to_oxytocin(problem: Problem, subject: str) -> Estimand | Untestable:
    return _absent(problem, "oxytocin", subject) or _parameter(problem, f"a_{subject}")


def _oxytocin_to_component(problem: Problem, subject: str) -> Estimand | Untestable:
    return _absent(problem, "oxytocin", subject) or _parameter(problem, f"w_{subject}")


def _oxytocin_to_symptom(problem: Problem, subject: str) -> Estimand | Untestable:
    return _absent(problem, "oxytocin", subject) or _parameter(problem, f"v_{subject}")


def _no_slope(problem: Problem) -> Untestable | None:
    if not problem.plan.kinked:
        return None
    return Untestable(f"{', '.join(problem.plan.kinked)} has a kink, so no gain is defined at the own mean")


def _no_rhythm(problem: Problem) -> Untestable | None:
    return None if problem.rhythm else Untestable("no dyad has two sessions with a length, so there is no loop")


def _reciprocity(problem: Problem, subject: str) -> Estimand | Untestable:
    blocked = _absent(problem, "oxytocin", subject) or _no_rhythm(problem) or _no_slope(problem)
    for name in (f"a_{subject}", f"w_{subject}"):
        arrow = _parameter(problem, name)
        blocked = blocked or (arrow if isinstance(arrow, Untestable) else None)
    if blocked or problem.rhythm is None:
        return blocked or Untestable("no sessions")
    rhythm = problem.rhythm

    def through(values: Values) -> Array:
        gain = dynamics.component_loop_gain(problem.at_mean(values), rhythm, subject)
        both_negative = (values[f"a_{subject}"] < 0) & (values[f"w_{subject}"] < 0)
        return jnp.where(both_negative, -gain, gain)

    return through


def _weekly_loop_gain(problem: Problem, subject: str) -> Estimand | Untestable:
    blocked = _absent(problem, "oxytocin") or _no_component(problem) or _no_rhythm(problem) or _no_slope(problem)
    arrows = {name[:2] for name in problem.priors.index if name.startswith(("a_", "w_"))}
    if not blocked and len(arrows) < 2:
        blocked = Untestable(f"the fitted hypothesis ({problem.plan.theory.hypothesis}) has no loop through oxytocin")
    if blocked or problem.rhythm is None:
        return blocked or Untestable("no sessions")
    rhythm = problem.rhythm
    return lambda values: dynamics.weekly_loop_gain(problem.at_mean(values), rhythm)


def _spill_over(problem: Problem, subject: str) -> Estimand | Untestable:
    components = _has(problem, "component")
    if len(components) < 2:
        return Untestable(f"it takes two components, and this study measures {len(components) or 'none'}")
    if blocked := _no_slope(problem):
        return blocked
    return lambda values: dynamics.spill_over(problem.at_mean(values), problem.rhythm)


def _synergy(problem: Problem, subject: str) -> Estimand | Untestable:
    blocked = _absent(problem, "oxytocin")
    names = [str(name) for name in problem.priors.index if str(name).startswith("gamma_")]
    if blocked or not names:
        hypothesis = problem.plan.theory.hypothesis
        reason = f"the fitted hypothesis ({hypothesis}) is additive: it has no product of two measured components"
        return blocked or Untestable(reason)
    return lambda values: sum((values[name] for name in names), jnp.zeros(())) / len(names)


def _components_to_symptom(problem: Problem, subject: str) -> Estimand | Untestable:
    absent = _absent(problem, subject)
    if absent:
        return absent
    names = [str(name) for name in problem.priors.index if str(name).startswith(f"c_{subject}_")]
    if not names:
        return _no_component(problem) or _no_arrow(problem, f"c_{subject}_*")
    return lambda values: sum((values[name] for name in names), jnp.zeros(()))


def _mediated_share(problem: Problem, subject: str) -> Estimand | Untestable:
    blocked = _absent(problem, "oxytocin", subject) or _no_component(problem) or _no_rhythm(problem)
    blocked = blocked or _no_slope(problem)
    if blocked or problem.rhythm is None:
        return blocked or Untestable("no sessions")
    rhythm = problem.rhythm

    def share(values: Values) -> Array:
        field = problem.at_mean(values)
        whole = dynamics.relief(field, rhythm, subject)
        direct = dynamics.relief(dynamics.without_arrows_into_oxytocin(field), rhythm, subject)
        return jnp.where(whole > 0, 1.0 - direct / whole, jnp.nan)  # no relief, no share of it

    return share


_ESTIMANDS: dict[str, Callable[[Problem, str], Estimand | Untestable]] = {
    "component_to_oxytocin": _component_to_oxytocin,
    "oxytocin_to_component": _oxytocin_to_component,
    "reciprocity": _reciprocity,
    "spill_over": _spill_over,
    "weekly_loop_gain": _weekly_loop_gain,
    "synergy": _synergy,
    "components_to_symptom": _components_to_symptom,
    "oxytocin_to_symptom": _oxytocin_to_symptom,
    "mediated_share": _mediated_share,
}
