"""The explorer in the browser."""

import os
import signal
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from dyadloop.cli.outputs import writable_folder
from dyadloop.cli.shared import BAD_DATA, INTERRUPTED, Quiet, say


def open_app(
    studies: Annotated[list[Path] | None, typer.Argument(help="Study folders to offer.", metavar="[STUDY]...")] = None,
    work: Annotated[
        Path,
        typer.Option(help="Folder of what is made here: studies, designs, results.", callback=writable_folder),
    ] = Path("dyadloop-app"),
    host: Annotated[
        str, typer.Option(help="Address to listen at; any other than this machine's own is open to a network.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8765,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
    quiet: Quiet = False,
) -> None:
    """Explore theories, studies, plans and evidence in a browser on this machine.

    The address holds a random token, without which nothing is answered. Nothing is loaded from elsewhere.

    Example: dyadloop app examples/school
    """
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        say(f"dyadloop: app: {' and '.join(missing)} not installed; expected both; pip install 'dyadloop[app]'")
        raise typer.Exit(BAD_DATA)
    for study in studies or ():
        if not study.is_dir():
            raise typer.BadParameter(f"{study}: no such folder; expected a study folder", param_hint="STUDY")
    from dyadloop.app.serving import is_loopback, serve

    if not is_loopback(host):
        say(
            f"warning: {host} can be reached by others. Whoever has the address with its token can read the studies "
            "and start fits; nothing is encrypted. Rather leave --host out and use ssh -L.",
            quiet,
        )
    with suppress(KeyboardInterrupt):
        serve(
            tuple(studies or ()),
            folder=work,
            host=host,
            port=port,
            browser=not no_browser,
            announce=lambda text: print(text, flush=True),
        )
    _leave()


def _leave() -> None:
    """End the process after Ctrl-C; the server has closed all that it holds.

    A thread may still compile or compute. Python cannot end while one is inside C++: it would abort.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(INTERRUPTED)
