"""``measure`` and ``check`` together: what has no score is no success, and what is not measured yet is to be measured."""

import json

import numpy as np
import pytest
import yaml

from dyadloop.reporting.figures import draw, simulated_mark
from tests.cli.program import dyadloop

SESSIONS = 3


def made(root, items=True, sync=True, name="raw", simulated=False):
    """Write a study of answers and recordings that are still to be measured."""
    rng = np.random.default_rng(4)
    (root / "phenotype").mkdir(parents=True)
    indicators = {"phq": {"quantity": "depression", "person": "patient", "unit": "points", "scale": [0, 27]}}
    measures = {"phq": {"kind": "questionnaire", "file": "phenotype/phq9.tsv", "instrument": "phq9", "phase": "before"}}
    if sync:
        indicators["sync"] = {"quantity": "synchrony", "person": "patient", "unit": "z"}
        measures["sync"] = {"kind": "synchrony", "files": "recordings/{dyad}_{session}.csv", "fs": 10}
    info = {"schema_version": 1, "name": name, "title": "Made up", "licence": "CC0-1.0", "simulated": simulated}
    (root / "study.yaml").write_text(
        yaml.safe_dump(info | {"indicators": indicators, "measures": measures}, sort_keys=False)
    )
    people = "".join(f"P{d}\tD{d}\tpatient\nT{d}\tD{d}\ttherapist\n" for d in range(2))
    (root / "participants.tsv").write_text(f"participant_id\tdyad\trole\n{people}")
    dates = [(d, s, f"2024-03-{1 + d + 7 * s:02d}T10:00:00") for d in range(2) for s in range(SESSIONS)]
    (root / "recordings").mkdir()
    for d, s, _ in dates:  # too short for any window
        (root / "recordings" / f"D{d}_{s + 1}.csv").write_text("a,b\n1,2\n3,5\n2,4\n")
    rows = "".join(f"D{d}\t{s + 1}\t{when}\t50\n" for d, s, when in dates)
    (root / "sessions.tsv").write_text(f"dyad\tsession\tstart\tlength_min\n{rows}")
    head = "participant_id\tsession\t" + "\t".join(f"item{n}" for n in range(1, 10))
    lines = [f"P{d}\t{s + 1}\t" + "\t".join(map(str, rng.integers(0, 4, 9))) for d, s, _ in dates if items]
    (root / "phenotype" / "phq9.tsv").write_text("\n".join([head, *lines]) + "\n")
    return root


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_no_score_is_no_success_and_writes_nothing(here):
    study = made(here / "study")
    (study / "phenotype" / "phq9.tsv").unlink()
    only = yaml.safe_load((study / "study.yaml").read_text())
    del only["measures"]["phq"], only["indicators"]["phq"]
    (study / "study.yaml").write_text(yaml.safe_dump(only, sort_keys=False))
    run = dyadloop("measure", study)
    assert run.returncode == 3
    assert f"sync: 0 scores of {2 * SESSIONS}" in run.stdout
    assert "no score of sync" in run.stderr
    assert not (study / "measurements.tsv").exists()
    machine = dyadloop("measure", study, "--json", "--quiet")
    assert machine.returncode == 3
    assert json.loads(machine.stdout)["scores"] == 0


def test_an_indicator_without_a_score_keeps_its_rows(here):
    """The others are written; what an earlier call measured is not lost because its recordings are gone."""
    study = made(here / "study")
    head = "dyad\tparticipant_id\tsession\ttime\tphase\tindicator\tvalue\tlimit\n"
    (study / "measurements.tsv").write_text(f"{head}D0\tP0\t1\t\tafter\tsync\t0.25\t\n")
    run = dyadloop("measure", study)
    assert run.returncode == 3
    rows = (study / "measurements.tsv").read_text()
    assert "0.25" in rows
    assert rows.count("phq") == 2 * SESSIONS


def test_before_measuring_the_next_step_is_to_measure(here):
    study = made(here / "study", sync=False)
    before = dyadloop("check", study)
    assert before.returncode == 0, before.stderr
    assert f"next: dyadloop measure {study}" in before.stderr
    assert "not measured yet" in before.stderr
    assert "use: false" not in before.stderr
    machine = json.loads(dyadloop("check", study, "--json").stdout)
    assert machine["next"] == f"dyadloop measure {study}"
    run = dyadloop("run", study)
    assert run.returncode == 3
    assert f"dyadloop measure {study}" in run.stderr
    measured = dyadloop("measure", study)
    assert measured.returncode == 0, measured.stderr
    after = dyadloop("check", study)
    assert f"next: dyadloop run {study}" in after.stderr


def test_one_of_two_sources_not_measured_is_said_too(here):
    study = made(here / "study")
    dyadloop("measure", study)
    run = dyadloop("check", study)
    assert "'sync' is declared under `measures` and not measured yet" in run.stderr
    assert "next: dyadloop measure" in run.stderr
    fit = dyadloop("run", study)
    assert fit.returncode == 3
    assert "run `dyadloop measure" in fit.stderr
    assert "use: false" not in fit.stderr


def test_two_studies_of_one_name_do_not_overwrite_each_other(here):
    first, second = made(here / "one", sync=False), made(here / "two", sync=False)
    assert dyadloop("measure", first).returncode == 0
    drawn = (here / "results" / "raw-measures" / "status.svg").read_bytes()
    clash = dyadloop("measure", second)
    assert clash.returncode == 2
    assert str(first.resolve()) in clash.stderr
    assert "--out" in clash.stderr
    assert not (second / "measurements.tsv").exists()
    assert (here / "results" / "raw-measures" / "status.svg").read_bytes() == drawn
    assert dyadloop("measure", second, "--out", here / "elsewhere").returncode == 0
    assert dyadloop("measure", first).returncode == 0


def test_figures_of_a_simulated_study_say_so(here):
    study = made(here / "study", sync=False, simulated=True)
    assert dyadloop("measure", study).returncode == 0
    assert ">SIMULATED</text>" in (here / "results" / "raw-measures" / "status.svg").read_text()
    real = made(here / "real", sync=False, name="real")
    assert dyadloop("measure", real).returncode == 0
    assert "SIMULATED" not in (here / "results" / "real-measures" / "status.svg").read_text()


def test_the_mark_lies_inside_the_figure_and_above_what_is_drawn():
    import xml.etree.ElementTree as ET

    plain = draw(lambda figure: figure.add_subplot().plot([0, 1]), 3, 2)
    marked = simulated_mark(plain)
    root = ET.fromstring(marked)
    left, top, width, height = (float(n) for n in root.attrib["viewBox"].split())
    drawn = [float(n) for n in ET.fromstring(plain).attrib["viewBox"].split()]
    assert [left, top + height, width] == pytest.approx([drawn[0], drawn[1] + drawn[3], drawn[2]])
    assert float(root.attrib["height"][:-2]) == pytest.approx(height)
    text = [node for node in root.iter() if node.tag.endswith("text")][-1]
    assert text.text == "SIMULATED"
    assert left < float(text.attrib["x"]) <= left + width
    assert top + 8 < float(text.attrib["y"]) <= drawn[1], "its letters are 8 high"


def test_a_table_with_faults_does_not_stop_the_others(here):
    study = made(here / "study")
    info = yaml.safe_load((study / "study.yaml").read_text())
    del info["measures"]["sync"], info["indicators"]["sync"]
    info["indicators"]["gad"] = {"quantity": "fear", "person": "patient", "unit": "points"}
    info["measures"]["gad"] = {"kind": "questionnaire", "file": "phenotype/gad7.tsv", "instrument": "gad7"}
    (study / "study.yaml").write_text(yaml.safe_dump(info, sort_keys=False))
    head = "participant_id\tsession\t" + "\t".join(f"item{n}" for n in range(1, 8))
    (study / "phenotype" / "gad7.tsv").write_text(f"{head}\nP0\t1\t1\t1\t99\t1\t1\t1\t1\n")
    run = dyadloop("measure", study)
    assert run.returncode == 3
    assert "declare `missing: [99]`" in run.stderr
    assert "no score of gad" in run.stderr
    rows = (study / "measurements.tsv").read_text().splitlines()
    assert len(rows) == 1 + 2 * SESSIONS
    told = json.loads(dyadloop("measure", study, "--json", "--quiet").stdout)
    assert "99" in told["failed"]["gad"]
