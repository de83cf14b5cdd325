"""Three labs that have never seen the program: from their file to a checked study with two commands."""

import json

import pytest

from dyadloop.data import read_study
from dyadloop.exchange import import_study, plan_import
from tests.cli.program import dyadloop
from tests.exchange.made import german, redcap, spss

GERMAN = {"length_min": "50", "phase": "after"}


def _add_up(counts):
    for table in counts:
        assert table["cells"] == table["used"] + table["reported"], table
        assert table["reported"] == sum(table["by_kind"].values())


def test_a_german_excel_export(tmp_path):
    source, study = german(tmp_path / "studie.csv"), tmp_path / "study"
    first = dyadloop("import", source, study)
    assert first.returncode == 2
    assert "tables.1.length_min" in first.stderr
    assert "tables.1.scores.groesse_des_vertrauens.phase" in first.stderr
    assert {path.name for path in study.iterdir()} == {"import.yaml"}
    run = dyadloop("import", source, study, "--set", "length_min=50", "--set", "phase=after", "--yes", "--json")
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    _add_up(told["tables"])
    found = {(r["row"], r["column"]): (r["kind"], r["text"]) for r in told["remarks"]}
    assert found[56, "WAI-SR Gesamt"] == ("missing", "k.A.")
    assert found[66, "WAI-SR Gesamt"] == ("unreadable", "01.03.2024")
    assert found[27, "PHQ-9 Summe"] == found[93, "PHQ-9 Summe"] == ("missing", "99")
    assert found[79, "WAI-SR Gesamt"][0] == "twice"
    assert found[37, "Chiffre"] == ("changed", "p04")
    assert any("2204-01-01" in doubt["text"] for doubt in told["doubts"])
    values = read_study(study).measurements
    counts = values["indicator"].value_counts().to_dict()
    assert counts == {"wai_sr_gesamt": 198, "phq_9_summe": 198, "groesse_des_vertrauens": 200}
    assert values["value"].max() < 28
    check = dyadloop("check", study)
    assert check.returncode == 0
    assert "no faults" in check.stderr


def test_a_redcap_export_with_its_dictionary(tmp_path):
    source = redcap(tmp_path / "records.csv", tmp_path / "dictionary.csv")
    done = import_study([source, tmp_path / "dictionary.csv"], tmp_path / "study")
    _add_up(done.counts)
    study = done.study
    assert len(study.dyads) == 20
    assert study.info.indicators["closeness"].scale == (0, 100)
    assert study.info.indicators["phq9"].scale == (0, 27)
    assert len(study.sessions) == 200
    assert sorted(study.participants["age"].astype(float)) == sorted(study.participants["age"].astype(float))
    assert set(study.therapists) == {"1", "2", "3"}
    kinds = {(r.row, r.column): r.kind for r in done.remarks}
    assert list(kinds.values()).count("missing") == 2
    assert kinds[None, "dob"] == "not mapped"
    answers = study.measurements[study.measurements["indicator"] == "phq9"]
    assert len(answers) == 200
    assert (answers["error"] > 0).all()


def test_an_spss_file_with_a_row_per_patient(tmp_path):
    done = import_study(spss(tmp_path / "wide.sav"), tmp_path / "study", answers={"length_min": "50"})
    _add_up(done.counts)
    assert done.counts[0]["by_kind"] == {"missing": 2}
    assert {(r.row, r.column, r.text) for r in done.remarks} == {(3, "wai_p_t3", "99"), (5, "bdi_t2", "-9")}
    study = done.study
    assert study.info.indicators["wai_t"].person == "therapist"
    assert study.info.indicators["wai_p"].scale == (1, 7)
    assert study.measurements["value"].between(0, 40).all()
    assert len(study.measurements) == 598
    assert study.measurements.set_index(["dyad", "session", "indicator"]).index.is_unique


@pytest.mark.parametrize("again", [False, True])
def test_a_newer_export_says_what_is_new(tmp_path, again):
    source = german(tmp_path / "a.csv")
    import_study(source, tmp_path / "study", answers=GERMAN)
    before = {p.name: p.read_bytes() for p in (tmp_path / "study").iterdir()}
    if again:
        done = import_study(source, tmp_path / "study")
        assert str(done.news) == "0 new persons, 0 new sessions, 0 new values, 0 values changed, 0 gone"
        assert {p.name: p.read_bytes() for p in (tmp_path / "study").iterdir()} == before
        return
    newer = tmp_path / "b.csv"
    lines = source.read_bytes().decode("cp1252").split("\r\n")
    lines[3] = lines[3].replace(";15;", ";14;") if ";15;" in lines[3] else lines[3]
    lines.insert(len(lines) - 1, "P21;T1;1;08.04.2024;4,00;10;5;neu;33")
    del lines[-3]  # the last session of the last patient
    newer.write_bytes("\r\n".join(lines).encode("cp1252"))
    done = import_study(newer, tmp_path / "study")
    assert (done.news.persons, done.news.sessions, done.news.values, done.news.gone) == (1, 1, 3, 3)


def test_what_was_edited_by_hand_is_not_overwritten(tmp_path):
    source, study = german(tmp_path / "a.csv"), tmp_path / "study"
    import_study(source, study, answers=GERMAN)
    own = study / "study.yaml"
    own.write_text(own.read_text().replace("title: Imported from a.csv", "title: Our study"))
    done = import_study(source, study)
    assert done.news.kept_study_yaml
    assert "Our study" in own.read_text()
    assert import_study(source, study).news.kept_study_yaml
    table = study / "measurements.tsv"
    table.write_text(table.read_text().replace("\t12\t", "\t13\t", 1))
    with pytest.raises(ValueError, match="changed since the last import"):
        import_study(source, study)


def test_nothing_is_written_where_something_is_open(tmp_path):
    source = german(tmp_path / "a.csv")
    plan = plan_import([source], tmp_path / "study")
    open_places = ["tables.1.length_min", "tables.1.scores.groesse_des_vertrauens.phase"]
    assert [place for place, _ in plan.open] == open_places
    with pytest.raises(ValueError, match=r"minutes of a session"):
        import_study(source, tmp_path / "study")
    assert not (tmp_path / "study").exists()
