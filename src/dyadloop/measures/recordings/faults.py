"""Faults of recordings: all of a file at once, each with its place, what was found, what was expected, what to do."""

from collections.abc import Sequence

from dyadloop.errors import Fault, MeasureError

_MOST = 20


def refuse(faults: Sequence[Fault]) -> None:
    """Raise one error that names all faults, if there are any.

    Raises
    ------
    MeasureError
        With a line per fault, the first twenty in full.
    """
    if not faults:
        return
    lines = [str(fault) for fault in faults[:_MOST]]
    if len(faults) > _MOST:
        lines.append(f"and {len(faults) - _MOST} more faults")
    raise MeasureError("\n".join(lines))
