"""What a recording is: channels on one clock, and what of them was not recorded."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dyadloop.errors import Fault, MeasureError
from dyadloop.signals.faults import refuse
from dyadloop.signals.series import Floats

_MOST_NAMED = 6
UNKNOWN = math.nan
"""Start of a recording that does not tell it."""


@dataclass(frozen=True)
class Stretch:
    """A stretch that counts as not recorded: ``start`` to ``stop`` [s since the first sample], and why."""

    start: float
    stop: float
    why: str


@dataclass(frozen=True)
class Recording:
    """Channels on one clock.

    Attributes
    ----------
    channels
        Samples, one column per channel, NaN where missing.
    fs
        Sampling rate [Hz].
    start
        Time of the first sample [s], NaN where nothing tells it.
    source
        File it came from.
    zero
        What ``start`` counts from: ``file``, the beginning of that recording or task, or ``unix``, 1970.
    left_out
        Stretches that a rule made missing.
    faults
        Columns of the file that are not all numbers, with what is wrong.
    """

    channels: pd.DataFrame
    fs: float
    start: float
    source: str
    zero: str = "file"
    left_out: tuple[Stretch, ...] = ()
    faults: Mapping[str, Sequence[Fault]] = field(default_factory=dict)

    def channel(self, name: str | None = None) -> Floats:
        """Return a copy of one channel; without a name of the only one.

        Raises
        ------
        MeasureError
            If there is no such channel, several and no name, or values that are no numbers.
        """
        names = [str(column) for column in self.channels.columns]
        if name is None and len(names) == 1:
            name = names[0]
        if name is not None and name in self.faults:
            refuse(self.faults[name])
        if name is None or name not in names:
            raise MeasureError(
                f"{self.source}: column {name!r}: not there; expected one of {', '.join([*names, *self.faults])}"
            )
        return self.channels[name].to_numpy(dtype=np.float64, copy=True)


def stretches_of(marked: NDArray[np.bool_], fs: float, why: str) -> tuple[Stretch, ...]:
    """Return the runs of marked samples as stretches [s]."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
    return tuple(Stretch(low / fs, high / fs, why) for low, high in zip(edges[::2], edges[1::2], strict=True))


def described(left_out: Sequence[Stretch], seconds: float) -> str:
    """Return in words what was left out of a recording of some length [s]: its share, and the longest stretches."""
    if not left_out:
        return ""
    return f"{share_of(left_out, seconds):.1%} left out: {_listed(left_out)}"


def places_of(marked: NDArray[np.bool_], fs: float) -> str:
    """Return in words where marked samples lie, the longest stretches."""
    return _listed(stretches_of(marked, fs, ""))


def _listed(stretches: Sequence[Stretch]) -> str:
    shown = sorted(sorted(stretches, key=lambda s: s.start - s.stop)[:_MOST_NAMED], key=lambda s: s.start)
    texts = [f"{s.start:.1f} to {s.stop:.1f} s {s.why}".strip() for s in shown]
    more = f"; and {len(stretches) - len(shown)} shorter" if len(stretches) > len(shown) else ""
    return "; ".join(texts) + more


def share_of(left_out: Sequence[Stretch], seconds: float) -> float:
    """Return the share of a recording that stretches cover, each moment counted once."""
    total, reached = 0.0, -math.inf
    for stretch in sorted(left_out, key=lambda s: s.start):
        total += max(stretch.stop - max(stretch.start, reached), 0.0)
        reached = max(reached, stretch.stop)
    return total / seconds if seconds > 0 else 0.0
