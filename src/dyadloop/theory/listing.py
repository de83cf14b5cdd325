"""A theory as rows for a table: each element with its unit, value and source."""

from dyadloop.theory.schema import Quantity, Theory


def rows(theory: Theory) -> list[dict[str, str]]:
    """Return one row per number of a theory, in file order.

    Returns
    -------
    list[dict[str, str]]
        Keys: ``element``, ``meaning``, ``value``, ``unit``, ``prior``, ``source``.
    """
    listed: list[dict[str, str]] = []
    for variable in theory.variables:
        persons = ", ".join(variable.persons)
        listed.append(
            _row(f"tau_{variable.id}", f"{variable.label}: time constant ({persons})", variable.time_constant)
        )
        listed.append(_row(f"sd_{variable.id}", "fluctuation within a person", variable.fluctuation))
        listed.append(_row(f"between_{variable.id}", "sd of person means", variable.between))
        if variable.start is not None:
            listed.append(_row(f"start_{variable.id}", "deviation at the first time point", variable.start))
    for coupling in theory.couplings:
        gate = "in session" if coupling.gate == "session" else "always"
        verb = "raises" if coupling.sign == 1 else "lowers"
        listed.append(
            _row(
                coupling.id,
                f"{coupling.source} {verb} {coupling.target}, {gate}, {coupling.form}",
                coupling.coefficient,
            )
        )
    for entry in theory.inputs:
        meaning = "every session" if entry.kind == "session" else f"event {entry.event!r} per {entry.per:g}"
        listed.append(_row(entry.id, f"{meaning} -> {entry.target}", entry.coefficient))
    for name, number in (("between", theory.correlations.between), ("noise", theory.correlations.noise)):
        listed.append(_row(f"rho_{name}_*", f"partial correlation of {name} sds, per pair of states", number))
    return listed


def _row(element: str, meaning: str, number: Quantity) -> dict[str, str]:
    prior = number.prior
    return {
        "element": element,
        "meaning": meaning,
        "value": f"{number.value:g}",
        "unit": number.unit,
        "prior": f"{prior.family}({prior.location:g}, {prior.scale:g})",
        "source": number.source,
    }
