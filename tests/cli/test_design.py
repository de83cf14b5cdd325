"""The commands on designs as a user types them."""

import io
import json

import pytest

from dyadloop.yaml_files import dump_yaml
from tests.cli.program import dyadloop
from tests.design.small import content, theory_file


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(dump_yaml(content(theory_file(tmp_path))))
    return path


def test_designs_are_listed_and_shown_as_files(tmp_path):
    listed = dyadloop("design", "list")
    assert listed.returncode == 0
    assert "haifa" in listed.stdout
    rows = json.loads(dyadloop("design", "list", "--json").stdout)
    assert {row["design"]: row["samples"] for row in rows}["haifa"] == 592
    shown = dyadloop("design", "show", "haifa").stdout
    path = tmp_path / "mine.yaml"
    path.write_text(shown.replace("dyads: 37", "dyads: 50"))
    checked = dyadloop("design", "check", path)
    assert checked.returncode == 0, checked.stderr
    assert "50 dyads" in checked.stdout


def test_a_check_says_what_a_design_can_tell():
    run = dyadloop("design", "check", "haifa")
    assert "no randomised event on oxytocin" in run.stdout
    assert "not testable with this design (C4, C6)" in run.stdout
    found = {
        row["claim"]: row for row in json.loads(dyadloop("design", "check", "proposed", "--json").stdout)["claims"]
    }
    assert found["C3.trust"]["can_tell"] == "effect"
    assert found["C1.empathy"]["can_tell"] == "not testable here"
    doses = {
        row["claim"]: row
        for row in json.loads(dyadloop("design", "check", "inpatient_doses", "--json").stdout)["claims"]
    }
    assert doses["C2.trust"]["why"] == "oxytocin is not measured in this design"


def test_faults_of_a_design_exit_with_3_and_come_as_json(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("schema_version: 1\nname: x\ntitle: x\ndyads: -4\nsessions: {count: 0}\nmeasures: {}\n")
    run = dyadloop("design", "check", path, "--json")
    assert run.returncode == 3
    assert len(json.loads(run.stdout)["faults"]) == 3
    assert "got -4; expected a number at least 2" in run.stderr
    unknown = dyadloop("design", "show", "hiafa")
    assert unknown.returncode == 3
    assert "did you mean haifa?" in unknown.stderr


def test_a_design_is_drafted_from_a_study(haifa_folder, tmp_path):
    out = tmp_path / "like.yaml"
    run = dyadloop("design", "draft", haifa_folder, "--out", out)
    assert run.returncode == 0, run.stderr
    found = json.loads(dyadloop("design", "show", out, "--json").stdout)
    assert found["dyads"] == 37
    assert found["sessions"]["count"] == 16
    assert found["measures"]["saliva_patient"]["sessions"] == [1, 4, 8, 12, 16]
    assert found["measures"]["saliva_patient"]["when"] == ["before", "after"]
    assert found["measures"]["depression"]["when"] == ["before"]
    assert 0.02 < found["missing"]["values"] < 0.08  # one value in twenty is lost


def test_a_design_is_drafted_from_answers(tmp_path, monkeypatch):
    answers = iter(["60", "8", "", "", "trust, oxytocin", *[""] * 3, "before, after", "2, 4, 6", *[""] * 7])
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(answers) + "\n"))
    out = tmp_path / "asked.yaml"
    run = dyadloop("design", "draft", "--out", out)
    assert run.returncode == 0, run.stderr
    assert "What is measured? Known: " in run.stderr
    found = json.loads(dyadloop("design", "show", out, "--json").stdout)
    assert (found["dyads"], found["sessions"]["count"]) == (60, 8)
    assert found["measures"]["oxytocin"]["sessions"] == [2, 4, 6]
    assert dyadloop("design", "check", out).returncode == 0


def test_questions_that_nobody_answers_are_a_fault_of_the_call(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    run = dyadloop("design", "draft")
    assert run.returncode == 2
    assert "How many dyads?" in run.stderr
    assert "one answer per line" in run.stderr
    assert run.stdout == ""


@pytest.mark.parametrize("value", ["inf", "nan", "-1e999", "high"])
def test_values_are_finite_numbers(value):
    run = dyadloop("design", "assurance", "haifa", "--set", f"w_trust={value}")
    assert run.returncode == 2
    assert "finite number" in run.stderr


def test_assurance_and_its_folder_of_tasks(own, tmp_path):
    place = tmp_path / "tasks"
    call = ("design", "assurance", own, "--truth", "fixed", "--replicates", 4, "--folder", place, "--workers", 0)
    run = dyadloop(*call, "--quiet")
    assert run.returncode == 0, run.stderr
    assert "no study was sampled" in run.stdout
    assert {"claims.csv", "worlds.csv", "agreement.csv"} <= {path.name for path in place.iterdir()}
    again = dyadloop(*call, "--json", "--quiet")
    assert json.loads(again.stdout)["claims"][0]["studies"] == 4
    assert json.loads(dyadloop("tasks", "status", place, "--json").stdout) == {
        "waiting": 0, "in_hand": 0, "done": 1, "damaged": [],
    }  # fmt: skip
    assert "1 tasks done" in dyadloop("tasks", "run", place, "--shard", "1/1", "--workers", 0).stderr
    assert "--array=1-7" in dyadloop("tasks", "slurm", place, "--shards", 7).stdout
    wrong = dyadloop("design", "assurance", own, "--over", "dyads", "--folder", place)
    assert wrong.returncode == 2
    assert "dyads=20,40,80" in wrong.stderr
    assert dyadloop("tasks", "run", tmp_path / "none").returncode == 3


def test_what_a_design_can_tell_before_any_data(own, tmp_path):
    figure = tmp_path / "told.svg"
    run = dyadloop("design", "identifiability", own, "--figure", figure)
    assert run.returncode == 0, run.stderr
    assert "directions of the parameters" in run.stdout
    assert figure.read_text().startswith("<svg")
    found = json.loads(dyadloop("design", "identifiability", own, "--json").stdout)
    assert {row["parameter"] for row in found["parameters"]} >= {"work_trust", "tau_trust"}


def test_registrations_and_what_departs_from_them(haifa_folder, tmp_path):
    out = tmp_path / "registration.md"
    assert dyadloop("design", "preregister", "haifa", "--out", out).returncode == 0
    assert "What would contradict" in out.read_text() or "what would contradict" in out.read_text()
    assert dyadloop("design", "preregister", "haifa", "--out", tmp_path / "x.pdf").returncode == 2
    run = dyadloop("design", "compare", "haifa", haifa_folder)
    assert run.returncode == 0, run.stderr
    assert "attachment of the patient is measured and was not registered" in run.stdout
    listed = json.loads(dyadloop("design", "compare", "haifa", haifa_folder, "--json").stdout)
    assert len(listed) == 4  # the simulated study rates all five components
    report = tmp_path / "report.html"
    assert dyadloop("design", "report", "single_dose", "--out", report).returncode == 0
    assert "oxytocin is not measured in this design" in report.read_text()


def test_a_schedule_needs_samples():
    run = dyadloop("design", "schedule", "diary", "--claim", "C1.trust", "--budget", 1000)
    assert run.returncode == 3
    assert "no samples are taken" in run.stderr
