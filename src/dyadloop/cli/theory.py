"""Commands about theory files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyadloop.cli.doors import Doors
from dyadloop.cli.outputs import writable_file
from dyadloop.cli.shared import AsJson, On, PatientOnly, Quiet, Rival, console, event_of, print_json, say, theory_of

if TYPE_CHECKING:
    from dyadloop.theory import Theory

theory_app = Doors(no_args_is_help=True, rich_markup_mode=None, help="Look at theory files.")


@theory_app.command("list")
def theory_list(as_json: AsJson = False) -> None:
    """List the theories that ship with the package.

    Example: dyadloop theory list
    """
    from dyadloop.theory import PRESETS, read_theory

    found = {name: read_theory(name) for name in PRESETS}
    if as_json:
        print_json([{"theory": name, "title": one.title, "source": one.source} for name, one in found.items()])
    else:
        print("\n".join(f"{name:18} {one.title} ({one.source})" for name, one in found.items()))


@theory_app.command("show")
def theory_show(
    name: Annotated[str, typer.Argument(help="Preset or theory file.")] = "framework",
    hypothesis: Rival = None,
    on: On = None,
    as_json: AsJson = False,
) -> None:
    """Print a theory: every number with its unit, prior and source.

    Example: dyadloop theory show framework
    """
    from dyadloop.reporting.summary import print_theory

    found = theory_of(name, hypothesis, on, False)
    if as_json:
        print(found.model_dump_json(by_alias=True, indent=2))
    else:
        print_theory(found, console())


@theory_app.command("validate")
def theory_validate(name: Annotated[str, typer.Argument(help="Theory file.")], as_json: AsJson = False) -> None:
    """Check a theory file: all faults at once, and whether a fit takes it.

    A theory with claims must be one that a fit takes, for without a fit nothing is judged.

    Example: dyadloop theory validate my-theory.yaml
    """
    from dyadloop.errors import TheoryError
    from dyadloop.theory import read_theory
    from dyadloop.theory.uses import fit_faults

    found = read_theory(name)
    faults = fit_faults(found)
    if faults and found.claims:
        lines = [f"  {fault}" for fault in faults]
        raise TheoryError("\n".join([f"{name}: its claims cannot be judged, for a fit refuses it", *lines]))
    if as_json:
        counts = {part: len(getattr(found, part)) for part in ("variables", "couplings", "claims")}
        print_json({"theory": name, **counts, "fitted_as": found.linear_form, "fit_refuses": faults})
        return
    print(
        f"{name}: {len(found.variables)} variables, {len(found.couplings)} couplings, {len(found.claims)} claims; valid"
    )
    form = f"in the form {found.linear_form}" if found.linear_form else "as it is"
    print(f"fit: {form if not faults else 'no, only simulation and dynamics: ' + '; '.join(faults)}")


@theory_app.command("diff")
def theory_diff(
    first: Annotated[str, typer.Argument(help="Preset or theory file, or THEORY:HYPOTHESIS.")],
    second: Annotated[str, typer.Argument(help="Preset or theory file, or THEORY:HYPOTHESIS.")],
    as_json: AsJson = False,
) -> None:
    """Print what differs between two theories, element by element.

    Example: dyadloop theory diff framework framework:synergistic
    """
    from dyadloop.reporting.summary import print_differences
    from dyadloop.theory.export import differences

    one, two = (theory_of(*_named(text), None, False) for text in (first, second))
    found = differences(one, two)
    if as_json:
        print_json(found)
    else:
        print_differences(found, console())


def _named(text: str) -> tuple[str, str | None]:
    name, _, hypothesis = text.partition(":")
    return (text, None) if Path(text).exists() else (name, hypothesis or None)


@theory_app.command("export")
def theory_export(
    name: Annotated[str, typer.Argument(help="Preset or theory file.")],
    to: Annotated[str, typer.Option(help="latex, mermaid, svg, sbml, json (registry record) or yaml.")] = "latex",
    out: Annotated[Path | None, typer.Option(help="File to write; default: stdout.", callback=writable_file)] = None,
    hypothesis: Rival = None,
    on: On = None,
    patient_only: PatientOnly = False,
    sessions: Annotated[int | None, typer.Option(min=1, help="Number of sessions (SBML).")] = None,
    every: Annotated[str | None, typer.Option(help="Distance of sessions, such as '3.5 d' (SBML).")] = None,
    length: Annotated[str | None, typer.Option(help="Length of a session, such as '50 min' (SBML).")] = None,
    event: Annotated[list[str] | None, typer.Option(help="EVENT:SESSION[:AMOUNT], such as dose:4:24 (SBML).")] = None,
    quiet: Quiet = False,
) -> None:
    """Write a theory in another language.

    SBML holds the calendar of one dyad: that of the theory, or your own.

    For example:

    dyadloop theory export framework --to latex

    dyadloop theory export framework --to sbml --sessions 8 --event dose:4:24 --out framework.xml
    """
    from dyadloop.errors import TheoryError

    found = theory_of(name, hypothesis, on, patient_only)
    given = {"sessions": sessions, "every": every, "length": length, "event": event}
    asked = {key: value for key, value in given.items() if value is not None}
    if asked and to != "sbml":
        raise TheoryError(f"--{', --'.join(asked)}: only SBML holds a calendar; leave it out, or give --to sbml")
    found = _with_calendar(found, asked)
    writers = {"latex": _latex, "mermaid": _mermaid, "svg": _svg, "sbml": _sbml, "json": _registry, "yaml": _yaml}
    if to not in writers:
        from dyadloop.data.names import known_names

        raise TheoryError(f"--to {to!r}: no such language; known: {known_names(writers, to)}")
    text = writers[to](found)
    if out is None:
        print(text)
    else:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
        say(f"written: {out}", quiet)


def _with_calendar(theory: "Theory", asked: dict) -> "Theory":
    """Return a theory with its protocol, or the usual one, changed as asked."""
    from dyadloop.theory import protocol

    if not asked:
        return theory
    own = theory.protocol
    usual = {"sessions": 16, "every": "7 d", "length": "50 min"}
    if own is not None:
        usual = {"sessions": own.sessions, "every": f"{own.every_days!r} d", "length": f"{own.length_minutes!r} min"}
    chosen = {key: asked.get(key, value) for key, value in usual.items()}
    kept = list(own.events) if own is not None and "event" not in asked else []
    events = [event_of(text) for text in asked.get("event", [])]
    return theory.model_copy(update={"protocol": protocol(**chosen, events=[*kept, *events])})


def _latex(theory) -> str:  # noqa: ANN001 - a Theory
    from dyadloop.theory.latex import to_latex

    return to_latex(theory)


def _mermaid(theory) -> str:  # noqa: ANN001 - a Theory
    from dyadloop.theory.export import to_mermaid

    return to_mermaid(theory)


def _svg(theory) -> str:  # noqa: ANN001 - a Theory
    from dyadloop.reporting.explore import theory_diagram

    return theory_diagram(theory)


def _sbml(theory) -> str:  # noqa: ANN001 - a Theory
    from dyadloop.theory.sbml import to_sbml

    return to_sbml(theory)


def _registry(theory) -> str:  # noqa: ANN001 - a Theory
    from dyadloop.theory.export import to_registry

    return to_registry(theory)


def _yaml(theory) -> str:  # noqa: ANN001 - a Theory
    import json

    from dyadloop.yaml_files import dump_yaml

    content = json.loads(theory.model_dump_json(by_alias=True, exclude_none=True))
    return dump_yaml(content)
