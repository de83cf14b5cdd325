"""A theory as rows for a table: each element with its unit, value and source."""

from dyadloop.theory.elements import Coupling, Variable
from dyadloop.theory.numbers import Quantity
from dyadloop.theory.schema import Theory


def rows(theory: Theory) -> list[dict[str, str]]:
    """Return one row per number of a theory, in file order.

    Returns
    -------
    list[dict[str, str]]
        Keys: ``element``, ``meaning``, ``value``, ``unit``, ``prior``, ``source``.
    """
    listed: list[dict[str, str]] = []
    for variable in theory.variables:
        listed += _variable_rows(variable, _mark(variable.group, theory))
    for coupling in theory.couplings:
        listed += _coupling_rows(coupling, _mark(coupling.group, theory))
    for entry in theory.inputs:
        meaning = "every session" if entry.kind == "session" else f"event {entry.event!r} per {entry.per:g}"
        listed.append(_row(entry.id, f"{meaning} -> {entry.target}{_mark(entry.group, theory)}", entry.coefficient))
    for chance in (theory.ruptures, theory.dropout):
        if chance is not None:
            prefix, mark = type(chance).__name__.lower(), _mark(chance.group, theory)
            numbers = {name: getattr(chance, name) for name in type(chance).model_fields}
            listed += [
                _row(f"{prefix}_{name}", f"{name.replace('_', ' ')} of {prefix}{mark}", number)
                for name, number in numbers.items()
                if isinstance(number, Quantity)
            ]
    if theory.correlations is not None:
        for name, number in (("between", theory.correlations.between), ("noise", theory.correlations.noise)):
            listed.append(_row(f"rho_{name}_*", f"partial correlation of {name} sds, per pair of states", number))
    return listed


def _mark(group: str | None, theory: Theory) -> str:
    return "" if group is None else f" [{group}: {'on' if group in theory.switched_on else 'off'}]"


def _variable_rows(variable: Variable, mark: str) -> list[dict[str, str]]:
    persons = ", ".join(variable.persons)
    named = (
        ("tau", f"{variable.label}: time constant ({persons}){mark}", variable.time_constant),
        ("level", f"{variable.label}: level ({persons}){mark}", variable.level),
        ("bias", f"{variable.label}: bias of its activation{mark}", variable.bias),
        ("sd", "fluctuation within a person", variable.fluctuation),
        ("between", "sd of person means", variable.between),
        ("start", "deviation at the first time point", variable.start),
    )
    listed = [_row(f"{name}_{variable.id}", meaning, number) for name, meaning, number in named if number is not None]
    if variable.activation is not None:
        listed += [
            _row(f"activation_{variable.id}_{name}", f"{name} of its {variable.activation.form} activation", number)
            for name, number in variable.activation.constants.items()
        ]
    return listed


def _coupling_rows(coupling: Coupling, mark: str) -> list[dict[str, str]]:
    gate = "in session" if coupling.gate == "session" else "always"
    verb = "raise" if coupling.sign == 1 else "lower"
    verb = verb if len(coupling.sources) > 1 else f"{verb}s"
    if coupling.transfer:
        verb = "passes on to"
    sources = " and ".join(coupling.sources)
    listed = [
        _row(coupling.id, f"{sources} {verb} {coupling.target}, {gate}, {coupling.form}{mark}", coupling.coefficient)
    ]
    for term in coupling.terms:
        listed += [
            _row(
                f"{coupling.id}_{name}" if coupling.joint is None else f"{coupling.id}_{term.source}_{name}",
                f"{name} of the {term.form} form of {term.source}",
                number,
            )
            for name, number in term.constants.items()
        ]
    return listed


def _row(element: str, meaning: str, number: Quantity) -> dict[str, str]:
    prior = number.prior
    return {
        "element": element,
        "meaning": meaning,
        "value": f"{number.value:g}",
        "unit": number.unit,
        "prior": "fixed" if prior is None else f"{prior.family}({prior.location:g}, {prior.scale:g})",
        "source": number.source,
    }
