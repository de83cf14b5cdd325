"""Where commands write: what cannot be written is refused by name before any work starts."""

import errno
import inspect
import io
import json
import os
import typing
from pathlib import Path
from types import SimpleNamespace

import pytest

from dyadloop.cli.doors import in_options
from dyadloop.cli.outputs import file_names
from tests.cli.program import dyadloop
from tests.cli.test_modes import COMMANDS, words_of
from tests.data.conftest import tiny  # noqa: F401 - a fixture

WRITTEN = {"out", "figure", "path"}
CASES = [
    (words, parameter.name)
    for words, command in COMMANDS.items()
    for parameter in command.params
    if parameter.name in WRITTEN and words != ("evidence", "check")
]


def _is_folder(command, name):
    return (
        command.callback.__name__
        in ("run", "compare", "multiverse", "calibrate", "measure", "simulate", "convert", "new", "export", "unpack")
        and name != "figure"
    )


@pytest.mark.parametrize(("words", "name"), CASES, ids=str)
def test_a_place_that_cannot_be_written_is_refused_before_any_work(words, name, tmp_path):
    """A file in the way of a folder, for the tests may run as one who may write everywhere."""
    (tmp_path / "wall").write_text("a file")
    command = COMMANDS[words]
    place = tmp_path / "wall" / "x.svg"
    typed = []
    for parameter in command.params:
        if parameter.name == name:
            option = [o for o in parameter.opts if o.startswith("--")][:1]
            typed += [*option, str(place)]
        elif parameter.required:
            typed += words_of(command, parameter, tmp_path)
    run = dyadloop(*words, *typed)
    assert run.returncode == 2, run.stderr
    assert "wall is a file, so nothing can be written in it" in run.stderr
    assert run.stdout == ""
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("words", "name"),
    [case for case in CASES if case[1] == "figure" or not _is_folder(COMMANDS[case[0]], case[1])],
    ids=str,
)
def test_a_folder_is_no_file_to_write(words, name, tmp_path):
    (tmp_path / "folder.svg").mkdir()
    command, typed = COMMANDS[words], []
    for parameter in command.params:
        if parameter.name == name:
            typed += [*[o for o in parameter.opts if o.startswith("--")][:1], str(tmp_path / "folder.svg")]
        elif parameter.required:
            typed += words_of(command, parameter, tmp_path)
    run = dyadloop(*words, *typed)
    assert run.returncode == 2, run.stderr
    assert "is a folder; expected the name of a file" in run.stderr


@pytest.mark.parametrize(
    "words",
    [words for words, command in COMMANDS.items() if any(p.name == "figure" for p in command.params)],
    ids=" ".join,
)
def test_figures_are_svg_and_say_so(words, tmp_path):
    command, typed = COMMANDS[words], []
    for parameter in command.params:
        if parameter.name == "figure":
            typed += [*[o for o in parameter.opts if o.startswith("--")][:1], str(tmp_path / "figure.png")]
        elif parameter.required:
            typed += words_of(command, parameter, tmp_path)
    run = dyadloop(*words, *typed)
    assert run.returncode == 2, run.stderr
    assert "ends in .svg" in run.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights_is_refused(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    run = dyadloop("theory", "export", "panic_core", "--out", tmp_path / "closed" / "x.tex")
    assert run.returncode == 2
    assert "may not be written" in run.stderr


def test_what_a_command_writes_is_checked_by_one_of_three():
    """Every parameter that names a place to write has one of the checks."""
    from dyadloop.cli import outputs

    checks = {outputs.writable_file, outputs.writable_folder, outputs.svg_file}
    for words, name in CASES:
        hints = typing.get_type_hints(inspect.unwrap(COMMANDS[words].callback), include_extras=True)
        found = {getattr(part, "callback", None) for part in typing.get_args(hints[name])}
        assert found & checks, f"{' '.join(words)}: {name}"


def test_file_names_are_safe_and_differ():
    names = file_names(["D1 session 1", "D1_session_1", "a/b", "../x", "A/B", ".hidden", "..", ""])
    assert names[0] == "D1_session_1"
    assert len({name.lower() for name in names}) == len(names)
    assert not any("/" in name or name.startswith(".") or not name for name in names)


def test_faults_are_json_where_json_is_asked(tiny):  # noqa: F811
    path = tiny / "measurements.tsv"
    path.write_text(path.read_text().replace("trust\t5", "trust\t50"))
    run = dyadloop("check", tiny, "--json")
    assert run.returncode == 3
    found = json.loads(run.stdout)
    assert found["faults"][0]["file"] == "measurements.tsv"
    assert set(found["faults"][0]) == {"file", "row", "column", "got", "expected", "remedy"}
    missing = dyadloop("claims", tiny / "nowhere", "--json")
    assert missing.returncode == 3
    assert "no such file" in json.loads(missing.stdout)["error"]


@pytest.mark.parametrize(
    ("command", "said", "shown"),
    [
        ("synchrony", "cut to the shorter (cut=True)", "cut to the shorter (--cut)"),
        ("synchrony", "missing='mask'; expected pairwise", "--missing mask; expected pairwise"),
        ("synchrony", "settings window=30 and lag=5 stay", "settings window=30 and lag=5 stay"),
        ("calibrate", "replicates=3: expected 20 or more", "--replicates 3: expected 20 or more"),
        ("calibrate", "set `below`, such as 0.3", "set --below, such as 0.3"),
        ("compare", "ahead=40: no dyad has a value", "--ahead 40: no dyad has a value"),
        ("check", "set `use: false`, or cut=True", "set `use: false`, or cut=True"),
        ("run", "x_seed=1, --seed=2", "x_seed=1, --seed=2"),
    ],
)
def test_a_message_names_options_of_its_command(command, said, shown):
    context = SimpleNamespace(command=COMMANDS[(command,)])
    assert in_options(said, context) == shown


def test_the_same_message_names_arguments_in_python(tmp_path):
    import dyadloop as dl
    from dyadloop.errors import FitError

    with pytest.raises(FitError, match="set `below`"):
        dl.calibrate(dl.keep(dl.read_theory("framework_linear"), ["oxytocin", "trust"]), fault="limit", replicates=20)
    call = ("--fault", "limit", "--variables", "oxytocin,trust", "--replicates", 20, "--out", tmp_path / "c")
    run = dyadloop("calibrate", "framework", *call)
    assert run.returncode == 3
    assert "set --below" in run.stderr


def test_a_full_disk_is_a_message(tmp_path, monkeypatch):
    def full(path, *given, **named):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(Path, "write_text", full)
    run = dyadloop("theory", "export", "panic_core", "--to", "mermaid", "--out", tmp_path / "x.mmd")
    assert run.returncode == 3
    assert "x.mmd: cannot be read or written (no space left on device)" in run.stderr


@pytest.mark.parametrize(("columns", "width"), [(None, 160), ("90", 90)])
def test_piped_tables_are_as_wide_as_the_environment_says(monkeypatch, columns, width):
    from dyadloop.cli.shared import console

    monkeypatch.delenv("DYADLOOP_WIDTH", raising=False)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    if columns:
        monkeypatch.setenv("DYADLOOP_WIDTH", columns)
    assert console().width == width
