"""Names of parameters in words, for readers who do not know the ids of a theory file."""

from dyadloop.inference.problem import Problem

_PARTS = {
    "tau_": "Time constant of {}",
    "sd_": "SD of {} within persons",
    "between_therapists_": "SD of {} between therapists",
    "between_": "SD of person means of {}",
    "start_": "Start of {}",
    "mean_": "Mean of {}",
    "loading_": "Loading of {}",
    "error_": "Error SD of {}",
    "spread_plates_": "SD of {} between plates",
    "spread_therapists_": "SD of {} between therapists",
    "spread_": "SD of {} between dyads",
}
"""What the first part of a parameter's name says; the longer of two names stands first."""
_PAIRS = {
    "rho_noise_": "Correlation of noise: {} and {}",
    "rho_between_": "Correlation of person means: {} and {}",
    "rho_error_": "Correlation of errors: {} and {}",
    "effect_": "Effect of {} on {}",
    "spread_": "SD between dyads of the effect of {} on {}",
}


def parameter_words(problem: Problem) -> dict[str, str]:
    """Return each parameter of a fit in words, by its name; the name itself where there are none."""
    labels = _labels(problem)
    arrows = {coupling.id: arrow_words(problem, coupling.id) for coupling in problem.plan.couplings}
    pushed = {f"randomised_{name}": f"{words}, by randomised events" for name, words in arrows.items()}
    inputs = {
        entry.id: f"Effect of {entry.event or 'sessions'} on {labels.get(entry.target, entry.target)}"
        for entry in problem.plan.inputs
    }
    known = arrows | pushed | inputs
    return {str(name): known.get(str(name)) or _words(str(name), labels) for name in problem.priors.index}


def arrow_words(problem: Problem, name: str) -> str:
    """Return an arrow as its source and its target, such as ``Trust and cooperation → Stress``."""
    labels = _labels(problem)
    coupling = next(c for c in problem.plan.couplings if c.id == name)
    return f"{' × '.join(labels.get(source, source) for source in coupling.sources)} → {labels[coupling.target]}"


def _labels(problem: Problem) -> dict[str, str]:
    """Return variables, states and indicators in words, by id."""
    variables = {variable.id: variable.label for variable in problem.plan.theory.variables}
    states = {
        state.id: state.variable.label + ("" if state.id == state.variable.id else f" ({state.person})")
        for state in problem.plan.states
    }
    raw = [*problem.observed.indicators, *map(str, problem.scores["covariate"].values)]
    return {name: f"‘{name}’" for name in raw} | variables | states


def _words(name: str, labels: dict[str, str]) -> str:
    for prefix, pattern in _PARTS.items():
        if name.startswith(prefix) and name.removeprefix(prefix) in labels:
            return pattern.format(labels[name.removeprefix(prefix)])
    for prefix, pattern in _PAIRS.items():
        if name.startswith(prefix) and (pair := _pair(name.removeprefix(prefix), labels)):
            return pattern.format(*pair)
    indicator, _, answer = name.removeprefix("width_").rpartition("_")
    return f"Width of answer {answer} of {labels[indicator]}" if indicator in labels else name


def _pair(joined: str, labels: dict[str, str]) -> tuple[str, str] | None:
    """Return two names that an underscore joins in words; names may hold underscores themselves."""
    for place, letter in enumerate(joined):
        if letter == "_" and joined[:place] in labels and joined[place + 1 :] in labels:
            return labels[joined[:place]], labels[joined[place + 1 :]]
    return None
