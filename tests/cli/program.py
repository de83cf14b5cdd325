"""The program as a user calls it, in a process of its own or in this one."""

import contextlib
import io
import subprocess
import sys
from types import SimpleNamespace

from dyadloop.cli.program import main


def program(*arguments):
    """Run the installed program in a process of its own."""
    return subprocess.run([sys.executable, "-m", "dyadloop", *map(str, arguments)], capture_output=True, text=True)


def dyadloop(*arguments):
    """Run what the program runs, in this process: the same streams and exit codes, without importing all anew."""
    out, err, argv = io.StringIO(), io.StringIO(), sys.argv
    sys.argv, code = ["dyadloop", *map(str, arguments)], 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.argv = argv
    return SimpleNamespace(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())
