"""``dyadloop check``: faults and doubts, on the screen and for programs."""

import json

import pytest

from tests.cli.program import dyadloop
from tests.data.edits import therapy


@pytest.fixture
def study(tmp_path):
    return therapy(tmp_path / "therapy")


def _change(path, row, column, text):
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    lines[row - 1][lines[0].index(column)] = text
    path.write_text("".join("\t".join(line) + "\n" for line in lines))


def test_faults_and_doubts_are_told_together(study):
    """A PHQ-9 or an alliance far beyond its scale must not wait until the decimal commas are mended."""
    before = dyadloop("check", study)
    assert before.returncode == 0, before.stderr
    table = study / "measurements.tsv"
    names = [line.split("\t") for line in table.read_text().splitlines()]
    place = names[0].index("indicator")
    rows = [k for k, line in enumerate(names, 1) if line[place] == "tension"]
    _change(table, rows[3], "value", "999")
    alone = dyadloop("check", study)
    assert alone.returncode == 0
    assert "999" in alone.stdout.partition("doubt")[2]
    _change(table, rows[5], "value", "3,5")
    both = dyadloop("check", study)
    assert both.returncode == 3
    assert f"row {rows[5]}, column 'value': got '3,5'" in both.stderr
    assert "doubtful in what has no fault" in both.stderr
    assert f"row {rows[3]}" in both.stderr
    told = json.loads(dyadloop("check", study, "--json").stdout)
    assert [fault["row"] for fault in told["faults"]] == [rows[5]]
    assert rows[3] in [doubt["row"] for doubt in told["doubts"]]


def test_a_fault_raises_no_doubt_about_what_it_takes_away(study):
    """Rows with a fault leave gaps that are none of the study's."""
    _change(study / "sessions.tsv", 3, "length_min", "fifty")
    told = json.loads(dyadloop("check", study, "--json").stdout)
    assert told["faults"]
    plain = [doubt["text"] for doubt in told.get("doubts", [])]
    assert not [text for text in plain if "without" in text or "gap" in text], plain


def test_a_table_without_a_sound_row_has_faults_alone(study):
    text = (study / "participants.tsv").read_text()
    (study / "participants.tsv").write_text(text.replace("patient", "client").replace("therapist", "other one"))
    run = dyadloop("check", study)
    assert run.returncode == 3
    assert "role" in run.stderr
