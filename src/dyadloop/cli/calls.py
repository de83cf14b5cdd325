"""A call of a command as one line that can be typed again."""

import shlex
from collections.abc import Iterable
from typing import Any

_SHOWN_ONLY = ("as_json", "quiet")
"""Options that change what is printed and nothing of what is computed."""


def command_line(context: Any, always: Iterable[str] = ()) -> str:  # noqa: ANN401 - Click's or Typer's
    """Return the command line of a call: all that was given, and what must always be told.

    Parameters
    ----------
    context
        Context of the command.
    always
        Parameters that are printed even where they were left at their default, for a default may change.
    """
    words, kept = [], set(always)
    for parameter in context.command.params:
        source, value = context.get_parameter_source(parameter.name), context.params.get(parameter.name)
        given = source is not None and source.name == "COMMANDLINE"
        if parameter.name in _SHOWN_ONLY or value is None or not (given or parameter.name in kept):
            continue
        words += _words(parameter, value)
    return shlex.join(["dyadloop", *_path(context), *words])


def _path(context: Any) -> list[str]:  # noqa: ANN401
    """Return the names of a command and its groups, however the program itself was called."""
    return [] if context.parent is None else [*_path(context.parent), str(context.info_name)]


def _words(parameter: Any, value: Any) -> list[str]:  # noqa: ANN401
    """Return one parameter of a command line with its value."""
    if parameter.param_type_name == "argument":
        return [str(part) for part in (value if isinstance(value, list | tuple) else [value])]
    name = next((option for option in parameter.opts if option.startswith("--")), parameter.opts[0])
    if isinstance(value, bool):
        return [name] if value else list(parameter.secondary_opts[:1])
    if getattr(parameter, "nargs", 1) != 1:
        return [name, *map(str, value)]
    return [word for part in (value if isinstance(value, list | tuple) else [value]) for word in (name, str(part))]
