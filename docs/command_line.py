"""Renew docs/command-line.md from the help texts of the program."""

from pathlib import Path
from typing import Any

from typer.main import get_command
from typer.testing import CliRunner

from dyadloop.cli.program import app

HEAD = """# The command line

Results go to stdout, messages and progress to stderr; with `--json` faults go to stdout too, as JSON. Exit codes: 0 ok,
2 usage, 3 bad data or theory, or an indicator without any score, 4 not converged, 130 interrupted (run the same command
again to go on).

An option that has no effect beside another is refused (exit code 2), and so is a place that cannot be written, before
any work starts. Folders that are missing are made. Figures are SVG; those of simulated data say SIMULATED.

`--json` prints the result as JSON. `--quiet` leaves out messages and progress; what is wrong is still said.
`dyadloop --install-completion` lets the shell complete commands, options and choices.
"""


def commands(group: Any, path: str = "") -> list[str]:  # noqa: ANN401 - Click's or Typer's
    """Return every command of the program, those of groups after the others."""
    single = [f"{path} {name}".strip() for name, entry in group.commands.items() if not hasattr(entry, "commands")]
    nested = [
        name
        for key, entry in group.commands.items()
        if hasattr(entry, "commands")
        for name in commands(entry, f"{path} {key}".strip())
    ]
    return [*single, *nested]


def page() -> str:
    """Return the page."""
    parts = [HEAD]
    for command in ["", *commands(get_command(app))]:
        call, width = [*command.split(), "--help"], {"COLUMNS": "100", "TERM": "dumb"}
        text = CliRunner().invoke(app, call, prog_name="dyadloop", env=width).stdout
        parts.append(f"## dyadloop {command}".rstrip() + f"\n```text\n{text.strip()}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    (Path(__file__).parent / "command-line.md").write_text(page(), encoding="utf-8")
