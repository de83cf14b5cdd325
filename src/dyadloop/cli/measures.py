"""The commands that measure: a study folder, two files, a multiverse, and the registry of instruments."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dyadloop.cli.shared import AsJson, Quiet, StudyPath, console, print_dataset, say, write_figure

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from dyadloop.measures.raw import Measured

Fs = Annotated[float | None, typer.Option(help="Samples per second, where the files do not tell.")]
MethodName = Annotated[str, typer.Option(help="Method, such as windowed, rmea, susy, segments, wcc, crqa, coherence.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="Setting of the method, such as window=30.")]


def measure(
    study: StudyPath,
    out: Annotated[Path | None, typer.Option(help="Folder for figures; default results/NAME-measures.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Score and draw, but leave measurements.tsv alone.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Turn a study's recordings, questionnaires, assays and games into rows of measurements.tsv, with their errors.

    Rows of the measured indicators are replaced, all others kept. A bad recording does not stop the others.

    Example: dyadloop measure examples/survival
    """
    from dyadloop.data import read_study
    from dyadloop.measures.raw import measure_raw
    from dyadloop.reporting.progress import steps

    info = read_study(study, measured=False).info
    with steps(quiet) as progress:
        found = measure_raw(study, progress)
    bad = found.status[found.status["status"] != "ok"]
    if not dry_run:
        from dyadloop.data.writer import replace_measurements

        replace_measurements(study, found.table(), list(found.record))
        text = json.dumps(found.record, indent=2, default=_plain) + "\n"
        (study / "measures.json").write_text(text, encoding="utf-8")
    folder = out or Path("results") / f"{info.name}-measures"
    _draw(found, folder)
    if as_json:
        print(json.dumps({"scores": len(found.rows), "status": found.status.to_dict("records")}, indent=2))
    else:
        for name, record in found.record.items():
            total = int((found.status["indicator"] == name).sum())
            print(f"{name}: {record['scores']} scores of {total}; {record.get('convention', record['kind'])}")
            if "group_p_value" in record:
                print(
                    f"  real dyads against re-paired ones: effect {record['group_effect']:.2f} SD of the null, "
                    f"p = {record['group_p_value']:.4g}"
                )
                print(f"  leaving out one dyad at a time: {record['leave_one_out']}")
    for row in bad.head(20).to_dict("records"):
        say(f"{row['indicator']}, dyad {row['dyad']} session {row['session']}: {row['status']}", quiet)
    if len(bad) > 20:
        say(f"and {len(bad) - 20} more without a score", quiet)
    where = "measurements.tsv left alone" if dry_run else f"rows in {study / 'measurements.tsv'}"
    say(f"{where}; figures in {folder}; next: dyadloop check {study}", quiet)


def _plain(value: Any) -> Any:  # noqa: ANN401 - what JSON does not know
    return value.item() if hasattr(value, "item") else str(value)


def _draw(found: "Measured", folder: Path) -> None:
    from dyadloop.measures.assays import Plates
    from dyadloop.reporting.measures import calibration_figure, group_figure, status_figure, synchrony_figure

    folder.mkdir(parents=True, exist_ok=True)
    if len(found.status):
        (folder / "status.svg").write_text(status_figure(found.status), encoding="utf-8")
    for name, traces in found.traces.items():
        for recording, (first, second, fs) in traces.items():
            (folder / name).mkdir(exist_ok=True)
            svg = synchrony_figure(first, second, fs, found.results[name][recording])
            (folder / name / f"{recording.replace(' ', '_')}.svg").write_text(svg, encoding="utf-8")
    for name, results in found.results.items():
        if "between dyads" in results:
            (folder / f"{name}.svg").write_text(group_figure(results["between dyads"]), encoding="utf-8")
        if isinstance(results.get("plates"), Plates):
            (folder / f"{name}.svg").write_text(calibration_figure(results["plates"]), encoding="utf-8")


def synchrony(
    first: Annotated[Path, typer.Argument(help="Recording of the first person, or of both.")],
    second: Annotated[Path | None, typer.Argument(help="Recording of the second person.")] = None,
    fs: Fs = None,
    method: MethodName = "windowed",
    columns: Annotated[str | None, typer.Option(help="Columns of the first and second person: A,B.")] = None,
    settings: Settings = None,
    surrogate: Annotated[str | None, typer.Option(help="Test against shift, permutation, phase or iaaft.")] = None,
    draws: Annotated[int, typer.Option(min=19, help="Number of surrogates.")] = 199,
    statistic: Annotated[str, typer.Option(help="Number that is tested.")] = "score",
    missing: Annotated[str, typer.Option(help="pairwise, mask or refuse.")] = "pairwise",
    cut: Annotated[bool, typer.Option("--cut", help="Cut the longer series to the shorter.")] = False,
    spikes: Annotated[float | None, typer.Option(help="Make samples beyond so many SDs missing.")] = None,
    smooth: Annotated[float, typer.Option(help="Centred moving average [s].")] = 0.0,
    transform: Annotated[str, typer.Option(help="none, log, rank, difference or whiten.")] = "none",
    multiverse: Annotated[bool, typer.Option("--multiverse", help="Try a grid of settings.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the surrogates.")] = 0,
    figure: Annotated[Path | None, typer.Option(help="SVG file to draw to.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure the synchrony of two series from files, without a study folder.

    Positive lags and leads mean that the first person leads.

    For example:

    dyadloop synchrony patient.csv therapist.csv --fs 25 --method rmea

    dyadloop synchrony examples/survival/recordings/dyad_0016.csv.gz --fs 25 --surrogate shift --figure d16.svg

    dyadloop synchrony both.tsv --columns patient,therapist --set window=30 --set step=10
    """
    from dyadloop.measures.synchrony import synchrony as measure_pair
    from dyadloop.measures.synchrony import synchrony_test
    from dyadloop.reporting.progress import steps

    a, b, rate, labels = _pair(first, second, fs, columns)
    options: dict[str, Any] = {
        "missing": missing,
        "cut": cut,
        "spikes": spikes,
        "smooth": smooth,
        "transform": transform,
    }
    options |= _settings(settings)
    if multiverse:
        _multiverse(a, b, rate, method, surrogate, draws, seed, options, figure, as_json, quiet)
        return
    found = measure_pair(a, b, rate, method, **options)
    tested = None
    if surrogate is not None:
        with steps(quiet) as progress:
            tested = synchrony_test(
                a, b, rate, method, surrogate=surrogate, draws=draws, statistic=statistic, seed=seed,
                progress=lambda done, total: progress("surrogates", done, total), **options,
            )  # fmt: skip
    _print_synchrony(found, tested, as_json)
    if figure is not None:
        from dyadloop.reporting.measures import synchrony_figure

        write_figure(synchrony_figure(a, b, rate, found, tested, labels), figure)
    elif not as_json:
        say("next: --surrogate shift tests it, --figure FILE.svg draws it", quiet)


def _pair(
    first: Path, second: Path | None, fs: float | None, columns: str | None
) -> "tuple[np.ndarray, np.ndarray, float, tuple[str, str]]":
    """Return two series of one rate from one or two files, and their names."""
    from dyadloop.errors import MeasureError
    from dyadloop.measures.recordings import read_recording

    names = [name.strip() for name in columns.split(",")] if columns else []
    one = read_recording(first, fs)
    if second is None:
        one_name, two_name, two = *_two_columns(one, names), one
    else:
        two = read_recording(second, fs)
        one_name, two_name = names if len(names) == 2 else (None, None)
    a, b = one.channel(one_name), two.channel(two_name)
    if one.fs != two.fs:
        raise MeasureError(f"{first.name} has {one.fs:g} Hz, {second} {two.fs:g}; resample one of them, or give --fs")
    return a, b, one.fs, (one_name or first.stem, two_name or (second or first).stem)


def _two_columns(one: Any, names: list[str]) -> tuple[str, str]:  # noqa: ANN401 - a recording
    from dyadloop.errors import MeasureError

    found = names or [str(column) for column in one.channels.columns]
    if len(found) != 2:
        known = ", ".join(str(column) for column in one.channels.columns)
        raise MeasureError(f"{one.source}: which two of {known}? give --columns FIRST,SECOND, or a second file")
    return found[0], found[1]


def _settings(texts: list[str] | None) -> dict[str, Any]:
    from dyadloop.errors import MeasureError

    found: dict[str, Any] = {}
    for text in texts or []:
        name, sign, value = text.partition("=")
        if not sign:
            raise MeasureError(f"--set {text!r}: expected NAME=VALUE, such as window=30")
        try:
            found[name.strip()] = json.loads(value)
        except json.JSONDecodeError:
            found[name.strip()] = value
    return found


def _print_synchrony(found: "xr.Dataset", tested: "xr.Dataset | None", as_json: bool) -> None:
    import xarray as xr

    scalars = xr.Dataset(
        {name: values for name, values in found.data_vars.items() if values.ndim == 0}, attrs=found.attrs
    )
    if as_json:
        print_dataset(found if tested is None else found.merge(tested, compat="override", join="outer"), True)
        return
    for name, values in scalars.data_vars.items():
        print(f"{name}: {float(values):.6g}")
    for key in ("statistic", "sign", "source"):
        print(f"{key}: {found.attrs[key]}")
    if tested is not None:
        print(f"effect: {float(tested['effect']):.3f} SD of the null; p = {float(tested['p_value']):.4g}")
        print(f"null: {tested.attrs['null']}")


def _multiverse(
    a: Any, b: Any, fs: float, method: str, surrogate: str | None, draws: int, seed: int, options: dict[str, Any],  # noqa: ANN401
    figure: Path | None, as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    from dyadloop.measures.synchrony import conclusions, multiverse
    from dyadloop.reporting.progress import steps

    kept = {name: value for name, value in options.items() if name not in ("window", "lag", "smooth", "transform")}
    with steps(quiet) as progress:
        table = multiverse(
            a, b, fs, method, surrogate=surrogate or "shift", draws=draws, seed=seed,
            progress=lambda done, total: progress("settings", done, total), **kept,
        )  # fmt: skip
    summary = conclusions(table)
    if as_json:
        print(json.dumps({"settings": table.to_dict("records"), "conclusions": summary}, indent=2, default=_plain))
    else:
        print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}"))
        for name, value in summary.items():
            print(f"{name}: {value}")
    if figure is not None:
        from dyadloop.reporting.measures import multiverse_figure

        write_figure(multiverse_figure(table), figure)


def motion(
    video: Annotated[Path, typer.Argument(help="Video file.")],
    out: Annotated[Path, typer.Argument(help="Table to write, such as session_motion.tsv.")],
    region: Annotated[list[str], typer.Option(help="NAME=LEFT,TOP,WIDTH,HEIGHT or NAME=X,Y,X,Y,X,Y,... in pixels.")],
    kind: Annotated[str, typer.Option(help="count, mean or z.")] = "count",
    threshold: Annotated[float, typer.Option(help="Grey levels of 255 for count.")] = 12.0,
    keep_flagged: Annotated[
        bool, typer.Option("--keep-flagged", help="Keep cuts, flicker, doublets, shaking.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Turn a video into the motion energy of regions, with a sidecar that tells its rate.

    Example: dyadloop motion session.mp4 motion.tsv --region patient=0,0,320,480 --region therapist=320,0,320,480
    """
    from dyadloop.measures.recordings import motion_energy
    from dyadloop.reporting.progress import steps

    regions = dict(_region(text) for text in region)
    with steps(quiet) as progress:
        found, flags = motion_energy(
            video, regions, kind, threshold, not keep_flagged,  # pyright: ignore[reportArgumentType]
            lambda done, total: progress("frames", done, total),
        )  # fmt: skip
    found.channels.to_csv(out, sep="\t", index=False, na_rep="n/a")
    side = {"SamplingFrequency": found.fs, "StartTime": found.start, "Source": found.source, "Kind": kind}
    out.with_suffix(".json").write_text(json.dumps(side, indent=2) + "\n", encoding="utf-8")
    print(out)
    counts = ", ".join(f"{name} {int(flags[name].sum())}" for name in flags)
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
    from dyadloop.measures.items import instruments as shipped
    from dyadloop.measures.items import read_instrument

    if name is not None:
        key = read_instrument(name)
        content = key.model_dump(mode="json", exclude_defaults=True)
        if as_json:
            print(json.dumps(content, indent=2))
        else:
            import yaml

            print(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110), end="")
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
