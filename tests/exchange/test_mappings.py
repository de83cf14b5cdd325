"""What is guessed, what is asked, and what a mapping does: small tables whose study is known."""

import io
import sys

import openpyxl
import pytest

from dyadloop.data import read_study
from dyadloop.errors import DataError
from dyadloop.exchange import import_study, plan_import
from dyadloop.exchange.mapping_file import parsed_mapping
from tests.cli.program import dyadloop

HEAD = "code;session;date;length;trust;stress\n"


def _csv(tmp_path, body, head=HEAD, name="after.csv"):
    path = tmp_path / name
    path.write_text(head + body)
    return path


def _rows(dates, trust=lambda p, s: (p + s) % 7 + 1):
    return "".join(
        f"P{p};{s};{date};50;{trust(p, s)};{(p * s) % 5 + 1}\n"
        for p in range(1, 7)
        for s, date in enumerate(dates, start=1)
    )


WEEKS = [f"2024-03-{day:02d}" for day in (1, 8, 15, 22, 29)]


def _open(path, **answers):
    return [place.split(".", 2)[2] for place, _ in plan_import([path], path.parent / "study", answers=answers).open]


def _kinds(done):
    return {(r.row, r.column, r.kind) for r in done.remarks}


def test_a_plain_table_leaves_nothing_open(tmp_path):
    done = import_study(_csv(tmp_path, _rows(WEEKS)), tmp_path / "study")
    assert done.counts[0]["used"] == done.counts[0]["cells"] == 180
    assert done.study.info.indicators["trust"].quantity == "trust"
    assert (done.study.sessions["end"] - done.study.sessions["start"]).round(9).eq(round(50 / 1440, 9)).all()


def test_a_single_item_is_turned_round_on_its_scale(tmp_path):
    """3 of 1 to 7 is 5; a limit changes its side; what is beyond the scale stays out."""
    path = _csv(tmp_path, _rows(WEEKS).replace(";50;3;", ";50;<3;", 1) + "P1;6;2024-04-05;50;9;1\n")
    answers = {"tables.1.scores.trust.reverse": "true", "tables.1.scores.trust.scale": "[1, 7]"}
    plain = import_study(path, tmp_path / "plain", answers={"tables.1.scores.trust.scale": "[1, 7]"}).study.measurements
    done = import_study(path, tmp_path / "study", answers=answers)
    turned = done.study.measurements
    here = plain["indicator"] == "trust"
    assert (turned.loc[here, "value"] == 8 - plain.loc[here, "value"]).all()
    assert (turned.loc[~here, "value"] == plain.loc[~here, "value"]).all()
    assert set(turned.loc[here & (plain["limit"] == "below"), "limit"]) == {"above"}
    assert "turned round" in done.study.info.indicators["trust"].reason
    assert done.counts[0]["cells"] == done.counts[0]["used"] + done.counts[0]["reported"]


def test_reverse_needs_a_scale(tmp_path):
    with pytest.raises(DataError, match="reverse"):
        import_study(
            _csv(tmp_path, _rows(WEEKS)), tmp_path / "study", answers={"tables.1.scores.trust.reverse": "true"}
        )


def test_slashes_without_a_day_above_12_are_asked_about(tmp_path):
    path = _csv(tmp_path, _rows(["01/02/2024", "02/03/2024", "03/04/2024", "04/05/2024", "05/06/2024"]))
    assert _open(path) == ["dates"]
    assert _open(path, dates="mdy") == []
    done = import_study(path, tmp_path / "study", answers={"dates": "mdy"})
    assert "2024-01-02" in (done.path / "sessions.tsv").read_text()


def test_without_dates_the_distance_of_sessions_is_asked_for(tmp_path):
    path = _csv(tmp_path, _rows(WEEKS).replace("2024-03-", "").replace(";01;", ";x;"), HEAD.replace("date", "raum"))
    assert "every_days" in _open(path)
    done = import_study(path, tmp_path / "study", answers={"every_days": "7"})
    assert sorted(done.study.sessions["start"].unique()) == [0, 7, 14, 21, 28]


def test_two_columns_of_dates_are_asked_about(tmp_path):
    path = tmp_path / "b_after.csv"
    rows = "".join(f"P{p};{s};{d};{d};{(p + s) % 7}\n" for p in range(1, 5) for s, d in enumerate(WEEKS))
    path.write_text("code;session;datum eingabe;datum rechnung;trust\n" + rows)
    assert _open(path, length_min="50") == ["date"]
    assert _open(path, length_min="50", date="datum eingabe") == []


def test_two_sheets_and_two_roles_make_one_study(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Sitzungen"
    sheet.append(["Code", "Rolle", "Sitzung", "Datum", "Dauer", "WAI"])
    for p in range(1, 7):
        for s, date in enumerate(WEEKS, start=1):
            for role, shift in (("Patient", 0), ("Therapeut", 1)):
                sheet.append([f"P{p}", role, s, date, 45, (p + s + shift) % 5 + 1.5])
    people = book.create_sheet("Patienten")
    people.append(["Code", "Alter", "Therapeut", "Geburtsdatum"])
    for p in range(1, 7):
        people.append([f"P{p}", 30 + p, f"T{p % 2}", "1980-01-01"])
    book.save(tmp_path / "a.xlsx")
    done = import_study(tmp_path / "a.xlsx", tmp_path / "study")
    study = done.study
    assert {name: i.person for name, i in study.info.indicators.items()} == {
        "wai_patient": "patient",
        "wai_therapist": "therapist",
    }
    assert set(study.therapists) == {"T0", "T1"}
    assert len(study.measurements) == 60
    people = study.participants
    assert sorted(people["role"].unique()) == ["patient", "therapist"]
    assert sorted(people.loc[people["alter"] != "", "alter"].astype(int)) == [31, 32, 33, 34, 35, 36]
    for table in done.counts:
        assert table["cells"] == table["used"] + table["reported"]
    assert (None, "Geburtsdatum", "not mapped") in _kinds(done)


def test_prompts_without_numbers_are_numbered_by_time(tmp_path):
    rows = "".join(
        f"u{p};{day}.03.2024;{hour}:30;{(p + hour) % 7 + 1}\n"
        for p in range(4)
        for day in ("01", "02")
        for hour in (9, 18, 12)
    )
    path = _csv(tmp_path, rows, "participant;datum;uhrzeit;trust\n")
    done = import_study(path, tmp_path / "study", answers={"length_min": "0"})
    first = done.study.sessions[done.study.sessions["dyad"] == "u0"]
    assert first["session"].tolist() == [str(k) for k in range(1, 7)]
    assert first["start"].diff().dropna().gt(0).all()


def test_limits_minus_signs_and_the_other_decimal_mark_are_taken_and_said(tmp_path):
    body = (
        _rows(WEEKS)
        .replace("P1;1;2024-03-01;50;3", "P1;1;2024-03-01;50;<0,5")
        .replace("P2;1;2024-03-01;50;4", "P2;1;2024-03-01;50;4.25")
    )
    body = body.replace(";5;", ";5,5;")
    done = import_study(_csv(tmp_path, body), tmp_path / "study")
    table = done.study.measurements
    assert table.loc[table["limit"] == "below", "value"].tolist() == [0.5]
    assert 4.25 in table["value"].tolist()
    assert {(row, kind) for row, column, kind in _kinds(done) if column == "trust"} == {(2, "changed"), (7, "changed")}


def test_contradictions_are_reported_and_neither_is_taken(tmp_path):
    body = (
        _rows(WEEKS) + "P1;1;2024-03-01;50;7;1\nP2;1;2024-04-11;50;4;3\nP3;9;2024-03-01;50;1;1\n;4;2024-03-01;50;1;1\n"
    )
    path = _csv(tmp_path, body)
    done = import_study(path, tmp_path / "study")
    kinds = _kinds(done)
    assert {(2, "trust", "conflict"), (32, "trust", "conflict"), (33, "date", "conflict")} <= kinds
    assert (34, "trust", "overlap") in kinds or (12, "trust", "overlap") in kinds
    assert (35, "trust", "no key") in kinds
    table = done.study.measurements
    mine = table[(table["dyad"] == "P1") & (table["session"] == "1") & (table["indicator"] == "trust")]
    assert mine.empty
    text = (tmp_path / "study" / "import.yaml").read_text().replace("twice: none", "twice: first")
    (tmp_path / "map.yaml").write_text(text)
    done = import_study(path, tmp_path / "again", mapping=tmp_path / "map.yaml")
    table = done.study.measurements
    assert table[(table["dyad"] == "P1") & (table["session"] == "1") & (table["indicator"] == "trust")][
        "value"
    ].tolist() == [3]


def test_a_mapping_declares_events_covariates_and_names(tmp_path):
    rows = "".join(f"P{p};{s};{d};50;{(p + s) % 7};{s % 2};{p % 2}\n" for p in range(1, 7) for s, d in enumerate(WEEKS))
    path = _csv(tmp_path, rows, "code;session;date;length;trust;rupture;arm\n")
    text = plan_import([path], tmp_path / "study").text
    mapped = text.split("    left_out:")[0].split("    persons:")[0] + (
        "    events: {rupture: rupture}\n    covariates:\n      arm: {column: arm, of: patient, reason: the arm of the trial}\n"
    )
    (tmp_path / "map.yaml").write_text(mapped)
    study = import_study(path, tmp_path / "study", mapping=tmp_path / "map.yaml").study
    assert study.sessions["events"].map(lambda e: e.get("rupture", 0)).sum() == 12
    assert sorted(study.participants["arm"]) == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("dyad: code", "dyat: code"), "did you mean dyad"),
        (("dyad: code", "dyad: kode"), "no such column"),
        (("holds: sessions", "holds: session"), "did you mean sessions"),
        (("column: trust", "column: vertrauen"), "no such column"),
        (("length_min: length", 'length_min: "?"'), "minutes of a session"),
    ],
)
def test_a_wrong_mapping_is_told_with_its_place(tmp_path, change, told):
    path = _csv(tmp_path, _rows(WEEKS))
    text = plan_import([path], tmp_path / "study").text
    assert change[0] in text
    (tmp_path / "map.yaml").write_text(text.replace(*change))
    with pytest.raises(DataError, match=told):
        import_study(path, tmp_path / "study", mapping=tmp_path / "map.yaml")
    assert not (tmp_path / "study").exists()


def test_what_is_written_as_yaml_is_read_back_whatever_the_headings_hold(tmp_path):
    odd = ["yes", "a: b", "#x", "'", '"q"', "no", "1e3", "{name}", "- x", "*a", "&b", "%", "trüst: [1]", "null", "?"]
    head = "code;session;date;length;" + ";".join(f'"{name.replace(chr(34), chr(34) * 2)}"' for name in odd) + "\n"
    rows = "".join(
        f"P{p};{s};{d};50;" + ";".join(str((p + s + k) % 7) for k in range(len(odd))) + "\n"
        for p in range(3)
        for s, d in enumerate(WEEKS)
    )
    done = import_study(_csv(tmp_path, rows, head), tmp_path / "study")
    mapping = parsed_mapping((tmp_path / "study" / "import.yaml").read_text())
    assert {score.column for score in mapping.tables[0].scores.values()} == set(odd)
    assert len(done.study.measurements) == 15 * len(odd)


def test_in_a_terminal_it_asks(tmp_path, monkeypatch):
    path = _csv(tmp_path, _rows(WEEKS), HEAD.replace("length", "raum"))
    monkeypatch.setattr("dyadloop.cli.exchange._is_terminal", lambda: True)
    monkeypatch.setattr(sys, "stdin", io.StringIO("50\ny\n"))
    run = dyadloop("import", path, tmp_path / "study")
    assert run.returncode == 0, run.stderr
    assert len(read_study(tmp_path / "study").sessions) == 30
    monkeypatch.setattr(sys, "stdin", io.StringIO("50\nn\n"))
    run = dyadloop("import", path, tmp_path / "other")
    assert run.returncode == 2
    assert [p.name for p in (tmp_path / "other").iterdir()] == ["import.yaml"]


def test_a_draft_is_the_mapping_of_the_next_call(tmp_path):
    path = _csv(tmp_path, _rows(WEEKS))
    first = dyadloop("import", path, tmp_path / "study")
    assert first.returncode == 2
    assert "run the command again" in first.stderr
    draft = tmp_path / "study" / "import.yaml"
    draft.write_text(draft.read_text().replace("quantity: stress", "quantity: fear"))
    assert dyadloop("import", path, tmp_path / "study").returncode == 0
    assert read_study(tmp_path / "study").info.indicators["stress"].quantity == "fear"


def test_an_existing_folder_of_another_kind_is_left_alone(tmp_path):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "notes.txt").write_text("mine")
    run = dyadloop("import", _csv(tmp_path, _rows(WEEKS)), tmp_path / "study", "--yes")
    assert run.returncode == 3
    assert "no import made" in run.stderr
    assert dyadloop("import", tmp_path / "study").returncode == 2
