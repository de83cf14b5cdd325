"""The shipped study is what the converter makes of the published file."""

import csv
import filecmp
import hashlib
import json

import pytest

from dyadloop.data import read_study, summarise
from dyadloop.data.reader import FILES
from dyadloop.errors import DataError
from dyadloop.exchange import import_study
from dyadloop.exchange.mapping_file import read_mapping
from dyadloop.exchange.published import PUBLISHED, convert_school
from tests.conftest import ROOT

SOURCE = ROOT / "examples" / "source" / "school_daily.csv"
SHARED = ROOT.parent / "shared" / "data" / "esm_school_soederberg2024" / "daily.csv"


def test_the_converter_remakes_the_shipped_folder_byte_by_byte(tmp_path, school_folder):
    made = convert_school(SOURCE, tmp_path / "school")
    same, differ, odd = filecmp.cmpfiles(made, school_folder, FILES, shallow=False)
    assert (sorted(same), differ, odd) == (sorted(FILES), [], [])


@pytest.mark.skipif(not SHARED.is_file(), reason="the published file is not beside this checkout")
def test_the_shipped_source_is_the_published_file():
    assert hashlib.sha256(SOURCE.read_bytes()).digest() == hashlib.sha256(SHARED.read_bytes()).digest()


def test_the_study_has_the_published_size(school_folder):
    summary = summarise(read_study(school_folder))
    assert (summary.persons, summary.dyads, summary.sessions) == (300, 300, 8260)
    assert {entry.quantity for entry in summary.indicators} == {"support", "trust", "stress"}
    assert all(0.4 < entry.missing < 0.5 for entry in summary.indicators)


def test_bad_sources_are_refused(tmp_path):
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("id,notification_time\n1,2022-10-10T09:45:00Z\n")
    with pytest.raises(DataError, match="te_enc_all"):
        convert_school(wrong, tmp_path / "out")
    with pytest.raises(DataError, match="no such file"):
        convert_school(tmp_path / "none.csv", tmp_path / "out")


def test_an_existing_folder_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("keep")
    with pytest.raises(DataError, match="existing folder"):
        convert_school(SOURCE, tmp_path / "out")
    assert (tmp_path / "out" / "mine").read_text() == "keep"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]


TABLES = {
    "school": "id,notification_time,notification_no,te_enc_all,te_fair_all,stress_all,liked_all\n"
    "7,2022-11-21T09:45:00Z,1,3.0,NA,2.1234567,4\n7,2022-11-22T09:45:00Z,2,,,,\n",
    "diaries": "id,day,beep_new,ces_dmean,happy,stress,relaxed,sad\n1,1,1,0.5,60,20,70,3\n1,1,2.5,0.7,NA,30,60,3\n",
    "mindfulness": "person,day,beep,therapy,post,sad,worry,cheerful\n"
    "1,1,1,1,0,3,4,5\n1,1,,1,0,3,4,5\n1,2,1,0,0,,,\n1,2,2,0,0,1,2,3\n1,3,1,1,1,2,3,6\n",
    "dial": "couple,person,female,time,dial\n1,1,1,0,2.5\n1,2,0,0,3\n1,1,1,1,NA\n1,2,0,1.5,2.9\n",
}
"""Made-up tables of each layout, with cells that are dropped, doubted or taken otherwise."""
DROPPED = {
    "school": {"not mapped": 3, "missing": 1},
    "diaries": {"not mapped": 2, "missing": 1, "conflict": 1},
    "mindfulness": {"no key": 12, "conflict": 1},
    "dial": {"missing": 1},
}
TAKEN = {
    "school": ["taken as 2.12346"], "diaries": ["taken as 2"], "mindfulness": [], "dial": ["taken as 1"],
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_every_cell_is_accounted_for_as_in_an_import(tmp_path, name):
    source = tmp_path / "table.csv"
    source.write_text(TABLES[name])
    folder = PUBLISHED[name].convert(source, tmp_path / "out")
    record = json.loads((folder / "import.json").read_text())
    (told,) = record["tables"]
    with source.open() as stream:
        cells = sum(cell != "" for row in list(csv.reader(stream))[1:] for cell in row)
    assert (told["cells"], told["used"] + told["reported"], told["by_kind"]) == (cells, cells, DROPPED[name])
    assert record["sources"] == {"table.csv": hashlib.sha256(source.read_bytes()).hexdigest()}
    assert record["outputs"] == {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in FILES}
    log = (folder / "import_log.tsv").read_text()
    assert [line.split("\t")[-1] for line in log.splitlines() if "\ttaken as " in line] == TAKEN[name]
    mapping, _ = read_mapping(folder / "import.yaml")
    study = read_study(folder)
    assert set(mapping.tables[0].scores) == set(study.info.indicators)
    assert (mapping.study.title, mapping.study.theory) == (study.info.title, study.info.theory)


def test_an_import_does_not_overwrite_what_a_converter_made(tmp_path):
    source = tmp_path / "table.csv"
    source.write_text(TABLES["dial"])
    PUBLISHED["dial"].convert(source, tmp_path / "out")
    with pytest.raises(DataError, match="dyadloop convert"):
        import_study(source, tmp_path / "out")
