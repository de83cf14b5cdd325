"""An export is uploaded, understood with reasons, corrected, previewed and written as ``dyadloop import`` writes it."""

import io
import os
import zipfile

import pytest

from dyadloop.app import security
from dyadloop.data import read_study
from dyadloop.exchange import import_study
from tests.app.doors import client, upload

HURT = "<img src=x onerror=window.hurt=1>"
ROWS = "\n".join(
    [
        "Klient;Sitzung;Datum;WAI;PHQ9", "P01;1;01.03.2024;3,5;14", "P01;2;08.03.2024;3,9;12",
        "P02;1;02.03.2024;4,1;20", "P02;2;09.03.2024;4,0;k.A.", "P03;1;13.03.2024;2,1;10", "P03;2;20.03.2024;2,0;9",
    ]
)  # fmt: skip


@pytest.fixture
def door(tmp_path):
    with client(tmp_path / "work") as found:
        yield found


def put(door, name="practice.csv", content=ROWS, **query):
    return upload(door, name, content, **query).json()["upload"]


def ask(door, key, what, answers=None, name="practice", **more):
    return door.post(f"/api/imports/{key}/{what}", json={"name": name, "answers": answers or {}, **more})


def place(plan, name):
    entries = [*plan["study"], *plan["tables"][0]["fields"]]
    entries += [field for score in plan["tables"][0]["scores"] for field in score["fields"]]
    return next(entry for entry in entries if entry["place"] == name)


def test_each_guess_has_its_reason_and_what_nothing_tells_is_asked(door):
    plan = ask(door, put(door), "plan").json()
    assert [entry["place"] for entry in plan["open"]] == ["tables.1.length_min"]
    dyad = place(plan, "tables.1.dyad")
    assert (dyad["value"], dyad["why"]) == ("Klient", "its heading; 3 different entries")
    assert "PHQ9" in dyad["choices"]
    assert place(plan, "tables.1.decimal")["value"] == ","
    phase = place(plan, "tables.1.scores.wai.phase")
    assert (phase["value"], phase["choices"]) == ("after", ["before", "after"])
    assert phase["why"].startswith("guess, to be confirmed")
    assert plan["tables"][0]["preview"][0] == ["P01", "1", "01.03.2024", "3,5", "14"]


def test_open_questions_stop_preview_and_writing(door, tmp_path):
    key = put(door)
    for what in ("preview", "write"):
        answer = ask(door, key, what)
        assert answer.status_code == 409
        assert "minutes of a session" in answer.json()["error"]
    assert not (tmp_path / "work" / "studies").exists()


def test_the_preview_accounts_for_every_cell_and_writes_nothing(door, tmp_path):
    found = ask(door, put(door), "preview", {"tables.1.length_min": 50}).json()
    assert found["counts"] == {"persons": 3, "sessions": 6, "values": 11}
    (table,) = found["tables"]
    assert table["cells"] == table["used"] + table["reported"] == 30
    assert [(one["text"], one["kind"]) for one in found["remarks"]] == [("k.A.", "missing")]
    assert not (tmp_path / "work" / "studies").exists()


def test_the_study_is_that_of_the_command_line(door, tmp_path):
    answers = {"tables.1.length_min": 50, "tables.1.scores.wai.scale": [1, 7], "study.simulated": True}
    done = ask(door, put(door), "write", answers).json()
    (tmp_path / "practice.csv").write_text(ROWS)
    given = {"length_min": "50", "tables.1.scores.wai.scale": "[1, 7]", "study.simulated": "true"}
    import_study(tmp_path / "practice.csv", tmp_path / "practice", answers=given)
    mine, theirs = tmp_path / "work" / "studies" / "practice", tmp_path / "practice"
    assert read_study(mine).digest == read_study(theirs).digest
    assert (mine / "import.yaml").read_text() == (theirs / "import.yaml").read_text()
    assert list((tmp_path / "work" / "uploads").iterdir()) == [], "copies of data do not stay"
    seen = door.get(f"/api/studies/{done['key']}").json()
    assert seen["sound"]
    assert seen["simulated"]


def test_a_newer_export_brings_the_study_up_to_date(door):
    ask(door, put(door), "write", {"tables.1.length_min": 50})
    key = put(door, content=f"{ROWS}\nP04;1;14.03.2024;3,0;8")
    plan = ask(door, key, "plan").json()
    assert plan["updates"]
    assert plan["open"] == []
    assert ask(door, key, "write").json()["news"].startswith("1 new persons, 1 new sessions, 2 new values")


def test_what_was_dropped_and_not_imported_goes_with_the_server(tmp_path):
    with client(tmp_path / "work") as door:
        put(door)
        assert list((tmp_path / "work" / "uploads").iterdir())
    assert not list((tmp_path / "work" / "uploads").iterdir())


def test_what_a_killed_server_left_goes_when_the_next_one_looks(tmp_path):
    uploads = tmp_path / "work" / "uploads"
    for name, process in (("0123456789abcdef", 2**22 + 1), ("fedcba9876543210", os.getpid())):
        (uploads / name).mkdir(parents=True)
        (uploads / f"{name}.owner").write_text(str(process))
    with client(tmp_path / "work") as door:
        door.get("/api/studies")
        assert sorted(path.name for path in uploads.iterdir()) == ["fedcba9876543210", "fedcba9876543210.owner"]


def test_an_answer_stays_text_whatever_it_holds(door):
    title = f"a: b\n- {HURT} # 'x' \"y\" é"
    plan = ask(door, put(door), "plan", {"study.title": title}).json()
    assert place(plan, "study.title")["value"] == title


def test_hostile_cells_come_back_as_text(door):
    key = put(door, content=ROWS.replace("P03", HURT).replace("WAI", HURT))
    answer = ask(door, key, "plan")
    assert answer.headers["content-type"] == "application/json"
    assert HURT in answer.json()["tables"][0]["columns"]


def test_the_mapping_may_be_edited_as_text(door):
    key = put(door)
    plan = ask(door, key, "plan").json()
    text = plan["text"].replace("length_min: '?'", "length_min: 45").replace('length_min: "?"', "length_min: 45")
    again = ask(door, key, "plan", text=text).json()
    assert again["open"] == []
    wrong = ask(door, key, "plan", text=text.replace("dates: dmy", "dates: xyz"))
    assert wrong.status_code == 400
    assert wrong.json()["faults"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [("theory: framework", "theory: /etc/passwd", "study.theory"), ("column: PHQ9", "items: [PHQ9]\n        instrument: ../../secret.yaml", "instrument")],
)  # fmt: skip
def test_a_mapping_from_a_page_names_no_file_of_this_machine(door, old, new, told):
    key = put(door)
    text = ask(door, key, "plan").json()["text"]
    assert old in text
    answer = ask(door, key, "plan", text=text.replace(old, new))
    assert answer.status_code == 400
    assert told in answer.json()["error"]


def test_names_of_files_cannot_lead_out(door, tmp_path):
    names = ["../../../evil.csv", "..\\..\\evil2.csv", "/etc/evil3.csv", ".hidden.csv", "a\nb<i>.csv"]
    key = None
    for name in names:
        key = put(door, name, **({"upload": key} if key else {}))
    folder = tmp_path / "work" / "uploads" / key
    assert sorted(path.name for path in folder.iterdir()) == [
        "a_b_i_.csv", "evil.csv", "evil2.csv", "evil3.csv", "hidden.csv",
    ]  # fmt: skip
    assert not list(tmp_path.glob("evil*"))
    assert upload(door, "...", "x").status_code == 400
    assert upload(door, "evil.csv", "x", upload=key).status_code == 409


@pytest.mark.parametrize("key", ["..", "../uploads", "x", "%2e%2e"])
def test_no_upload_but_those_made_here(door, key):
    put(door)
    assert upload(door, "a.csv", "x", upload=key).status_code in (400, 404)
    assert ask(door, key.replace("/", "%2f"), "plan").status_code in (400, 404, 405)


@pytest.mark.parametrize("name", ["../out", "a/b", "", ".x", "x" * 61, "a..b"])
def test_no_study_is_made_outside_the_work_folder(door, tmp_path, name):
    answer = ask(door, put(door), "write", {"tables.1.length_min": 50}, name=name)
    assert answer.status_code == 400
    assert not (tmp_path / "out").exists()


def test_too_large_an_upload_is_refused_and_leaves_nothing(door, tmp_path, monkeypatch):
    monkeypatch.setitem(security.KINDS, "application/octet-stream", 1000)
    assert upload(door, "big.csv", b"x" * 1001).status_code == 413

    def stream():
        yield from [b"x" * 400] * 4

    assert upload(door, "big.csv", stream()).status_code == 413, "also where no length was told"
    assert not list((tmp_path / "work" / "uploads").iterdir())


def test_an_archive_that_unpacks_without_end_is_refused(door):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (60 * 2**20))
        archive.writestr("[Content_Types].xml", b"<x/>")
    answer = ask(door, put(door, "bomb.xlsx", whole.getvalue()), "plan")
    assert answer.status_code == 400
    assert "unpacks to" in answer.json()["error"]


def test_formats_are_listed(door):
    assert {"csv", "excel"} <= {one["id"] for one in door.get("/api/formats").json()}


def test_what_is_wrong_with_a_file_names_the_file_and_not_where_it_was_put(door):
    answer = ask(door, put(door, "empty.csv", ""), "plan")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("empty.csv: 1 fault")
    assert "uploads" not in answer.text
