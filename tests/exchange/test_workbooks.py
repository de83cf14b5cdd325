"""Workbooks as people keep them: merged keys, sessions above columns, sheets and files with short names."""

import datetime as dt

import openpyxl
import pytest

from dyadloop.exchange.importing import import_study, plan_import
from dyadloop.exchange.vocabulary import person_of, person_of_place

HEAD = ["Patient", "Sitzung", "Datum", "PHQ-9", "Baseline"]
ROWS = [[f"P{p}", s, dt.date(2024, 3, 1) + dt.timedelta(days=7 * s), p + s, p] for p in (1, 2, 3) for s in (1, 2, 3, 4)]


def _book(path, rows, merged=(), sheet="Tabelle1"):
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    for place in merged:
        book.active.merge_cells(place)
    book.save(path)
    return path


def test_a_key_merged_over_rows_stands_in_each_and_a_value_in_the_first(tmp_path):
    rows = [[row[0] if row[1] == 1 else None, *row[1:4], row[4] if row[1] == 1 else None] for row in ROWS]
    places = [f"{letter}{2 + 4 * k}:{letter}{5 + 4 * k}" for k in range(3) for letter in "AE"]
    path = _book(tmp_path / "a.xlsx", [HEAD, *rows], places)
    done = import_study(path, tmp_path / "study", answers={"length_min": "50", "phase": "after"})
    values = done.study.measurements
    phq = values[values["indicator"] == "phq_9"]
    assert [(d, s, v) for d, s, v in zip(phq["dyad"], phq["session"], phq["value"], strict=True)] == [
        (row[0], str(row[1]), float(row[3])) for row in ROWS
    ]
    assert done.study.participants["baseline"].tolist() == ["1", "2", "3"]
    assert done.counts[0]["cells"] == 12 * 4 + 3 == done.counts[0]["used"]


def test_sessions_above_merged_columns_are_sessions(tmp_path):
    head = [["Patient", "Sitzung 1", None, "Sitzung 2", None], [None, "PHQ", "WAI", "PHQ", "WAI"]]
    body = [[f"P{p}", p, 1 + p / 4, p + 7, 2 + p / 4] for p in range(1, 8)]
    path = _book(tmp_path / "a.xlsx", [*head, *body], ["A1:A2", "B1:C1", "D1:E1"])
    answers = {"length_min": "50", "every_days": "7", "phase": "after"}
    values = import_study(path, tmp_path / "study", answers=answers).study.measurements
    found = {
        (d, s, i): v for d, s, i, v in zip(*(values[c] for c in ("dyad", "session", "indicator", "value")), strict=True)
    }
    assert found == {
        (row[0], s, i): float(v)
        for row in body
        for (s, i), v in zip([(s, i) for s in "12" for i in ("phq", "wai")], row[1:], strict=True)
    }


@pytest.mark.parametrize(
    ("sheet", "file", "role"),
    [
        ("", "t.xlsx", None),
        ("T2", "a.xlsx", None),
        ("", "wave_t1.csv", None),
        ("T", "a.xlsx", "therapist"),
        ("P", "data_t.xlsx", "patient"),
        ("", "wai_t.csv", "therapist"),
        ("", "data therapist.csv", "therapist"),
        ("Therapeut 2", "p.xlsx", "therapist"),
        ("patient and therapist", "a.xlsx", None),
    ],
)
def test_a_letter_with_a_number_in_the_name_of_a_file_or_sheet_is_nobody(sheet, file, role):
    assert person_of_place(sheet, file) == role


def test_a_letter_with_a_number_in_a_heading_is_a_time():
    assert [person_of(name) for name in ("phq_t1", "wai_t", "wai_therapist1", "wai_p")] == [
        None, "therapist", "therapist", "patient",
    ]  # fmt: skip


def test_values_of_a_file_with_a_short_name_are_the_patients(tmp_path):
    path = _book(tmp_path / "t.xlsx", [HEAD, *ROWS], sheet="T1")
    (table,) = plan_import([path], tmp_path / "study", answers={"length_min": "50"}).mapping.tables
    assert {score.person for score in table.scores.values()} == {"patient"}


def test_a_sheet_per_patient_is_asked_whose_it_is(tmp_path):
    book = openpyxl.load_workbook(_book(tmp_path / "a.xlsx", [HEAD[1:], *[row[1:] for row in ROWS[:4]]], sheet="P1"))
    sheet = book.create_sheet("P2")
    for row in [HEAD[1:], *[row[1:] for row in ROWS[4:8]]]:
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    open_places = [place for place, _ in plan_import([tmp_path / "a.xlsx"], tmp_path / "study").open]
    assert {"tables.1.dyad", "tables.2.dyad"} <= set(open_places)
