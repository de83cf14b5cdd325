"""Doubts about quantities: a name that the theory of the study does not know, and that is close to one it knows."""

from dyadloop.data import Study
from dyadloop.data.doubts import Doubt, doubt
from dyadloop.data.wording import nearest
from dyadloop.errors import TheoryError
from dyadloop.theory import read_theory
from dyadloop.theory.measured import quantities_of


def quantity_doubts(study: Study) -> list[Doubt]:
    """Return indicators in use whose quantity looks like a misspelt one of the theory: they would stay out of the fit.

    A theory that cannot be read is a fault of its own, which whoever needs the theory is told.
    """
    try:
        known = quantities_of(read_theory(study.info.theory, study.path))
    except TheoryError:
        return []
    found = []
    for name, entry in study.info.indicators.items():
        meant = nearest(entry.quantity, known) if entry.use and entry.quantity not in known else ""
        if meant:
            got, expected = f"{entry.quantity!r}: it stays out of the fit", f"one of {', '.join(known)}"
            found.append(doubt("study.yaml", [], f"indicators.{name}.quantity", got, expected, meant))
    return found
