"""The formula of a claim about coefficients: their sum, each with a sign."""

import re

from dyadloop.errors import TheoryError

_PART = re.compile(r"\s*([+-]?)\s*([a-z][a-z0-9_]*)\s*")


def coefficients_of(formula: str) -> list[tuple[str, int]]:
    """Return the coefficients that a formula adds up, each with its sign.

    A claim such as "trust matters more than support" is about a difference, ``c_trust_depression -
    c_support_depression``.

    Parameters
    ----------
    formula
        Coefficients joined by ``+`` and ``-``; a sign may stand before the first.

    Returns
    -------
    list of (str, int)
        Id and sign (1 or -1) of each coefficient, in the order of the formula.

    Raises
    ------
    TheoryError
        If the formula is anything else, or names a coefficient twice.
    """
    found: list[tuple[str, int]] = []
    place = 0
    while place < len(formula) or not found:
        part = _PART.match(formula, place)
        if part is None or (found and not part[1]):
            raise TheoryError(
                f"formula {formula!r}: got {formula[place:].strip() or 'nothing'!r}; expected coefficients joined by "
                "+ and -, such as c_trust_depression - c_support_depression; correct the formula"
            )
        found.append((part[2], -1 if part[1] == "-" else 1))
        place = part.end()
    names = [name for name, _ in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise TheoryError(
            f"formula {formula!r}: got {', '.join(twice)} twice; expected each coefficient once; drop one"
        )
    return found
