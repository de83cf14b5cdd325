"""What elements of a theory must agree on: names, units, definitions without circles. All faults come at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from dyadloop.data.names import known_names
from dyadloop.theory.calendar import Protocol
from dyadloop.theory.elements import Composite, Coupling, Dropout, Input, Ruptures, Switch, Variable
from dyadloop.theory.judgement import Claim, Hypothesis


@dataclass(frozen=True)
class Parts:
    """The elements of a theory that are sound by themselves, and the ids of those that are not.

    ``restricted`` says that arrows may be gone because the theory is one of its own rivals.
    """

    variables: Sequence[Variable]
    couplings: Sequence[Coupling]
    inputs: Sequence[Input] = ()
    chances: Sequence[Ruptures | Dropout] = ()
    switches: Sequence[Switch] = ()
    hypotheses: Sequence[Hypothesis] = ()
    broken: frozenset[str] = field(default_factory=frozenset)
    claims: Sequence[Claim] = ()
    protocol: Protocol | None = None
    varies: Sequence[str] = ()
    varies_by_therapist: Sequence[str] = ()
    restricted: bool = False
    composites: Sequence[Composite] = ()

    @property
    def known(self) -> set[str]:
        """Ids that may be named, those of broken variables included."""
        return {variable.id for variable in self.variables} | self.broken


def faults(parts: Parts) -> list[str]:
    """Return everything in which elements of a theory contradict each other."""
    found = _doubles(parts)
    found += _unknown(parts)
    variables = {variable.id: variable for variable in parts.variables}
    for coupling in parts.couplings:
        found += [f"{coupling.id}.{fault}" for fault in _coupling_faults(coupling, variables)]
    for entry in parts.inputs:
        found += [f"{entry.id}.{fault}" for fault in _input_faults(entry, variables.get(entry.target))]
    found += _cycle(parts.couplings, variables)
    found += _same_measure(parts.variables)
    found += _composite_faults(parts)
    return found + _switch_faults(parts)


def _doubles(parts: Parts) -> list[str]:
    ids = [entry.id for group in (parts.variables, parts.couplings, parts.inputs) for entry in group]
    return [f"id {name!r} is used twice" for name in sorted({n for n in ids if ids.count(n) > 1})]


def _same_measure(variables: Sequence[Variable]) -> list[str]:
    """Return quantities that stand for two variables of one person: an indicator could not tell which it measures."""
    owners: dict[tuple[str, str], list[str]] = {}
    for variable in variables:
        for person in variable.persons:
            owners.setdefault((variable.measured_as, person), []).append(variable.id)
    return [
        f"{' and '.join(names)} are both measured as {quantity!r} of the {person}; give each a `quantity` of its own"
        for (quantity, person), names in owners.items()
        if len(set(names)) > 1
    ]


def _composite_faults(parts: Parts) -> list[str]:
    """Return composites that are named like a quantity, or made of what does not exist or differs in kind."""
    kinds = {variable.id: (variable.kind, variable.unit, variable.persons) for variable in parts.variables}
    quantities, found = {variable.measured_as for variable in parts.variables}, []
    for composite in parts.composites:
        if composite.id in quantities | set(kinds):
            found.append(f"composite {composite.id} has the name of a variable or of its quantity; give it another")
        unknown = [name for name in composite.of if name not in parts.known]
        found += [f"composite {composite.id}.of names {name!r}, which does not exist" for name in unknown]
        if len({kinds[name] for name in composite.of if name in kinds}) > 1:
            found.append(f"composite {composite.id}.of: its members must be of one kind, unit and persons")
    return found


def _ends(parts: Parts) -> Iterable[tuple[str, str]]:
    for coupling in parts.couplings:
        yield from ((coupling.id, end) for end in (*coupling.sources, coupling.target))
    yield from ((entry.id, entry.target) for entry in parts.inputs)
    for chance in parts.chances:
        names = (chance.target,) if isinstance(chance, Ruptures) else (chance.alliance, chance.symptom)
        yield from ((type(chance).__name__.lower(), name) for name in names)


def _unknown(parts: Parts) -> list[str]:
    known = sorted(parts.known)
    return [
        f"{owner} names the variable {end!r}, which does not exist; known: {known_names(known, end)}"
        for owner, end in _ends(parts)
        if end not in parts.known
    ]


def _coupling_faults(coupling: Coupling, variables: dict[str, Variable]) -> list[str]:
    found = []
    for term in coupling.terms:
        source = variables.get(term.source)
        if source is None:
            continue
        if term.centred and source.dynamics == "definition":
            found.append(f"centred: {source.id} is a definition and rests nowhere")
        if term.constants:
            found += term.form_faults(source.acting_unit)
        if coupling.transfer and source.link != "identity":
            found.append(f"transfer: {source.id} has a {source.link} link; only plain amounts can be transferred")
    target = variables.get(coupling.target)
    if target is None:
        return found
    if target.dynamics == "context":
        found.append(f"to: {target.id} is a context, which nothing changes")
    if target.dynamics == "definition" and not coupling.is_gain:
        found.append(f"coefficient is a rate ({coupling.coefficient.unit}); a definition needs the unit '1'")
    if target.dynamics == "state" and coupling.is_gain and target.time_constant is None:
        found.append(f"coefficient is a gain; {target.id} has no time_constant, so give a rate such as 1/h")
    return found


def _input_faults(entry: Input, target: Variable | None) -> list[str]:
    if target is None:
        return []
    if target.dynamics != "state":
        return [f"to: {target.id} is a {target.dynamics}; an input acts on a state"]
    if entry.kind == "session" and target.time_constant is None:
        return [f"to: {target.id} has no time_constant, which turns a session's push into a rate"]
    return entry.coefficient.needs("coefficient", target.unit)


def _cycle(couplings: Sequence[Coupling], variables: dict[str, Variable]) -> list[str]:
    defined = {name for name, variable in variables.items() if variable.dynamics == "definition"}
    graph = {name: set[str]() for name in defined}
    for coupling in couplings:
        if coupling.target in defined:
            graph[coupling.target] |= set(coupling.sources) & defined
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [
            f"definitions form a circle: {' <- '.join(error.args[1])}; make one of them a state with a time_constant"
        ]
    return []


def _switch_faults(parts: Parts) -> list[str]:
    known = {switch.id for switch in parts.switches}
    owners = [(entry.id, entry.group) for entry in (*parts.variables, *parts.couplings, *parts.inputs)]
    owners += [(type(chance).__name__.lower(), chance.group) for chance in parts.chances]
    found = [
        f"{owner}.group is {group!r}, which is no switch; known: {known_names(sorted(known), group)}"
        for owner, group in owners
        if group is not None and group not in known
    ]
    for rival in parts.hypotheses:
        found += [
            f"{rival.name}.including names {name!r}, which is no switch"
            for name in rival.including
            if name not in known
        ]
    return found
