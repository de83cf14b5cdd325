"""Renew docs/command-line.md from the help texts of the program."""

from pathlib import Path

from typer.testing import CliRunner

from dyadloop.cli.app import app

COMMANDS = [
    *["", "check", "run", "claims", "report", "compare", "checks", "smooth", "draws", "whatif", "calibrate"],
    *["simulate", "convert", "measure", "synchrony", "motion", "instruments"],
    *["theory list", "theory show", "theory validate", "theory diff", "theory export"],
    *[f"evidence {name}" for name in ("list", "show", "check", "add", "pool", "claims", "priors", "map")],
    *["dynamics equilibria", "dynamics portrait", "dynamics gains", "dynamics map", "dynamics synergy"],
    *["dynamics continuation", "dynamics characteristic", "dynamics sensitivity", "dynamics phenomena"],
]
HEAD = """# The command line

Results go to stdout, messages and progress to stderr. Exit codes: 0 ok, 2 usage, 3 bad data or theory, 4 not converged,
130 interrupted (run the same command again to go on).
"""


def main() -> None:
    """Write the page."""
    parts = [HEAD]
    for command in COMMANDS:
        call, width = [*command.split(), "--help"], {"COLUMNS": "100", "TERM": "dumb"}
        text = CliRunner().invoke(app, call, prog_name="dyadloop", env=width).stdout
        parts.append(f"## dyadloop {command}".rstrip() + f"\n```text\n{text.strip()}\n```\n")
    (Path(__file__).parent / "command-line.md").write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
