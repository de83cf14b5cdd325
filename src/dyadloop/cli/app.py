"""The command line: a thin door. Results go to stdout, messages and progress to stderr.

Exit codes: 0 ok, 2 usage, 3 bad data or theory, 4 not converged, 130 interrupted (run again to go on).
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyadloop.cli.dynamics import dynamics_app
from dyadloop.cli.evidence import evidence_app
from dyadloop.cli.fits import calibrate, checks, choices, compare, draws, smooth, whatif
from dyadloop.cli.measures import instruments, measure, motion, synchrony
from dyadloop.cli.shared import (
    INTERRUPTED,
    NOT_CONVERGED,
    AsJson,
    Chains,
    Draws,
    PriorSetName,
    Quiet,
    Seed,
    StudyPath,
    TheoryOption,
    Vary,
    VaryByTherapist,
    Warmup,
    console,
    say,
)
from dyadloop.cli.simulate import simulate
from dyadloop.cli.theory import theory_app
from dyadloop.errors import DyadloopError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pandas import DataFrame
    from xarray import DataTree

    from dyadloop.data import Study

BAD_DATA = 3

app = typer.Typer(
    name="dyadloop",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="""Judge the oxytocin theory of the therapeutic alliance, claim by claim.

    \b
    Examples:
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

    A research instrument, not a clinical device.""",
)
app.add_typer(theory_app, name="theory")
app.add_typer(dynamics_app, name="dynamics")
app.add_typer(evidence_app, name="evidence")
app.command("compare")(compare)
app.command("checks")(checks)
app.command("smooth")(smooth)
app.command("draws")(draws)
app.command("whatif")(whatif)
app.command("choices")(choices)
app.command("calibrate")(calibrate)
app.command("simulate")(simulate)
app.command("measure")(measure)
app.command("synchrony")(synchrony)
app.command("motion")(motion)
app.command("instruments")(instruments)


@app.command()
def check(study: StudyPath, as_json: AsJson = False) -> None:
    """Check a study folder: print a summary, or all faults at once.

    Example: dyadloop check examples/school
    """
    from dyadloop.data import read_study, summarise
    from dyadloop.measures import doubts
    from dyadloop.reporting.summary import print_doubts, print_summary, summary_json

    found = read_study(study)
    summary, doubted = summarise(found), doubts(found)
    remarks = _remarks(found)
    if as_json:
        print(summary_json(summary, doubted))
    else:
        print_summary(summary, console())
        print_doubts(doubted, console())
        count = f"no faults, {len(doubted)} doubts" if doubted else "no faults"
        say("".join(f"\nnote: {remark}" for remark in remarks) + f"\n{count}; next: dyadloop run {study}")


def _remarks(study: "Study") -> list[str]:
    """Return what is no fault of the folder but will matter in a fit: what stays out, and why."""
    from dyadloop.measures import measure
    from dyadloop.theory import read_theory

    measure(study)
    known = {variable.id for variable in read_theory(study.info.theory, study.path).variables}
    remarks = [
        f"indicator {name!r} measures {entry.quantity!r}, which the theory {study.info.theory!r} does not know "
        f"({', '.join(sorted(known))}): it will stay out of the fit"
        for name, entry in study.info.indicators.items()
        if entry.use and entry.quantity not in known
    ]
    inputs = {name for entry in study.sessions["events"] for name in entry}
    if "dose" in inputs and any(entry.quantity == "oxytocin" and entry.use for entry in study.info.indicators.values()):
        remarks.append("a nasal dose contaminates saliva; an oxytocin indicator of dosed sessions needs `use: false`")
    limits = study.measurements[study.measurements["limit"].isin(["below", "above"])]["indicator"].value_counts()
    remarks += [f"indicator {name!r} has {n} values beyond a limit: they enter as such" for name, n in limits.items()]
    return remarks


@app.command()
def run(
    study: StudyPath,
    out: Annotated[Path | None, typer.Option(help="Result folder; default results/NAME.")] = None,
    theory: TheoryOption = None,
    hypothesis: Annotated[str | None, typer.Option(help="Restrict the theory to a rival, such as biomarker.")] = None,
    prior_set: PriorSetName = "sceptical",
    all_priors: Annotated[
        bool, typer.Option("--all-priors", help="Fit all three sets; show them side by side.")
    ] = False,
    vary: Vary = None,
    vary_by_therapist: VaryByTherapist = None,
    seed: Seed = 1,
    chains: Chains = 4,
    warmup: Warmup = 200,
    draws: Draws = 600,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Run the main job: study folder -> scores -> fit -> claims table -> report.

    A run that was interrupted or killed goes on where it was when started again.

    Example: dyadloop run examples/school --out results/school
    """
    from dyadloop import theory as theories
    from dyadloop.data import read_study
    from dyadloop.inference import Interrupted, Settings, coupling_priors, fit, write_manifest
    from dyadloop.inference import claims as judge
    from dyadloop.reporting.progress import watch
    from dyadloop.reporting.report import report
    from dyadloop.reporting.tables import claims_json, print_claims, write_claims

    found = read_study(study)
    model = theories.read_theory(theory) if theory else theories.read_theory(found.info.theory, study)
    model = theories.hypothesis(hypothesis, model) if hypothesis else model
    model = theories.vary(theories.vary(model, *vary or ()), *vary_by_therapist or (), by="therapist")
    folder = out or Path("results") / found.info.name
    settings = Settings(chains=chains, warmup=warmup, draws=draws)
    say(f"study {found.info.name}: {len(found.dyads)} dyads, {len(found.measurements)} values, no faults", quiet)

    def fitted(kind: str, place: Path) -> "DataTree":
        replaced = coupling_priors(model, kind)  # pyright: ignore[reportArgumentType]
        try:
            with watch(chains * settings.iterations, quiet) as (progress, message):
                shown = {"progress": progress, "message": message}
                return fit(found, model, priors=replaced, seed=seed, settings=settings, folder=place, **shown)
        except (Interrupted, KeyboardInterrupt):
            say(f"interrupted; all finished blocks are in {place}; run the same command to go on")
            raise typer.Exit(INTERRUPTED) from None

    post = fitted(prior_set, folder)
    for text in [*(f"left out: {entry}" for entry in json.loads(post.attrs["left_out"])), post.attrs["pace"]]:
        say(text, quiet or not text)
    sets = _other_priors(post, prior_set, folder, fitted, quiet) if all_priors else None
    say("judging the claims and writing the report", quiet)
    table = judge(post)
    write_claims(table, folder)
    page = report(post, folder / "report.html", sets)
    write_manifest(folder)
    if as_json:
        print(claims_json(table))
    else:
        print_claims(table, console())
        print(f"\nreport: {page}")
    _end(post, draws, quiet)


def _end(post: "DataTree", draws: int, quiet: bool) -> None:
    """Say what is wrong with a fit, if anything, and end with its exit code."""
    from dyadloop.inference import convergence_faults, prior_conflicts

    if conflicts := prior_conflicts(post):
        say(f"prior and data disagree on {', '.join(conflicts)}; see the report", quiet)
    if faults := convergence_faults(post):
        say("not converged: " + "; ".join(faults) + f"; run again with --draws {_enough(post, draws)}")
        raise typer.Exit(NOT_CONVERGED)


def _other_priors(
    post: "DataTree", first: str, folder: Path, fitted: "Callable[[str, Path], DataTree]", quiet: bool
) -> "DataFrame":
    """Fit the other prior sets into folders of their own and return the claims side by side."""
    from dyadloop.inference import compare_priors, write_manifest
    from dyadloop.reporting.tables import write_csv

    posts = {first: post}
    for kind in ("evidence", "sceptical", "flat"):
        if kind not in posts:
            say(f"fitting under the priors {kind}", quiet)
            posts[kind] = fitted(kind, folder / kind)
            write_manifest(folder / kind)
    table = compare_priors(posts)
    write_csv(table, folder / "prior_sets.csv")
    return table


def _enough(post: "DataTree", draws: int) -> int:
    """Return how many draws per chain the worst effective sample size asks for, with a margin."""
    from dyadloop.inference.checks import MIN_ESS

    table = post["diagnostics"].to_dataset()
    worst = float(min(table["ess_bulk"].min(), table["ess_tail"].min()))
    factor = max(1.5 * MIN_ESS / worst, 1.5) if worst > 0 else 10.0
    return int(-(-draws * factor // 50) * 50)


@app.command()
def claims(
    result: Annotated[Path, typer.Argument(help="Result folder of dyadloop run.")], as_json: AsJson = False
) -> None:
    """Print the claims table of a result folder.

    Example: dyadloop claims results/school --json
    """
    from dyadloop.inference import claims as judge
    from dyadloop.inference import load_result
    from dyadloop.reporting.tables import claims_json, print_claims

    table = judge(load_result(result))
    if as_json:
        print(claims_json(table))
    else:
        print_claims(table, console())


@app.command()
def report(
    result: Annotated[Path, typer.Argument(help="Result folder of dyadloop run.")],
    out: Annotated[Path | None, typer.Option(help="HTML file to write; default: in the result folder.")] = None,
) -> None:
    """Write the report of a result folder again.

    Example: dyadloop report results/school --out school.html
    """
    from dyadloop.inference import load_result
    from dyadloop.reporting.report import report as write

    print(write(load_result(result), out or result / "report.html"))


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="Published table.")],
    path: Annotated[Path, typer.Argument(help="Study folder to make.")],
    of: Annotated[
        str, typer.Option("--of", help="Which study it is: school, mindfulness, diaries or dial.")
    ] = "school",
) -> None:
    """Convert a published study into a study folder.

    Momentary ratings of pupils at school, of a mindfulness trial, of people with few or many depressive symptoms
    (diaries), or of couples in conversation (dial).

    Example: dyadloop convert examples/source/school_daily.csv school
    """
    from dyadloop.data import convert_dial, convert_diaries, convert_mindfulness, convert_school

    known = {
        "school": convert_school,
        "mindfulness": convert_mindfulness,
        "diaries": convert_diaries,
        "dial": convert_dial,
    }
    if of not in known:
        raise typer.BadParameter(f"{of!r}; known are {', '.join(known)}", param_hint="--of")
    print(known[of](source, path))
    say(f"next: dyadloop check {path}")


def main() -> None:
    """Run the command line and turn our own errors into messages and exit codes."""
    try:
        app()
    except DyadloopError as error:
        say(f"dyadloop: {error}")
        sys.exit(BAD_DATA)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
