"""Exceptions: each says where, what was found, what was expected and what to do."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_ALIKE = 5  # faults of one kind in one column that are told in one line
_NAMED = 4
_OWN_PART = re.compile(r"'(?:[^'\\]|\\.)*'|\"[^\"]*\"|[-+]?\d[\d.,:]*")  # what differs between faults of one kind


class DyadloopError(Exception):
    """Base of every error that dyadloop raises on purpose."""


class UnitError(DyadloopError, ValueError):
    """A unit that does not exist or does not fit."""


class TheoryError(DyadloopError, ValueError):
    """A theory that contradicts its schema or itself."""


class StateError(DyadloopError, ValueError):
    """A state or parameter at which a quantity cannot be evaluated."""


class MeasureError(DyadloopError, ValueError):
    """A recording, an answer, an assay or a game that cannot be scored as asked."""


class EvidenceError(DyadloopError, ValueError):
    """Published effects that cannot be converted, pooled or read as asked."""


class FitError(DyadloopError, ValueError):
    """A study and a theory that cannot be brought together in a fit."""


class ResultError(DyadloopError, ValueError):
    """A result folder that is incomplete, altered or from another study."""


@dataclass(frozen=True)
class Fault:
    """One fault of a study folder, in the four parts a person needs to mend it."""

    file: str
    row: int | None
    column: str | None
    got: str
    expected: str
    remedy: str

    def __str__(self) -> str:
        """Return the fault as one readable line."""
        return f"{self.place}: got {self.got}; expected {self.expected}; {self.remedy}"

    @property
    def place(self) -> str:
        """File, row and column in words."""
        row = "" if self.row is None else f" row {self.row}"
        return self.file + row + ("" if self.column is None else f", column {self.column!r}")


def number_of(count: int, word: str) -> str:
    """Return a number with its word: 1 fault, 2 faults."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def fault_lines(faults: Sequence[Fault]) -> list[str]:
    """Return faults as lines; those of one kind in one column stand in one line, with their number and first rows."""
    kinds: dict[tuple, list[Fault]] = {}
    for fault in faults:
        words = (_OWN_PART.sub("*", text) for text in (fault.got, fault.expected, fault.remedy))
        kinds.setdefault((fault.file, fault.column, *words), []).append(fault)
    alike = {id(fault): group for group in kinds.values() if len(group) >= _ALIKE for fault in group}
    lines = []
    for fault in faults:
        group = alike.get(id(fault), [fault])
        if group[0] is fault:
            lines.append(str(fault) if len(group) == 1 else _of_many(group))
    return lines


def _of_many(group: list[Fault]) -> str:
    """Return the line of many faults of one kind."""
    first, rows = group[0], sorted({fault.row for fault in group if fault.row is not None})
    more = f", and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    where = f" (rows {', '.join(map(str, rows[:_NAMED]))}{more})" if len(rows) > 1 else ""
    return f"{first.place}: {len(group)} times, first got {first.got}; expected {first.expected}; {first.remedy}{where}"


class DataError(DyadloopError, ValueError):
    """A study folder with faults.

    Attributes
    ----------
    faults
        All of them, in file order; the message tells many of one kind in one line.
    sound
        Study of the rows without a fault, where these make one.
    doubts
        What is doubtful in these, where it was looked for.
    """

    def __init__(self, path: str, faults: list[Fault], sound: Any = None) -> None:  # noqa: ANN401 - a study
        self.path = path
        self.faults = tuple(faults)
        self.sound = sound
        self.doubts: tuple[Fault, ...] = ()
        count = number_of(len(faults), "fault")
        super().__init__("\n".join([f"{path}: {count}", *(f"  {line}" for line in fault_lines(faults))]))
