"""The shipped study is what the converter makes of the published file."""

import filecmp
import hashlib

import pytest

from dyadloop.data import read_study, summarise
from dyadloop.data.reader import FILES
from dyadloop.errors import DataError
from dyadloop.exchange.published import convert_school
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
