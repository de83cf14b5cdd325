"""Recordings as people have them, each with the value that is right; SIMULATED inputs in tests/reference/recordings."""

import re

import numpy as np
import pytest
from typer.testing import CliRunner

import dyadloop as dl
from dyadloop.cli import app
from dyadloop.data.sources import SynchronySource
from dyadloop.errors import MeasureError
from dyadloop.signals import interbeat_intervals
from dyadloop.signals.channels import two_channels
from tests.conftest import ROOT

CASES = ROOT / "tests" / "reference" / "recordings"


def _printed(*arguments):
    found = CliRunner().invoke(app, ["synchrony", *map(str, arguments)])
    assert found.exit_code == 0, found.output
    return found.output, {name: float(v) for name, v in re.findall(r"(\w+): (-?[\d.]+)$", found.output, re.MULTILINE)}


def _set(**settings):
    return [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]


@pytest.mark.parametrize("fs", [[], ["--fs", "30"]])
def test_two_films_with_times_in_milliseconds(fs):
    """520 and 513 frames at 30 per second."""
    files = CASES / "face_p.csv.gz", CASES / "face_t.csv.gz"
    _, found = _printed(*files, "--columns", "AU12_r,AU12_r", "--cut", *fs, *_set(window=5, step=2, lag=1))
    assert found["score"] == pytest.approx(0.301, rel=0.02)


def test_two_files_of_one_clock_that_start_12_s_apart():
    files = CASES / "starts_a.tsv.gz", CASES / "starts_b.tsv.gz"
    printed, found = _printed(*files, "--columns", "v,v", *_set(window=20, step=10, lag=3))
    assert found["score"] == pytest.approx(0.243, abs=0.0005)
    assert "starts_b.tsv.gz starts 12 s after starts_a.tsv.gz; compared: the common 88.0 s" in printed


def test_two_wristbands_with_two_header_rows():
    source = SynchronySource(kind="synchrony", files="p", second_files="t", fs=4, signal="eda")
    both = two_channels(source, CASES / "wristband_p.csv.gz", CASES / "wristband_t.csv.gz")
    found = dl.synchrony(both.first, both.second, both.fs, window=40, step=20, lag=5)
    assert float(found["peak_lag"].median()) == 2.0
    assert float(found["score"]) == pytest.approx(0.466, rel=0.02)
    assert float(found["lead"]) == pytest.approx(0.37, rel=0.02)


def test_a_start_that_is_no_number_is_named():
    with pytest.raises(MeasureError, match=r"sub-01_task-talk_physio\.json, key 'StartTime': got 'n/a'"):
        dl.read_recording(CASES / "sub-01_task-talk_physio.tsv.gz")


def test_two_missed_beats():
    true, missed = (interbeat_intervals(np.loadtxt(CASES / f"beats_{name}.txt")) for name in ("true", "two_missed"))
    assert true.left_out == ()
    assert np.nanstd(missed.channel()) == pytest.approx(23, abs=2)
    assert [s.start < moment < s.stop for s, moment in zip(missed.left_out, (35.3, 69.8), strict=True)] == [True, True]


def test_a_film_that_stands_still_for_a_minute():
    files = CASES / "pause_p.txt.gz", CASES / "pause_t.txt.gz"
    printed, found = _printed(*files, "--fs", 10, "--surrogate", "shift", *_set(window=20, step=10, lag=3))
    assert found["score"] == pytest.approx(0.099, abs=0.0005)
    assert "p = 0.69" in printed
    assert "90.0 to 150.0 s: both stand still at once" in printed


def test_a_table_with_its_row_index_and_a_column_of_text():
    settings = _set(window=5, step=2, lag=1)
    _, found = _printed(CASES / "frame.csv.gz", "--columns", "patient,therapist", "--fs", 25, *settings)
    assert np.isfinite(found["score"])
