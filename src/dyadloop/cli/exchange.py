"""Commands that bring data in and out."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dyadloop.cli.outputs import writable_file, writable_folder
from dyadloop.cli.shared import AsJson, Quiet, console, pairs_of, print_json, print_written, say

if TYPE_CHECKING:
    from dyadloop.exchange import Plan

USAGE = 2
HAND_OVER_NAMES = ("ctsem", "mplus", "mlvar", "draws")
"""Exports that need the model; a test keeps them those of the room handover, which is slow to import."""


def import_(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Files to import, then the study folder to make or update.", metavar="SOURCE... STUDY"),
    ],
    mapping: Annotated[
        Path | None,
        typer.Option("--map", help="Mapping to use, such as an import.yaml; default: the study's own, or a guess."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take all guesses without asking.")] = False,
    answers: Annotated[
        list[str] | None,
        typer.Option("--set", help="Answer of a guessed mapping, such as length_min=50 or phase=after."),
    ] = None,
    format_id: Annotated[
        str | None,
        typer.Option("--format", help="Format of the sources, where nothing tells it; see dyadloop formats."),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Import exports of other programs into a study folder, or update one.

    What the columns are is guessed, each guess with its reason, and written to import.yaml in the folder. Nothing that
    no file tells is assumed: it is asked for in a terminal; elsewhere the command ends with exit code 2 and says what
    to fill in.

    Example: dyadloop import sessions.xlsx patients.csv my-study --set length_min=50
    """
    from dyadloop.exchange import carried_out, plan_import
    from dyadloop.reporting.importing import imported_json, print_imported

    *sources, study = paths
    if not sources:
        raise typer.BadParameter("one path; expected sources and then the study folder", param_hint="SOURCE... STUDY")
    writable_folder(study)
    plan = plan_import(sources, study, mapping, pairs_of(answers), format_id)
    if _is_terminal() and not as_json:
        plan = _talk(plan, study, yes)
    elif plan.open or (plan.guessed and not yes):
        _ask_for(plan, study, mapping, as_json)
    done = carried_out(plan, study)
    if as_json:
        print(imported_json(done))
    else:
        print_imported(done, console())
        say(f"next: dyadloop check {study}", quiet)


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _ask_for(plan: "Plan", study: Path, mapping: Path | None, as_json: bool) -> None:
    """Write the mapping where it can be edited, say what is open, and end with exit code 2."""
    from dyadloop.exchange import write_draft
    from dyadloop.reporting.importing import plan_json, print_plan

    place = mapping or write_draft(plan, study)
    if as_json:
        print(plan_json(plan, str(place)))
    else:
        print_plan(plan, console())
    if plan.open:
        fill = "\n".join(f"  {where}: {what}" for where, what in plan.open)
        say(
            f"{place}: {len(plan.open)} to fill in, here or with --set PLACE=VALUE:\n{fill}\nthen run the command again"
        )
    else:
        say(f"{place}: look at it, correct it, and run the command again; or take it as it is with --yes")
    raise typer.Exit(USAGE)


def _talk(plan: "Plan", study: Path, yes: bool) -> "Plan":
    """Show the plan, ask what is open, and have it confirmed."""
    from dyadloop.exchange import settled
    from dyadloop.reporting.importing import print_plan

    print_plan(plan, console())
    while plan.open:
        place, what = plan.open[0]  # one by one: an answer may settle others
        plan = settled(plan, {place: typer.prompt(f"{place}: {what}", err=True)})
    if plan.guessed and not yes and not typer.confirm("Import it like this?", err=True):
        _ask_for(plan, study, None, False)
    return plan


def formats(as_json: AsJson = False) -> None:
    """List the formats that can be imported.

    Example: dyadloop formats
    """
    from dyadloop.reporting.importing import formats_json, print_formats

    if as_json:
        print(formats_json())
    else:
        print_formats(console())


def export(
    source: Annotated[Path, typer.Argument(help="Study folder; for ro-crate and draws a result folder.")],
    out: Annotated[
        Path | None,
        typer.Argument(help="Folder to make; ro-crate writes into the result folder.", callback=writable_folder),
    ] = None,
    to: Annotated[
        str,
        typer.Option("--to", help="long, wide, spss, bids, psychds, codebook, ctsem, mplus, mlvar, draws or ro-crate."),
    ] = "long",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write a study for other programs, or describe a result.

    CSV with a data dictionary, SPSS, BIDS, Psych-DS, a codebook; or data and a script that states the same linear model
    for ctsem, Mplus (DSEM) or mlVAR: of a study at the medians of its priors, of a result folder at those of its
    posterior. draws writes a posterior for R's package posterior.

    Example: dyadloop export examples/school school-bids --to bids
    """
    from dyadloop.exchange import EXPORTS, export_study, write_crate

    if to == "ro-crate":
        if out is not None:
            raise typer.BadParameter(f"{out} has no effect with --to ro-crate, which writes into the result folder")
        print_written([write_crate(source)], as_json)
        return
    if to not in EXPORTS and to not in HAND_OVER_NAMES:
        from dyadloop.data.names import known_names

        known = known_names((*EXPORTS, *HAND_OVER_NAMES, "ro-crate"), to)
        raise typer.BadParameter(f"{to!r}; known are {known}", param_hint="--to")
    if out is None:
        raise typer.BadParameter("no folder to write to; name one after the study", param_hint="OUT")
    if to in HAND_OVER_NAMES:
        from dyadloop.handover import hand_over

        files = hand_over(source, out, to)
    else:
        files = export_study(source, out, to)
    print_written([out], as_json, files=[str(path) for path in files])
    say(f"{len(files)} file{'s' if len(files) != 1 else ''}", quiet)


def new(
    path: Annotated[Path, typer.Argument(help="Study folder to make.", metavar="STUDY", callback=writable_folder)],
    template: Annotated[str, typer.Option("--template", help="alliance, recordings or ema.")] = "alliance",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make a template study: everything declared, with made-up rows to write over.

    Example: dyadloop new my-study --template ema
    """
    from dyadloop.exchange import new_study

    print_written([new_study(path, template)], as_json)
    to_do = f"write your rows over those in {path}, and `simulated: false` into its study.yaml"
    say(f"next: {to_do}; then dyadloop check {path}", quiet)


def schema(
    of: Annotated[str, typer.Argument(help="study (study.yaml), import (import.yaml) or theory.", metavar="OF")],
) -> None:
    """Print the JSON schema of a file that people write, for editors that complete and check it.

    Example: dyadloop schema study
    """
    import json

    from dyadloop.data import StudyInfo
    from dyadloop.exchange.mapping import Mapping
    from dyadloop.theory import Theory

    known = {"study": StudyInfo, "import": Mapping, "theory": Theory}
    if of not in known:
        from dyadloop.data.names import known_names

        raise typer.BadParameter(f"{of!r}; known are {known_names(known, of)}", param_hint="OF")
    print(json.dumps(known[of].model_json_schema(), indent=2))


def convert(
    source: Annotated[Path, typer.Argument(help="Published table.")],
    path: Annotated[Path, typer.Argument(help="Study folder to make.", metavar="STUDY", callback=writable_folder)],
    of: Annotated[
        str, typer.Option("--of", help="Which study it is: school, mindfulness, diaries or dial.")
    ] = "school",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Convert a published study into a study folder; for a table of your own use dyadloop import.

    Momentary ratings of pupils at school, of a mindfulness trial, of people with few or many depressive symptoms
    (diaries), or of couples in conversation (dial). The folder holds the account of every cell, as after an import.

    Example: dyadloop convert examples/source/school_daily.csv school
    """
    import json

    from dyadloop.exchange.published import PUBLISHED
    from dyadloop.reporting.importing import account_line

    if of not in PUBLISHED:
        from dyadloop.data.names import known_names

        raise typer.BadParameter(f"{of!r}; known are {known_names(PUBLISHED, of)}", param_hint="--of")
    folder = PUBLISHED[of].convert(source, path)
    counts = json.loads((folder / "import.json").read_text(encoding="utf-8"))["tables"]
    print_written([folder], as_json, counts=counts)
    for count in counts:
        say(account_line(count), quiet)
    say(f"next: dyadloop check {path}", quiet)


def turns(
    source: Annotated[Path, typer.Argument(help="Transcript: .eaf, .TextGrid, .vtt, .srt, .json of Whisper, .cha.")],
    out: Annotated[
        Path | None, typer.Argument(help="Table to write, with tabs; default: on the screen.", callback=writable_file)
    ] = None,
    tier: Annotated[list[str] | None, typer.Option("--tier", help="Tier or speaker to keep; default: all.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Turn a transcript into a table of turns: speaker, start, end [s], words.

    Example: dyadloop turns session1.eaf session1_turns.tsv --tier patient --tier therapist
    """
    from dyadloop.exchange.folder import neutral
    from dyadloop.exchange.keys import plain
    from dyadloop.exchange.transcripts import read_turns
    from dyadloop.files import write_text

    found = read_turns(source, tier or ())
    rows = list(zip(found["speaker"], found["start"], found["end"], found["text"], strict=True))
    lines = [
        f"{neutral(plain(who))}\t{start:.10g}\t{end:.10g}\t{neutral(plain(words))}" for who, start, end, words in rows
    ]
    text, left_out = "\n".join(["speaker\tstart\tend\ttext", *lines]) + "\n", list(found.attrs["left_out"])
    if out is not None:
        write_text(out, text)
        print_written([out], as_json, left_out=left_out)
    elif as_json:
        turns = [{"speaker": who, "start": start, "end": end, "text": words} for who, start, end, words in rows]
        print_json({"turns": turns, "left_out": left_out})
    else:
        print(text, end="")
    for what in left_out:
        say(f"left out: {what}", quiet)


def unpack(
    source: Annotated[
        Path, typer.Argument(help="Recording: EDF, BDF, XDF, .acq, Shimmer, RR intervals, tracked points, openSMILE.")
    ],
    out: Annotated[Path, typer.Argument(help="Folder to make.", callback=writable_folder)],
    fs: Annotated[
        float | None, typer.Option("--fs", help="Samples or frames per second, where the file does not tell them.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Unpack a recording into tables with sidecars, which measure and synchrony read.

    Signals of one rate or stream stand in one table; breaks are gaps. Tracked points (DeepLabCut, SLEAP, MediaPipe)
    become movement, RR intervals an even series. What the file does not tell is asked for.

    Example: dyadloop unpack session1.xdf session1
    """
    from dyadloop.exchange.recordings import unpack as unpacked

    print_written(unpacked(source, out, fs), as_json)


def wells(
    paths: Annotated[
        list[Path], typer.Argument(help="Exports of a plate reader, then the table to write.", metavar="READING... OUT")
    ],
    layout: Annotated[
        Path,
        typer.Option(
            help="Table with a row per well: well, kind, sample, concentration, dilution, participant_id, session, "
            "phase, time; plate where plates differ."
        ),
    ],
    reading: Annotated[
        str | None, typer.Option(help="Which reading counts where a plate has several, such as 450.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Join exports of a plate reader with a layout into the table of wells that an assay of a study is read from.

    SoftMax Pro, Gen5, Magellan, i-control, plain matrices of 4 x 6, 8 x 12, 16 x 24 or 32 x 48. Saturated wells stay so
    and are censored by `dyadloop measure`.

    Example: dyadloop wells plate1.txt plate2.txt my-study/assays/wells.tsv --layout layout.csv
    """
    from dyadloop.exchange.plates import write_wells

    *readings, out = paths
    if not readings:
        raise typer.BadParameter("one path; expected readings and then the table to write", param_hint="READING... OUT")
    writable_file(out)
    told = write_wells(readings, layout, out, reading)
    print_written([out], as_json, left_out=list(told))
    for words in told:
        say(f"left out: {words}", quiet)
