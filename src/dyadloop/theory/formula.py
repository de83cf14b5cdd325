"""The formula of a claim about coefficients: a weighted sum of them."""

import re

from dyadloop.errors import TheoryError

_PART = re.compile(r"\s*([+-]?)\s*(?:([0-9]+(?:\.[0-9]+)?)\s*\*\s*)?([a-z][a-z0-9_]*)\s*")


def coefficients_of(formula: str) -> list[tuple[str, float]]:
    """Return the coefficients that a formula adds up, each with its weight.

    A claim such as "trust matters more than support" is about a difference, ``c_trust_depression -
    c_support_depression``; "twice as much" is ``c_trust_depression - 2 * c_support_depression``.

    Parameters
    ----------
    formula
        Coefficients joined by ``+`` and ``-``, each with a number and ``*`` before it or without; a sign may stand
        before the first.

    Returns
    -------
    list of (str, float)
        Id and weight of each coefficient, in the order of the formula.

    Raises
    ------
    TheoryError
        If the formula is anything else, names a coefficient twice or multiplies one by 0.
    """
    found: list[tuple[str, float]] = []
    place = 0
    while place < len(formula) or not found:
        part = _PART.match(formula, place)
        if part is None or (found and not part[1]):
            raise TheoryError(
                f"formula {formula!r}: got {formula[place:].strip() or 'nothing'!r}; expected coefficients joined by "
                "+ and -, such as c_trust_depression - c_support_depression or a - 2 * b; correct the formula"
            )
        found.append((part[3], float(f"{part[1]}{part[2] or 1}")))
        place = part.end()
    names = [name for name, _ in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise TheoryError(
            f"formula {formula!r}: got {', '.join(twice)} twice; expected each coefficient once; drop one"
        )
    if nothing := [name for name, weight in found if weight == 0]:
        raise TheoryError(f"formula {formula!r}: got {nothing[0]} times 0; expected another factor; drop it")
    return found
