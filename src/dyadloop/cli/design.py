"""The commands on designs: from a file to what it could show, a schedule, a registration and a report."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyadloop.cli.doors import Doors
from dyadloop.cli.outputs import FigurePath, result_folder, writable_file, writable_folder, write_figure
from dyadloop.cli.shared import (
    INTERRUPTED,
    AsJson,
    Quiet,
    StudyPath,
    Values,
    console,
    print_json,
    print_written,
    say,
    values_of,
)
from dyadloop.cli.tasks import Cluster, Workers

if TYPE_CHECKING:
    import pandas as pd

    from dyadloop.design import Assurance, Design, Identifiability

design_app = Doors(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Plan the study that could decide: designs as files, and what they could show.

    \b
    Examples:
      dyadloop design list
      dyadloop design show haifa
      dyadloop design check haifa
      dyadloop design assurance proposed --truth prior --over dyads=60,120
      dyadloop design identifiability haifa""",
)
DesignName = Annotated[str, typer.Argument(help="Shipped design, or design file.", metavar="DESIGN")]
Truths = Annotated[
    list[str] | None, typer.Option("--truth", help="prior (default), fixed, or a hypothesis such as common_cause.")
]


@design_app.command("list")
def list_designs(as_json: AsJson = False) -> None:
    """List the shipped designs with what they take.

    Example: dyadloop design list
    """
    from dyadloop.design import DESIGNS, effort, read_design

    rows = []
    for name in DESIGNS:
        design = read_design(name)
        takes = effort(design)
        rows.append(
            {
                "design": name, "dyads": design.dyads, "sessions": design.sessions.count, "samples": takes.samples,
                "events": ", ".join(design.events), "cost": takes.cost, "title": design.title, "source": design.source,
            }
        )  # fmt: skip
    if as_json:
        print_json(rows)
        return
    from dyadloop.reporting.tables import text_table

    headings = ("design", "dyads", "sessions", "samples", "events", "title", "source")
    console().print(text_table(headings, [[row[key] for key in headings] for row in rows]))


@design_app.command("show")
def show(design: DesignName, as_json: AsJson = False) -> None:
    """Print a design as a file: a start for one of your own.

    Example: dyadloop design show haifa > mine.yaml
    """
    from dyadloop.design import design_text, read_design

    found = read_design(design)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        print(design_text(found), end="")


@design_app.command("check")
def check_design(design: DesignName, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Check a design file: all faults at once, or what it takes and what it can say of each claim.

    Example: dyadloop design check haifa
    """
    from dyadloop.design import effort, prospects, read_design, skeleton

    found = read_design(design)
    table, takes = prospects(skeleton(found)), effort(found)
    if as_json:
        print_json({"effort": vars(takes), "claims": table.to_dict("records")})
        return
    from dyadloop.reporting.design import print_design

    print_design(found, takes, table, console())
    say(f"no faults; next: dyadloop design identifiability {design}", quiet)


@design_app.command("draft")
def draft_design(
    study: Annotated[
        Path | None, typer.Argument(help="Study folder to take as the model; default: asks a few questions.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; default: print it.", callback=writable_file)] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Draft a design file from a study that is there, or from answers to a few questions.

    For example:

    dyadloop design draft examples/mindfulness --out like.yaml

    dyadloop design draft --out mine.yaml
    """
    from dyadloop.data import read_study
    from dyadloop.design import asked, design_text, draft

    found = asked(_answer) if study is None else draft(read_study(study))
    if out is not None:
        out.write_text(design_text(found), encoding="utf-8")
        print_written([out], as_json)
        say(f"{out}: complete what is assumed; next: dyadloop design check {out}", quiet)
    elif as_json:
        print_json(found.model_dump(mode="json"))
    else:
        print(design_text(found), end="")


def _answer(question: str, default: str) -> str:
    """Return the answer to a question that is read from standard input."""
    print(f"{question} [Enter: {default}] ", end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        print(file=sys.stderr)
        remedy = "answer in a terminal, give one answer per line on standard input, or name a study folder"
        raise typer.BadParameter(f"no answer to {question!r}; {remedy}", param_hint="study")
    return line.strip() or default


@design_app.command("assurance")
def assure(
    design: DesignName,
    truth: Truths = None,
    replicates: Annotated[int, typer.Option(min=1, help="Simulated studies of each truth.")] = 200,
    values: Values = None,
    over: Annotated[
        str | None, typer.Option(help="A factor of the design and its values, such as dyads=20,40,80.")
    ] = None,
    nuts: Annotated[int, typer.Option(min=0, help="Of these, how many of each truth are also sampled.")] = 0,
    compare: Annotated[
        str | None, typer.Option(help="Hypotheses to compare on each study, such as none,reciprocal,common_cause.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the studies.")] = 1,
    folder: Annotated[
        Path | None,
        typer.Option(help="Folder of tasks and tables; default: results/DESIGN-assurance.", callback=writable_folder),
    ] = None,
    workers: Workers = 2,
    cluster: Cluster = "",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Simulate studies of a design, fit and judge each, and count verdicts.

    An interrupted run goes on where it was. A folder can be worked on by any number of processes and machines, see
    dyadloop tasks.

    For example:

    dyadloop design assurance proposed --truth prior --truth none --truth common_cause

    dyadloop design assurance proposed --truth fixed --over dyads=40,80,160 --replicates 100
    """
    from dyadloop.design import assurance, read_design
    from dyadloop.reporting.progress import steps

    found = read_design(design)
    place = result_folder(folder, f"{Path(design).stem}-assurance")
    try:
        with steps(quiet) as progress:
            made = assurance(
                found, tuple(truth or ("prior",)), replicates, values=values_of(values), over=_over(over), seed=seed,
                nuts=nuts, compare=_listed(compare), folder=place, workers=workers, cluster=cluster,
                progress=lambda done, total: progress("tasks", done, total),
            )  # fmt: skip
    except KeyboardInterrupt:
        say(f"interrupted; what is done is in {place}; run the same command to go on")
        raise typer.Exit(INTERRUPTED) from None
    _write_assurance(made, place, as_json)


def _listed(text: str | None) -> list[str]:
    """Return names that commas separate."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _over(text: str | None) -> dict[str, list[object]] | None:
    """Return the factor that is varied and its values.

    Raises
    ------
    typer.BadParameter
        If the text names none.
    """
    if text is None:
        return None
    name, _, listed = text.partition("=")
    values = [part.strip() for part in listed.split(",") if part.strip()]
    if not name or not values:
        raise typer.BadParameter(f"{text!r}; expected a factor and values, such as dyads=20,40,80", param_hint="--over")
    return {name.strip(): [_number(part) for part in values]}


def _number(text: str) -> object:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _write_assurance(made: "Assurance", place: Path, as_json: bool) -> None:
    """Write the tables of an assurance, and show them."""
    from dyadloop.reporting.design import print_assurance
    from dyadloop.reporting.tables import write_csv

    tables = {"claims": made.claims, "worlds": made.worlds, "agreement": made.agreement}
    tables |= {"comparisons": made.comparisons}
    for name, table in tables.items():
        write_csv(table, place / f"{name}.csv")
    if as_json:
        print_json({name: json.loads(table.to_json(orient="records")) for name, table in tables.items()})
    else:
        print_assurance(made, console())


Rivals = Annotated[
    str | None,
    typer.Option(help="Hypotheses to hold against the fitted one, such as none,common_cause; a minute each."),
]
TablesOf = Annotated[
    Path | None, typer.Option("--assurance", help="Folder of dyadloop design assurance, whose tables are shown.")
]


@design_app.command("identifiability")
def identify(
    design: DesignName,
    rivals: Rivals = None,
    remedies: Annotated[bool, typer.Option(help="Look for the change that tells a rival best.")] = True,
    figure: FigurePath = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Say what a design can tell before any data, near the numbers of the theory file.

    Exact for linear theories: expected information, directions that are hardly told, rivals that are not told apart.

    Example: dyadloop design identifiability haifa --rivals none,common_cause
    """
    from dyadloop.design import read_design
    from dyadloop.reporting.design import print_identifiability
    from dyadloop.reporting.design_figures import contraction

    found = _identified(read_design(design), rivals, remedies)
    if figure:
        write_figure(contraction(found.claims), figure, quiet)
    if as_json:
        tables = ("parameters", "claims", "directions", "profile", "rivals")
        print_json({name: getattr(found, name).to_dict("records") for name in tables} | {"rank": found.rank})
    else:
        print_identifiability(found, console())


def _identified(design: "Design", rivals: str | None, remedies: bool) -> "Identifiability":
    from dyadloop.design import identifiability

    return identifiability(design, rivals=_listed(rivals), remedies=remedies)


@design_app.command("schedule")
def spend(
    design: DesignName,
    claim: Annotated[str, typer.Option(help="Claim to know best, such as C2.trust.")],
    budget: Annotated[float, typer.Option(min=0.0, help="What the study may cost, in the design's currency.")],
    out: Annotated[Path | None, typer.Option(help="File of the best design.", callback=writable_file)] = None,
    figure: FigurePath = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Say where to spend a budget: more dyads or more samples, and in which sessions.

    Example: dyadloop design schedule haifa --claim C1.trust --budget 80000 --out best.yaml
    """
    from dyadloop.design import design_text, schedule
    from dyadloop.reporting.design_figures import budget as drawn
    from dyadloop.reporting.tables import print_table

    found = schedule(design, claim, budget)
    if out:
        best = found.designs[int(found.table["best"].to_numpy().argmax())]
        out.write_text(design_text(best), encoding="utf-8")
        say(f"best design: {out}", quiet)
    if figure:
        write_figure(drawn(found.table), figure, quiet)
    if as_json:
        print_json(found.table.to_dict("records"))
    else:
        print_table(found.table, console())


@design_app.command("preregister")
def preregister(
    design: DesignName,
    out: Annotated[Path, typer.Option(help="Markdown (.md) or Word (.docx) file to write.", callback=writable_file)],
    tables: TablesOf = None,
    as_json: AsJson = False,
) -> None:
    """Write the draft of a registration: question, plan, analysis, decision rules, what would contradict each claim.

    Example: dyadloop design preregister proposed --out registration.md
    """
    from dyadloop.design import as_markdown, read_design, registration, write_docx

    sections = registration(read_design(design), *_tables(tables))
    if out.suffix == ".docx":
        write_docx(sections, out)
    elif out.suffix == ".md":
        out.write_text(as_markdown(sections), encoding="utf-8")
    else:
        raise typer.BadParameter(f"{out}: expected a name that ends in .md or .docx", param_hint="--out")
    print_written([out], as_json)


@design_app.command("compare")
def compare_design(design: DesignName, study: StudyPath, as_json: AsJson = False) -> None:
    """List how a study departs from the design that was registered.

    Example: dyadloop design compare haifa simulated-haifa
    """
    from dyadloop.data import read_study
    from dyadloop.design import deviations, read_design

    found = deviations(read_design(design), read_study(study))
    if as_json:
        print_json(found)
    else:
        print("\n".join(found) or "no deviation in what tables tell")


@design_app.command("report")
def report_design(
    design: DesignName,
    out: Annotated[Path, typer.Option(help="HTML file to write.", callback=writable_file)],
    tables: TablesOf = None,
    rivals: Rivals = None,
    as_json: AsJson = False,
) -> None:
    """Write the report of a design: calendar, what it can tell, what simulated studies came to.

    Example: dyadloop design report proposed --out proposed.html --assurance results/proposed-assurance
    """
    from dyadloop.design import read_design
    from dyadloop.reporting.design_report import design_report

    found = read_design(design)
    claims, worlds = _tables(tables)
    print_written([design_report(found, out, claims, worlds, _identified(found, rivals, True))], as_json)


def _tables(folder: Path | None) -> "tuple[pd.DataFrame | None, pd.DataFrame | None]":
    """Return the tables of claims and worlds of an assurance, None where none is asked for."""
    if folder is None:
        return None, None
    import pandas as pd

    claims, worlds = (pd.read_csv(folder / f"{name}.csv") for name in ("claims", "worlds"))
    return claims, worlds
