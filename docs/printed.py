"""Renew what the pages say that the program prints: outputs of Python examples and of marked commands."""

import contextlib
import io
import os
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from dyadloop.cli.program import main

ROOT = Path(__file__).parent.parent
EXAMPLE = re.compile(r"(```python\n(.*?)```\n+```text\n)(.*?)(```)", re.DOTALL)
MARKED = re.compile(r"(<!-- printed by `dyadloop (.*?)` -->\n```text\n)(.*?)(```)", re.DOTALL)


def output(run: Callable[[], object]) -> str:
    """Return what a function prints, 160 columns wide, with the repository as working folder."""
    stream, folder, before = io.StringIO(), Path.cwd(), dict(os.environ)
    os.environ.update({"COLUMNS": "160", "TERM": "dumb"})
    os.chdir(ROOT)
    try:
        with contextlib.redirect_stdout(stream):
            run()
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(before)
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def example(code: str, names: dict) -> str:
    """Return what a Python example prints; ``names`` holds what earlier examples of the page defined."""
    return output(lambda: exec(code, names))


def command(line: str) -> str:
    """Return what the program prints for the arguments of a command line.

    Raises
    ------
    RuntimeError
        If the command fails.
    """

    def run() -> None:
        argv, sys.argv = sys.argv, ["dyadloop", *shlex.split(line)]
        try:
            main()
        except SystemExit as end:
            if end.code:
                raise RuntimeError(f"dyadloop {line}: exit code {end.code}") from None
        finally:
            sys.argv = argv

    return output(run)


def renewed(text: str) -> str:
    """Return a page with all Python examples, in their order, and all marked commands run again."""
    names: dict = {"__name__": "__main__"}
    text = EXAMPLE.sub(lambda m: m[1] + example(m[2], names) + m[4], text)
    return MARKED.sub(lambda m: m[1] + command(m[2]) + m[4], text)


if __name__ == "__main__":
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        before = page.read_text(encoding="utf-8")
        if (after := renewed(before)) != before:
            page.write_text(after, encoding="utf-8")
            print(f"renewed {page.relative_to(ROOT)}")
