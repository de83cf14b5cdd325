"""The commands on designs: list, show, check, draft, assurance, identifiability, and the tasks behind them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyadloop.cli.doors import Doors
from dyadloop.cli.outputs import result_folder, writable_file, writable_folder
from dyadloop.cli.shared import INTERRUPTED, AsJson, Quiet, StudyPath, Values, console, print_json, say, values_of

if TYPE_CHECKING:
    from dyadloop.design import Assurance

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
Workers = Annotated[int, typer.Option(min=0, help="Processes; 0 does everything in this one.")]


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
def check_design(design: DesignName, as_json: AsJson = False) -> None:
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
    say(f"no faults; next: dyadloop design identifiability {design}")


@design_app.command("draft")
def draft_design(
    study: StudyPath,
    out: Annotated[Path | None, typer.Option(help="File to write; default: print it.", callback=writable_file)] = None,
) -> None:
    """Draft a design file from a study that is there.

    Example: dyadloop design draft examples/mindfulness --out like.yaml
    """
    from dyadloop.data import read_study
    from dyadloop.design import design_text, draft

    text = design_text(draft(read_study(study)))
    if out is None:
        print(text, end="")
        return
    out.write_text(text, encoding="utf-8")
    say(f"{out}: complete what is assumed; next: dyadloop design check {out}")


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
    seed: Annotated[int, typer.Option(help="Seed of the studies.")] = 1,
    folder: Annotated[
        Path | None,
        typer.Option(help="Folder of tasks and tables; default: results/DESIGN-assurance.", callback=writable_folder),
    ] = None,
    workers: Workers = 2,
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
                nuts=nuts, folder=place, workers=workers, progress=lambda done, total: progress("tasks", done, total),
            )  # fmt: skip
    except KeyboardInterrupt:
        say(f"interrupted; what is done is in {place}; run the same command to go on")
        raise typer.Exit(INTERRUPTED) from None
    _write_assurance(made, place, as_json)


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
    for name, table in tables.items():
        write_csv(table, place / f"{name}.csv")
    if as_json:
        print_json({name: json.loads(table.to_json(orient="records")) for name, table in tables.items()})
    else:
        print_assurance(made, console())


tasks_app = Doors(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="""Work on a folder of tasks: on this machine, or as an array of jobs.

    \b
    Examples:
      dyadloop tasks status results/proposed-assurance
      dyadloop tasks run results/proposed-assurance --shard 3/20
      dyadloop tasks slurm results/proposed-assurance --shards 20""",
)
FolderOfTasks = Annotated[Path, typer.Argument(help="Folder of tasks.", metavar="FOLDER")]


@tasks_app.command("run")
def run_tasks(
    folder: FolderOfTasks,
    shard: Annotated[str, typer.Option(help="Part of the tasks to do, such as 3/20.")] = "1/1",
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Do the tasks of a folder that wait; any number of processes may do so at once.

    Example: dyadloop tasks run results/proposed-assurance --shard 3/20
    """
    from dyadloop.design.pool import run_pool
    from dyadloop.design.tasks import TaskFolder, shard_of, work
    from dyadloop.reporting.progress import steps

    tasks, part = TaskFolder(folder), shard_of(shard)
    damaged = tasks.refill()
    say(f"{len(damaged)} damaged results are made again", quiet or not damaged)
    with steps(quiet) as progress:
        if workers:
            run_pool(tasks, workers, lambda done, total: progress("tasks", done, total), part)
        else:
            from dyadloop.design.solving import Solver, shared_by

            work(tasks, Solver(), shared_by, part, lambda done: progress("tasks", done, done))
    waiting, in_hand, done = tasks.counts()
    say(f"{done} tasks done, {in_hand} in hand, {waiting} wait", quiet)


@tasks_app.command("status")
def task_status(folder: FolderOfTasks, as_json: AsJson = False) -> None:
    """Count the tasks of a folder that wait, are in hand and are done.

    Example: dyadloop tasks status results/proposed-assurance
    """
    from dyadloop.design.tasks import TaskFolder

    tasks = TaskFolder(folder)
    damaged = tasks.refill()
    waiting, in_hand, done = tasks.counts()
    if as_json:
        print_json({"waiting": waiting, "in_hand": in_hand, "done": done, "damaged": damaged})
    else:
        print(f"{done} done, {in_hand} in hand, {waiting} wait, {len(damaged)} damaged results will be made again")


@tasks_app.command("slurm")
def slurm(
    folder: FolderOfTasks,
    shards: Annotated[int, typer.Option(min=1, max=1000, help="Jobs of the array.")] = 20,
    minutes: Annotated[int, typer.Option(min=1, help="Time limit of a job.")] = 240,
    memory: Annotated[int, typer.Option(min=1, help="Memory of a job in GB.")] = 3,
) -> None:
    """Print the script of a Slurm array that does the tasks of a folder.

    Example: dyadloop tasks slurm results/proposed-assurance --shards 20 > array.sh
    """
    from dyadloop.design.tasks import slurm_script

    print(slurm_script(folder, shards, minutes, memory), end="")
