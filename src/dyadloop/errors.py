"""Exceptions: each says where, what was found, what was expected and what to do."""

from dataclasses import dataclass


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
        place = self.file
        if self.row is not None:
            place += f" row {self.row}"
        if self.column is not None:
            place += f", column {self.column!r}"
        return f"{place}: got {self.got}; expected {self.expected}; {self.remedy}"


class DataError(DyadloopError, ValueError):
    """A study folder with faults; ``faults`` holds all of them, in file order."""

    def __init__(self, path: str, faults: list[Fault]) -> None:
        self.path = path
        self.faults = tuple(faults)
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__("\n".join([f"{path}: {count}", *(f"  {fault}" for fault in faults)]))
