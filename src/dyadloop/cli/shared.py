"""What all commands share: argument types, messages, the console, and reading a theory with its options."""

import json
import math
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console

    from dyadloop.theory import Theory

BAD_DATA, NOT_CONVERGED, INTERRUPTED = 3, 4, 130

StudyPath = Annotated[Path, typer.Argument(help="Study folder.", metavar="STUDY")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No messages and no progress.")]
TheoryOption = Annotated[str | None, typer.Option(help="Preset or theory file; default: the study's own.")]
PriorSet = Literal["sceptical", "evidence", "flat"]
PriorSetName = Annotated[PriorSet, typer.Option("--priors", help="Set of priors.")]
Seed = Annotated[int, typer.Option(help="Seed of starts and chains.")]
Chains = Annotated[int, typer.Option(min=1, help="Number of chains.")]
Warmup = Annotated[int, typer.Option(min=50, help="Warm-up iterations of a chain.")]
Draws = Annotated[int, typer.Option(min=50, help="Kept draws of a chain.")]
OpenDraws = Annotated[
    int | None, typer.Option(min=50, help="Kept draws of a chain; default: as many as it takes to converge.")
]


def say(text: str, quiet: bool = False) -> None:
    """Print a message to stderr."""
    if not quiet:
        print(text, file=sys.stderr)


TheoryName = Annotated[str, typer.Argument(help="Preset or theory file.", metavar="THEORY")]
Rival = Annotated[str | None, typer.Option(help="Restrict the theory to a hypothesis, such as biomarker.")]
On = Annotated[list[str] | None, typer.Option("--on", help="Switch an optional part on, such as habituation.")]
Values = Annotated[list[str] | None, typer.Option("--set", help="Replace a number, such as w_trust=0.8.")]
Vary = Annotated[
    list[str] | None, typer.Option("--vary", help="Let a parameter differ between dyads, such as w_trust; at most two.")
]
VaryByTherapist = Annotated[
    list[str] | None,
    typer.Option("--vary-by-therapist", help="Let a parameter differ between therapists, such as w_trust."),
]
PatientOnly = Annotated[bool, typer.Option("--patient-only", help="Leave the therapist's own variables out.")]


def console() -> "Console":
    """Return a console for stdout; rich is imported only where something is printed.

    What goes to a file or another program is 160 columns wide, or as ``DYADLOOP_WIDTH`` says.
    """
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=int(os.environ.get("DYADLOOP_WIDTH", "160")))
    return console


def print_written(paths: Iterable[Path], as_json: bool, **told: Any) -> None:  # noqa: ANN401 - whatever JSON holds
    """Print the files and folders that a command has made: a line each, or as JSON with what else is told of them."""
    if as_json:
        print_json({"written": [str(path) for path in paths], **told})
    else:
        for path in paths:
            print(path)


def theory_of(name: str, hypothesis: str | None, on: list[str] | None, patient_only: bool) -> "Theory":
    """Return a theory with the options of the command line applied."""
    from dyadloop import theory as theories

    found = theories.read_theory(name)
    found = theories.hypothesis(hypothesis, found) if hypothesis else found
    found = theories.switch_on(found, *on) if on else found
    return theories.patient_only(found) if patient_only else found


def pairs_of(texts: list[str] | None) -> dict[str, str]:
    """Return what options ``--set NAME=VALUE`` say, as text; ``--set`` means this in every command."""
    found: dict[str, str] = {}
    for text in texts or []:
        name, sign, value = text.partition("=")
        if not sign or not name.strip():
            raise typer.BadParameter(f"{text!r}; expected NAME=VALUE, such as window=30", param_hint="--set")
        found[name.strip()] = value.strip()
    return found


def settings_of(texts: list[str] | None) -> dict[str, Any]:
    """Return the values of :func:`pairs_of` as numbers, true or false, or lists such as [1, 2] where they are any."""
    found: dict[str, Any] = {}
    for name, value in pairs_of(texts).items():
        try:
            found[name] = json.loads(value)
        except json.JSONDecodeError:
            found[name] = value
    return found


def values_of(texts: list[str] | None) -> dict[str, float]:
    """Return the values of :func:`pairs_of` where every one must be a number."""
    found: dict[str, float] = {}
    for name, value in pairs_of(texts).items():
        try:
            found[name] = float(value)
        except ValueError:
            found[name] = math.nan
        if not math.isfinite(found[name]):
            expected = "a finite number, such as w_trust=0.8"
            raise typer.BadParameter(f"{name}={value}; expected {expected}", param_hint="--set")
    return found


def event_of(text: str) -> dict:
    """Return an event given as EVENT:SESSION[:AMOUNT].

    Raises
    ------
    TheoryError
        If the text is no such event.
    """
    from dyadloop.errors import TheoryError

    parts = text.split(":")
    try:
        return {"event": parts[0], "sessions": [int(parts[1])], "amount": float(parts[2]) if len(parts) > 2 else 1.0}
    except (IndexError, ValueError):
        raise TheoryError(f"--event {text!r}: expected EVENT:SESSION[:AMOUNT], such as dose:4:24") from None


def print_dataset(found: "xr.Dataset", as_json: bool) -> None:
    """Print a dataset as JSON, or as tables: one per set of dimensions, with single numbers first."""
    from dyadloop.reporting.tables import print_dataset as show

    if as_json:
        print_json(found.to_dict())
    else:
        show(found, console())


def print_json(content: Any) -> None:  # noqa: ANN401 - whatever JSON holds
    """Print content as JSON; what JSON cannot hold is null or text."""
    print(json.dumps(_plain(content), indent=2, ensure_ascii=False, allow_nan=False))


def _plain(content: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return content with what JSON cannot hold as null or text."""
    if isinstance(content, dict):
        return {str(key): _plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value) for value in content]
    if hasattr(content, "item") and getattr(content, "ndim", 1) == 0:
        content = content.item()  # a number of NumPy
    if isinstance(content, float) and content - content != 0:
        return None
    return content if isinstance(content, str | int | float | bool | None) else str(content)
