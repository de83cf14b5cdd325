"""A design as a form: shipped ones, every fault at once, questions that become jobs, and the draft."""

import pytest

from dyadloop.app import plans
from dyadloop.app.commands import Assurance, Frontier, Identifiability
from dyadloop.design import design_text, effort, read_design
from tests.app.doors import client, until


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    with client(tmp_path_factory.mktemp("plans")) as found:
        yield found


@pytest.fixture
def design(door):
    return door.get("/api/designs/haifa").json()["design"] | {"name": "mine"}


def test_shipped_designs_are_listed_with_what_they_take(door):
    found = {one["name"]: one for one in door.get("/api/designs").json()}
    assert (found["haifa"]["dyads"], found["haifa"]["sessions_each"], found["haifa"]["samples"]) == (37, 16, 592)


def test_a_shipped_design_comes_back_as_it_is(door, design):
    found = door.post("/api/plans/check", json={"design": design}).json()
    own = read_design("haifa").model_copy(update={"name": "mine"})
    assert found["text"] == design_text(own)
    assert found["effort"]["cost"] == effort(own).cost
    assert door.get("/api/designs/..%2fhaifa").status_code == 404


def test_all_faults_of_a_design_come_at_once(door, design):
    design["dyads"], design["measures"]["bond"]["quantity"] = 1, "trsut <b>"
    answer = door.post("/api/plans/check", json={"design": design})
    assert answer.status_code == 400
    assert {fault["column"] for fault in answer.json()["faults"]} == {"dyads", "measures.bond.quantity"}


def test_a_design_names_no_file_of_this_machine(door, design):
    design["analysis"]["theory"] = "/etc/passwd"
    answer = door.post("/api/plans/check", json={"design": design})
    assert "analysis.theory" in answer.json()["error"]
    design["analysis"]["theory"], design["name"] = "framework", "x/../../y"
    assert door.post("/api/plans/ask", json={"design": design, "identifiability": {}}).status_code == 400


@pytest.mark.parametrize(
    "asked", [{}, {"identifiability": {}, "frontier": {"claim": "C2.trust", "budgets": [1]}}, {"assurance": {"truths": ["--x"]}},
              {"frontier": {"claim": "; rm", "budgets": [1]}}, {"assurance": {"replicates": 0}}]
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(door, design, asked):
    assert door.post("/api/plans/ask", json={"design": design, **asked}).status_code == 400


def test_questions_become_commands(tmp_path):
    path = tmp_path / "mine.yaml"
    words = Assurance(truths=("prior", "none"), replicates=20, dyads=(20, 40)).words(path)
    assert words[:6] == ["dyadloop", "design", "assurance", str(path), "--truth", "prior"]
    assert words[words.index("--over") + 1] == "dyads=20,40"
    assert Identifiability(rivals=("none",)).words(path)[-2:] == ["--rivals=none", "--json"]
    assert Frontier(claim="C2.trust", budgets=(4e4, 1.5e5)).words(path)[-1] == "40000,150000"


def test_what_a_design_can_tell_is_that_of_the_command_line(door, design):
    from dyadloop.design import identifiability

    job = door.post("/api/plans/ask", json={"design": design, "identifiability": {}}).json()
    assert job["about"] == "mine"
    until(lambda: door.get(f"/api/jobs/{job['id']}").json()["state"] == "done", 240)
    told = door.get(f"/api/jobs/{job['id']}/left").json()["answer"]
    found = identifiability("haifa", remedies=False)
    assert [one["can_tell"] for one in told["claims"]] == found.claims["can_tell"].tolist()
    for mine, theirs in zip(told["parameters"], found.parameters.to_dict("records"), strict=True):
        assert mine["contraction"] == pytest.approx(theirs["contraction"], rel=1e-4)
    assert tuple(told["rank"]) == found.rank


def test_the_draft_says_that_nothing_was_simulated_or_takes_its_numbers(door, design):
    found = door.post("/api/plans/registration", json={"design": design}).json()
    assert found["name"] == "mine-registration.md"
    assert found["text"].startswith("# ")
    answer = door.post("/api/plans/registration", json={"design": design, "assurance": "none"})
    assert answer.status_code == 400


def test_only_a_finished_assurance_of_the_same_design_enters_a_draft(door, design, monkeypatch):
    monkeypatch.setattr(Assurance, "words", lambda self, path: ["tests.app.stand_in", "{folder}", "1", "0"])
    job = door.post("/api/plans/ask", json={"design": design, "assurance": {}}).json()
    assert job["simulated"]
    until(lambda: door.get(f"/api/jobs/{job['id']}").json()["state"] == "done")
    other = design | {"name": "other"}
    answer = door.post("/api/plans/registration", json={"design": other, "assurance": job["id"]})
    assert answer.status_code == 409


def test_what_the_form_offers_is_what_a_design_may_say():
    found = plans.offered()
    assert {"oxytocin", "trust", "depression"} <= set(found["quantities"])
    assert "dose" in found["events"]
    assert {"none", "common_cause"} <= {one["name"] for one in found["hypotheses"]}
