"""Options that have no effect in a mode are refused, in every command."""

import ast
import inspect
import textwrap
import typing

import pytest
from typer.main import get_command

from dyadloop.cli.modes import MODES
from dyadloop.cli.program import app
from tests.cli.program import dyadloop

SHOWN_ONLY = {"as_json", "quiet"}
"""They change what is printed; ``--quiet`` beside ``--json`` asks for no more than is given."""
SAMPLES = {
    "theory": "panic", "design": "haifa", "event": "dose:2", "span": "60 min", "every": "7 d", "length": "50 min",
    "values": "w_trust=0.1", "on": "habituation", "kind": "mean", "transform": "log", "statistic": "score",
    "surrogate": "shift", "prior_set": "flat", "variable": "threat", "only": "x", "region": "patient=0,0,9,9",
}  # fmt: skip


def commands(group=None, path=()):
    """Yield every command of the program with the words that call it."""
    for name, command in (group or get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands())
CASES = [
    (words, mode, name)
    for words, command in COMMANDS.items()
    for mode in MODES.get(command.name, ())
    for name in mode.ignores
    if {mode.option, name} <= {parameter.name for parameter in command.params}
]


def words_of(command, parameter, tmp_path):
    """Return a parameter as it is typed, with a value that it takes."""
    name = next((option for option in parameter.opts if option.startswith("--")), None)
    if getattr(parameter, "is_flag", False):
        return [parameter.secondary_opts[0] if parameter.secondary_opts else name]
    hint = str(typing.get_type_hints(inspect.unwrap(command.callback))[parameter.name])
    value = "0.5" if "float" in hint else "60" if "int" in hint else "x"
    value = tmp_path / f"{parameter.name}.svg" if "Path" in hint else SAMPLES.get(parameter.name, value)
    return [str(value)] if name is None else [name, str(value)]


@pytest.mark.parametrize(("words", "mode", "name"), CASES, ids=lambda case: getattr(case, "option", str(case)))
def test_an_option_without_effect_is_refused_by_name(words, mode, name, tmp_path):
    command = COMMANDS[words]
    by_name = {parameter.name: parameter for parameter in command.params}
    needed = [p for p in by_name.values() if p.required]
    chosen = [by_name[mode.option]] if mode.given else []
    typed = [part for p in [*needed, *chosen, by_name[name]] for part in words_of(command, p, tmp_path)]
    option = next(o for o in by_name[name].opts if o.startswith("--"))
    run = dyadloop(*words, *typed)
    assert run.returncode == 2, run.stderr
    assert option in run.stderr
    assert "no effect" in run.stderr
    assert run.stdout == ""


def test_every_mode_is_that_of_a_command():
    known = {command.name for command in COMMANDS.values()}
    assert set(MODES) <= known
    assert len(CASES) >= sum(len(mode.ignores) for modes in MODES.values() for mode in modes)


def _names(*nodes):
    return {node.id for top in nodes for node in ast.walk(top) if isinstance(node, ast.Name)}


def _paths(body):
    """Return the names that are read on each way through some statements, errors apart.

    A branch for what is printed counts as both of its ways.
    """
    if not body:
        return [set()]
    first, rest = body[0], body[1:]
    if isinstance(first, ast.Raise):
        return []
    if isinstance(first, ast.Return):
        return [_names(first)]
    if isinstance(first, ast.If):
        test = _names(first.test)
        if test & SHOWN_ONLY:
            flat = [node for node in first.body + first.orelse if not isinstance(node, ast.Return)]
            return [_names(first, *flat) | way for way in _paths(rest)]
        return [test | way for branch in (first.body, first.orelse) for way in _paths([*branch, *rest])]
    return [_names(first) | way for way in _paths(rest)]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_option_is_read_on_every_way_through_a_command(words):
    """What a command does not look at on some way through it must be declared as without effect there."""
    command = COMMANDS[words]
    function = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(command.callback)))).body[0]
    asked = {parameter.name for parameter in command.params if parameter.opts[0].startswith("-")} - SHOWN_ONLY
    declared = {name for mode in MODES.get(command.name, ()) for name in mode.ignores}
    for path in _paths(function.body):
        assert asked - path <= declared, f"{' '.join(words)} ignores {sorted(asked - path - declared)} somewhere"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_option_is_explained(words):
    for parameter in COMMANDS[words].params:
        assert parameter.help, f"{' '.join(words)}: {parameter.name}"
        assert parameter.help.endswith("."), parameter.help


def test_a_design_takes_what_is_asked_of_it(tmp_path):
    import json

    from dyadloop.data import read_study

    call = ("--design", "haifa", "--dyads", 5, "--sessions", 4, "--set", "w_trust=0", "--hypothesis", "reciprocal")
    run = dyadloop("simulate", *call, "--every", "3.5 d", "--length", "90 min", tmp_path / "made")
    assert run.returncode == 0, run.stderr
    study, truth = read_study(tmp_path / "made"), json.loads((tmp_path / "made" / "truth.json").read_text())
    assert len(study.dyads) == 5
    assert len(study.sessions) == 20
    assert truth["values"]["w_trust"] == 0.0
    assert truth["hypothesis"] == "reciprocal"
    assert "dyads 5" in study.info.title
    minutes = (study.sessions["end"] - study.sessions["start"]) * 1440
    assert minutes.to_numpy() == pytest.approx(90.0, abs=1e-6)
    rival = dyadloop("simulate", "--design", "haifa", "--hypothesis", "biomarker", tmp_path / "rival")
    assert rival.returncode == 0, rival.stderr
    truth = json.loads((tmp_path / "rival" / "truth.json").read_text())
    assert truth["hypothesis"] == "biomarker"
    assert "w_trust" not in truth["values"]
    unknown = dyadloop(
        "simulate", "--design", "haifa", "--hypothesis", "biomarker", "--set", "w_trust=0", tmp_path / "x"
    )
    assert unknown.returncode == 3
    assert "w_trust" in unknown.stderr
    assert not (tmp_path / "x").exists()
