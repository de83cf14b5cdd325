"""XDF: our reader beside pyxdf, and breaks that pyxdf smooths away."""

import json

import numpy as np
import pytest
import pyxdf

from dyadloop.errors import DataError
from dyadloop.exchange.recordings import read_xdf, unpack_xdf, xdf
from dyadloop.exchange.recordings.xdf import even_clock
from dyadloop.signals import read_recording
from tests.exchange import xdf_files

RNG = np.random.default_rng(2)
FS, N = 100.0, 4000


def _late(size):
    """Stamps of packets are late by some milliseconds, at times by much more."""
    late = RNG.exponential(0.002, size)
    late[RNG.random(size) < 0.002] += 0.3
    return late


def _times(lost=0, at=2000, fs=FS):
    rows = np.arange(N) + np.where(np.arange(N) >= at, lost, 0)
    return rows, 50.0 + rows / fs


def test_values_and_names_are_those_of_pyxdf(tmp_path):
    values = RNG.normal(size=(N, 2)).astype("f4")
    _, times = _times()
    chunks = xdf_files.stream(1, "Heart", FS, times, values, ["ecg", "resp"], units={"ecg": "mV"}, stamped="first")
    other = xdf_files.stream(2, "Skin", 10.0, times[::10], RNG.integers(0, 99, (N // 10, 1)), ["eda"], form="int16")
    path = xdf_files.write(tmp_path / "a.xdf", *chunks, *other)
    ours, (theirs, _) = read_xdf(path), pyxdf.load_xdf(path)
    by_name = {stream["info"]["name"][0]: stream for stream in theirs}
    for signals in ours:
        np.testing.assert_array_equal(np.asarray(signals.values), by_name[signals.name]["time_series"])
        assert signals.rows is None
        assert signals.fs == pytest.approx(by_name[signals.name]["info"]["effective_srate"], rel=1e-6)
    assert ours[0].columns == ["ecg", "resp"]
    assert ours[0].units == {"ecg": "mV", "resp": ""}


@pytest.mark.parametrize("lost", [2, 37, 100, 450, 3000])
def test_a_break_stays_a_gap_of_its_length(lost):
    """Also under 500 samples, where a line drawn through all stamps moves samples by up to the length of the break."""
    rows, times = _times(lost)
    found, fs, start = even_clock(times + _late(N), FS)
    np.testing.assert_array_equal(found, rows)
    assert fs == pytest.approx(FS, rel=1e-5)
    assert start == pytest.approx(50.0, abs=0.002)


def test_pyxdf_smooths_such_a_break(tmp_path):
    """Why the clock is ours: with pyxdf's own settings samples lie by a third of a second beside their time."""
    _, times = _times(lost=100)
    path = xdf_files.write(tmp_path / "a.xdf", *xdf_files.stream(1, "a", FS, times, np.zeros((N, 1)), ["x"]))
    theirs = pyxdf.load_xdf(path)[0][0]["time_stamps"]
    assert np.abs(theirs - times).max() > 0.3
    (ours,) = read_xdf(path)
    np.testing.assert_allclose(50.0 + ours.rows / ours.fs, times, atol=1e-6)
    assert ours.breaks == [[pytest.approx(20.0), pytest.approx(1.0)]]


def test_a_stall_that_is_made_up_for_is_no_break():
    _, times = _times()
    times[1000:1400] = np.maximum(times[1000:1400], times[1400])
    rows, fs, _ = even_clock(times, FS)
    np.testing.assert_array_equal(rows, np.arange(N))
    assert fs == pytest.approx(FS, rel=1e-4)


def test_a_rate_that_is_not_the_nominal_one_is_told_by_the_stamps():
    rows, times = _times(lost=60, fs=99.7)
    found, fs, _ = even_clock(times + _late(N), FS)
    np.testing.assert_array_equal(found, rows)
    assert fs == pytest.approx(99.7, rel=1e-5)


def test_streams_of_two_computers_are_on_one_clock(tmp_path):
    """The second clock is 1000 s ahead and drifts by 1e-5; pyxdf brings both together as we do."""
    _, times = _times()
    theirs = (times - times[0]) * (1 + 1e-5) + times[0] + 1000.0
    offsets = [(t, -(1000.0 + (t - 1050.0) * 1e-5)) for t in np.arange(1050.0, 1090.0, 5.0)]
    here = xdf_files.stream(
        1, "here", FS, times, np.zeros((N, 1)), ["x"], offsets=[(t, 0.0) for t in (50.0, 70.0, 90.0)]
    )
    there = xdf_files.stream(2, "there", FS, theirs, np.zeros((N, 1)), ["y"], offsets=offsets)
    path = xdf_files.write(tmp_path / "a.xdf", *here, *there)
    first, second = read_xdf(path)
    assert first.start == pytest.approx(0.0, abs=1e-6)
    assert second.start == pytest.approx(0.0, abs=2e-4)
    stamps = {s["info"]["name"][0]: s["time_stamps"] for s in pyxdf.load_xdf(path)[0]}
    assert second.start - first.start == pytest.approx(stamps["there"][0] - stamps["here"][0], abs=2e-4)


def test_what_is_unpacked_is_read_with_its_gaps_and_starts(tmp_path):
    rows, times = _times(lost=100)
    values = np.round(RNG.normal(size=(N, 1)), 3)
    heart = xdf_files.stream(1, "Heart", FS, times, values, ["ecg"])
    marks = xdf_files.stream(2, "Marks", 0, [51.5, 60.0], [["=start"], ["stop"]], ["what"], form="string")
    files = unpack_xdf(xdf_files.write(tmp_path / "s1.xdf", *heart, *marks), tmp_path / "out")
    assert [file.name for file in files] == ["s1_Heart.tsv", "s1_Marks_markers.tsv"]
    found = read_recording(files[0])
    assert found.fs == pytest.approx(FS)
    ecg = found.channel("ecg")
    assert len(ecg) == N + 100
    assert np.isnan(ecg[2000:2100]).all()
    np.testing.assert_allclose(ecg[rows], values[:, 0], atol=1e-6)
    assert files[1].read_text().splitlines()[1:] == ["1.5\t'=start", "10\tstop"]
    assert json.loads(files[0].with_suffix(".json").read_text())["Breaks"] == [pytest.approx([20.0, 1.0])]


def test_damaged_files_are_refused_in_words(tmp_path):
    _, times = _times()
    whole = xdf_files.write(
        tmp_path / "a.xdf", *xdf_files.stream(1, "a", FS, times, np.zeros((N, 1)), ["x"])
    ).read_bytes()
    spoiled = {
        "cut": whole[: len(whole) // 2 + 3],
        "other": b"RIFF" + whole[4:],
        "bytes": whole[:400] + bytes(b ^ 0x55 for b in whole[400:420]) + whole[420:],
        "entity": whole.replace(b"<?xml version='1.0'?><info><name>", b"<!DOCTYPE x [<!ENTITY a 'b'>]><i><name>"),
        "none": b"XDF:",
    }
    for name, content in spoiled.items():
        path = tmp_path / f"{name}.xdf"
        path.write_bytes(content)
        with pytest.raises(DataError):
            read_xdf(path)


def test_a_damaged_stamp_makes_no_gap_without_end():
    times = np.arange(300) / 100
    with pytest.raises(DataError, match="makes a gap of"):
        xdf._breaks(np.where(np.arange(300) < 200, times, times + 1e200), 0.01)
