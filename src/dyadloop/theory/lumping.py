"""Several states of a theory lumped into the one that they make up, such as five components into the alliance.

The lumped state is the mean of its members. What it does to others is the sum of what its members do, what others do to
it the mean of what they do to its members. This is exact where the members have one time constant, move together and
receive the same from the others; elsewhere it is what the theory says of members that nobody told apart.
"""

import json
import math
import re
from collections.abc import Collection, Mapping, Sequence

from dyadloop.data.names import known_names
from dyadloop.errors import TheoryError
from dyadloop.theory.elements import Composite, Coupling, Input, Term, Variable
from dyadloop.theory.numbers import Prior, Quantity
from dyadloop.theory.schema import Theory

Weighted = Sequence[tuple[float, Quantity]]


def lump(theory: Theory, composite: str | Composite) -> Theory:
    """Return a theory in which one state stands for several: a composite that the theory declares, or another.

    Members that act on each other slow the lumped state down, by 1 / (1 - their mean gain), and so it takes in more
    of what acts on it. Joint arrows of two members, such as synergy, have no counterpart and go. An event that acts on
    one member moves the mean by its share; one named after the composite does to all members what theirs do. A prior is
    that of the sum or mean of independent members; a time constant has that of their geometric mean, widened by how
    much they differ.

    Parameters
    ----------
    theory
        Theory in deviations from the person's own mean, such as the preset ``framework_linear``.
    composite
        Id of a composite of the theory, such as ``"alliance"``, or a :class:`dyadloop.theory.Composite`.

    Raises
    ------
    TheoryError
        If there is no such composite, or its members are no like states of the theory.

    Examples
    --------
    >>> one = dl.lump(dl.read_theory("framework_linear"), "alliance")
    >>> [variable.id for variable in one.variables]
    ['oxytocin', 'alliance', 'depression', 'stress', 'fear', 'factor', 'insecurity']
    """
    whole = _declared(theory, composite) if isinstance(composite, str) else composite
    members = _members(theory, whole)
    couplings = [(_renamed(c, whole), c) for c in theory.couplings]
    inside = [c for new, c in couplings if set(new.sources) == {whole.id} == {new.target}]
    own = sum(c.sign * c.coefficient.value for c in inside if c.is_linear) / len(members)
    if own >= 1.0:
        raise TheoryError(f"{whole.id}: its members raise each other by {own:.3g} in all, so they settle nowhere")
    slower = 1.0 / (1.0 - own)
    names = _new_names(theory, whole)
    return theory.model_copy(
        update={
            "variables": _in_place(theory.variables, whole.of, _state(members, whole, slower)),
            "couplings": _lumped(theory.couplings, whole, slower),
            "excluded": _lumped(theory.excluded, whole, slower),
            "inputs": _inputs(theory, whole, slower),
            "composites": tuple(c for c in theory.composites if c.id != whole.id and not {*c.of} & {*whole.of}),
            "varies": tuple(dict.fromkeys(names.get(name, name) for name in theory.varies)),
            "varies_by_therapist": tuple(dict.fromkeys(names.get(name, name) for name in theory.varies_by_therapist)),
            "reduced": True,
        }
    )


def as_measured(theory: Theory, quantities: Collection[str]) -> Theory:
    """Return a theory in which composites that a study measures stand for their members.

    A composite whose members a study measures, too, stays out: one of both says less than the parts.
    """
    for composite in theory.composites:
        if composite.id in quantities and not {theory.variable(m).measured_as for m in composite.of} & set(quantities):
            theory = lump(theory, composite)
    return theory


def composite_remarks(theory: Theory, quantities: Collection[str]) -> list[str]:
    """Return in words which composites stand for their members in a study, or why they do not."""
    found = []
    for composite in (c for c in theory.composites if c.id in quantities):
        label = f"{composite.label[0].lower()}{composite.label[1:]}"
        both = [m for m in composite.of if theory.variable(m).measured_as in quantities]
        if both:
            found.append(
                f"{label} stays out, because the study also measures what makes it up ({', '.join(both)}); to fit it "
                "in their place set `use: false` for these in study.yaml"
            )
        else:
            found.append(f"{', '.join(composite.of)} are not told apart: {label} stands for them ({composite.assumed})")
    return found


def lumped_coefficients(
    theory: Theory, given: Mapping[str, Quantity], quantities: Collection[str]
) -> dict[str, Quantity]:
    """Return what other numbers for coefficients of members say of those of the composites that a study measures.

    Parameters
    ----------
    theory
        Theory before anything is lumped.
    given
        Coefficients with priors by id, such as those of another set of priors.
    quantities
        Quantities that a study measures.

    Returns
    -------
    dict
        Coefficients of arrows from or to composites that differ from those of the theory, by id.
    """
    changed = tuple(c.model_copy(update={"coefficient": given.get(c.id, c.coefficient)}) for c in theory.couplings)
    before = {c.id: c.coefficient for c in as_measured(theory, quantities).couplings}
    after = as_measured(theory.model_copy(update={"couplings": changed}), quantities)
    return {c.id: c.coefficient for c in after.couplings if c.id not in given and c.coefficient != before[c.id]}


def _declared(theory: Theory, name: str) -> Composite:
    for composite in theory.composites:
        if composite.id == name:
            return composite
    known = known_names([composite.id for composite in theory.composites], name)
    raise TheoryError(f"{name}: no composite of the theory {theory.id!r}; known: {known}")


def _members(theory: Theory, whole: Composite) -> list[Variable]:
    known = {variable.id: variable for variable in theory.variables}
    if unknown := [name for name in whole.of if name not in known]:
        raise TheoryError(f"{whole.id}: {', '.join(unknown)} is no variable of the theory {theory.id!r}")
    members = [known[name] for name in whole.of]
    chances = [part for part in (theory.ruptures, theory.dropout) if part is not None]
    if chances or any(
        m.dynamics != "state" or m.link != "identity" or m.activation or m.level or m.time_constant is None
        for m in members
    ):
        raise TheoryError(f"{whole.id}: only states in deviations from the own mean can be lumped; use the linear form")
    alike = {(m.kind, m.unit, m.persons, m.group, m.time_constant.unit if m.time_constant else "") for m in members}
    if len(alike) > 1 or whole.id in known:
        raise TheoryError(f"{whole.id}: its members must be of one kind, unit and person, and it a name of its own")
    return members


def _state(members: list[Variable], whole: Composite, slower: float) -> Variable:
    """Return the variable that stands for its members."""
    first, numbers = members[0], {}
    for name in ("time_constant", "fluctuation", "between", "start"):
        parts = [number for m in members if (number := getattr(m, name)) is not None]
        if len(parts) < len(members):
            numbers[name] = None
        elif name == "start":
            numbers[name] = _linear([(1.0 / len(parts), part) for part in parts], "mean", whole)
        else:
            numbers[name] = _geometric(parts, whole, slower if name == "time_constant" else 1.0)
    about = {"id": whole.id, "label": whole.label, "quantity": None, "made_of": whole.of}
    return first.model_copy(update={**about, **numbers})


def _renamed(coupling: Coupling, whole: Composite) -> Coupling:
    """Return a coupling in whose ends the composite stands for its members."""

    def name(old: str) -> str:
        return whole.id if old in whole.of else old

    source = coupling.source
    if isinstance(source, str):
        ends: str | tuple[Term, ...] = name(source)
    else:
        ends = tuple(term.model_copy(update={"source": name(term.source)}) for term in source)
    return coupling.model_copy(update={"source": ends, "target": name(coupling.target)})


def _lumped(couplings: Sequence[Coupling], whole: Composite, slower: float) -> tuple[Coupling, ...]:
    """Return couplings with those of members together."""
    groups: dict[str, list[tuple[Coupling, Coupling]]] = {}
    for old in couplings:
        new = _renamed(old, whole)
        if list(new.sources).count(whole.id) > 1 or {*new.sources, new.target} == {whole.id}:
            continue
        touched = whole.id in (*new.sources, new.target)
        alike = new.model_dump(mode="json", exclude={"id", "coefficient", "sign"}) | {"unit": new.coefficient.unit}
        groups.setdefault(json.dumps(alike) if touched else old.id, []).append((new, old))
    taken = {c.id for c in couplings}
    found = []
    for pairs in groups.values():
        new, old = pairs[0]
        if whole.id not in (*new.sources, new.target):
            found.append(old)
            continue
        into = new.target == whole.id
        factor = (slower if new.is_gain else 1.0) / len(whole.of) if into else 1.0
        weights = [(factor * new.sign * other.sign, other.coefficient) for _, other in pairs]
        number = _linear(weights, "mean" if into else "sum", whole)
        name = _name(old.id, whole, taken)
        taken.add(name)
        found.append(new.model_copy(update={"id": name, "coefficient": number}))
    return tuple(found)


def _inputs(theory: Theory, whole: Composite, slower: float) -> tuple[Input, ...]:
    """Return inputs, those on members on the composite, and one for an event that is named after it."""
    found: list[Input] = []
    sessions: list[Input] = []
    events: list[Input] = []
    for entry in theory.inputs:
        if entry.target not in whole.of:
            found.append(entry)
        else:
            (events if entry.kind == "event" else sessions).append(entry)
    share, taken = 1.0 / len(whole.of), {entry.id for entry in theory.inputs}
    if sessions:
        number = _linear([(slower * share, entry.coefficient) for entry in sessions], "mean", whole)
        name = _name(sessions[0].id, whole, taken)
        found.append(sessions[0].model_copy(update={"id": name, "target": whole.id, "coefficient": number}))
    by_event: dict[tuple, list[Input]] = {}
    for entry in events:
        by_event.setdefault((entry.event, entry.person, entry.per, entry.group), []).append(entry)
    for alike in by_event.values():
        number = _moved([entry.coefficient for entry in alike], share, whole)
        found.append(alike[0].model_copy(update={"target": whole.id, "coefficient": number}))
    names = {_swapped(str(entry.event), entry.target, whole.id) for entry in events}
    if len(names) == 1 and len({e.target for e in events}) == len(whole.of) and not names & {e.event for e in events}:
        number = _linear([(share, entry.coefficient) for entry in events], "mean", whole)
        name = _name(events[0].id, whole, taken)
        about = {"id": name, "target": whole.id, "event": names.pop(), "coefficient": number}
        found.append(events[0].model_copy(update=about))
    return tuple(found)


def _moved(numbers: list[Quantity], share: float, whole: Composite) -> Quantity:
    """Return what an event on some members does to the mean of all; nothing is known of what it does to the others."""
    number = _linear([(share, quantity) for quantity in numbers], "share of the mean", whole)
    widest = max((quantity.prior.scale for quantity in numbers if quantity.prior), default=None)
    if number.prior is None or widest is None:
        return number
    prior = number.prior.model_copy(update={"scale": widest})
    return number.model_copy(
        update={"prior": prior, "assumed": f"{number.assumed}; as wide as before, for it may move the others too"}
    )


def _linear(weighted: Weighted, what: str, whole: Composite) -> Quantity:
    """Return a weighted sum of numbers, with the prior of that of independent normals."""
    priors = [(weight, number.prior) for weight, number in weighted]
    normal = [(weight, prior) for weight, prior in priors if prior is not None and prior.family == "normal"]
    prior = None
    if len(normal) == len(priors):
        location = sum(weight * prior.location for weight, prior in normal)
        prior = Prior(
            family="normal", location=location, scale=math.hypot(*(weight * prior.scale for weight, prior in normal))
        )
    return _sourced([number for _, number in weighted], sum(w * n.value for w, n in weighted), prior, what, whole)


def _geometric(numbers: list[Quantity], whole: Composite, factor: float) -> Quantity:
    """Return the geometric mean of positive numbers; its prior is as wide as theirs and as they differ, together."""
    value = factor * math.exp(sum(math.log(number.value) for number in numbers) / len(numbers))
    priors = [number.prior for number in numbers if number.prior is not None]
    prior = None
    if len(priors) == len(numbers):
        logs = [math.log(prior.location) for prior in priors]
        middle = sum(logs) / len(logs)
        apart = sum((log - middle) ** 2 for log in logs) / len(logs)
        scale = math.sqrt(sum(prior.scale**2 for prior in priors) / len(priors) + apart)
        prior = Prior(family="lognormal", location=factor * math.exp(middle), scale=scale)
    return _sourced(numbers, value, prior, "geometric mean", whole)


def _sourced(numbers: list[Quantity], value: float, prior: Prior | None, what: str, whole: Composite) -> Quantity:
    """Return a number that says of which others it was made."""
    evidence = tuple(dict.fromkeys(name for number in numbers for name in number.evidence))
    why = "; ".join(dict.fromkeys(number.assumed for number in numbers if number.assumed))
    text = f"{what} over what makes up {whole.id} ({', '.join(whole.of)}){': ' if why else ''}{why}"
    return numbers[0].model_copy(update={"value": value, "prior": prior, "evidence": evidence, "assumed": text})


def _new_names(theory: Theory, whole: Composite) -> dict[str, str]:
    """Return names of parameters of members and those of the composite that take their place."""
    ids = [c.id for c in theory.couplings] + [entry.id for entry in theory.inputs if entry.kind == "session"]
    ids += [f"{prefix}_{member}" for prefix in ("tau", "sd", "start", "between") for member in whole.of]
    return {name: new for name in ids for member in whole.of if (new := _swapped(name, member, whole.id)) != name}


def _swapped(name: str, member: str, whole: str) -> str:
    return re.sub(rf"(?<![a-z0-9]){re.escape(member)}(?![a-z0-9])", whole, name)


def _name(name: str, whole: Composite, taken: Collection[str]) -> str:
    """Return the id of a lumped element: that of a member's with the name of the composite in it."""
    for member in whole.of:
        name = _swapped(name, member, whole.id)
    wanted = name if whole.id in name else f"{name}_{whole.id}"
    while wanted in taken:
        wanted += "_too"
    return wanted


def _in_place(variables: Sequence[Variable], gone: Sequence[str], new: Variable) -> tuple[Variable, ...]:
    """Return variables with a new one in the place of the first of those that go."""
    first = next(variable.id for variable in variables if variable.id in gone)
    return tuple(new if v.id == first else v for v in variables if v.id == first or v.id not in gone)
