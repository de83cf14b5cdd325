"""Check the fit itself by simulation: ranks of truths, broken assumptions, randomised events."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from dyadloop.theory import Theory

from dyadloop.cli.outputs import FigurePath, result_folder, writable_folder, write_figure
from dyadloop.cli.shared import (
    INTERRUPTED,
    NOT_CONVERGED,
    AsJson,
    Quiet,
    Rival,
    Seed,
    Vary,
    VaryByTherapist,
    console,
    print_dataset,
    say,
    theory_of,
)


def calibrate(
    theory: Annotated[str | None, typer.Argument(help="Preset or theory file.", metavar="THEORY")] = None,
    hypothesis: Rival = None,
    variables: Annotated[
        str | None, typer.Option(help="Variables to keep, separated by commas; default: all that the design measures.")
    ] = None,
    study: Annotated[Path | None, typer.Option(help="Study whose design is simulated.")] = None,
    dyads: Annotated[int, typer.Option(min=1, help="Dyads of the design to keep.")] = 10,
    sessions: Annotated[int, typer.Option(min=1, help="Sessions of the design to keep.")] = 8,
    replicates: Annotated[int, typer.Option(min=20, help="Simulated studies.")] = 500,
    below: Annotated[float, typer.Option(min=0.0, max=0.99, help="Share of oxytocin below the assay's limit.")] = 0.0,
    fault: Annotated[str | None, typer.Option(help="Plant a fault: sign, noise, gate or limit.")] = None,
    broken: Annotated[bool, typer.Option("--broken", help="Simulate studies that break an assumption each.")] = False,
    randomised: Annotated[
        bool, typer.Option("--randomised", help="Simulate studies with randomised events, and count false support.")
    ] = False,
    only: Annotated[str | None, typer.Option(help="Violations or worlds, separated by commas; default: all.")] = None,
    independent: Annotated[
        bool, typer.Option("--independent-errors", help="Fit without correlations of errors of one moment.")
    ] = False,
    vary: Vary = None,
    vary_by_therapist: VaryByTherapist = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of all ranks; default results/THEORY-calibration.", callback=writable_folder),
    ] = None,
    seed: Seed = 1,
    figure: FigurePath = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Check the fit itself: simulate studies whose truths come from the prior, fit each, and rank the truths.

    Exit code 4 if the ranks are not uniform. An interrupted run goes on where it was.

    For example:

    dyadloop calibrate framework --hypothesis reciprocal --variables oxytocin,trust

    dyadloop calibrate framework --variables oxytocin,trust --fault sign --replicates 50

    dyadloop calibrate --broken --replicates 200

    dyadloop calibrate --randomised --only strong_cause,reciprocal
    """
    from dyadloop import appraisal
    from dyadloop.data import read_study
    from dyadloop.reporting.progress import steps

    if theory is None and broken != randomised:
        names = None if only is None else tuple(name.strip() for name in only.split(",") if name.strip())
        run = partial(_broken, independent=independent) if broken else _randomised
        kind = "broken" if broken else "randomised"
        return run(names, replicates, seed, result_folder(out, f"{kind}-calibration"), as_json, quiet)
    if theory is None or broken or randomised:
        raise typer.BadParameter("name a theory, or ask for one of --broken and --randomised, which have their own")
    model = _calibrated(theory, hypothesis, variables, vary, vary_by_therapist)
    folder = result_folder(out, f"{Path(theory).stem}-calibration")
    with _kept(folder), steps(quiet) as progress:
        found = appraisal.calibrate(
            model, study=read_study(study) if study else None, dyads=dyads, sessions=sessions,
            replicates=replicates, below=below, fault=fault, seed=seed, folder=folder, progress=progress,
        )  # fmt: skip
    _ranked(found, folder, figure, as_json, quiet)
    return None


def _ranked(found: "xr.Dataset", folder: Path, figure: Path | None, as_json: bool, quiet: bool) -> None:
    """Write and show the ranks of a calibration; exit code 4 where they are not uniform."""
    from dyadloop.reporting.calibration import print_calibration, sbc_figure
    from dyadloop.reporting.figures import simulated_mark
    from dyadloop.reporting.tables import write_csv

    write_csv(found["rank"].to_dataframe().reset_index(), folder / "ranks.csv")
    if figure:
        write_figure(simulated_mark(sbc_figure(found)), figure, quiet)
    if as_json:
        print_dataset(found.drop_vars(["rank", "low", "high", "divergences"]), True)
    else:
        print_calibration(found, console())
    if not found.attrs["calibrated"]:
        raise typer.Exit(NOT_CONVERGED)


def _calibrated(
    theory: str, hypothesis: str | None, variables: str | None, vary: list[str] | None, by_therapist: list[str] | None
) -> "Theory":
    """Return the theory whose fit is calibrated."""
    from dyadloop import theory as theories

    model = theories.vary(theories.linear_form(theory_of(theory, hypothesis, None, False)), *vary or ())
    model = theories.vary(model, *by_therapist or (), by="therapist")
    if not variables:
        return model
    # nobody measures a common factor, so none is named
    factors = [variable.id for variable in model.variables if variable.kind == "factor"]
    return theories.keep(model, [*(name.strip() for name in variables.split(",") if name.strip()), *factors])


def _broken(
    names: tuple[str, ...] | None, replicates: int, seed: int, folder: Path, as_json: bool, quiet: bool, *,
    independent: bool,
) -> None:  # fmt: skip
    """Fit simulated studies that break an assumption each, and show what is found that is not there."""
    from dyadloop import appraisal
    from dyadloop.reporting.progress import steps

    with _kept(folder), steps(quiet) as progress:
        table = appraisal.misspecified(
            names, replicates, seed=seed, shared_errors=not independent, folder=folder, progress=progress
        )
    _shown({"broken": table}, folder, as_json)


def _randomised(
    names: tuple[str, ...] | None, replicates: int, seed: int, folder: Path, as_json: bool, quiet: bool
) -> None:
    """Fit simulated studies with randomised events, and show how often claims are supported that do not hold."""
    from dyadloop import claims
    from dyadloop.reporting.progress import steps

    with _kept(folder), steps(quiet) as progress:
        tables = claims.support_rates(names, replicates, seed=seed, folder=folder, progress=progress)
    _shown(dict(zip(("worlds", "strengths", "claims"), tables, strict=True)), folder, as_json)


@contextmanager
def _kept(folder: Path) -> Iterator[None]:
    """Say where finished studies are when a run is interrupted."""
    from dyadloop.inference import Interrupted

    try:
        yield
    except (Interrupted, KeyboardInterrupt):
        say(f"interrupted; all finished studies are in {folder}; run the same command to go on")
        raise typer.Exit(INTERRUPTED) from None


def _shown(tables: dict[str, "pd.DataFrame"], folder: Path, as_json: bool) -> None:
    """Write tables into a folder and print them."""
    from dyadloop.reporting.tables import print_table, write_csv

    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        write_csv(table, folder / f"{name}.csv")
        if not as_json:
            print_table(table, console())
    if as_json:
        found = {name: json.loads(table.to_json(orient="records")) for name, table in tables.items()}
        print(json.dumps(found["broken"] if len(found) == 1 else found, indent=2))
