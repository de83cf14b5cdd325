"""Commands about fits beyond the main job: compare hypotheses, criticise a fit, courses, draws, what-if."""

import json
from pathlib import Path
from typing import Annotated

import typer

from dyadloop.cli.outputs import FigurePath, result_folder, writable_file, writable_folder, write_figure
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
    event_of,
    print_written,
    say,
)


def compare(
    study: StudyPath,
    hypotheses: Annotated[
        str | None,
        typer.Option(
            help="Two or more rivals of the theory, separated by commas; default: all that need no optional part."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of all fits; default results/NAME-compared.", callback=writable_folder)
    ] = None,
    theory: TheoryOption = None,
    prior_set: PriorSetName = "sceptical",
    ahead: Annotated[
        int, typer.Option(min=0, help="Also predict the last N sessions of each dyad from all before.")
    ] = 0,
    vary: Vary = None,
    vary_by_therapist: VaryByTherapist = None,
    seed: Seed = 1,
    chains: Chains = 4,
    warmup: Warmup = 200,
    draws: Draws = 600,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Fit rival hypotheses to one study and compare how well each predicts a dyad that it has not seen.

    Dyads whose importance sampling fails are left out by a fit of their own. An interrupted run goes on where it was.

    Example: dyadloop compare simulated-haifa --hypotheses none,biomarker,reciprocal --out results/compared
    """
    from dyadloop import appraisal, inference
    from dyadloop import theory as theories
    from dyadloop.data import read_study
    from dyadloop.reporting.comparison import comparison_table, print_comparison
    from dyadloop.reporting.progress import steps
    from dyadloop.reporting.tables import write_csv

    found = read_study(study)
    model = theories.read_theory(theory) if theory else theories.read_theory(found.info.theory, study)
    model = theories.vary(theories.vary(model, *vary or ()), *vary_by_therapist or (), by="therapist")
    folder = result_folder(out, f"{found.info.name}-compared")
    names = None if hypotheses is None else [name.strip() for name in hypotheses.split(",") if name.strip()]
    settings = inference.Settings(chains=chains, warmup=warmup, draws=draws)
    priors = inference.coupling_priors(model, prior_set)
    try:
        with steps(quiet) as progress:
            table = appraisal.compare(
                found, names, model, priors=priors, ahead=ahead, seed=seed, settings=settings, folder=folder,
                progress=progress, message=lambda text: say(text, quiet),
            )  # fmt: skip
    except (inference.Interrupted, KeyboardInterrupt):
        say(f"interrupted; all finished blocks are in {folder}; run the same command to go on")
        raise typer.Exit(INTERRUPTED) from None
    sheet = comparison_table(table)
    write_csv(sheet, folder / "comparison.csv")
    if as_json:
        notes = json.loads(table.attrs["notes"])
        print(json.dumps({"hypotheses": json.loads(sheet.to_json(orient="records")), "notes": notes}, indent=2))
    else:
        print_comparison(table, console())
    if not bool(table["converged"].all()):
        raise typer.Exit(NOT_CONVERGED)


def multiverse(
    study: StudyPath,
    only: Annotated[str | None, typer.Option(help="Choices to take, separated by commas; default: all.")] = None,
    show: Annotated[bool, typer.Option("--list", help="List the choices and end.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder of all fits; default results/NAME-multiverse.", callback=writable_folder)
    ] = None,
    theory: TheoryOption = None,
    prior_set: PriorSetName = "sceptical",
    seed: Seed = 1,
    chains: Chains = 4,
    warmup: Warmup = 200,
    draws: Draws = 600,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Fit a study again with each other defensible choice: which verdicts hang on how the data were read.

    Each choice takes as long as a run. An interrupted run goes on where it was; multiverse.csv holds all claims under
    all choices.

    Example: dyadloop multiverse examples/diaries --only with_relaxed,without_stress
    """
    from dyadloop import claims, inference
    from dyadloop import theory as theories
    from dyadloop.data import read_study
    from dyadloop.reporting.progress import steps
    from dyadloop.reporting.tables import print_table, write_csv

    found = read_study(study)
    if show:
        names = claims.multiverse_options(found)
        print(json.dumps(list(names), indent=2) if as_json else "\n".join(names))
        return
    model = theories.read_theory(theory) if theory else theories.read_theory(found.info.theory, study)
    folder = result_folder(out, f"{found.info.name}-multiverse")
    names = None if only is None else [name.strip() for name in only.split(",") if name.strip()]
    settings = inference.Settings(chains=chains, warmup=warmup, draws=draws)
    priors = inference.coupling_priors(model, prior_set)
    try:
        with steps(quiet) as progress:
            table = claims.multiverse(
                found, model, only=names, priors=priors, seed=seed, settings=settings, folder=folder,
                progress=progress, message=lambda text: say(text, quiet),
            )  # fmt: skip
    except (inference.Interrupted, KeyboardInterrupt):
        say(f"interrupted; all finished blocks are in {folder}; run the same command to go on")
        raise typer.Exit(INTERRUPTED) from None
    write_csv(table, folder / "multiverse.csv")
    sheet = claims.summarise_multiverse(table)
    if as_json:
        print(json.dumps(json.loads(sheet.to_json(orient="records")), indent=2))
    else:
        print_table(sheet, console())
    late = sorted(set(table["choice"][~table["converged"]]))
    if late:
        say(f"not converged: {', '.join(late)}; run again with more --draws")
        raise typer.Exit(NOT_CONVERGED)


ResultPath = Annotated[Path, typer.Argument(help="Result folder of dyadloop run.", metavar="RESULT")]


def checks(result: ResultPath, as_json: AsJson = False, quiet: Quiet = False) -> None:
    """Check a fitted model against its data, its priors and its single dyads.

    Prints what stands out and writes tables into the result folder: checks_predictive.csv, checks_residuals.csv,
    checks_influence.csv, checks_sensitivity.csv, checks_cross_residuals.csv, checks_referees.csv (each arrow beside a
    within-person lag-1 regression and a multilevel VAR), checks_halves.csv, checks_without_each.csv and, where the
    theory is not linear, checks_filter.csv: what each estimate is when a particle filter corrects the fast filter of
    the fit.

    Example: dyadloop checks results/school
    """
    from dyadloop import appraisal, inference
    from dyadloop.reporting.checks import checks_tables, print_checks
    from dyadloop.reporting.progress import steps
    from dyadloop.reporting.tables import write_csv

    writable_folder(result)
    with steps(quiet) as progress:
        found = appraisal.checks(inference.load_result(result), progress=progress)
    tables = checks_tables(found)
    for name, table in tables.items():
        write_csv(table, result / f"checks_{name}.csv")
    inference.write_manifest(result)
    if as_json:
        content = {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
        print(json.dumps({"findings": found.attrs["findings"].splitlines(), **content}, indent=2))
    else:
        print_checks(found, console())
        say(f"tables: {result}/checks_*.csv", quiet)


def smooth(
    result: ResultPath,
    dyads: Annotated[str | None, typer.Option(help="Dyads, separated by commas; default: all.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="CSV file; default: courses.csv in the result folder.", callback=writable_file)
    ] = None,
    draws: Annotated[int, typer.Option(min=10, help="Draws of parameters and states.")] = 200,
    figure: FigurePath = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write the course of each dyad's true states given all its data: median, 50 and 89 % bands.

    Example: dyadloop smooth results/school --dyads 2,4 --figure courses.svg
    """
    from dyadloop import appraisal, inference
    from dyadloop.reporting.figures import simulated_mark
    from dyadloop.reporting.report import courses_figure
    from dyadloop.reporting.tables import courses_table, write_csv

    path = out or result / "courses.csv"
    writable_file(path)
    post = inference.load_result(result)
    chosen = [name.strip() for name in dyads.split(",")] if dyads else None
    found = appraisal.smooth(post, chosen, draws)
    write_csv(courses_table(found), path)
    if path.parent == result:
        inference.write_manifest(result)
    print_written([path], as_json)
    if figure:
        svg = courses_figure(post, found)
        write_figure(simulated_mark(svg) if post.attrs["simulated"] else svg, figure, quiet)


def draws(
    result: ResultPath,
    out: Annotated[
        Path | None, typer.Option(help="CSV file; default: draws.csv in the result folder.", callback=writable_file)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write all posterior draws as CSV, in the columns that R's posterior package reads as draws_df.

    Example: dyadloop draws results/school --out school.csv
    """
    from dyadloop import inference
    from dyadloop.reporting.tables import draws_table, write_csv

    path = out or result / "draws.csv"
    writable_file(path)
    write_csv(draws_table(inference.load_result(result)), path)
    if path.parent == result:
        inference.write_manifest(result)
    print_written([path], as_json)


def whatif(
    result: ResultPath,
    cut: Annotated[
        list[str] | None, typer.Option(help="Arrows to cut: an id, a pattern (w_*), or a variable for all of its.")
    ] = None,
    every: Annotated[str | None, typer.Option(help="Distance of sessions, such as '3.5 d'.")] = None,
    length: Annotated[str | None, typer.Option(help="Length of a session, such as '90 min'.")] = None,
    sessions: Annotated[int | None, typer.Option(min=1, help="Sessions of the scenario; default: as long.")] = None,
    event: Annotated[list[str] | None, typer.Option(help="EVENT:SESSION[:AMOUNT], such as work_trust:4.")] = None,
    out: Annotated[Path | None, typer.Option(help="CSV file of both courses.", callback=writable_file)] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Ask what a fitted model implies: other sessions, an event, or no arrow from oxytocin. Not a causal estimate.

    The baseline is 16 sessions in the rhythm of the study, without events.

    For example:

    dyadloop whatif results/haifa --cut oxytocin

    dyadloop whatif results/haifa --every "3.5 d"

    dyadloop whatif results/haifa --event work_trust:4
    """
    from dyadloop import appraisal, inference
    from dyadloop.reporting.tables import print_table, whatif_table, write_csv

    post = inference.load_result(result)
    scenario, baseline = appraisal.calendars(post, every, length, sessions, [event_of(text) for text in event or []])
    found = appraisal.whatif(post, scenario, baseline=baseline, cut=cut or [])
    table = whatif_table(found)
    if out:
        write_csv(table, out)
        say(f"both courses: {out}", quiet)
    last = table[table["days"] == table["days"].max()]
    if as_json:
        unmoved = [name for name in found.attrs["unmoved"].split(", ") if name]
        print(
            json.dumps(
                {"note": found.attrs["note"], "unmoved": unmoved, "end": json.loads(last.to_json(orient="records"))},
                indent=2,
            )
        )
        return
    print_table(last, console())
    if found.attrs["unmoved"]:
        print(f"\nnothing that differs reaches {found.attrs['unmoved']}")
    console().print(f"\n{found.attrs['note']}", markup=False)
