"""Faults of recordings: all of a file at once, each with its place, what was found, what was expected, what to do."""

from collections.abc import Sequence

from dyadloop.errors import Fault, MeasureError, fault_lines

_MOST = 20


def refuse(faults: Sequence[Fault]) -> None:
    """Raise one error that names all faults, if there are any.

    Raises
    ------
    MeasureError
        With a line per fault, or per many of one kind, the first twenty in full.
    """
    if not faults:
        return
    every = fault_lines(faults)
    lines = every[:_MOST]
    if len(every) > _MOST:
        lines.append(f"and {len(every) - _MOST} more faults")
    raise MeasureError("\n".join(lines))
