"""Jobs over HTTP: what is left of them, the report with a policy of its own, and nothing outside their folders."""

import pytest

from dyadloop.app.commands import Fit
from tests.app.doors import client, until
from tests.app.stand_in import CLAIM
from tests.inference.small import make, shorten


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return shorten(make(tmp_path_factory.mktemp("desk") / "tiny", ["trust"]), 4)


@pytest.fixture
def door(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(Fit, "words", lambda self, study: ["tests.app.stand_in", "{folder}", "2", "0"])
    with client(tmp_path, tiny) as found:
        yield found


def finished(door):
    (study,) = door.get("/api/studies").json()
    job = door.post(f"/api/studies/{study['key']}/jobs", json={"ask": {"kind": "fit"}}).json()["id"]
    until(lambda: door.get(f"/api/jobs/{job}").json()["state"] == "done")
    return job


def test_what_a_fit_leaves_can_be_read_and_taken_away(door):
    job = finished(door)
    left = door.get(f"/api/jobs/{job}/left").json()
    assert left["claims"][0] == CLAIM, "hostile words come back as text"
    assert left["report"]
    assert left["answer"] == {"finished": True}
    taken = door.get(f"/api/jobs/{job}/files/report?download=1")
    assert taken.headers["content-disposition"] == f'attachment; filename="{job}-report.html"'
    assert door.get(f"/api/jobs/{job}/files/claims").headers["content-disposition"].startswith("attachment")


def test_the_report_in_a_tab_of_its_own_runs_no_script(door):
    answer = door.get(f"/api/jobs/{finished(door)}/files/report")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "attachment" not in answer.headers.get("content-disposition", "")


def test_nothing_but_known_files_of_known_jobs_is_given(door):
    job = finished(door)
    for path in (
        f"{job}/files/posterior.nc",
        f"{job}/files/..%2fjob.json",
        "..%2f..",
        "none/files/report",
        "none/left",
    ):
        assert door.get(f"/api/jobs/{path}").status_code in (400, 404)
    report = next((door.app.app.state.explorer.folder / "jobs").glob("*/result/report.html"))
    report.unlink()
    report.symlink_to("/etc/hostname")
    assert door.get(f"/api/jobs/{job}/files/report").status_code == 404


def test_what_cannot_be_stopped_or_resumed_is_said(door):
    job = finished(door)
    assert "nothing to stop" in door.post(f"/api/jobs/{job}/stop", json={}).json()["error"]
    assert "start a new one" in door.post(f"/api/jobs/{job}/resume", json={}).json()["error"]
    assert door.post("/api/jobs/none/stop", json={}).status_code == 400
