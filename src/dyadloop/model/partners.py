"""Partners who cannot be told apart: which parameters of a theory are then one.

Where nothing tells the two persons of a dyad apart, all labels are arbitrary, and the model must stay the same when
they are swapped in any dyad: parameters of one partner are those of the other, and what both share is symmetric.

References
----------
.. [1] Olsen & Kenny (2006), Structural equation modeling with interchangeable dyads. doi:10.1037/1082-989X.11.2.127
"""

from dataclasses import replace

from dyadloop.errors import FitError
from dyadloop.model.plan import Plan
from dyadloop.theory import Coupling, Input
from dyadloop.theory.nodes import coupling_numbers, variable_numbers

Pairs = tuple[tuple[int, int], ...]


def exchangeable(plan: Plan, pairs: Pairs) -> Plan:
    """Return a plan in which the parameters of partners are one.

    Parameters
    ----------
    plan
        Compiled theory.
    pairs
        States that are the same quantity in either partner.

    Raises
    ------
    FitError
        If the theory treats the partners differently.
    """
    if not pairs:
        return plan
    swap = _swapped(plan, pairs)
    ties: dict[str, str] = {}
    for first, second in pairs:
        here, there = (plan.states[k].variable for k in (first, second))
        if here.id != there.id:
            _tie(ties, list(variable_numbers(here)), list(variable_numbers(there)), f"{here.id} and {there.id}")
    for coupling in plan.couplings:
        other = _counterpart(plan, coupling, swap)
        if other.id != coupling.id and other.id not in ties.values():
            _tie(ties, list(coupling_numbers(other)), list(coupling_numbers(coupling)), f"{coupling.id} and {other.id}")
    for entry in plan.inputs:
        other = _counter_input(plan, entry, swap)
        if other.id != entry.id and other.id not in ties:
            ties[entry.id] = other.id
    return replace(plan, partners=pairs, ties=tuple(ties.items()))


def _swapped(plan: Plan, pairs: Pairs) -> dict[str, str]:
    swap = {variable.id: variable.id for variable in plan.theory.variables}
    for first, second in pairs:
        here, there = (plan.states[k].variable.id for k in (first, second))
        swap[here], swap[there] = there, here
    return swap


def _tie(ties: dict[str, str], first: list[str], second: list[str], what: str) -> None:
    """Enter that the second numbers are the first."""
    if len(first) != len(second):
        raise FitError(f"exchangeable: the theory treats {what} differently; expected the same numbers in both")
    for own, other in zip(first, second, strict=True):
        if own != other and other not in ties and own not in ties:
            ties[other] = own


def _counterpart(plan: Plan, coupling: Coupling, swap: dict[str, str]) -> Coupling:
    sources = sorted(swap.get(source, source) for source in coupling.sources)
    for other in plan.couplings:
        alike = (other.gate, other.sign, other.is_linear) == (coupling.gate, coupling.sign, coupling.is_linear)
        if alike and other.target == swap.get(coupling.target, coupling.target) and sorted(other.sources) == sources:
            return other
    raise FitError(
        f"exchangeable: the arrow {coupling.id!r} has no counterpart with the partners swapped; choose a theory that "
        "treats both partners alike, or remove `exchangeable` from study.yaml"
    )


def _counter_input(plan: Plan, entry: Input, swap: dict[str, str]) -> Input:
    for other in plan.inputs:
        same = (other.kind, other.event, other.per) == (entry.kind, entry.event, entry.per)
        if same and other.target == swap.get(entry.target, entry.target):
            return other
    raise FitError(f"exchangeable: the input {entry.id!r} has no counterpart with the partners swapped; add it")
