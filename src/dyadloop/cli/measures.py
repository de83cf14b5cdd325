"""The commands that measure: a study folder, two files, a multiverse, and the registry of instruments."""

import json
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dyadloop.cli.outputs import FigurePath, file_names, owned_folder, writable_file, writable_folder, write_figure
from dyadloop.cli.shared import BAD_DATA, AsJson, Quiet, StudyPath, console, print_json, print_written, say, settings_of

if TYPE_CHECKING:
    import xarray as xr

    from dyadloop.measures.raw import Measured
    from dyadloop.signals.alignment import Aligned

Fs = Annotated[float | None, typer.Option(help="Samples per second, where the files do not tell.")]
MethodName = Annotated[str, typer.Option(help="Method, such as windowed, rmea, susy, segments, wcc, crqa, coherence.")]
GapValues = Annotated[
    list[float] | None, typer.Option("--gap-value", help="Number that stands for a gap in the files, such as 0.")
]
Settings = Annotated[list[str] | None, typer.Option("--set", help="Setting of the method, such as window=30.")]


def measure(
    study: StudyPath,
    out: Annotated[
        Path | None, typer.Option(help="Folder for figures; default results/NAME-measures.", callback=writable_folder)
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Score and draw, but leave measurements.tsv alone.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Turn a study's recordings, questionnaires, assays and games into rows of measurements.tsv, with their errors.

    Rows of the measured indicators are replaced, all others kept. A bad recording, or a table with faults, does not
    stop the others; exit code 3 if an indicator got no score at all, whose rows are then left alone.

    Example: dyadloop measure examples/survival
    """
    from dyadloop.data import read_study
    from dyadloop.measures.raw import measure
    from dyadloop.reporting.progress import steps
    from dyadloop.reporting.raw import without_score

    info = read_study(study, measured=False).info
    if not dry_run:
        writable_file(study / "measurements.tsv")
    folder = owned_folder(out, f"{info.name}-measures", study)
    with steps(quiet) as progress:
        found = measure(study, progress)
    scored = [name for name, record in found.record.items() if record["scores"]]
    if scored and not dry_run:
        _write(found, scored, study)
    _draw(found, folder, info.simulated)
    _print_scores(found, as_json)
    unscored = without_score(found.status)
    for line in unscored[:20]:
        say(line, quiet)
    if len(unscored) > 20:
        say(f"and {len(unscored) - 20} other reasons for no score", quiet)
    for name, error in found.failed.items():
        say(f"{name}: {error}")
    without = [name for name in found.record if name not in scored]
    kept = dry_run or not scored
    where = "measurements.tsv left alone" if kept else f"rows in {study / 'measurements.tsv'}"
    if without:
        say(f"no score of {', '.join(without)}; see above why; {where}; figures in {folder}")
        raise typer.Exit(BAD_DATA)
    say(f"{where}; figures in {folder}; next: dyadloop check {study}", quiet)


def _write(found: "Measured", scored: list[str], study: Path) -> None:
    """Write the rows of the indicators that got scores, and how they were made."""
    from dyadloop.data.writer import replace_measurements

    replace_measurements(study, found.table(), scored)
    text = json.dumps(found.record, indent=2, default=_plain) + "\n"
    (study / "measures.json").write_text(text, encoding="utf-8")
    for name, results in found.results.items():
        if "wells" in results:
            results["wells"].to_csv(study / f"wells_{name}.tsv", sep="\t", index=False, lineterminator="\n")


def _print_scores(found: "Measured", as_json: bool) -> None:
    from dyadloop.cli.synchrony_results import peak_lag_of
    from dyadloop.reporting.raw import measured_lines

    if as_json:
        notes = {name: record.get("notes", {}) for name, record in found.record.items()}
        told = {"scores": len(found.rows), "status": found.status.to_dict("records"), "doubts": notes}
        told["failed"] = {name: str(error) for name, error in found.failed.items()}
        print_json(told)
        return
    for name, record in found.record.items():
        print("\n".join(measured_lines(name, record, found.status)))
        lags = [lag for one in found.results[name].values() if (lag := peak_lag_of(one)) is not None]
        if lags:
            print(f"  median peak lag: {median(lags):+.3g} s (of {len(lags)} recordings; positive: first person leads)")


def _plain(value: Any) -> Any:  # noqa: ANN401 - what JSON does not know
    return value.item() if hasattr(value, "item") else str(value)


def _draw(found: "Measured", folder: Path, simulated: bool) -> None:
    from dyadloop.measures.assays import Plates
    from dyadloop.reporting.figures import simulated_mark
    from dyadloop.reporting.measures import group_figure, standard_curve_figure, status_figure, synchrony_figure

    def write(svg: str, *place: str) -> None:
        path = folder.joinpath(*place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(simulated_mark(svg) if simulated else svg, encoding="utf-8")

    files = dict(zip(found.record, file_names(found.record), strict=True))
    status = found.status[found.status["dyad"] != ""]
    if len(status):
        write(status_figure(status), "status.svg")
    for name, traces in found.traces.items():
        for (recording, (first, second, fs)), file in zip(traces.items(), file_names(traces), strict=True):
            write(synchrony_figure(first, second, fs, found.results[name][recording]), files[name], f"{file}.svg")
    for name, results in found.results.items():
        if "between dyads" in results:
            write(group_figure(results["between dyads"]), f"{files[name]}.svg")
        if isinstance(results.get("plates"), Plates):
            write(standard_curve_figure(results["plates"]), f"{files[name]}.svg")


def synchrony(
    first: Annotated[Path | None, typer.Argument(help="Recording of the first person, or of both.")] = None,
    second: Annotated[Path | None, typer.Argument(help="Recording of the second person.")] = None,
    fs: Fs = None,
    method: MethodName = "windowed",
    columns: Annotated[
        str | None, typer.Option(help="Columns of the first and second person: A,B; one name: that of both files.")
    ] = None,
    settings: Settings = None,
    gap_value: GapValues = None,
    surrogate: Annotated[str | None, typer.Option(help="Test against shift, permutation, phase or iaaft.")] = None,
    draws: Annotated[int, typer.Option(min=19, help="Number of surrogates.")] = 199,
    statistic: Annotated[str, typer.Option(help="Number that is tested.")] = "score",
    missing: Annotated[str, typer.Option(help="pairwise, mask or refuse.")] = "pairwise",
    cut: Annotated[bool, typer.Option("--cut", help="Cut the longer series to the shorter.")] = False,
    spikes: Annotated[float | None, typer.Option(help="Make samples beyond so many SDs missing.")] = None,
    smooth: Annotated[float, typer.Option(help="Centred moving average [s].")] = 0.0,
    transform: Annotated[str, typer.Option(help="none, log, rank, difference or whiten.")] = "none",
    multiverse: Annotated[bool, typer.Option("--multiverse", help="Try a grid; what --set says stays.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the surrogates.")] = 1,
    figure: FigurePath = None,
    out: Annotated[
        Path | None, typer.Option(help="NetCDF file for the result with all its arrays.", callback=writable_file)
    ] = None,
    list_methods: Annotated[
        bool, typer.Option("--list", help="Print the methods: question, settings, units, span, null.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure the synchrony of two series from files, without a study folder.

    Positive lags and leads mean that the first person leads. --json prints numbers and short arrays; long ones go to
    --out.

    For example:

    dyadloop synchrony --list

    dyadloop synchrony patient.csv therapist.csv --fs 25 --method rmea

    dyadloop synchrony examples/survival/recordings/dyad_0016.csv.gz --fs 25 --surrogate shift --figure d16.svg

    dyadloop synchrony both.tsv --columns patient,therapist --set window=30 --set step=10
    """
    from dyadloop.cli import synchrony_results as results

    if list_methods:
        results.print_methods(as_json)
        return
    if first is None:
        raise typer.BadParameter("missing: the recording of the first person, or of both", param_hint="FIRST")
    pair, labels = _pair(first, second, fs, columns, gap_value or [])
    options: dict[str, Any] = {"missing": missing, "cut": cut, "spikes": spikes, "smooth": smooth}
    options |= {"transform": transform} | settings_of(settings)
    if multiverse:
        _multiverse(pair, method, surrogate, draws, seed, options, figure, as_json, quiet)
        return
    found, tested = _found(pair, method, surrogate, draws, statistic, seed, options, quiet)
    found = found.assign_attrs(first_person=labels[0], second_person=labels[1])
    if as_json:
        results.print_summary(found if tested is None else found.merge(tested, compat="override", join="outer"))
    else:
        results.print_result(found, tested)
        _print_notes(found, pair.notes)
    if out is not None:
        results.write_arrays(found, out, quiet)
    if figure is not None:
        from dyadloop.reporting.measures import synchrony_figure

        write_figure(synchrony_figure(pair.first, pair.second, pair.fs, found, tested, labels), figure, quiet)
    elif not as_json:
        say("next: " + ("--surrogate shift tests it, " if tested is None else "") + "--figure FILE.svg draws it", quiet)


def _found(
    pair: "Aligned", method: str, surrogate: str | None, draws: int, statistic: str, seed: int, options: dict[str, Any],
    quiet: bool,
) -> "tuple[xr.Dataset, xr.Dataset | None]":  # fmt: skip
    """Return the result of a method, with how the recordings were read, and its test where one is asked for."""
    from dyadloop.measures.synchrony import synchrony, synchrony_test
    from dyadloop.reporting.progress import steps

    found = synchrony(pair.first, pair.second, pair.fs, method, **options)
    if pair.notes:
        found.attrs["notes"] = "; ".join(pair.notes)
    if surrogate is None:
        return found, None
    with steps(quiet) as progress:
        tested = synchrony_test(
            pair.first, pair.second, pair.fs, method, surrogate=surrogate, draws=draws, statistic=statistic, seed=seed,
            progress=lambda done, total: progress("surrogates", done, total), **options,
        )  # fmt: skip
    return found, tested


def _pair(
    first: Path, second: Path | None, fs: float | None, columns: str | None, gap_values: list[float]
) -> "tuple[Aligned, tuple[str, str]]":
    """Return two series on one clock from one or two files, and their names."""
    from dyadloop.signals import read_recording
    from dyadloop.signals.alignment import aligned

    names = _names(columns, second is not None)
    one_name, two_name = names or (None, None)
    used = names if second is None else [one_name] if one_name else []
    one = read_recording(first, fs, columns=used or None, gap_values=gap_values)
    if second is None:
        one_name, two_name, two = *_two_columns(one, names), one
    else:
        two = read_recording(second, fs, columns=[two_name] if two_name else None, gap_values=gap_values)
    a, b = one.channel(one_name), two.channel(two_name)
    found = aligned(one, a, two, b, one_file=second is None)
    return found, (one_name or first.stem, two_name or (second or first).stem)


def _names(columns: str | None, two_files: bool) -> list[str]:
    """Return the columns of the first and second person; of two files, one name stands for both."""
    if columns is None:
        return []
    names = [name.strip() for name in columns.split(",")]
    if two_files and len(names) == 1:
        names *= 2
    if len(names) != 2 or not all(names):
        wanted = "two names, or one that both files have" if two_files else "two names"
        raise typer.BadParameter(f"{columns!r}; expected {wanted}, such as patient,therapist", param_hint="--columns")
    return names


def _two_columns(one: Any, names: list[str]) -> tuple[str, str]:  # noqa: ANN401 - a recording
    from dyadloop.errors import MeasureError

    found = names or [str(column) for column in one.channels.columns]
    if len(found) != 2:
        known = ", ".join(str(column) for column in one.channels.columns)
        raise MeasureError(f"{one.source}: which two of {known}? give --columns FIRST,SECOND, or a second file")
    return found[0], found[1]


def _print_notes(found: "xr.Dataset", notes: tuple[str, ...]) -> None:
    """Print how the recordings were read, and what is left out or doubtful."""
    for note in notes:
        print(f"note: {note}")
    for key in ("common_pauses", "doubts"):
        if found.attrs.get(key, "none") != "none" and not any(found.attrs[key][:40] in note for note in notes):
            print(f"note: {found.attrs[key]}")


def _multiverse(
    pair: "Aligned", method: str, surrogate: str | None, draws: int, seed: int, options: dict[str, Any],
    figure: Path | None, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    from dyadloop.cli.synchrony_results import print_multiverse
    from dyadloop.measures.synchrony import conclusions, synchrony_multiverse
    from dyadloop.reporting.progress import steps

    kept = {name: value for name, value in options.items() if name not in ("smooth", "transform")}
    with steps(quiet) as progress:
        table = synchrony_multiverse(
            pair.first, pair.second, pair.fs, method, surrogate=surrogate or "shift", draws=draws, seed=seed,
            progress=lambda done, total: progress("settings", done, total), **kept,
        )  # fmt: skip
    summary = conclusions(table)
    if as_json:
        print_json({"settings": table.to_dict("records"), "conclusions": summary})
    else:
        print_multiverse(table, summary)
        for note in pair.notes:
            print(f"note: {note}")
    if figure is not None:
        from dyadloop.reporting.measures import multiverse_figure

        write_figure(multiverse_figure(table), figure, quiet)


def motion(
    video: Annotated[Path, typer.Argument(help="Video file.")],
    out: Annotated[Path, typer.Argument(help="Table to write, such as session_motion.tsv.", callback=writable_file)],
    region: Annotated[list[str], typer.Option(help="NAME=LEFT,TOP,WIDTH,HEIGHT or NAME=X,Y,X,Y,X,Y,... in pixels.")],
    kind: Annotated[str, typer.Option(help="count, mean or z.")] = "count",
    threshold: Annotated[float, typer.Option(help="Grey levels of 255 for count.")] = 12.0,
    keep_flagged: Annotated[
        bool, typer.Option("--keep-flagged", help="Keep cuts, flicker, doublets, shaking.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Turn a video into the motion energy of regions, with a sidecar that tells its rate.

    Example: dyadloop motion session.mp4 motion.tsv --region patient=0,0,320,480 --region therapist=320,0,320,480
    """
    from dyadloop.reporting.progress import steps
    from dyadloop.signals import motion_energy

    regions = dict(_region(text) for text in region)
    with steps(quiet) as progress:
        found, flags = motion_energy(
            video, regions, kind, threshold, not keep_flagged,  # pyright: ignore[reportArgumentType]
            lambda done, total: progress("frames", done, total),
        )  # fmt: skip
    found.channels.to_csv(out, sep="\t", index=False, na_rep="n/a")
    side = {"SamplingFrequency": found.fs, "StartTime": found.start, "Source": found.source, "Kind": kind}
    out.with_suffix(".json").write_text(json.dumps(side, indent=2) + "\n", encoding="utf-8")
    flagged = {str(name): int(flags[name].sum()) for name in flags}
    print_written([out], as_json, frames=len(flags), rate=found.fs, flagged=flagged)
    counts = ", ".join(f"{name} {count}" for name, count in flagged.items())
    say(f"{len(flags)} frames at {found.fs:.4g} Hz; flagged: {counts}; next: dyadloop synchrony {out}", quiet)


def _region(text: str) -> tuple[str, list]:
    from dyadloop.errors import MeasureError

    name, sign, numbers = text.partition("=")
    try:
        values = [float(number) for number in numbers.split(",")]
    except ValueError:
        values = []
    if not sign or len(values) < 4 or len(values) % 2:
        raise MeasureError(f"--region {text!r}: expected NAME=LEFT,TOP,WIDTH,HEIGHT, or the x,y of at least 3 corners")
    return name, values if len(values) == 4 else list(zip(values[::2], values[1::2], strict=True))


def instruments(
    name: Annotated[str | None, typer.Argument(help="Instrument to show; default: list all.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the instruments whose keys ship, or show one key: items, ranges, reversals, subscales, source.

    Example: dyadloop instruments phq9
    """
    from dyadloop.measures.questionnaires import instruments as shipped
    from dyadloop.measures.questionnaires import read_instrument

    if name is not None:
        key = read_instrument(name)
        content = key.model_dump(mode="json", exclude_defaults=True)
        if as_json:
            print(json.dumps(content, indent=2))
        else:
            from dyadloop.yaml_files import dump_yaml

            print(dump_yaml(content), end="")
        return
    if as_json:
        print(json.dumps({key.id: key.model_dump(mode="json") for key in shipped().values()}, indent=2))
        return
    from rich.table import Table

    table = Table("id", "measures", "items", "scale", "score", "scales", "title", box=None)
    for key in shipped().values():
        scales = ", ".join(key.scales())
        table.add_row(
            key.id, key.quantity, str(key.items), f"{key.scale[0]:g}-{key.scale[1]:g}", key.score, scales, key.title
        )
    console().print(table)
