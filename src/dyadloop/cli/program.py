"""The command line: a thin door. Results go to stdout, messages and progress to stderr.

Exit codes: 0 ok, 2 usage, 3 bad data or theory, 4 not converged, 130 interrupted (run again to go on).
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyadloop.cli.calibration import calibrate
from dyadloop.cli.design import design_app
from dyadloop.cli.doors import Doors
from dyadloop.cli.dynamics import dynamics_app
from dyadloop.cli.evidence import evidence_app
from dyadloop.cli.exchange import convert, export, formats, import_, new, schema, turns, unpack, wells
from dyadloop.cli.explorer import open_app
from dyadloop.cli.fits import checks, compare, draws, multiverse, smooth, whatif
from dyadloop.cli.measures import instruments, measure, motion, synchrony
from dyadloop.cli.outputs import writable_file
from dyadloop.cli.run import run
from dyadloop.cli.shared import AsJson, Quiet, StudyPath, console, print_written, say
from dyadloop.cli.simulate import simulate
from dyadloop.cli.tasks import tasks_app
from dyadloop.cli.theory import theory_app
from dyadloop.machine import keep_programs

if TYPE_CHECKING:
    import pandas as pd

    from dyadloop.appraisal import PracticalIdentifiability
    from dyadloop.data import Study

app = Doors(
    name="dyadloop",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="""Judge the oxytocin theory of the therapeutic alliance, claim by claim.

    \b
    Examples:
      dyadloop import sessions.xlsx my-study --set length_min=50
      dyadloop check examples/school
      dyadloop run examples/school --out results/school
      dyadloop checks results/school
      dyadloop compare examples/school --hypotheses none,network
      dyadloop measure examples/survival
      dyadloop synchrony patient.csv therapist.csv --fs 25 --method rmea
      dyadloop simulate --design haifa simulated-haifa
      dyadloop simulate --theory framework --dyads 50 courses
      dyadloop theory show framework
      dyadloop evidence claims
      dyadloop dynamics map framework
      dyadloop design check haifa
      dyadloop app examples/school

    A research instrument, not a clinical device.""",
)


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"dyadloop {version('dyadloop')}")
        raise typer.Exit


@app.callback()
def of_all_commands(
    _version: Annotated[
        bool, typer.Option("--version", "-V", help="Print the version and end.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def check(
    study: StudyPath,
    with_claims: Annotated[
        bool, typer.Option("--claims", help="Say which claims the study can tell and why, before any fit.")
    ] = False,
    identifiability: Annotated[
        bool, typer.Option("--identifiability", help="Say what the data can tell of the parameters; half a minute.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Check a study folder: print a summary, or all faults at once.

    Example: dyadloop check examples/school --claims
    """
    from dyadloop.data import summarise, unmeasured
    from dyadloop.errors import number_of
    from dyadloop.measures import doubts
    from dyadloop.reporting.summary import (
        print_answerable,
        print_doubts,
        print_practical,
        print_summary,
        summary_json,
    )

    found = _checked(study)
    summary, later, doubted = summarise(found), unmeasured(found), doubts(found)
    remarks = [f"indicator {name!r} is declared under `measures` and not measured yet" for name in later]
    remarks += [] if later else _remarks(found)
    following = f"dyadloop {'measure' if later else 'run'} {study}"
    told = _answerable(found) if with_claims and not later else None
    narrowed = _practical(found) if identifiability and not later else None
    if as_json:
        print(summary_json(summary, doubted, remarks, following, told, narrowed))
    else:
        print_summary(summary, console())
        print_doubts(doubted, console())
        if told is not None:
            print_answerable(told, console())
        if narrowed is not None:
            print_practical(narrowed, console())
        count = f"no faults, {number_of(len(doubted), 'doubt')}" if doubted else "no faults"
        say("".join(f"\nnote: {remark}" for remark in remarks) + f"\n{count}; next: {following}", quiet)


def _answerable(study: "Study") -> "pd.DataFrame":
    from dyadloop.claims import answerable

    return answerable(study)


def _practical(study: "Study") -> "PracticalIdentifiability":
    from dyadloop.appraisal import practical_identifiability

    return practical_identifiability(study)


def _checked(path: Path) -> "Study":
    """Return a study; where it has faults, these are raised together with the doubts about all that is sound."""
    from dyadloop.data import read_study
    from dyadloop.errors import DataError
    from dyadloop.measures import doubts_beside

    try:
        # what raw files have still to be measured is no fault
        waits = not (path / "measurements.tsv").exists() and bool(read_study(path, measured=False).info.measures)
        return read_study(path, measured=not waits)
    except DataError as error:
        error.doubts = tuple(doubts_beside(error))
        raise


def _remarks(study: "Study") -> list[str]:
    """Return what is no fault of the folder but will matter in a fit: what stays out, and why."""
    from dyadloop.observation.scaling import scale_scores
    from dyadloop.theory import composite_remarks, read_theory
    from dyadloop.theory.measured import quantities_of

    scale_scores(study)
    theory = read_theory(study.info.theory, study.path)
    fitted = theory if theory.linear_form is None else read_theory(theory.linear_form)
    known = quantities_of(theory)
    remarks = composite_remarks(fitted, {entry.quantity for entry in study.info.indicators.values() if entry.use})
    remarks += [
        f"indicator {name!r} measures {entry.quantity!r}, which the theory {study.info.theory!r} does not know "
        f"({', '.join(known)}): it will stay out of the fit"
        for name, entry in study.info.indicators.items()
        if entry.use and entry.quantity not in known
    ]
    inputs = {name for entry in study.sessions["events"] for name in entry}
    if "dose" in inputs and any(entry.quantity == "oxytocin" and entry.use for entry in study.info.indicators.values()):
        remarks.append("a nasal dose contaminates saliva; an oxytocin indicator of dosed sessions needs `use: false`")
    if study.info.exchangeable and study.info.randomised:
        what = ", ".join(study.info.randomised)
        remarks.append(f"{what}: randomised, but what it does to partners whom nothing tells apart supports no claim")
    limits = study.measurements[study.measurements["limit"].isin(["below", "above"])]["indicator"].value_counts()
    remarks += [f"indicator {name!r} has {n} values beyond a limit: they enter as such" for name, n in limits.items()]
    return remarks


def claims(
    result: Annotated[Path, typer.Argument(help="Result folder of dyadloop run.")], as_json: AsJson = False
) -> None:
    """Print the claims table of a result folder.

    Example: dyadloop claims results/school --json
    """
    from dyadloop.claims import judge_claims as judge
    from dyadloop.inference import load_result, load_rivals
    from dyadloop.reporting.actor_partner import print_actor_partner
    from dyadloop.reporting.claims_table import claims_json, print_claims

    post = load_result(result)
    table = judge(post, load_rivals(result))
    if as_json:
        print(claims_json(table))
    else:
        print_claims(table, console(), bool(post.attrs["simulated"]))
        print_actor_partner(result, console())


def report(
    result: Annotated[Path, typer.Argument(help="Result folder of dyadloop run.")],
    out: Annotated[
        Path | None, typer.Option(help="HTML file to write; default: in the result folder.", callback=writable_file)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the report of a result folder again.

    Example: dyadloop report results/school --out school.html
    """
    from dyadloop.claims import judge_claims as judge
    from dyadloop.inference import load_result, load_rivals, write_manifest
    from dyadloop.reporting.claims_table import read_prior_sets
    from dyadloop.reporting.report import report as write

    path = out or result / "report.html"
    writable_file(path)
    post = load_result(result)
    made = write(post, path, read_prior_sets(result), judge(post, load_rivals(result)))
    print_written([made], as_json)
    if path.parent == result:
        write_manifest(result)


app.command("import")(import_)
app.command("formats")(formats)
app.command("new")(new)
app.command("export")(export)
app.command("schema")(schema)
app.command("turns")(turns)
app.command("unpack")(unpack)
app.command("wells")(wells)
app.command("check")(check)
app.command("run")(run)
app.command("claims")(claims)
app.command("report")(report)
app.command("compare")(compare)
app.command("checks")(checks)
app.command("smooth")(smooth)
app.command("draws")(draws)
app.command("whatif")(whatif)
app.command("multiverse")(multiverse)
app.command("calibrate")(calibrate)
app.command("simulate")(simulate)
app.command("convert")(convert)
app.command("measure")(measure)
app.command("synchrony")(synchrony)
app.command("motion")(motion)
app.command("instruments")(instruments)
app.command("app")(open_app)
app.add_typer(theory_app, name="theory")
app.add_typer(dynamics_app, name="dynamics")
app.add_typer(evidence_app, name="evidence")
app.add_typer(design_app, name="design")
app.add_typer(tasks_app, name="tasks")


def main() -> None:
    """Run the command line."""
    keep_programs()
    app(prog_name="dyadloop")
