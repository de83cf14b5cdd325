"""What answers say about themselves before a total is made of them.

A total cannot show that items were turned twice, that a coding is shifted, or that a person ticked one column: the
answers can. Nothing here corrects an answer.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from dyadloop.measures.questionnaires.instrument import Instrument
from dyadloop.measures.questionnaires.person_direction import split_of
from dyadloop.signals.series import Floats

_FEWEST_ROWS = 10
_FEWEST_ANSWERS = 50  # below, an end of the scale may be unused by chance
_FEWEST_IN_LINE = 5  # items; fewer are often answered alike
_Z = 3.29  # one-sided p of .0005
_OTHER_SIDE = 0.3  # share of the reversed items that may lie on the other side of the component by noise
_SHOWN = 4

Answers = Float[np.ndarray, "row item"]
Persons = NDArray[np.object_] | None


@dataclass
class Examination:
    """Doubts about the answers of one scale.

    Attributes
    ----------
    doubts
        About the whole table, in words.
    rows
        About single rows, by their place.
    withheld
        Why no total may be made; empty where one may.
    """

    doubts: list[str] = field(default_factory=list)
    rows: dict[int, list[str]] = field(default_factory=dict)
    withheld: str = ""

    def told(self, row: int) -> str:
        """Return all doubts about a row in one line."""
        return "; ".join([*self.doubts, *self.rows.get(row, ())])


def examine(
    ticked: Answers, turned: Answers, key: Instrument, members: tuple[int, ...], who: Persons, declared: bool
) -> Examination:
    """Examine the answers of a scale.

    Parameters
    ----------
    ticked, turned
        Answers to all items as they were ticked, and with every item in one direction.
    key
        Instrument.
    members
        Items of the scale, from 1.
    who
        Person of each row, where persons repeat.
    declared
        Whether the user said if the reversed items were turned before; then contradictions are told, and no total is
        withheld.
    """
    found, places = Examination(), [item - 1 for item in members]
    _direction(found, turned[:, places], key, members, who, declared)
    _split(found, turned[:, places], key, members, who)
    _ends(found, ticked[:, places], key, members)
    _halves(found, ticked, key, members)
    _lines(found, ticked[:, places], key, members)
    return found


def _scaled(part: Answers, who: Persons) -> tuple[Answers, Persons]:
    """Return complete rows with each item in SDs; items that never vary are NaN."""
    whole = ~np.isnan(part).any(axis=1)
    part, who = part[whole], None if who is None else who[whole]
    spread = part.std(axis=0) if len(part) else np.zeros(part.shape[1])
    return (part - part.mean(axis=0)) / np.where(spread > 0, spread, np.nan) if len(part) else part, who


def against_the_others(part: Answers, turned: NDArray[np.bool_], who: Persons) -> dict[int, float]:
    """Return the places of items that run against the majority, with their correlation with its mean.

    The first principal component of the items' correlations tells two sides. Where the smaller side is that of the
    key's reversed items (or of the others, if they are fewer), the two sides are compared as a whole; otherwise each of
    its items alone. Items are named where the correlation is negative beyond chance, between persons or in changes.

    Parameters
    ----------
    part
        Answers in one direction.
    turned
        Whether the key reverses the item.
    who
        Person of each row, where persons repeat.
    """
    z, who = _scaled(part, who)
    varies = np.flatnonzero(~np.isnan(z).any(axis=0)) if len(z) >= _FEWEST_ROWS else np.array([], dtype=int)
    if len(varies) < 3:
        return {}
    z, turned = z[:, varies], turned[varies]
    few = turned if turned.sum() * 2 <= len(turned) else ~turned
    minor = _smaller_side(z, few)
    most = z[:, ~minor].mean(axis=1)
    r = {int(k): float(np.corrcoef(z[:, k], most)[0, 1]) for k in np.flatnonzero(minor)}
    if few.any() and (minor != few).sum() <= few.sum() * _OTHER_SIDE and _negative(z[:, few].mean(axis=1), most, who):
        return {int(varies[k]): value for k, value in r.items() if value < 0 and few[k]}
    return {int(varies[k]): value for k, value in r.items() if _negative(z[:, k], most, who)}


def _smaller_side(z: Answers, few: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which items lie on the smaller side of the first principal component; halves are told by the key."""
    side = np.linalg.eigh(np.corrcoef(z, rowvar=False))[1][:, -1] > 0
    if side.sum() * 2 == len(side):
        return side if (side == few).sum() * 2 > len(side) else ~side
    return side if side.sum() * 2 < len(side) else ~side


def _negative(x: Floats, y: Floats, who: Persons) -> bool:
    """Return whether two series are negatively related beyond chance, between persons or within them."""
    if who is None or len(set(who.tolist())) == len(who):
        return _z(x, y, len(x)) < -_Z
    place = np.unique(who.astype(str), return_inverse=True)[1]
    count = np.bincount(place)
    means = [np.bincount(place, weights=series) / count for series in (x, y)]
    between = _z(means[0], means[1], len(count))
    within = _z(x - means[0][place], y - means[1][place], len(x) - len(count) + 1)
    return min(between, within) < -_Z and max(between, within) < _Z / 2


def _z(x: Floats, y: Floats, n: int) -> float:
    if n < 5 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    r = min(max(float(np.corrcoef(x, y)[0, 1]), -1 + 1e-12), 1 - 1e-12)
    return math.atanh(r) * math.sqrt(n - 3)


def _direction(
    found: Examination, part: Answers, key: Instrument, members: tuple[int, ...], who: Persons, declared: bool
) -> None:
    turned = np.isin(members, key.reversed)
    against = {members[place]: r for place, r in against_the_others(part, turned, who).items()}
    if not against:
        return
    numbers = _listed([str(item) for item in against], 12)
    rest = len(members) - len(against)
    told = (
        f"items {numbers} run against the other {rest}"
        if len(against) > 1
        else f"item {numbers} runs against the others"
    )
    told += f" (item-rest correlations {', '.join(f'{r:.2f}' for r in against.values())})"
    reversed_here = set(key.reversed) & set(members)
    if reversed_here and (set(against) <= reversed_here or set(against) == set(members) - reversed_here):
        told = f"after turning, {told}: turned twice?"
        if not declared:
            found.withheld = f"{told} say `turned: true` if the file has them turned already, else `turned: false`"
            return
    found.doubts.append(told)


def _split(found: Examination, part: Answers, key: Instrument, members: tuple[int, ...], who: Persons) -> None:
    """Doubt answers of which some persons' reversed items were turned before, and others' were not."""
    split = split_of(part, np.isin(members, key.reversed), who)
    if split is None:
        return
    items = _listed([str(item) for item in members if item in key.reversed], 12)
    told = (
        f"after turning, the reversed items {items} run against the others in {len(split.against)} of {split.examined} "
        f"persons ({_listed(list(split.against), _SHOWN)}) and with them in others: turned before in some persons "
        "only, or persons who agree with every item; compare how their answers were exported"
    )
    found.doubts.append(told)
    found.withheld += f"; {told}" if found.withheld else ""


def _ends(found: Examination, part: Answers, key: Instrument, members: tuple[int, ...]) -> None:
    """Doubt a coding that is shifted: the lowest answer of the scale never stands anywhere."""
    ranges = {key.range_of(item) for item in members}
    answers = part[~np.isnan(part)]
    if len(ranges) > 1 or len(answers) < _FEWEST_ANSWERS or key.continuous:
        return
    low, high = next(iter(ranges))
    if answers.min() > low:
        found.doubts.append(
            f"no answer of {len(answers)} is {low:g}: coded {low + 1:g} to {high + 1:g} instead of {low:g} to {high:g}?"
        )
    elif answers.max() < high and answers.min() == low:
        shifted = f"coded {low - 1:g} to {high - 1:g} instead of {low:g} to {high:g}, or an answer that nobody gives?"
        found.doubts.append(f"no answer of {len(answers)} is {high:g}: {shifted}")


def _halves(found: Examination, ticked: Answers, key: Instrument, members: tuple[int, ...]) -> None:
    if key.continuous:
        return
    places = [item - 1 for item in members]
    part = ticked[:, places]
    odd = ~np.isnan(part) & (part != np.round(part))
    for row in np.flatnonzero(odd.any(axis=1)):
        told = [f"{part[row, k]:g} to item {members[k]}" for k in np.flatnonzero(odd[row])]
        found.rows.setdefault(int(row), []).append(f"{_listed(told, _SHOWN)}: no whole number")


def _lines(found: Examination, part: Answers, key: Instrument, members: tuple[int, ...]) -> None:
    """Doubt rows in which all answers are alike although some items ask the opposite of others."""
    turned = sum(item in key.reversed for item in members)
    ranges = {key.range_of(item) for item in members}
    if not 0 < turned < len(members) or len(ranges) > 1:
        return
    middle = sum(next(iter(ranges))) / 2
    for row, answers in enumerate(part):
        known = answers[~np.isnan(answers)]
        if len(known) >= max(_FEWEST_IN_LINE, len(members) - 1) and np.ptp(known) == 0 and known[0] != middle:
            told = f"{known[0]:g} to all {len(known)} items, of which {turned} are reversed: a straight line?"
            found.rows.setdefault(row, []).append(told)


def _listed(texts: list[str], most: int) -> str:
    shown = texts[:most]
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(shown) + more
