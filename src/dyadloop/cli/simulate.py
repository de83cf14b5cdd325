"""The command that simulates: a study folder with known truth, or the courses of dyads under any theory."""

from pathlib import Path
from typing import Annotated

import typer

from dyadloop.cli.shared import On, PatientOnly, Rival, Values, event_of, say, theory_of, values_of, write_figure


def simulate(
    path: Annotated[Path, typer.Argument(help="Folder to make.")],
    design: Annotated[str | None, typer.Option(help="Published design to imitate: write a study folder.")] = None,
    theory: Annotated[str | None, typer.Option(help="Preset or theory file: write the courses of dyads.")] = None,
    hypothesis: Rival = None,
    on: On = None,
    values: Values = None,
    patient_only: PatientOnly = False,
    dyads: Annotated[int, typer.Option(min=1, help="Number of dyads.")] = 50,
    sessions: Annotated[int, typer.Option(min=1, help="Number of sessions.")] = 16,
    every: Annotated[str, typer.Option(help="Distance of sessions, such as '3.5 d'.")] = "7 d",
    length: Annotated[str, typer.Option(help="Length of a session, such as '50 min'.")] = "50 min",
    event: Annotated[list[str] | None, typer.Option(help="EVENT:SESSION[:AMOUNT], such as dose:4:24.")] = None,
    span: Annotated[str | None, typer.Option(help="A stretch without sessions, such as '60 min'.")] = None,
    noise: Annotated[bool, typer.Option(help="Fluctuation within dyads.")] = True,
    between: Annotated[bool, typer.Option(help="Differences between dyads.")] = True,
    points: Annotated[int, typer.Option(min=1, help="Kept moments per session and per gap.")] = 4,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 1,
) -> None:
    """Simulate: a SIMULATED study folder (--design), or courses under a theory (--theory).

    For example:

    dyadloop simulate --design haifa simulated-haifa

    dyadloop simulate --theory framework --dyads 50 --event dose:4:24 courses

    dyadloop simulate --theory panic --span "60 min" --points 240 panic
    """
    from dyadloop.errors import TheoryError

    if design is not None and theory is not None:
        raise TheoryError("give --design for a study folder or --theory for courses, not both")
    if theory is None:
        from dyadloop.simulation import simulate_study

        print(simulate_study(path, design or "haifa", seed=seed))
        say(f"simulated; the values used are in {path / 'truth.json'}; next: dyadloop run {path}")
        return
    from dyadloop.reporting.explore import fan
    from dyadloop.simulation import simulate as run_dyads
    from dyadloop.theory import protocol

    found = theory_of(theory, hypothesis, on, patient_only)
    calendar = None if span else protocol(sessions, every, length, events=[event_of(text) for text in event or []])
    if path.exists() and any(path.iterdir() if path.is_dir() else [path]):
        raise TheoryError(f"{path}: is there already; choose another folder, nothing was written")
    run = run_dyads(
        found,
        calendar,
        dyads=dyads,
        seed=seed,
        noise=noise,
        between=between,
        values=values_of(values),
        span=span,
        points=(points, points),
    )
    path.mkdir(parents=True, exist_ok=True)
    run.to_netcdf(path / "courses.nc", engine="h5netcdf")
    run.to_dataframe().reset_index().to_csv(path / "courses.csv", index=False)
    write_figure(fan(run), path / "courses.svg")
    counts = {status: int((run["status"] == status).sum()) for status in sorted(set(run["status"].values.tolist()))}
    say(f"SIMULATED courses of {dyads} dyads: {', '.join(f'{status} {count}' for status, count in counts.items())}")
    print(path / "courses.nc")
