"""The commands as a user types them: outputs, streams, exit codes."""

import html
import json
import re
import shlex

import pytest

from dyadloop.inference import load_result
from tests.cli.program import dyadloop, program
from tests.conftest import ROOT
from tests.data.conftest import tiny  # noqa: F401 - a fixture
from tests.inference.small import theory


def test_check_prints_a_summary(school_folder):
    run = dyadloop("check", school_folder)
    assert run.returncode == 0
    assert "300 persons in 300 dyads, 8260 sessions" in run.stdout
    assert "te_fair_all" in run.stdout
    assert "no faults" in run.stderr
    machine = json.loads(dyadloop("check", school_folder, "--json").stdout)
    assert machine["sessions"] == 8260


def test_check_prints_all_faults_and_exits_with_3(tiny):  # noqa: F811
    path = tiny / "measurements.tsv"
    path.write_text(path.read_text().replace("6.5", "6,5").replace("trust\t5", "trust\t50"))
    run = dyadloop("check", tiny)
    assert run.returncode == 3
    assert run.stdout == ""
    assert "2 faults" in run.stderr
    assert "row 3, column 'value'" in run.stderr
    assert "decimal point" in run.stderr
    assert "Traceback" not in run.stderr


def test_usage_errors_exit_with_2():
    assert program("run").returncode == 2
    assert dyadloop("nonsense").returncode == 2
    broken = program("check", "nowhere")
    assert broken.returncode == 3
    assert "nowhere" in broken.stderr


def test_theory_show_and_validate(tmp_path):
    run = dyadloop("theory", "show", "framework")
    assert run.returncode == 0
    assert "a_synchrony" in run.stdout
    assert "assumed:" in run.stdout
    assert "SUP-OT-01" in run.stdout
    shown = json.loads(dyadloop("theory", "show", "framework", "--hypothesis", "biomarker", "--json").stdout)
    assert not any(coupling["id"].startswith("w_") for coupling in shown["couplings"])
    own = tmp_path / "own.yaml"
    own.write_text(json.dumps(shown))
    assert dyadloop("theory", "validate", own).returncode == 0
    own.write_text("schema_version: 1\n")
    bad = dyadloop("theory", "validate", own)
    assert bad.returncode == 3
    assert "variables" in bad.stderr


def test_run_judges_a_study_end_to_end_and_says_when_it_has_not_converged(small_fit, tmp_path):
    """A short run of a small theory: everything is written, and the exit code is honest."""
    own = tmp_path / "theory.yaml"
    own.write_text(theory(["oxytocin", "trust", "depression"]).model_dump_json(by_alias=True))
    out = tmp_path / "out"
    run = dyadloop(
        "run", small_fit[0], "--theory", own, "--out", out, "--chains", 2, "--warmup", 50, "--draws", 50
    )  # fmt: skip
    assert run.returncode == 4, run.stderr
    assert "not converged" in run.stderr
    assert "ESS below 400" in run.stderr
    assert "C7.depression.components" in run.stdout
    assert f"report: {out / 'report.html'}" in run.stdout
    names = {path.name for path in out.iterdir()}
    assert {"posterior.nc", "claims.csv", "claims.json", "report.html", "manifest.json"} <= names
    again = dyadloop("claims", out, "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout) == json.loads((out / "claims.json").read_text())
    assert dyadloop("report", out, "--out", tmp_path / "again.html").returncode == 0
    assert (tmp_path / "again.html").read_bytes() == (out / "report.html").read_bytes()
    printed = html.unescape(re.search(r"<code>(dyadloop run .*?)</code>", (out / "report.html").read_text())[1])
    words = shlex.split(printed)
    assert "--theory" in words
    once_more = dyadloop(*words[1:])
    assert once_more.returncode == 4
    assert "complete" in once_more.stderr
    assert once_more.stdout == run.stdout
    words[words.index("--out") + 1] = str(tmp_path / "copy")
    assert dyadloop(*words[1:]).returncode == 4
    fingerprints = [load_result(folder).attrs["fingerprint"] for folder in (out, tmp_path / "copy")]
    assert fingerprints[0] == fingerprints[1]
    assert (tmp_path / "copy" / "claims.json").read_bytes() == (out / "claims.json").read_bytes()


@pytest.mark.parametrize("folder", ["nowhere", "."])
def test_claims_of_a_folder_without_a_result(tmp_path, folder):
    run = dyadloop("claims", tmp_path / folder)
    assert run.returncode == 3
    assert "no such file" in run.stderr


def test_simulate_and_convert(tmp_path):
    assert dyadloop("simulate", tmp_path / "haifa", "--design", "haifa", "--seed", 4).returncode == 0
    truth = json.loads((tmp_path / "haifa" / "truth.json").read_text())
    assert truth["simulated"] is True
    assert "SIMULATED" in (tmp_path / "haifa" / "study.yaml").read_text()
    assert "SIMULATED" in dyadloop("check", tmp_path / "haifa").stdout
    unknown = dyadloop("simulate", tmp_path / "x", "--design", "halifax")
    assert unknown.returncode == 3
    assert "haifa" in unknown.stderr
    source = ROOT / "examples" / "source" / "school_daily.csv"
    assert dyadloop("convert", source, tmp_path / "school").returncode == 0
    assert dyadloop("convert", source, tmp_path / "school").returncode == 3


def test_theory_list_diff_and_export(tmp_path):
    assert "peacemath" in dyadloop("theory", "list").stdout
    assert "gamma_trust_support" in dyadloop("theory", "diff", "framework", "framework:synergistic").stdout
    assert dyadloop("theory", "diff", "love", "love").stdout == "no difference\n"
    for language, mark in (
        ("latex", r"\frac"),
        ("mermaid", "flowchart"),
        ("sbml", "<sbml"),
        ("json", '"title"'),
        ("svg", "<svg"),
    ):
        out = tmp_path / language
        assert dyadloop("theory", "export", "panic_core", "--to", language, "--out", out).returncode == 0
        assert mark in out.read_text()
    out = tmp_path / "again.yaml"
    assert dyadloop("theory", "export", "love", "--to", "yaml", "--out", out).returncode == 0
    assert dyadloop("theory", "diff", "love", out).stdout == "no difference\n"
    wrong = dyadloop("theory", "export", "love", "--to", "prolog")
    assert wrong.returncode == 3
    assert "latex" in wrong.stderr


def test_courses_are_simulated_into_a_folder_once(tmp_path):
    call = ("simulate", "--theory", "panic", "--span", "60 min", "--points", 60, "--dyads", 2, tmp_path / "panic")
    assert dyadloop(*call).returncode == 0
    names = {path.name for path in (tmp_path / "panic").iterdir()}
    assert names == {"courses.nc", "courses.csv", "courses.svg"}
    again = dyadloop(*call)
    assert again.returncode == 3
    assert "there already" in again.stderr
    both = dyadloop("simulate", "--theory", "panic", "--design", "haifa", tmp_path / "x")
    assert both.returncode == 2
    assert "--design has no effect with --theory" in both.stderr


def test_dynamics_answers_on_stdout(tmp_path):
    found = json.loads(dyadloop("dynamics", "equilibria", "panic_core", "--json").stdout)
    assert found["data_vars"]["stable"]["data"] == [True, False, True]
    figure = tmp_path / "gains.svg"
    run = dyadloop("dynamics", "gains", "hub", "--figure", figure)
    assert "continuous_loop_gain: 0.3944" in run.stdout
    assert figure.read_text().startswith("<svg")
    wrong = dyadloop("dynamics", "gains", "hub", "--set", "a_trust")
    assert wrong.returncode == 2
    assert "expected NAME=VALUE" in wrong.stderr
