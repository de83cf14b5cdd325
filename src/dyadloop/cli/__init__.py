"""The command line: thin doors, no science."""

import signal
import sys
from typing import Any

_INTERRUPTED = 130


def main() -> None:
    """Run the command line; Ctrl-C while it is still being loaded ends it as it does later."""
    try:
        from dyadloop.cli import program

        program.main()
    except (KeyboardInterrupt, SystemExit) as end:
        if isinstance(end, SystemExit) and end.code != _INTERRUPTED:
            raise
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one would break into Python's own end
        sys.exit(_INTERRUPTED)


def __getattr__(name: str) -> Any:  # noqa: ANN401 - as Python asks
    """Load the commands when they are first asked for, so that ``main`` is there before them."""
    if name == "app":
        from dyadloop.cli.program import app

        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["app", "main"]
