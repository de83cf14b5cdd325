"""Whether a study samples a quantity at a rhythm that the prior of its time constant suits, and which prior would."""

import numpy as np

from dyadloop.data import StudyPrior
from dyadloop.inference.problem import Problem
from dyadloop.units import days

SLOWER, FASTER = 30.0, 10.0
"""How many times slower than the interval between values, or faster, the whole prior of a time constant may be."""
WIDE = 0.8
"""Least sd of the logarithm of a proposed prior: a factor of 3.6 either way with 89 %."""
_REACH = 1.96
_USUAL = 3.0  # intervals that a change is taken to last where a theory names no rhythm of its own


def unsuited(problem: Problem) -> dict[str, str]:
    """Return the measured variables whose prior of the time constant the study's rhythm does not suit, in words.

    Where the prior expects change to take far longer than the interval between values, what changes faster counts as
    error; where it expects far shorter, nothing is left from one value to the next. Compared are the ends of its
    central 95 % and the median interval between values of a dyad. Where a prior can be scaled the words hold it.
    """
    found, proposed = {}, suited_priors(problem)
    for name, gap in _intervals(problem).items():
        middle, reach, unit = _prior(problem, name)
        if _is_slower(problem, name, gap):
            line = _line(f"tau_{name}", proposed[f"tau_{name}"])
            found[name] = (
                f"the prior of tau_{name} ({middle:.3g} {unit}) expects change far slower than the {gap:.2g} d between "
                f"values, so what changes faster counts as error: declare `priors: {{{line}}}` in study.yaml"
            )
        elif days(middle, unit) * reach < gap / FASTER:
            found[name] = (
                f"the prior of tau_{name} ({middle:.3g} {unit}) expects that nothing is left after the {gap:.2g} d "
                "between values, so this study cannot show what acts on it or what it acts on"
            )
    return found


def suited_priors(problem: Problem) -> dict[str, StudyPrior]:
    """Return priors for the time constants that a theory expects to be far longer than the intervals of a study.

    Each is the theory's own, scaled from the rhythm of sessions that the theory names to that of the study: a change
    that lasts three sessions lasts three values. It is an assumption, and at least as wide as a factor of 3.6.
    """
    found = {}
    protocol = problem.plan.theory.protocol
    for name, gap in _intervals(problem).items():
        if not _is_slower(problem, name, gap):
            continue
        middle, reach, unit = _prior(problem, name)
        if protocol is None:
            location, why = (
                _USUAL * gap / days(1.0, unit),
                f"a change lasts about three of the {gap:.2g} d between values",
            )
        else:
            location = middle * gap / protocol.every_days
            why = (
                f"that of the theory for sessions {protocol.every_days:g} d apart, scaled to values {gap:.2g} d apart; "
                "at least a factor of 3.6 either way"
            )
        scale = max(WIDE, float(f"{np.log(reach) / _REACH:.3g}"))
        found[f"tau_{name}"] = StudyPrior(
            family="lognormal", location=float(f"{location:.3g}"), scale=scale, assumed=why
        )
    return found


def proposal(problem: Problem) -> str:
    """Return the block of study.yaml that declares these priors, ready to paste; empty where none is needed."""
    lines = [f"  {_line(name, prior)}" for name, prior in suited_priors(problem).items()]
    return "\n".join(["priors:", *lines]) if lines else ""


def _line(name: str, prior: StudyPrior) -> str:
    return (
        f"{name}: {{family: {prior.family}, location: {prior.location:g}, scale: {prior.scale:g}, "
        f'assumed: "{prior.assumed}"}}'
    )


def _prior(problem: Problem, name: str) -> tuple[float, float, str]:
    """Return the median of the prior of a time constant, the factor of its central 95 % and its unit."""
    middle, scale = problem.priors.loc[f"tau_{name}", ["location", "scale"]].to_numpy(dtype=float)
    return float(middle), float(np.exp(_REACH * scale)), str(problem.priors.loc[f"tau_{name}", "unit"])


def _is_slower(problem: Problem, name: str, gap: float) -> bool:
    middle, reach, unit = _prior(problem, name)
    return days(middle, unit) / reach > SLOWER * gap


def _intervals(problem: Problem) -> dict[str, float]:
    """Return the median interval between values of each variable with a time constant that is fitted [d]."""
    scores = problem.scores.sel(indicator=list(problem.observed.indicators))
    seen, when = np.isfinite(scores["score"].values), scores["days"].values
    found: dict[str, list[np.ndarray]] = {}
    for place, state in enumerate(problem.observed.states):
        name = problem.plan.states[state].variable.id
        tau = f"tau_{name}"
        if tau not in problem.priors.index or problem.priors.loc[tau, "family"] != "lognormal":
            continue
        gaps = [np.diff(moments[here]) for moments, here in zip(when, seen[..., place], strict=True)]
        found.setdefault(name, []).extend(gap[gap > 0] for gap in gaps)
    steps = {name: np.concatenate(gaps) for name, gaps in found.items() if gaps}
    return {name: float(np.median(gaps)) for name, gaps in steps.items() if len(gaps)}
