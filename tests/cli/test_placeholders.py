"""Help texts name what a command takes as the files name it, and in one way."""

import re

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from dyadloop.cli.program import app
from dyadloop.exchange.plates.wells import LAYOUT_COLUMNS


def _commands(group, path=()):
    for name, entry in group.commands.items():
        if hasattr(entry, "commands"):
            yield from _commands(entry, (*path, name))
        else:
            yield (*path, name), entry


@pytest.mark.parametrize(("path", "command"), list(_commands(get_command(app))), ids=lambda part: str(part)[:40])
def test_places_of_arguments_are_in_capitals(path, command):
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            assert not re.search(r"[a-z]", parameter.metavar), f"{path}: {parameter.name}"


def test_wells_names_the_columns_of_a_layout():
    told = " ".join(CliRunner().invoke(app, ["wells", "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).stdout.split())
    assert ", ".join(LAYOUT_COLUMNS) in told
