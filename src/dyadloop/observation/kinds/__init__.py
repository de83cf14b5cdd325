"""Kinds of observation: how a value of a study relates to the number that a theory predicts, one file per kind.

A kind is one object (:class:`Kind`). It says which keys of ``study.yaml`` belong to it, which values are of its kind,
how likely they are, how they are simulated, and what the report says of them. No other file knows a kind by its name.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import xarray as xr

from dyadloop.observation.kinds.censored import Censored
from dyadloop.observation.kinds.count import Count
from dyadloop.observation.kinds.gaussian import Gaussian
from dyadloop.observation.kinds.kind import Keys, Kind, Parameter, Record, Row
from dyadloop.observation.kinds.ordinal import Ordinal

__all__ = ["Keys", "Kind", "Parameter", "Record", "Row", "kind_named", "kinds", "mask", "register", "registered"]

_KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Add a kind of observation; studies that are read from now on may use its keys.

    Raises
    ------
    ValueError
        If a kind of that name is there already.
    """
    if kind.name in _KINDS:
        raise ValueError(f"a kind of observation named {kind.name!r} is registered already; choose another name")
    _KINDS[kind.name] = kind


@contextmanager
def registered(kind: Kind) -> Iterator[None]:
    """Add a kind of observation for as long as a block runs."""
    register(kind)
    try:
        yield
    finally:
        del _KINDS[kind.name]


def kinds() -> tuple[Kind, ...]:
    """Return all kinds; the first is that of values of which no other kind takes hold."""
    return tuple(_KINDS.values())


def kind_named(name: str) -> Kind:
    """Return a kind by its name."""
    return _KINDS[name]


def mask(scores: xr.Dataset, name: str) -> np.ndarray:
    """Return which values of scores are of a kind (dyad, time, indicator)."""
    known = str(scores.attrs["kinds"]).split()
    return scores["kind"].values == known.index(name) if name in known else np.zeros(scores["kind"].shape, dtype=bool)


for _kind in (Gaussian(), Censored(), Ordinal(), Count()):
    register(_kind)
