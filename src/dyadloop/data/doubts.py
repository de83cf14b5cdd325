"""What a doubt is: possible, so no fault, but unlikely enough to be looked at."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dyadloop.data.schema import Study
from dyadloop.errors import Fault

_SHOWN = 4


@dataclass(frozen=True)
class Doubt(Fault):
    """What is possible in a study but unlikely: where, what, what is usual, and what to do."""


def doubt(file: str, rows: Sequence[int], column: str | None, got: str, expected: str, remedy: str) -> Doubt:
    """Return a doubt about one row or many: it stands at the first and names the next."""
    rows = sorted(set(rows))
    if len(rows) > 1:
        more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        got += f" (rows {', '.join(map(str, rows[:_SHOWN]))}{more})"
    return Doubt(file, rows[0] if rows else None, column, got, expected, remedy)


def named(names: Iterable[str]) -> str:
    """Return a few names, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more


def lines_of(study: Study, file: str) -> np.ndarray:
    """Return the line of each row of a table in its file."""
    return np.asarray(study.trace.lines[file], dtype=int)
