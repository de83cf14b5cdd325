"""What stands on which stream, in every command: results as JSON, messages that can be silenced, help and version."""

import ast
import inspect
import json
import os
import shlex
import subprocess
import sys
import typing
from importlib.metadata import version

import pytest

from dyadloop.cli import design, dynamics, evidence, exchange, fits, measures, outputs, simulate, theory
from dyadloop.cli.shared import PriorSet
from dyadloop.evidence.coefficients import PriorSet as KnownPriorSet
from tests.cli.program import dyadloop
from tests.cli.test_modes import COMMANDS
from tests.data.conftest import tiny  # noqa: F401 - a fixture

NO_JSON = {
    ("app",): "serves pages until it is stopped",
    ("schema",): "is JSON itself",
    ("theory", "export"): "prints another language",
    ("tasks", "slurm"): "prints a script",
}


def _options(words):
    return {name for parameter in COMMANDS[words].params for name in parameter.opts}


def _says(function, seen=()):
    """Say whether a command or a helper beside it prints a message that is no error."""
    module = sys.modules[function.__module__]
    tree = ast.parse(inspect.getsource(function).lstrip())
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        name = node.func.id
        if name in ("say", "write_figure", "write_arrays"):
            return True
        helper = getattr(module, name, None)
        own = inspect.isfunction(helper) and helper.__module__ == function.__module__ and name not in seen
        if own and _says(helper, (*seen, name)):
            return True
    return False


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_prints_its_result_as_json_or_there_is_a_reason(words):
    assert ("--json" in _options(words)) != (words in NO_JSON)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_whoever_says_something_can_be_silenced(words):
    function = inspect.unwrap(COMMANDS[words].callback)
    assert "--quiet" in _options(words) or not _says(function)
    if "--quiet" in _options(words):
        assert "-q" in _options(words)


def test_no_message_of_a_command_passes_by_quiet():
    """A message is an error (it stands before an exit or tells a question), or takes ``quiet``."""
    for module in (design, dynamics, evidence, exchange, fits, measures, outputs, simulate, theory):
        for function in [node for node in ast.walk(ast.parse(inspect.getsource(module))) if hasattr(node, "args")]:
            if not isinstance(function, ast.FunctionDef):
                continue
            ends = any(isinstance(node, ast.Raise) for node in ast.walk(function))
            asks = any(isinstance(node, ast.Attribute) and node.attr == "prompt" for node in ast.walk(function))
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "say":
                    silent = len(node.args) == 2 or ends or asks
                    assert silent, f"{module.__name__}:{node.lineno}"


def test_the_sets_of_priors_are_those_of_the_room():
    assert set(typing.get_args(PriorSet)) == set(typing.get_args(KnownPriorSet)) > {"flat"}


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_version_is_printed(option):
    run = dyadloop(option)
    assert (run.returncode, run.stdout, run.stderr) == (0, f"dyadloop {version('dyadloop')}\n", "")


@pytest.mark.parametrize("words", [(), *COMMANDS, ("theory",), ("tasks",)], ids=" ".join)
def test_the_short_option_for_help_is_that_for_help(words):
    short = dyadloop(*words, "-h")
    assert short.returncode == 0
    assert short.stdout.startswith("Usage: dyadloop")
    assert short.stdout == dyadloop(*words, "--help").stdout


def _completed(typed):
    shell = {"_DYADLOOP_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    call = [sys.executable, "-X", "importtime", "-m", "dyadloop"]
    run = subprocess.run(call, capture_output=True, text=True, env=os.environ | shell)
    loaded = {line.rpartition("|")[2].strip() for line in run.stderr.splitlines() if line.startswith("import time")}
    return run.stdout.split(), loaded


def test_a_shell_completes_commands_options_and_choices_without_heavy_imports():
    found, loaded = _completed("dyadloop the")
    assert found == ["theory"]
    assert not {"jax", "numpy", "pandas"} & loaded
    assert "--draws" in _completed("dyadloop run --dr")[0]
    assert _completed("dyadloop run --priors s")[0] == ["sceptical"]


def test_the_script_for_a_shell_is_shown():
    line = f"{shlex.quote(sys.executable)} -m dyadloop --show-completion; exit $?"  # it asks which shell called it
    run = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "complete -o default -F _dyadloop_completion dyadloop" in run.stdout


def test_what_is_written_is_told_as_json_and_without_a_message(tmp_path, tiny):  # noqa: F811
    made = dyadloop("new", tmp_path / "mine", "--json", "--quiet")
    assert json.loads(made.stdout) == {"written": [str(tmp_path / "mine")]}
    assert made.stderr == ""
    out = dyadloop("export", tiny, tmp_path / "out", "--json", "-q")
    assert all((tmp_path / "out").joinpath(name).exists() for name in json.loads(out.stdout)["files"])
    assert out.stderr == ""
    assert dyadloop("check", tiny, "-q").stderr == ""
    drawn = dyadloop("dynamics", "gains", "hub", "--figure", tmp_path / "g.svg", "-q", "--json")
    assert json.loads(drawn.stdout)["data_vars"]
    assert drawn.stderr == ""


def test_words_of_a_transcript_are_json_on_the_screen(tmp_path):
    (tmp_path / "a.srt").write_text("1\n00:00:01,000 --> 00:00:02,500\nanna: hello\n", encoding="utf-8")
    told = json.loads(dyadloop("turns", tmp_path / "a.srt", "--json").stdout)
    assert [turn["text"] for turn in told["turns"]] == ["hello"]
    assert told["turns"][0]["end"] == 2.5
