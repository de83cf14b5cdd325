"""Where arrows are not smooth, for every value that their constants may take."""

from collections.abc import Mapping
from itertools import product

import numpy as np

from dyadloop.theory.elements import Coupling, Shaped
from dyadloop.theory.forms import FORMS, JOINTS
from dyadloop.theory.nodes import constant_id
from dyadloop.theory.numbers import Quantity

_FAR = 3.0  # sd of a prior within which a constant is taken to lie: all but 0.3 % of it


def roughness(coupling: Coupling, held: Mapping[str, float] | None = None) -> int | None:
    """Return the lowest derivative of an arrow that may not be continuous, None where it is smooth.

    0 where its value may jump, 1 where its slope may, 2 where its curvature may jump or have no bound. A constant
    with a prior may take any value within three sd of it, one without has the value of the file.

    Parameters
    ----------
    coupling
        The arrow.
    held
        Values of constants that are known whatever their prior says, by parameter id.
    """
    orders = [1] if coupling.joint is not None and JOINTS[coupling.joint].ties else []
    for term in coupling.terms:
        known = {name: (held or {}).get(constant_id(coupling, term.source, name)) for name in term.constants}
        orders += _orders(term, known)
    return min(orders, default=None)


def _orders(shaped: Shaped, known: Mapping[str, float | None]) -> list[int]:
    ranges = [_range(number) if known[name] is None else [known[name]] for name, number in shaped.constants.items()]
    return [
        kink.order
        for values in product(*ranges)
        for kink in FORMS[shaped.form].kinks(**dict(zip(shaped.constants, values, strict=True)))
    ]


def _range(number: Quantity) -> list[float]:
    if number.prior is None:
        return [number.value]
    middle, far = number.prior.location, _FAR * number.prior.scale
    lognormal = number.prior.family == "lognormal"
    ends = [middle * np.exp(step) if lognormal else middle + step for step in (-far, far)]
    return [number.value, *(float(end) for end in ends)]
