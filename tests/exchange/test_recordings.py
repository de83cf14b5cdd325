"""Recordings of other programs: numbers, gaps and rates that are known, and what is asked for."""

import contextlib
import datetime as dt
import json
import pickle
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from dyadloop.errors import DataError
from dyadloop.exchange.recordings import RECORDINGS, unpack
from dyadloop.exchange.recordings.acq import signals_of
from dyadloop.signals import read_recording
from tests.cli.program import dyadloop
from tests.exchange import point_files

BEGAN = dt.datetime(2024, 4, 24, 14, 10, 16, tzinfo=dt.UTC)


def _read(tmp_path, name, text, fs=None):
    path = tmp_path / name
    path.write_text(text)
    (table,) = unpack(path, tmp_path / "out", fs)
    return read_recording(table), json.loads(table.with_suffix(".json").read_text())


def test_shimmer_keeps_units_and_lost_samples_are_gaps(tmp_path):
    times = [1.7e12 + 10 * k for k in [*range(60), *range(70, 130)]]
    rows = "".join(f"{t:.3f}\t{k * 0.5}\t{9.8}\t\n" for k, t in enumerate(times))
    head = "sep=\t\nS_40AC_Timestamp_Unix_CAL\tS_40AC_GSR_Skin_Conductance_CAL\tS_40AC_Accel_LN_X_CAL\t\nms\tuS\tm/(s^2)\t\n"
    found, told = _read(tmp_path, "gsr.csv", head + rows)
    assert found.fs == pytest.approx(100, rel=1e-4)
    conductance = found.channel("GSR_Skin_Conductance")
    assert len(conductance) == 130
    assert np.isnan(conductance[60:70]).all()
    assert conductance[70] == 30.0
    assert told["Units"] == {"GSR_Skin_Conductance": "uS", "Accel_LN_X": "m/(s^2)"}


def _polar(intervals, pause_at=None, pause=0.0):
    """Arrivals in packets of three, so late by up to two intervals."""
    ends = np.cumsum(intervals) / 1000
    rows = []
    for k, interval in enumerate(intervals):
        last = min(k - k % 3 + 2, len(intervals) - 1)
        at = BEGAN + dt.timedelta(
            seconds=float(ends[last]) + (pause if pause_at is not None and k >= pause_at else 0.0)
        )
        rows.append(f"{at:%Y-%m-%dT%H:%M:%S.%f};{interval:.0f}")
    return "Phone timestamp;RR-interval [ms]\n" + "\n".join(rows) + "\n"


def test_intervals_of_polar_do_not_follow_the_packets(tmp_path):
    rng = np.random.default_rng(1)
    intervals = np.round(850 + 40 * rng.normal(size=200))
    found, _ = _read(tmp_path, "rr.txt", _polar(intervals))
    ibi = found.channel("ibi_ms")
    assert found.fs == 4
    assert len(ibi) == pytest.approx(intervals.sum() / 250, abs=2)
    assert np.nanmean(ibi) == pytest.approx(intervals.mean(), abs=5)
    assert np.isnan(ibi).mean() < 0.05


def test_a_pause_of_a_polar_is_a_gap(tmp_path):
    intervals = np.full(120, 800.0) + np.tile([-20, 0, 20], 40)
    found, _ = _read(tmp_path, "rr.txt", _polar(intervals, 60, 30.0))
    ibi = found.channel("ibi_ms")
    assert len(ibi) == pytest.approx((intervals.sum() / 1000 + 30) * 4, abs=12)
    assert np.isnan(ibi).sum() / 4 == pytest.approx(30, abs=3)


def test_intervals_alone_are_milliseconds(tmp_path):
    found, _ = _read(tmp_path, "rr.txt", "".join(f"{800 + 10 * (k % 5)}\n" for k in range(100)))
    assert np.nanmean(found.channel("ibi_ms")) == pytest.approx(820, abs=2)


@pytest.mark.parametrize(("head", "per"), [("", 1), ("RR\n", 1), ("ibi_s\n", 1000), ("", 1000)])
def test_a_list_of_intervals_may_have_a_heading_and_be_in_seconds(tmp_path, head, per):
    text = head + "".join(f"{(800 + 10 * (k % 5)) / per:g}\n" for k in range(100))
    found, told = _read(tmp_path, "rr.csv", text)
    assert np.nanmean(found.channel("ibi_ms")) == pytest.approx(820, abs=2)
    assert told["Units"] == {"ibi_ms": "ms"}


DLC = "scorer,net,net,net,net,net,net\nbodyparts,head,head,head,hand,hand,hand\ncoords,x,y,likelihood,x,y,likelihood\n"


def test_points_of_deeplabcut_become_movement(tmp_path):
    """Both points go 5 pixels a frame (3 and 4); one is not trusted in frame 4; frame 7 is missing."""
    rows = [f"{k},{3 * k},{4 * k},0.9,{100 + 3 * k},{4 * k},{0.1 if k == 4 else 0.9}" for k in range(10) if k != 7]
    with pytest.raises(DataError, match="--fs"):
        unpack(_write(tmp_path / "dlc.csv", DLC + "\n".join(rows)), tmp_path / "out")
    found, _ = _read(tmp_path, "dlc.csv", DLC + "\n".join(rows), 25.0)
    way = found.channel("movement")
    np.testing.assert_allclose(way[1:4], 125.0)
    assert np.isnan(way[[0, 4, 5, 7, 8]]).all()
    assert way[9] == pytest.approx(125.0)


def _write(path, text):
    path.write_text(text)
    return path


def test_individuals_of_deeplabcut_stay_apart(tmp_path):
    head = "scorer,n,n,n,n,n,n\nindividuals,P,P,P,T,T,T\nbodyparts,h,h,h,h,h,h\ncoords,x,y,likelihood,x,y,likelihood\n"
    found, _ = _read(tmp_path, "a.csv", head + "".join(f"{k},{k},0,1,0,{2 * k},1\n" for k in range(6)), 10.0)
    np.testing.assert_allclose(found.channel("P")[1:], 10.0)
    np.testing.assert_allclose(found.channel("T")[1:], 20.0)


@pytest.mark.parametrize("write", [point_files.appended, point_files.fixed])
def test_tables_of_deeplabcut_in_hdf5_are_read(tmp_path, write):
    (table,) = unpack(write(tmp_path / "a.h5", point_files.columns(), point_files.points()), tmp_path / "one", 25.0)
    np.testing.assert_allclose(read_recording(table).channel("movement")[1:], 125.0)
    path = write(tmp_path / "b.h5", point_files.columns(("ann", "bob")), point_files.points(2))
    (table,) = unpack(path, tmp_path / "two", 25.0)
    np.testing.assert_allclose(read_recording(table).channel("ann")[1:], 125.0)
    np.testing.assert_allclose(read_recording(table).channel("bob")[1:], 250.0)


@pytest.mark.parametrize("write", [point_files.appended, point_files.fixed])
def test_spoiled_files_of_hdf5_are_refused_or_read(tmp_path, write):
    """A changed byte may be anywhere; HDF5 says so by several kinds of errors, which must not come through."""
    whole, rng = (
        write(tmp_path / "whole.h5", point_files.columns(), point_files.points()).read_bytes(),
        np.random.default_rng(2),
    )
    for turn in range(120):
        spoiled = bytearray(whole[: int(rng.integers(600, len(whole)))] if turn % 4 == 0 else whole)
        for place in rng.integers(len(spoiled), size=4):
            spoiled[int(place)] = int(rng.integers(256))
        (tmp_path / "a.h5").write_bytes(spoiled)
        with contextlib.suppress(DataError):
            unpack(tmp_path / "a.h5", tmp_path / f"out{turn}", 25.0)


def test_points_without_frames_or_with_other_columns_are_refused(tmp_path):
    for number, values in enumerate((point_files.points()[:0], point_files.points()[:, :4])):
        path = point_files.fixed(tmp_path / f"{number}.h5", point_files.columns(), values)
        with pytest.raises(DataError, match=r"no frames|frames of 6 columns"):
            unpack(path, tmp_path / "out", 25.0)


def test_points_without_end_are_no_points(tmp_path):
    values = point_files.points()
    values[3:5, 0] = np.inf
    (table,) = unpack(point_files.fixed(tmp_path / "a.h5", point_files.columns(), values), tmp_path / "out", 25.0)
    assert np.isfinite(read_recording(table).channel("movement")[[1, 2, 7]]).all()


def test_a_pickle_that_would_run_something_is_refused_unread(tmp_path):
    class Harm:
        def __reduce__(self):
            return (open, (str(tmp_path / "harm"), "w"))

    for kind in (pickle.dumps([Harm()], 0), pickle.dumps([Harm()], 4), b"(lp0\nVa\n", b"garbage"):
        path = point_files.appended(tmp_path / "h.h5", point_files.columns(), point_files.points(), kind)
        with pytest.raises(DataError, match="cannot be read"):
            unpack(path, tmp_path / "out", 25.0)
    assert not (tmp_path / "harm").exists()


def test_tracks_of_sleap_are_read_from_both_of_its_files(tmp_path):
    rows = "".join(
        f"{who},{k},0.9,{way * k},0,0.9\n"
        for k in range(8)
        for who, way in (("a", 1), ("b", 3))
        if (who, k) != ("b", 5)
    )
    found, _ = _read(tmp_path, "s.csv", "track,frame_idx,instance.score,nose.x,nose.y,nose.score\n" + rows, 10.0)
    np.testing.assert_allclose(found.channel("a")[1:], 10.0)
    b = found.channel("b")
    assert np.isnan(b[[0, 5, 6]]).all()
    np.testing.assert_allclose(b[[1, 2, 3, 4, 7]], 30.0)
    with h5py.File(tmp_path / "s.analysis.h5", "w") as file:
        tracks = np.full((2, 2, 1, 8), np.nan)
        tracks[0, 0, 0], tracks[0, 1, 0], tracks[1, 0, 0], tracks[1, 1, 0] = np.arange(8), 0, 3 * np.arange(8), 0
        file["tracks"], file["track_names"], file["node_names"] = tracks, [b"a", b"b"], [b"nose"]
    (table,) = unpack(tmp_path / "s.analysis.h5", tmp_path / "out2", 10.0)
    np.testing.assert_allclose(read_recording(table).channel("b")[1:], 30.0)


def test_wide_tables_of_points_are_read(tmp_path):
    head = "frame,NOSE_x,NOSE_y,NOSE_z,NOSE_visibility,LEFT_WRIST_x,LEFT_WRIST_y,LEFT_WRIST_z,LEFT_WRIST_visibility\n"
    rows = "".join(f"{k},{0.01 * k},0.5,0,0.99,{0.01 * k},0.2,0,{0.2 if k == 3 else 0.9}\n" for k in range(8))
    found, _ = _read(tmp_path, "mp.csv", head + rows, 30.0)
    np.testing.assert_allclose(found.channel("movement")[[1, 2, 5, 6, 7]], 0.3)


def test_opensmile_tells_its_rate(tmp_path):
    rows = "".join(f"'unknown';{k * 0.01:.2f};{k};{2 * k}\n" for k in range(50))
    found, _ = _read(tmp_path, "lld.csv", "name;frameTime;Loudness_sma3;F0final_sma\n" + rows)
    assert found.fs == pytest.approx(100)
    assert found.channel("F0final_sma")[10] == 20


def test_frames_without_a_face_are_gaps(tmp_path):
    head = "frame,FaceRectX,FaceRectY,FaceRectWidth,FaceRectHeight,FaceScore,AU01,AU12,happiness,Pitch,x_0,input\n"
    rows = "".join(f"{k},1,1,9,9,{0.2 if k == 3 else 0.99},{k / 10},0.5,0.1,2,7,v.mp4\n" for k in range(10))
    found, _ = _read(tmp_path, "fex.csv", head + rows, 25.0)
    assert np.isnan(found.channel("AU01")[3])
    assert found.channel("AU01")[4] == pytest.approx(0.4)
    with pytest.raises(DataError, match="several faces"):
        unpack(_write(tmp_path / "two.csv", head + rows.replace("4,1,1", "3,1,1", 1)), tmp_path / "two", 25.0)


def _marker(at, seconds):
    return SimpleNamespace(
        type_code="apnd",
        sample_index=at,
        date_created_utc=BEGAN + dt.timedelta(seconds=seconds) if seconds is not None else None,
    )


def _biopac(markers):
    channels = [
        SimpleNamespace(name="ECG", units="mV", samples_per_second=100.0, data=np.arange(400.0)),
        SimpleNamespace(name="EDA", units="microsiemens", samples_per_second=50.0, data=np.arange(200.0)),
    ]
    return SimpleNamespace(
        channels=channels, event_markers=markers, samples_per_second=100.0, earliest_marker_created_at=BEGAN
    )


def test_what_biopac_appended_after_a_pause_stands_apart(tmp_path):
    fast, slow = signals_of(tmp_path / "a.acq", _biopac([_marker(0, 0.0), _marker(200, 12.0)]))
    assert fast.breaks == [[2.0, pytest.approx(10.0)]]
    assert slow.breaks == [[2.0, pytest.approx(10.0)]]
    assert fast.table()["ECG"].iloc[1200] == 200
    assert fast.units == {"ECG": "mV"}
    with pytest.raises(DataError, match="length is not told"):
        signals_of(tmp_path / "a.acq", _biopac([_marker(0, 0.0), _marker(200, None)]))


def test_other_files_are_refused_in_words(tmp_path):
    run = dyadloop("unpack", _write(tmp_path / "a.csv", "x,y,z\n1,2,3\n"), tmp_path / "out")
    assert run.returncode == 3
    assert "Shimmer" in run.stdout + run.stderr
    assert all(entry.truth and entry.reads for entry in RECORDINGS.values())
