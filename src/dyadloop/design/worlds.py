"""Simulated worlds: truths drawn from the priors, fixed ones, and rivals of the fitted hypothesis.

``prior`` draws every number of the fitted hypothesis from its priors, as assurance asks; ``fixed`` takes the numbers of
the theory file, as power asks; the name of a hypothesis takes them under that rival. Fixed worlds let fluctuations and
errors of components and symptoms correlate by .3 beside any arrow, as ordinary data do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from dyadloop.claims.claims_table import subjects
from dyadloop.data.names import known_names
from dyadloop.design.planned_study import Skeleton, true_error
from dyadloop.design.reader import theory_of
from dyadloop.design.schema import Design
from dyadloop.errors import FitError
from dyadloop.estimands.catalogue import Untestable, draws_of, estimand
from dyadloop.inference.fitting import prior_draws
from dyadloop.inference.problem import Problem
from dyadloop.inference.randomised import PREFIX
from dyadloop.theory import hypothesis

PRIOR, FIXED = "prior", "fixed"
ORDINARY = 0.31
"""Fisher z of .3: what fluctuations, and errors of answers, share beside any arrow in fixed worlds; assumed."""
_DRAWN = 2000  # truths that a world of priors holds


@dataclass(frozen=True)
class World:
    """A truth from which studies are drawn.

    Attributes
    ----------
    name
        ``prior``, ``fixed`` or a hypothesis.
    source
        Problem whose data are drawn.
    values
        Its parameters, one number each, or one per drawn truth.
    """

    name: str
    source: Problem
    values: dict[str, np.ndarray]

    @property
    def is_drawn(self) -> bool:
        """Whether each study has a truth of its own."""
        return self.name == PRIOR

    def truth(self, number: int) -> dict[str, float]:
        """Return the parameters of the study of this number."""
        return {name: float(values[number % len(values)]) for name, values in self.values.items()}


def world_of(plan: Skeleton, name: str, changes: Mapping[str, float] | None = None) -> World:
    """Return a simulated world.

    Parameters
    ----------
    plan
        Planned study.
    name
        ``prior``, ``fixed`` or the name of a hypothesis, such as ``common_cause``.
    changes
        Values other than the theory file's, of parameters that the world has.

    Raises
    ------
    FitError
        If there is no such world, or no world has a parameter that is named.
    """
    theory = theory_of(plan.design)
    known = [PRIOR, FIXED, *(rival.name for rival in theory.hypotheses)]
    if name not in known:
        raise FitError(f"truth {name!r} does not exist; known: {known_names(known, name)}")
    fitted = plan.fitted.plan.theory.hypothesis
    rival = fitted if name in (PRIOR, FIXED) else name
    source = plan.source(hypothesis(rival, theory) if rival else theory)
    if name == PRIOR:
        draws = prior_draws(source.priors, 1, _DRAWN)
        values = {str(key): draws[key].values.ravel() for key in draws.data_vars}
    else:
        values = {key: np.array([value]) for key, value in _fixed(plan.design, source).items()}
    given = {key: np.array([value]) for key, value in (changes or {}).items() if key in values}
    unknown = sorted(set(changes or {}) - set(values) - set(plan.fitted.priors.index))
    if unknown:
        raise FitError(f"{', '.join(unknown)}: no parameter of this design; known: {known_names(values, *unknown)}")
    return World(name, source, values | given)


def _fixed(design: Design, source: Problem) -> dict[str, float]:
    """Return the numbers of the theory file and of the design, with ordinary correlations."""
    found = {str(name): float(row["location"]) for name, row in source.priors.iterrows()}
    found |= {name: value for name, value in source.plan.defaults().items() if name in found}
    kinds = {state.id: state.variable.kind for state in source.plan.states}
    measured = {name: source.plan.states[state].id for name, state in _observed(source).items()}
    for name in found:
        for level, ids in (("rho_noise_", {key: key for key in kinds}), ("rho_error_", measured)):
            if name.startswith(level):
                found[name] = _ordinary(name.removeprefix(level), ids, kinds)
    for name, entry in design.measures.items():
        if (sd := true_error(entry)) is not None and f"error_{name}" in found:
            found[f"error_{name}"] = sd
        if entry.reliability is not None and f"sd_{entry.quantity}" in found:
            found[f"sd_{entry.quantity}"] = float(np.sqrt(entry.reliability))
    return found


def _observed(source: Problem) -> dict[str, int]:
    return dict(zip(source.observed.indicators, source.observed.states, strict=True))


def _ordinary(pair: str, ids: dict[str, str], kinds: dict[str, str]) -> float:
    """Return what a pair shares: the same sign among components and among symptoms, the opposite between them."""
    for first, second in ((a, b) for a in ids for b in ids):
        if pair == f"{first}_{second}":
            sides = {kinds[ids[first]], kinds[ids[second]]}
            if not sides <= {"component", "symptom"}:
                return 0.0
            return ORDINARY if len(sides) == 1 else -ORDINARY
    return 0.0


def true_claims(
    problem: Problem, values: Mapping[str, float], moved: frozenset[str] = frozenset()
) -> dict[str, tuple[float, bool]]:
    """Return the true value of what each claim is about, and whether the claim holds.

    Parameters
    ----------
    problem
        The fit.
    values
        True values; arrows that the world lacks are 0.
    moved
        Variables that randomised events moved; sums over components take these alone where there are any.
    """
    numbers = fitted_values(problem, values)
    here = xr.Dataset({name: (("chain", "draw"), np.array([[value]])) for name, value in numbers.items()})
    components = moved & {variable.id for variable in problem.plan.theory.of_kind("component")}
    found = {}
    for claim in problem.plan.theory.claims:
        for subject in subjects(problem, claim):
            by_events = bool(components) and problem.randomised.plan is not None
            function = estimand(problem, claim, subject, components or None, by_events=by_events)
            if not isinstance(function, Untestable):
                (value,) = draws_of(function, here)[0]
                found[claim.id.format(id=subject)] = (float(value), bool(value > claim.rope.high))
    return found


def fitted_values(problem: Problem, values: Mapping[str, float]) -> dict[str, float]:
    """Return true values of the parameters of a fit: arrows that the world lacks are 0, all else its prior median."""
    arrows = {coupling.id for coupling in problem.plan.couplings} | set(problem.randomised.arrows)
    numbers = {str(name): float(row["location"]) for name, row in problem.priors.iterrows()}
    numbers |= {name: values.get(name, 0.0) for name in arrows if name in numbers}
    numbers |= {f"{PREFIX}{name}": values.get(name, 0.0) for name in problem.randomised.arrows}
    return numbers | {name: value for name, value in values.items() if name in numbers and name not in arrows}


@dataclass
class Truths:
    """What is true of each claim, kept for worlds in which all studies share it."""

    world: World
    problem: Problem
    known: dict[frozenset[str], dict[str, tuple[float, bool]]] = field(default_factory=dict)

    def of(self, values: Mapping[str, float], moved: frozenset[str]) -> dict[str, tuple[float, bool]]:
        """Return the true value of what each claim is about, and whether it holds."""
        if self.world.is_drawn:
            return true_claims(self.problem, values, moved)
        if moved not in self.known:
            self.known[moved] = true_claims(self.problem, values, moved)
        return self.known[moved]
