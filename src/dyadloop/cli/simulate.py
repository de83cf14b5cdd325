"""The command that simulates: a study folder with known truth, or the courses of dyads under any theory."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyadloop.cli.outputs import writable_folder
from dyadloop.cli.shared import (
    AsJson,
    On,
    PatientOnly,
    Quiet,
    Rival,
    Values,
    event_of,
    print_written,
    say,
    theory_of,
    values_of,
)

if TYPE_CHECKING:
    import xarray as xr

_FIXED = ("--hypothesis", "--every", "--length")


def simulate(
    path: Annotated[Path, typer.Argument(help="Folder to make.", callback=writable_folder)],
    design: Annotated[
        str | None, typer.Option(help="Kind of study to imitate, haifa (default) or alliance: write a study folder.")
    ] = None,
    theory: Annotated[str | None, typer.Option(help="Preset or theory file: write the courses of dyads.")] = None,
    hypothesis: Rival = None,
    on: On = None,
    values: Values = None,
    patient_only: PatientOnly = False,
    dyads: Annotated[
        int | None, typer.Option(min=1, help="Number of dyads; default: the design's, or 50 courses.")
    ] = None,
    sessions: Annotated[
        int | None, typer.Option(min=1, help="Number of sessions; default: the design's, or 16.")
    ] = None,
    every: Annotated[
        str | None, typer.Option(help="Distance of sessions, such as '3.5 d'; default: the design's, or 7 d.")
    ] = None,
    length: Annotated[
        str | None, typer.Option(help="Length of a session, such as '50 min'; default: the design's, or 50 min.")
    ] = None,
    event: Annotated[
        list[str] | None, typer.Option(help="EVENT:SESSION[:AMOUNT], such as dose:4:24; with --theory.")
    ] = None,
    span: Annotated[
        str | None, typer.Option(help="A stretch without sessions, such as '60 min'; with --theory.")
    ] = None,
    noise: Annotated[bool, typer.Option(help="Fluctuation within dyads; with --theory.")] = True,
    between: Annotated[bool, typer.Option(help="Differences between dyads; with --theory.")] = True,
    points: Annotated[
        int, typer.Option(min=1, help="Kept moments per session and per gap, or of the span; with --theory.")
    ] = 4,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 1,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Simulate: a SIMULATED study folder (--design), or courses under a theory (--theory).

    A study folder follows the linear framework, by default its reciprocal hypothesis.

    For example:

    dyadloop simulate --design haifa simulated-haifa

    dyadloop simulate --design haifa --dyads 60 --hypothesis biomarker --set a_trust=0.3 planned

    dyadloop simulate --design alliance simulated-alliance

    dyadloop simulate --theory framework --dyads 50 --event dose:4:24 courses

    dyadloop simulate --theory panic --span "60 min" --points 240 panic
    """
    if theory is None:
        made = _study(path, design or "haifa", hypothesis, values, (dyads, sessions, every, length), seed)
        print_written([made], as_json, simulated=True)
        say(f"simulated; the values used are in {path / 'truth.json'}; next: dyadloop run {path}", quiet)
        return
    from dyadloop.errors import TheoryError
    from dyadloop.simulation import simulate as run_dyads
    from dyadloop.theory import protocol

    found, events = theory_of(theory, hypothesis, on, patient_only), [event_of(text) for text in event or []]
    calendar = None if span else protocol(sessions or 16, every or "7 d", length or "50 min", events=events)
    if path.exists() and any(path.iterdir() if path.is_dir() else [path]):
        raise TheoryError(f"{path}: is there already; choose another folder, nothing was written")
    run = run_dyads(
        found, calendar, dyads=dyads or 50, seed=seed, noise=noise, between=between, values=values_of(values),
        span=span, points=(points, points),
    )  # fmt: skip
    _write_courses(run, path)
    if _is_still(run):
        say(f"nothing moved: no fluctuation, start, session or event stirs theory {found.id!r} from its levels", quiet)
    _tell_courses(run, path, as_json, quiet)


def _tell_courses(run: "xr.Dataset", path: Path, as_json: bool, quiet: bool) -> None:
    """Print where courses are, and say how they ended."""
    counts = {status: int((run["status"] == status).sum()) for status in sorted(set(run["status"].values.tolist()))}
    listed = ", ".join(f"{status} {count}" for status, count in counts.items())
    say(f"figure: {path / 'courses.svg'}\nSIMULATED courses of {run.sizes['dyad']} dyads: {listed}", quiet)
    print_written([path / "courses.nc"], as_json, simulated=True, status=counts)


def _study(
    path: Path, design: str, hypothesis: str | None, values: list[str] | None,
    calendar: tuple[int | None, int | None, str | None, str | None], seed: int,
) -> Path:  # fmt: skip
    """Write a study folder of a design, with what was asked to differ."""
    from dyadloop import theory as theories
    from dyadloop.errors import TheoryError
    from dyadloop.simulation import simulate_alliance, simulate_study

    dyads, sessions, every, length = calendar
    if design == "alliance":
        asked = zip(_FIXED, (hypothesis, every, length), strict=True)
        if given := [name for name, value in asked if value is not None]:
            raise TheoryError(f"--design alliance has a rhythm and a theory of its own; remove {', '.join(given)}")
        made = simulate_alliance(path, dyads or 40, sessions or 12, values=values_of(values), seed=seed)
    else:
        linear = theories.read_theory("framework_linear")
        rival = None if hypothesis is None else theories.hypothesis(hypothesis, linear)
        made = simulate_study(
            path, design, rival, values_of(values), seed, dyads=dyads, sessions=sessions, every=every, length=length
        )
    return made


def _write_courses(run: "xr.Dataset", path: Path) -> None:
    """Write table, data and figure of courses: all of them, or nothing."""
    from dyadloop.files import replacing_folder
    from dyadloop.reporting.explore import fan
    from dyadloop.reporting.figures import simulated_mark

    with replacing_folder(path) as made:
        run.to_netcdf(made / "courses.nc", engine="h5netcdf")
        run.to_dataframe().reset_index().to_csv(made / "courses.csv", index=False)
        (made / "courses.svg").write_text(simulated_mark(fan(run)), encoding="utf-8")


def _is_still(run: "xr.Dataset") -> bool:
    return all(bool((run[name].max("time") - run[name].min("time") == 0).all()) for name in run.data_vars)
