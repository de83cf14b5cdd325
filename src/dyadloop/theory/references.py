"""What a theory file names must exist: coefficients of claims, arrows of rivals, events, what varies.

These hold for a file as it is written. A theory that was restricted to a hypothesis or to what a study measures may
name what it no longer has, so they are no part of the schema.
"""

import re
from collections import Counter
from fnmatch import fnmatch
from string import Formatter

from dyadloop.data.names import known_names
from dyadloop.errors import TheoryError
from dyadloop.theory.consistency import Parts
from dyadloop.theory.elements import Coupling
from dyadloop.theory.formula import coefficients_of
from dyadloop.theory.judgement import Claim
from dyadloop.theory.nodes import coupling_numbers, variable_numbers

COEFFICIENT = "coefficient"
"""Estimand of a claim about coefficients, which its formula names."""
ESTIMANDS: dict[str, str | None] = {
    COEFFICIENT: None,
    "component_to_oxytocin": "component",
    "oxytocin_to_component": "component",
    "reciprocity": "component",
    "spill_over": None,
    "session_loop_gain": None,
    "synergy": None,
    "components_to_symptom": "symptom",
    "oxytocin_to_symptom": "symptom",
    "mediated_share": "symptom",
}
"""Estimands of claims, and the kind of variable that each needs under ``for_each``."""
_KINDS_THAT_ARE_RANDOMISED = ("component",)


def dangling(parts: Parts) -> list[str]:
    """Return everything that a theory file names and does not have."""
    units = _units(parts)
    found = [f"claim {name!r} is there twice" for name in _doubles(claim.id for claim in parts.claims)]
    for claim in parts.claims:
        found += [f"claim {claim.id}.{fault}" for fault in _claim_faults(claim, parts, units)]
    found += _rival_faults(parts)
    known = {entry.event for entry in parts.inputs if entry.event is not None}
    for name in dict.fromkeys(event.event for event in parts.protocol.events) if parts.protocol is not None else ():
        if name not in known and not parts.broken:
            listed = known_names(sorted(known), name)
            found.append(f"protocol.events names {name!r}, which is the event of no input; known: {listed}")
    for key, names in (("varies", parts.varies), ("varies_by_therapist", parts.varies_by_therapist)):
        found += [
            f"{key} names {name!r}, which is no parameter of this theory; did you mean one of "
            f"{', '.join(_near(name, units)) or ', '.join(sorted(units))}"
            for name in names
            if name not in units and not _is_of(name, parts.broken)
        ]
    return found


def _units(parts: Parts) -> dict[str, str]:
    """Return the unit of each parameter by id."""
    units = {entry.id: entry.coefficient.unit for entry in parts.inputs}
    for variable in parts.variables:
        units |= {name: number.unit for name, number in variable_numbers(variable).items()}
    for coupling in parts.couplings:
        units |= {name: number.unit for name, number in coupling_numbers(coupling).items()}
    return units | {name: "Fisher z" for name in _correlations(parts)}


def _correlations(parts: Parts) -> list[str]:
    """Return the ids of the correlations of all pairs of states, the later one first."""
    states = [
        variable.id if len(variable.persons) == 1 else f"{variable.id}_{person}"
        for variable in parts.variables
        if variable.dynamics == "state" and variable.kind != "factor"
        for person in variable.persons
    ]
    pairs = [(later, earlier) for row, later in enumerate(states) for earlier in states[:row]]
    return [f"rho_{level}_{later}_{earlier}" for later, earlier in pairs for level in ("between", "noise")]


def _claim_faults(claim: Claim, parts: Parts, units: dict[str, str]) -> list[str]:
    found = []
    for key in ("id", "statement", "formula", "randomised_on"):
        texts = claim.randomised_on if key == "randomised_on" else (getattr(claim, key),)
        found += [f"{key}: {fault}" for text in texts for fault in _placeholder_faults(text, claim.for_each)]
    if claim.for_each is not None and "{id}" not in claim.id:
        found.append(f"id is {claim.id!r} for every {claim.for_each}; write {{id}} into it")
    if claim.estimand not in ESTIMANDS:
        found.append(f"estimand is {claim.estimand!r}; known: {known_names(ESTIMANDS, claim.estimand)}")
    elif (kind := ESTIMANDS[claim.estimand]) is not None and claim.for_each != kind:
        found.append(f"estimand {claim.estimand!r} needs for_each: {kind}; got {claim.for_each or 'none'}")
    if found:
        return found
    subjects = [v.id for v in parts.variables if v.kind == claim.for_each] if claim.for_each else [""]
    if not subjects and not parts.broken:
        return [f"for_each is {claim.for_each!r}, and the theory has no {claim.for_each}"]
    found += _randomised_faults(claim, subjects, parts)
    return found + (_formula_faults(claim, subjects, parts, units) if claim.estimand == COEFFICIENT else [])


def _placeholder_faults(text: str, for_each: str | None) -> list[str]:
    allowed = {"id", "label"} if for_each else set[str]()
    try:
        used = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError as error:
        return [f"{text!r} has a brace without its partner ({error}); write {{id}} or {{label}}"]
    return [
        f"{text!r} has {{{name}}}; " + ("known: {id}, {label}" if for_each else "that needs for_each")
        for name in sorted(used - allowed)
    ]


def _randomised_faults(claim: Claim, subjects: list[str], parts: Parts) -> list[str]:
    kinds = {variable.kind for variable in parts.variables}
    known = parts.known | {kind for kind in _KINDS_THAT_ARE_RANDOMISED if kind in kinds} | _covariates(claim, parts)
    return [
        f"randomised_on names {quantity!r}, which is no variable; did you mean one of "
        f"{', '.join(_near(quantity, known) or sorted(known))}"
        for quantity in claim.randomised_on
        if not any(quantity.format(id=subject, label="") in known for subject in subjects)
    ]


def _covariates(claim: Claim, parts: Parts) -> set[str]:
    """Return the covariates of which a claim is about the effects; only a study knows them."""
    words = re.split(r"[\s+*-]+", claim.formula)
    return {name[1] for word in words if (name := _effect(word, parts))}


def _effect(name: str, parts: Parts) -> tuple[str, str] | None:
    """Return the covariate and the variable of a coefficient ``effect_COVARIATE_VARIABLE``, None of any other."""
    states = [f"{variable.id}_{person}" for variable in parts.variables for person in variable.persons]
    for state in (*states, *sorted(parts.known)):
        if name.startswith("effect_") and name.endswith(f"_{state}") and len(name) > len(f"effect__{state}"):
            return state, name[len("effect_") : -len(f"_{state}")]
    return None


def _formula_faults(claim: Claim, subjects: list[str], parts: Parts, units: dict[str, str]) -> list[str]:
    """Return what is wrong with the formula of coefficients; one subject that has them all is enough."""
    found: list[str] = []
    for subject in subjects:
        try:
            names = [name for name, _ in coefficients_of(claim.formula.format(id=subject, label=""))]
        except TheoryError as error:
            return [str(error)]
        unknown = [n for n in names if n not in units and not _is_of(n, parts.broken) and not _effect(n, parts)]
        if not unknown or parts.restricted:
            different = {units[name] for name in names if name in units}
            listed = ", ".join(f"{name} [{units[name]}]" for name in names if name in units)
            return [f"formula adds up different units: {listed}"] if len(different) > 1 else []
        near = {name: _near(name, [c.id for c in parts.couplings]) or _near(name, units) for name in unknown}
        found += [
            f"formula names {name!r}, which is no coefficient of this theory; did you mean one of "
            f"{', '.join(near[name] or sorted(c.id for c in parts.couplings))}"
            for name in unknown
        ]
    return list(dict.fromkeys(found))


def _rival_faults(parts: Parts) -> list[str]:
    names = [name for rival in parts.hypotheses for name in (rival.id, rival.name)]
    found = [f"hypothesis {name!r} is there twice" for name in _doubles(names)]
    found += [f"switch {name!r} is there twice" for name in _doubles(switch.id for switch in parts.switches)]
    if parts.restricted or parts.broken:
        return found
    for rival in parts.hypotheses:
        found += [
            f"hypothesis {rival.name}.without names {glob!r}, which fits no coupling; did you mean one of "
            f"{', '.join(_near(glob, [c.id for c in parts.couplings]) or [c.id for c in parts.couplings])}"
            for glob in rival.without
            if not any(_fits(coupling, glob) for coupling in parts.couplings)
        ]
    return found


def _fits(coupling: Coupling, glob: str) -> bool:
    return fnmatch(coupling.id, glob)


def _doubles(names) -> list[str]:  # noqa: ANN001 - any iterable of names
    return sorted(name for name, count in Counter(names).items() if count > 1)


def _is_of(name: str, broken: frozenset[str]) -> bool:
    return any(name == one or name.endswith(f"_{one}") or name.startswith(f"{one}_") for one in broken)


def _near(name: str, known) -> list[str]:  # noqa: ANN001 - any iterable of names
    from difflib import get_close_matches

    return get_close_matches(name, list(known), n=3)
