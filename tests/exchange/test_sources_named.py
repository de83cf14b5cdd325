"""Sheets, files and tables that are named wrongly, and what people wrote in their own words."""

import openpyxl
import pytest

from dyadloop.errors import DataError
from dyadloop.exchange import import_study, plan_import

HEAD = ["code", "session", "date", "length", "WAI", "PHQ9"]
ROWS = [
    [f"P{p}", s, f"2024-03-{7 * s + p:02d}", 50, (p * s) % 5 + 1, (p + s) % 20] for p in range(1, 5) for s in (1, 2, 3)
]


@pytest.fixture
def book(tmp_path):
    made = openpyxl.Workbook()
    for name, shift in (("Sitzungen", 0), ("Kopie", 1)):
        sheet = made.create_sheet(name)
        sheet.append(HEAD)
        for row in ROWS:
            sheet.append([*row[:5], row[5] + shift])
    del made["Sheet"]
    made.save(tmp_path / "lab.xlsx")
    return tmp_path / "lab.xlsx"


def test_one_sheet_can_be_chosen(book, tmp_path):
    done = import_study(book, tmp_path / "study", answers={"sheet": "Kopie"})
    assert len(done.counts) == 1
    assert set(done.study.info.indicators) == {"wai", "phq9"}
    assert "sheet: Kopie" in (tmp_path / "study" / "import.yaml").read_text()


def test_a_misspelt_sheet_is_asked_about(book, tmp_path):
    with pytest.raises(DataError, match=r"no sheet 'Kopi'; expected one of Sitzungen, Kopie; did you mean Kopie\?"):
        plan_import([book], tmp_path / "study", answers={"sheet": "Kopi"})
    with pytest.raises(DataError, match="no sheet 'Foo'; expected one of Sitzungen, Kopie"):
        plan_import([book], tmp_path / "study", answers={"tables.1.sheet": "Foo"})


def test_a_text_table_has_no_sheets(tmp_path):
    path = _csv(tmp_path, HEAD, ROWS)
    with pytest.raises(DataError, match="no source has sheets"):
        plan_import([path], tmp_path / "study", answers={"sheet": "Foo"})


def test_a_file_and_a_sheet_in_one_are_told_apart(book, tmp_path):
    with pytest.raises(DataError, match="choose the sheet by --set sheet=Kopie"):
        plan_import([f"{book}:Kopie"], tmp_path / "study")


def test_a_file_that_is_not_there_is_no_matter_of_its_ending(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        plan_import([tmp_path / "lab.xyz"], tmp_path / "study")


def test_how_a_file_is_read_may_be_answered(tmp_path):
    """The table is read again: what is written is what was read."""
    path = _csv(tmp_path, HEAD, ROWS, "\t".join(HEAD) + "\n")
    done = import_study(path, tmp_path / "study", answers={"tables.1.settings": "{header_row: 2}"})
    assert [r.row for r in done.remarks] == [1]


def test_an_answer_that_no_table_asks_for_is_refused(book, tmp_path):
    with pytest.raises(DataError, match=r"name the table, such as tables.1.decimal"):
        plan_import([book], tmp_path / "study", answers={"decimal": "','"})


def _csv(tmp_path, head, rows, above=""):
    path = tmp_path / "sheet.csv"
    path.write_text(above + "".join("\t".join(map(str, row)) + "\n" for row in [head, *rows]))
    return path


@pytest.mark.parametrize(
    ("heading", "notes"),
    [
        ("Bemerkung", {2: "krank"}),
        ("Anmerkungen", {2: "weint", 5: "spät", 8: "spät"}),
        ("verlauf", {0: "kam heute zu spät", 3: "sprach von der Mutter", 6: "sagte nichts", 9: "war sehr still heute"}),
        ("notes_2", dict.fromkeys(range(12), "x y")),
    ],
)
def test_what_people_wrote_is_left_out(tmp_path, heading, notes):
    rows = [[*row, notes.get(k, "")] for k, row in enumerate(ROWS)]
    done = import_study(_csv(tmp_path, [*HEAD, heading], rows), tmp_path / "study")
    assert [(r.column, r.why) for r in done.remarks] == [(heading, "free text, which may tell who somebody is")]
    assert list(done.study.participants.columns) == ["participant_id", "dyad", "role", "therapist"]


def test_words_that_repeat_stay_with_the_person(tmp_path):
    rows = [[*row, "F32.1 moderate episode" if row[0] < "P3" else "F33.2 severe episode"] for row in ROWS]
    done = import_study(_csv(tmp_path, [*HEAD, "diagnosis"], rows), tmp_path / "study")
    assert set(done.study.participants["diagnosis"]) == {"F32.1 moderate episode", "F33.2 severe episode"}
