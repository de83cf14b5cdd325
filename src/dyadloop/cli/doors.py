"""How every command is called: options without effect are refused, and our own errors become messages.

Exit codes: 0 ok, 2 usage, 3 bad data or theory, 4 not converged, 130 interrupted (run again to go on).
"""

import errno
import json
import re
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand

from dyadloop.cli.modes import refuse_unused
from dyadloop.cli.shared import BAD_DATA, say
from dyadloop.errors import DataError, DyadloopError

_ARGUMENT = re.compile(r"(?<![\w.\-])([a-z][a-z_]*)=(True|False|'[^']*'|\[[^\]]*\]|[\w.+-]*[\w])")
_QUOTED = re.compile(r"`([a-z][a-z_]*)`")


class Door(TyperCommand):
    """A command that refuses options without effect and says what is wrong in words, as JSON where that is asked.

    What its arguments stand for is written in capitals in every help text.
    """

    def __init__(self, *args: Any, **named: Any) -> None:  # noqa: ANN401 - as in Typer
        super().__init__(*args, **named)
        for parameter in self.params:
            if parameter.param_type_name == "argument" and parameter.name and not parameter.metavar:
                parameter.metavar = parameter.name.upper()

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - as in Click
        """Run the command."""
        refuse_unused(ctx)
        try:
            return super().invoke(ctx)
        except DyadloopError as error:
            _tell(error, ctx)
        except OSError as error:
            if error.errno in (None, errno.EPIPE):
                raise
            _tell(error, ctx)
        raise typer.Exit(BAD_DATA)


class Doors(typer.Typer):
    """A group of such commands."""

    def command(self, name: str | None = None, **options: Any) -> Callable:  # noqa: ANN401 - as in Typer
        """Return the decorator that makes a function one of these commands."""
        return super().command(name, cls=Door, **options)


def _tell(error: DyadloopError | OSError, context: Any) -> None:  # noqa: ANN401 - Click's or Typer's
    """Say what is wrong on stderr, and on stdout too where a program reads it."""
    text = _of_disk(error) if isinstance(error, OSError) else in_options(str(error), context)
    doubted = error.doubts if isinstance(error, DataError) else ()
    if context.params.get("as_json"):
        faults = [vars(fault) for fault in error.faults] if isinstance(error, DataError) else []
        content = {"error": text.splitlines()[0], "faults": faults} if faults else {"error": text, "faults": []}
        if doubted:
            content["doubts"] = [vars(doubt) | {"text": str(doubt)} for doubt in doubted]
        print(json.dumps(content, indent=2, ensure_ascii=False))
    say(f"dyadloop: {text}")
    if doubted:
        say("\n".join(["  and doubtful in what has no fault:", *(f"  {doubt}" for doubt in doubted)]))


def _of_disk(error: OSError) -> str:
    place = error.filename if error.filename is not None else "a file"
    return (
        f"{place}: cannot be read or written ({(error.strerror or str(error)).lower()}); check the path and its rights"
    )


def in_options(text: str, context: Any) -> str:  # noqa: ANN401 - Click's or Typer's
    """Return a message whose Python arguments (``cut=True``) are named as options of the command (``--cut``)."""
    options = {parameter.name: parameter for parameter in context.command.params}
    by_name = {name.removeprefix("--").replace("-", "_"): name for p in options.values() for name in p.opts}

    def option(found: re.Match[str]) -> str:
        name, value = found[1], found[2].strip("'")
        parameter = options.get(name)
        shown = next((o for o in parameter.opts if o.startswith("--")), None) if parameter else by_name.get(name)
        if shown is None:
            return found[0]
        return shown if value == "True" else f"{shown} {value}"

    def quoted(found: re.Match[str]) -> str:
        parameter = options.get(found[1])
        return next((o for o in parameter.opts if o.startswith("--")), found[0]) if parameter else found[0]

    return _QUOTED.sub(quoted, _ARGUMENT.sub(option, text))
