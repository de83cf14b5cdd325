"""What a page is told of a study; only what was opened can be read, and hostile strings come back as text."""

import shutil
from pathlib import Path

import pytest

from dyadloop.app import commands, studies
from dyadloop.app.desk import Place
from tests.app.doors import client, until
from tests.inference.small import make, shorten

HURT = "<img src=x onerror=window.hurt=1>"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return shorten(make(tmp_path_factory.mktemp("studies") / "tiny", ["trust"]), 4)


@pytest.fixture
def hostile(tiny, tmp_path):
    folder = tmp_path / "hostile"
    shutil.copytree(tiny, folder)
    text = (folder / "study.yaml").read_text()
    (folder / "study.yaml").write_text(text.replace("title: SIMULATED study", f"title: {HURT} study"))
    return folder


def broken(folder):
    lines = (folder / "measurements.tsv").read_text().splitlines()
    cells = lines[2].split("\t")
    cells[0], cells[lines[0].split("\t").index("value")] = HURT, "-3,x"
    (folder / "measurements.tsv").write_text("\n".join([*lines[:2], "\t".join(cells), *lines[3:]]) + "\n")


def only(door):
    (found,) = door.get("/api/studies").json()
    return found["key"]


def test_a_study_says_what_it_holds(tiny, tmp_path):
    with client(tmp_path, tiny) as door:
        found = door.get(f"/api/studies/{only(door)}").json()
    assert (found["faults"], found["sound"], found["simulated"]) == ([], True, True)
    assert found["summary"]["dyads"] == 4
    assert {"none", "reciprocal"} <= {rival["name"] for rival in found["hypotheses"]}


def test_the_map_holds_every_value_once(tiny, tmp_path):
    with client(tmp_path, tiny) as door:
        found = door.get(f"/api/studies/{only(door)}/map").json()
    values = (tiny / "measurements.tsv").read_text().splitlines()[1:]
    assert sum(sum(row["counts"]) for row in found["rows"]) == len(values)
    assert len(found["edges"]) == len(found["rows"][0]["counts"]) + 1
    dyads = [row["dyad"] for row in found["rows"]]
    assert dyads == sorted(dyads), "the persons of a dyad stand beside each other"


def test_all_faults_come_at_once_with_row_and_column(hostile, tmp_path):
    broken(hostile)
    with client(tmp_path / "work", hostile) as door:
        answer = door.get(f"/api/studies/{only(door)}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    faults = answer.json()["faults"]
    assert {(fault["row"], fault["column"]) for fault in faults} >= {(3, "dyad"), (3, "value")}
    assert any(HURT in fault["got"] for fault in faults), "the text is told as it stands"


def test_a_study_is_read_again_when_a_file_has_changed(hostile, tmp_path):
    with client(tmp_path / "work", hostile) as door:
        assert door.get(f"/api/studies/{only(door)}").json()["title"].startswith(HURT)
        broken(hostile)
        assert door.get(f"/api/studies/{only(door)}").json()["faults"]


@pytest.mark.parametrize("key", ["..", "%2e%2e", "..%2f..%2fetc", "tiny", "tiny-000000", "%00", "/etc/passwd"])
def test_no_path_leads_out_of_the_opened_folders(tiny, tmp_path, key):
    with client(tmp_path, tiny) as door:
        assert door.get(f"/api/studies/{key}").status_code == 404


def test_a_link_that_leads_out_is_refused_and_one_that_stays_is_not(hostile, tmp_path):
    secret = tmp_path / "secret.tsv"
    secret.write_text("token\n")
    with client(tmp_path / "work", hostile) as door:
        key = only(door)
        (hostile / "more.tsv").symlink_to(hostile / "sessions.tsv")
        assert door.get(f"/api/studies/{key}").status_code == 200
        (hostile / "measurements.tsv").unlink()
        (hostile / "measurements.tsv").symlink_to(secret)
        for path in (f"/api/studies/{key}", f"/api/studies/{key}/map"):
            answer = door.get(path)
            assert answer.status_code == 403
            assert "leads out of the opened folders" in answer.json()["error"]
            assert "token" not in answer.text
        assert door.post(f"/api/studies/{key}/jobs", json={"ask": {"kind": "claims"}}).status_code == 403


def test_a_made_study_that_is_a_link_is_not_listed(tiny, tmp_path):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "linked").symlink_to(tiny)
    with client(tmp_path) as door:
        assert door.get("/api/studies").json() == []


def test_a_link_within_two_opened_folders_is_followed(tiny, hostile, tmp_path):
    (hostile / "measurements.tsv").unlink()
    (hostile / "measurements.tsv").symlink_to(tiny / "measurements.tsv")
    with client(tmp_path / "work", hostile, tiny) as door:
        key = door.get("/api/studies").json()[0]["key"]
        assert door.get(f"/api/studies/{key}").json()["sound"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"kind": "fit", "chains": 0}, "chains"),
        ({"kind": "fit", "hypothesis": "--out=/tmp"}, "hypothesis"),
        ({"kind": "fit", "priors": "own"}, "priors"),
        ({"kind": "fit", "out": "/tmp"}, "out"),
        ({"kind": "compare", "hypotheses": ["none"]}, "hypotheses"),
        ({"kind": "shell"}, "kind"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(tiny, tmp_path, asked, told):
    with client(tmp_path, tiny) as door:
        answer = door.post(f"/api/studies/{only(door)}/jobs", json={"ask": asked})
        assert answer.status_code == 400
        assert told in answer.json()["error"]
        assert door.get("/api/jobs").json() == []


def test_a_command_can_be_typed_as_it_stands():
    study = Path("/some where/my study")
    fit = commands.Fit(hypothesis="biomarker", draws=700)
    assert fit.words(study) == [
        "dyadloop", "run", "/some where/my study", "--out", "{folder}", "--priors", "sceptical",
        "--hypothesis=biomarker", "--chains", "4", "--warmup", "200", "--draws", "700", "--seed", "1",
    ]  # fmt: skip
    assert fit.total == 3600


def test_claims_are_those_of_the_command_line(tiny, tmp_path):
    from dyadloop.claims import answerable

    with client(tmp_path, tiny) as door:
        job = door.post(f"/api/studies/{only(door)}/jobs", json={"ask": {"kind": "claims"}}).json()
        assert job["simulated"]
        assert job["state"] == "running"
        until(lambda: door.get(f"/api/jobs/{job['id']}").json()["state"] == "done", 120)
        told = door.get(f"/api/jobs/{job['id']}/left").json()["answer"]
    assert told["claims"] == answerable(tiny).to_dict("records")
    assert told["faults"] == []


@pytest.mark.slow
def test_a_real_fit_is_stopped_resumed_and_reported(tiny, tmp_path):
    with client(tmp_path, tiny) as door:
        asked = {"kind": "fit", "chains": 1, "warmup": 50, "draws": 450}
        job = door.post(f"/api/studies/{only(door)}/jobs", json={"ask": asked}).json()["id"]
        now = lambda: door.get(f"/api/jobs/{job}").json()  # noqa: E731
        until(lambda: now()["kept"] >= 50, 180)
        door.post(f"/api/jobs/{job}/stop", json={})
        stopped = until(lambda: (found := now())["state"] == "interrupted" and found, 60)
        assert 50 <= stopped["kept"] <= 500
        assert door.post(f"/api/jobs/{job}/resume", json={}).status_code == 200
        ended = until(lambda: (found := now())["state"] == "not converged" and found, 180)
        assert ended["kept"] == 500
        left = door.get(f"/api/jobs/{job}/left").json()
        assert len(left["claims"]) > 20
        report = door.get(f"/api/jobs/{job}/files/report")
    assert "SIMULATED" in report.text
    assert "script-src" not in report.headers["content-security-policy"]


def test_raw_files_that_wait_are_said():
    found = studies.looked_at(Place("survival", Path("examples/survival").resolve(), True))
    assert found["measures"] == ["motion_synchrony"]
    assert found["unmeasured"] == []
