"""Plates of one assay whose standards are written in different units: every curve is sound, and no value compares."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from dyadloop.measures.assays.curve import Curve

LARGEST_FACTOR = 20.0
"""Factor between two plates of one assay beyond which they are doubted (assumed).

Curves of one kit differ between plates by tens of percent; another unit is a power of ten.
"""
_NEAR_TEN = 1.5  # factor around 10 that is taken for it: what two fitted curves differ by


class Apart(NamedTuple):
    """Plates that stand apart from the others: what is doubted in words, and on which plates values are doubtful."""

    doubts: tuple[str, ...]
    plates: dict[str, str]


class _Place(NamedTuple):
    """Where a curve stands: smallest and largest standard above 0, and the concentration at its middle signal."""

    low: float
    high: float
    middle: float


def plates_apart(curves: Mapping[str, Curve]) -> Apart:
    """Return the plates whose standards and whose curve both stand elsewhere by the same order of magnitude.

    Parameters
    ----------
    curves
        Standard curves by plate.

    Notes
    -----
    Both must differ by a factor above 20, or by about 10: standards alone may reach farther on one plate, and the
    middle of a curve that its standards do not reach is uncertain. Plates are compared with the one with which most
    agree. Where no more than half agree, any of them may be wrong, and the values of all are doubtful.
    """
    places = {plate: place for plate, curve in curves.items() if (place := _place(curve)) is not None}
    alike = {one: [other for other in places if not _differ(places[one], places[other])] for one in places}
    if not places:
        return Apart((), {})
    usual = max(alike, key=lambda plate: len(alike[plate]))
    found = {plate: _told(plate, usual, places) for plate in places if plate not in alike[usual]}
    marked = dict(found)
    if found and 2 * len(alike[usual]) <= len(places):
        marked |= dict.fromkeys(alike[usual], next(iter(found.values())))
    return Apart(tuple(found.values()), marked)


def _place(curve: Curve) -> _Place | None:
    standards = np.array(list(curve.recovery))
    middle = float(curve.read_back((curve.a + curve.d) / 2))
    usable = len(standards) and math.isfinite(middle) and middle > 0
    return _Place(float(standards.min()), float(standards.max()), middle) if usable else None


def _differ(one: _Place, two: _Place) -> bool:
    standards = math.sqrt(one.low * one.high / (two.low * two.high))
    factors = [max(factor, 1 / factor) for factor in (standards, one.middle / two.middle)]
    return all(factor > LARGEST_FACTOR or 10 / _NEAR_TEN < factor < 10 * _NEAR_TEN for factor in factors)


def _told(plate: str, usual: str, places: Mapping[str, _Place]) -> str:
    here, there = places[plate], places[usual]
    ratio = there.middle / here.middle
    factor = max(ratio, 1 / ratio)
    power = round(math.log10(factor))
    near = 10.0**power if 1 / _NEAR_TEN < factor / 10.0**power < _NEAR_TEN else factor
    return (
        f"plate {plate!r} has standards of {here.low:g} to {here.high:g} and the middle of its curve at "
        f"{here.middle:.3g}, plate {usual!r} {there.low:g} to {there.high:g} and {there.middle:.3g}: "
        f"a factor of {float(f'{near:.3g}'):g}; another unit, such as ng/ml beside pg/ml?"
    )
