"""Headings in two rows make one name; two columns of one name are asked about, whatever the format."""

import openpyxl
import pytest

from dyadloop.exchange import import_study, plan_import
from dyadloop.exchange.formats.registry import read_source

UPPER = ["Patient", "Therapeut", "Patient"]
LOWER = ["WAI-SR", "WAI-SR", "PHQ-9"]
NAMES = ["Patient WAI-SR", "Therapeut WAI-SR", "Patient PHQ-9"]
KEYS = ["Code", "Sitzung", "Datum", "Dauer"]
ROWS = [
    [f"P{p}", s, f"2024-03-{7 * s + p:02d}", 50, 1.5 + (p * s) % 3, 2.5 + (p + s) % 3, (p * 5 + s) % 20]
    for p in range(1, 6)
    for s in range(1, 4)
]


def _csv(tmp_path, *head, rows=ROWS):
    path = tmp_path / "a.csv"
    path.write_text("".join(";".join(map(str, row)) + "\n" for row in [*head, *rows]))
    return path


def _book(tmp_path, *head, merged=()):
    book = openpyxl.Workbook()
    for row in [*head, *ROWS]:
        book.active.append(row)
    for cells in merged:
        book.active.merge_cells(cells)
    book.save(tmp_path / "a.xlsx")
    return tmp_path / "a.xlsx"


def _names(path):
    (grid,) = read_source(path)[1]
    assert len(grid.table) == len(ROWS)
    return list(grid.table.columns)


@pytest.mark.parametrize("write", [_csv, _book])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["", "", "", "", *UPPER], [*KEYS, *LOWER]),
        ([*KEYS, *UPPER], ["", "", "", "", *LOWER]),
        ([*KEYS, *UPPER], ["", "", "", "min", *LOWER]),
        (["", "", "", "", *UPPER[:2], ""], [*KEYS, "WAI-SR", "WAI-SR", "PHQ-9"]),
    ],
)
def test_two_rows_of_headings_are_joined(tmp_path, write, first, second):
    names = _names(write(tmp_path, first, second))
    assert names[4:6] == NAMES[:2]
    assert names[6] in ("Patient PHQ-9", "Therapeut PHQ-9"), "a blank goes on with the cell to its left"
    assert names[0] == "Code"


def test_a_single_heading_beside_merged_ones_is_kept(tmp_path):
    path = _book(tmp_path, ["", "", "", "", "Patient", None, "Therapeut"], [*KEYS, "WAI-SR", "PHQ-9", "WAI-SR"], merged=["E1:F1"])  # fmt: skip
    assert _names(path)[4:] == ["Patient WAI-SR", "Patient PHQ-9", "Therapeut WAI-SR"]


def test_a_title_above_two_rows_is_left_out_and_listed(tmp_path):
    path = _csv(tmp_path, ["Studie 2024", *[""] * 6], ["", "", "", "", *UPPER], [*KEYS, *LOWER])
    (grid,) = read_source(path)[1]
    assert list(grid.table.columns)[4:] == NAMES
    assert [(r.row, r.text) for r in grid.remarks] == [(1, "Studie 2024")]
    assert grid.rows[0] == 4


def test_who_answers_is_told_by_the_upper_row(tmp_path):
    path = _csv(tmp_path, ["", "", "", "", *UPPER], [*KEYS, *LOWER])
    done = import_study(path, tmp_path / "study")
    found = {name: (one.person, one.scale) for name, one in done.study.info.indicators.items()}
    assert found == {
        "patient_wai_sr": ("patient", (1, 5)),
        "therapeut_wai_sr": ("therapist", (1, 5)),
        "patient_phq_9": ("patient", (0, 27)),
    }
    assert done.counts[0]["cells"] == done.counts[0]["used"] + done.counts[0]["reported"]


@pytest.mark.parametrize(
    ("head", "rows"),
    [
        ([*KEYS, "WAI-SR", "WAI-SRT", "PHQ-9"], ROWS),
        ([*KEYS, "WAI-SR", "WAI-SR", "PHQ-9"], ROWS),
        ([*KEYS, "WAI-SR", "", "PHQ-9"], ROWS),
        ([*KEYS, "WAI-SR", "WAI-SR", "PHQ-9"], [["P0", 1, "2024-01-01", "k.A.", "k.A.", "k.A.", "k.A."], *ROWS]),
    ],
)
def test_a_first_row_of_values_stays_one(tmp_path, head, rows):
    (grid,) = read_source(_csv(tmp_path, head, rows=rows))[1]
    assert len(grid.table) == len(rows)


def test_two_columns_of_one_name_are_asked_about_even_with_yes(tmp_path):
    plan = plan_import([_csv(tmp_path, [*KEYS, *LOWER])], tmp_path / "study")
    assert [place for place, _ in plan.open] == [f"tables.1.scores.wai_sr{more}.person" for more in ("", "_2")]
    assert "several columns are named 'WAI-SR'" in plan.text


def test_a_copied_column_is_left_out_and_said(tmp_path):
    rows = [[*row[:5], row[4], row[6]] for row in ROWS]
    plan = plan_import([_csv(tmp_path, [*KEYS, *LOWER], rows=rows)], tmp_path / "study")
    assert plan.open == []
    assert "the same entries as 'WAI-SR'" in plan.text


@pytest.mark.parametrize(("place", "key"), [(0, "dyad"), (1, "session"), (2, "date"), (3, "length_min")])
def test_a_key_whose_heading_stands_twice_is_asked_for(tmp_path, place, key):
    rows = [[*row, {0: f"X{row[0]}", 1: row[1] + 1, 2: f"2023{row[2][4:]}", 3: 45 + row[1]}[place]] for row in ROWS]
    path = _csv(tmp_path, [*KEYS, "WAI patient", "WAI therapist", "PHQ-9", KEYS[place]], rows=rows)
    assert f"tables.1.{key}" in [place for place, _ in plan_import([path], tmp_path / "study").open]
