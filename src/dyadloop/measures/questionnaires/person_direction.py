"""Persons whose reversed items were turned before, among persons whose items were not: two versions of one form.

A reversed item, turned back, moves with the straight ones over a person's occasions. Where it moves against them in
some persons and with them in others, their answers came in two directions.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from dyadloop.signals.series import Floats

Answers = Float[np.ndarray, "row item"]

_FEWEST_OCCASIONS = 6
_FEWEST_PERSONS = 5
_LEAST = 2  # persons against the others; one may be odd
_LEAST_SHARE = 0.15
_CHANCE = 0.001
_NAMED_Z = -1.645


class Split(NamedTuple):
    """Persons who could be examined, and those whose reversed items move against the straight ones."""

    examined: int
    against: tuple[str, ...]


def split_of(part: Answers, turned: NDArray[np.bool_], who: NDArray[np.object_] | None) -> Split | None:
    """Return who answers in the other direction than the others, or None where nobody does beyond chance.

    Parameters
    ----------
    part
        Answers in one direction.
    turned
        Whether the key reverses the item.
    who
        Person of each row.

    Notes
    -----
    Per person with 6 complete occasions or more: the correlation of the mean of the straight items with that of the
    reversed ones, as a normal quantile z of its t test. That no person has a negative correlation is tested by the sum
    of z^2 of those below 0, at worst a mixture of chi-square distributions (all correlations 0); that none has a
    positive one, likewise. Both have to be refuted at p < .001, the first in 15 % of the persons and in two at least:
    what turns all persons' items, or makes all agree with every item, is no split.
    """
    if who is None or not turned.any() or turned.all():
        return None
    z = _quantiles(part, turned, who)
    values = np.array(list(z.values()))
    if len(z) < _FEWEST_PERSONS or _chance(values) > _CHANCE or _chance(-values) > _CHANCE:
        return None
    against = tuple(person for person, value in z.items() if value < _NAMED_Z)
    return Split(len(z), against) if len(against) >= max(_LEAST, _LEAST_SHARE * len(z)) else None


def _quantiles(part: Answers, turned: NDArray[np.bool_], who: NDArray[np.object_]) -> dict[str, float]:
    """Return by person how far the correlation of straight and reversed items is from 0, as a standard normal value."""
    whole = ~np.isnan(part).any(axis=1)
    found = {}
    for person in dict.fromkeys(who[whole].tolist()):
        mine = part[whole & (who == person)]
        straight, back = mine[:, ~turned].mean(axis=1), mine[:, turned].mean(axis=1)
        if len(mine) >= _FEWEST_OCCASIONS and np.ptp(straight) > 0 and np.ptp(back) > 0:
            found[str(person)] = _quantile(straight, back)
    return found


def _quantile(x: Floats, y: Floats) -> float:
    from scipy.stats import norm, t

    freedom = len(x) - 2
    r = float(np.clip(np.corrcoef(x, y)[0, 1], -0.999, 0.999))
    size = abs(r) * np.sqrt(freedom / (1 - r**2))
    return float(np.sign(r) * norm.isf(t.sf(size, freedom)))


def _chance(z: Floats) -> float:
    """Return the largest chance of so much evidence below 0 where no true value is below 0."""
    from scipy.stats import binom, chi2

    total, counts = float((np.minimum(z, 0.0) ** 2).sum()), np.arange(1, len(z) + 1)
    return float(binom.pmf(counts, len(z), 0.5) @ chi2.sf(total, counts)) if total > 0 else 1.0
