"""Why a fit has no coefficient that a claim asks for: what the study does not hold, or the hypothesis leaves out."""

from dyadloop.inference.problem import Problem
from dyadloop.theory import Coupling, Input


def why_absent(problem: Problem, name: str) -> str:
    """Return in words why a fit has no parameter of some name."""
    theory = problem.plan.theory
    entry = next((e for e in (*theory.couplings, *theory.excluded, *theory.inputs) if e.id == name), None)
    measured = {state.variable.id for state in problem.plan.states}
    missing = [variable for variable in _variables(problem, name, entry) if variable not in measured]
    if missing:
        labels = {variable.id: variable.label for variable in theory.variables}
        listed = " and ".join(f"{labels[one][0].lower()}{labels[one][1:]} ({one})" for one in missing)
        return f"{listed} {'is' if len(missing) == 1 else 'are'} not measured in this study"
    if isinstance(entry, Input) and entry.event not in {event.event for event in problem.plan.events}:
        return f"no event {entry.event!r} is recorded in sessions.tsv"
    if isinstance(entry, Coupling):
        return f"the fitted hypothesis ({theory.hypothesis}) has no arrow {name}"
    if name.startswith("effect_"):
        return f"study.yaml declares no covariate that has the effect {name}"
    return f"the fit has no coefficient {name}"


def _variables(problem: Problem, name: str, entry: Coupling | Input | None) -> list[str]:
    """Return the variables that a coefficient is about: those of its arrow or event, or those that its name holds."""
    if isinstance(entry, Coupling):
        return list(dict.fromkeys([*entry.sources, entry.target]))
    if isinstance(entry, Input):
        return [entry.target]
    rest, found = f"_{name}_", []
    for variable in sorted((one.id for one in problem.plan.theory.variables), key=len, reverse=True):
        if f"_{variable}_" in rest:
            rest = rest.replace(f"_{variable}_", "__")
            found.append(variable)
    return found
