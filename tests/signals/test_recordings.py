"""Recordings: every layout read strictly, films with planted faults, hearts with gaps, voices of known pitch."""

import gzip
import json
import wave

import neurokit2
import numpy as np
import pytest

from dyadloop.errors import MeasureError
from dyadloop.signals import (
    fundamental_frequency,
    heart_beats,
    interbeat_intervals,
    motion_energy,
    phasic_skin_conductance,
    read_recording,
)
from tests.measures.conftest import CUT, FLASH, TWICE


def _write(path, text):
    path.write_text(text)
    return path


def test_motion_energy_text_of_any_layout(tmp_path):
    for name, text in (
        ("mea.txt", "1 2\n3 4\n5 6\n"), ("a.csv", "patient,therapist\n1,2\n3,4\n5,6\n"),
        ("b.tsv", "patient\ttherapist\n1\t2\n3\t4\n5\t6\n"), ("c.csv", "patient;therapist\n1;2\n3;4\n5;6\n"),
    ):  # fmt: skip
        found = read_recording(_write(tmp_path / name, text), fs=25)
        np.testing.assert_array_equal(found.channels.to_numpy(), [[1, 2], [3, 4], [5, 6]])
        assert found.fs == 25
    assert found.channel("therapist").tolist() == [2, 4, 6]
    with pytest.raises(MeasureError, match="expected one of patient, therapist"):
        found.channel("client")


def test_bids_physio_with_its_sidecar(tmp_path):
    path = tmp_path / "sub-1_physio.tsv.gz"
    with gzip.open(path, "wt") as stream:
        stream.write("1.5\t2\nn/a\t3\n4\t5\n")
    (tmp_path / "sub-1_physio.json").write_text(
        json.dumps({"SamplingFrequency": 250, "StartTime": -1.5, "Columns": ["cardiac", "eda"]})
    )
    found = read_recording(path)
    assert (found.fs, found.start) == (250, -1.5)
    assert np.isnan(found.channel("cardiac")[1])
    with pytest.raises(MeasureError, match="the file says 250 Hz, fs is 100"):
        read_recording(path, fs=100)


def test_bids_motion_names_its_channels_in_a_table(tmp_path):
    _write(tmp_path / "sub-1_motion.tsv", "1\t2\n3\t4\n")
    (tmp_path / "sub-1_motion.json").write_text(json.dumps({"SamplingFrequency": 60}))
    (tmp_path / "sub-1_channels.tsv").write_text("name\ttype\nhead_x\tPOS\nhand_x\tPOS\n")
    assert read_recording(tmp_path / "sub-1_motion.tsv").channel("hand_x").tolist() == [2, 4]


def test_openface_rows_without_a_face_are_gaps(tmp_path):
    rows = ["frame, face_id, timestamp, confidence, success, AU12_r"]
    rows += [f"{k}, 0, {k / 30:.4f}, {0.2 if k == 3 else 0.98}, {0 if k == 3 else 1}, {k}" for k in range(10)]
    found = read_recording(_write(tmp_path / "face.csv", "\n".join(rows) + "\n"))
    assert found.fs == pytest.approx(30, rel=1e-3)
    assert np.flatnonzero(np.isnan(found.channel("AU12_r"))).tolist() == [3]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a,b\n1,2\n3,x\n", {"fs": 1}, "row 3, column 'b': got 'x'"),
        ("a,b\n1,2\n3,4\n", {}, "sampling rate is unknown"),
        ("", {"fs": 1}, "empty"),
        ("a\n1\n", {"fs": 1}, "expected at least 2"),
        ("time,a\n0,1\n1,2\n1,3\n", {}, "row 4, column 'time'"),
        ("time,a\n0,1\n1,2\n2,3\n9,4\n", {}, "row 5, column 'time': got a step of 7 among"),
        ("a,b\n1,2\n3,4,5\n", {"fs": 1}, "expected one value per column"),
    ],
)
def test_bad_text_says_where(tmp_path, text, options, message):
    with pytest.raises(MeasureError, match=message):
        read_recording(_write(tmp_path / "x.csv", text), **options)


def test_damaged_and_absent_files(tmp_path):
    whole = gzip.compress(("a\n" + "\n".join(map(str, range(5000)))).encode())
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MeasureError, match=r"cut\.csv\.gz: got a compressed file that is damaged or cut off"):
        read_recording(path, fs=1)
    path.write_bytes(b"no gzip at all")
    with pytest.raises(MeasureError, match="damaged"):
        read_recording(path, fs=1)
    with pytest.raises(MeasureError, match="no such file"):
        read_recording(tmp_path / "nothing.csv", fs=1)
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MeasureError, match="UTF-8"):
        read_recording(tmp_path / "bytes.csv", fs=1)


def test_a_long_file_is_read_in_pieces_with_progress(tmp_path, monkeypatch):
    monkeypatch.setattr("dyadloop.signals.text._CHUNK_ROWS", 1000)
    path = _write(tmp_path / "long.csv", "a\n" + "\n".join(map(str, range(5000))) + "\n")
    seen = []
    found = read_recording(path, fs=10, progress=lambda done, total: seen.append(done / total))
    np.testing.assert_array_equal(found.channel(), np.arange(5000))
    assert len(seen) == 5


def test_a_channel_is_a_copy(tmp_path):
    """Samples that are blanked for one measure stay in the recording, for every pandas."""
    (tmp_path / "mea.csv").write_text("x\n" + "\n".join(str(i) for i in range(50)))
    found = read_recording(tmp_path / "mea.csv", fs=25.0)
    found.channel()[10:20] = np.nan
    np.testing.assert_array_equal(found.channel(), np.arange(50))


_REGIONS = {"left": (0, 0, 80, 120), "right": [(80, 0), (159, 0), (159, 119), (80, 119)]}


def test_motion_energy_of_a_film_and_its_faults(film):
    found, flags = motion_energy(film, _REGIONS)
    assert found.fs == pytest.approx(25)
    assert len(found.channels) == 99
    frames = {name: (np.flatnonzero(flags[name]) + 1).tolist() for name in flags}
    assert frames["cut"] == [CUT]
    assert frames["flicker"] == [FLASH, FLASH + 1]
    assert frames["duplicate"] == [TWICE]
    assert set(frames["shake"]) == set(range(60, 67)) - {60}
    assert np.isnan(found.channels[flags.any(axis=1)]).all().all()
    left, right = found.channel("left"), found.channel("right")
    lags = range(16)
    r = [np.ma.corrcoef(np.ma.masked_invalid(left[: 99 - k]), np.ma.masked_invalid(right[k:]))[0, 1] for k in lags]
    assert abs(int(np.argmax(r)) - 10) <= 1


def test_kinds_and_masks_of_motion_energy(film):
    mean, _ = motion_energy(film, _REGIONS, kind="mean", mask=False)
    assert mean.channels.notna().all().all()
    scored, _ = motion_energy(film, _REGIONS, kind="z", mask=False)
    ratio = [r.channels["left"][FLASH - 1] / r.channels["left"].median() for r in (mean, scored)]
    assert ratio[1] < ratio[0]  # a change of light is taken out by scoring each frame


@pytest.mark.parametrize(
    ("regions", "options", "message"),
    [
        ({"a": (0, 0, 500, 10)}, {}, "inside 160 x 120"),
        ({"a": [(0, 0), (1, 1)]}, {}, "three corners"),
        ({}, {}, "none given"),
        (_REGIONS, {"kind": "magic"}, "count, mean or z"),
    ],
)
def test_bad_regions(film, regions, options, message):
    with pytest.raises(MeasureError, match=message):
        motion_energy(film, regions, **options)


def test_a_corrupt_film(tmp_path, capfd):
    path = tmp_path / "film.mp4"
    path.write_bytes(b"\x00" * 5000)
    with pytest.raises(MeasureError, match="no frame can be read"):
        motion_energy(path, _REGIONS)
    with pytest.raises(MeasureError, match="no such file"):
        motion_energy(tmp_path / "nothing.mp4", _REGIONS)
    capfd.readouterr()  # OpenCV talks to the terminal


def test_no_heart_beats_inside_a_gap():
    """NeuroKit2 alone gives a 20-s gap a heart rate."""
    ecg = neurokit2.ecg_simulate(60, sampling_rate=250, heart_rate=70, random_state=1)
    ecg[5000:10000] = np.nan  # 20 to 40 s
    beats = heart_beats(ecg, 250)
    assert not ((beats > 20) & (beats < 40)).any()
    assert len(beats) == pytest.approx(40 / 60 * 70, abs=3)
    found = interbeat_intervals(beats).channel()
    times = np.arange(len(found)) / 4
    assert np.isnan(found[(times > 21) & (times < 39)]).all()
    assert np.nanmean(found) == pytest.approx(60000 / 70, rel=0.03)
    flat = np.where((np.arange(15000) > 5000) & (np.arange(15000) < 10000), 0.0, np.nan_to_num(ecg))
    again = heart_beats(flat, 250)  # a lead that fell off
    assert not ((again > 20.5) & (again < 39.5)).any()
    with pytest.raises(MeasureError, match="no stretch of 5 s"):
        heart_beats(np.where(np.arange(1000) % 500 == 0, np.nan, np.arange(1000.0)), 250)
    with pytest.raises(MeasureError, match="increasing"):
        interbeat_intervals([3, 2, 1])


def test_long_hearts_are_processed_in_pieces(monkeypatch):
    ecg = neurokit2.ecg_simulate(60, sampling_rate=250, heart_rate=70, random_state=2)
    whole = heart_beats(ecg, 250)
    monkeypatch.setattr("dyadloop.signals.body._BLOCK", 20.0)
    pieces = heart_beats(ecg, 250)
    assert len(pieces) == len(whole)
    np.testing.assert_allclose(pieces, whole, atol=0.01)


def test_phasic_skin_conductance_keeps_gaps():
    eda = 5 + neurokit2.eda_simulate(120, sampling_rate=25, scr_number=6, random_state=2)  # microsiemens of a palm
    eda[1000:1200] = np.nan
    found = phasic_skin_conductance(eda, 25)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(eda))
    assert abs(np.nanmean(found)) < np.nanstd(found)


def test_the_pitch_of_a_known_voice(tmp_path):
    t = np.arange(32000) / 16000
    sound = (0.5 * 32767 * np.sin(2 * np.pi * 150 * t) * (t < 1)).astype("<i2")
    path = tmp_path / "voice.wav"
    with wave.open(str(path), "wb") as stream:
        stream.setnchannels(1)
        stream.setsampwidth(2)
        stream.setframerate(16000)
        stream.writeframes(sound.tobytes())
    found = fundamental_frequency(path).channel()
    assert np.nanmedian(found) == pytest.approx(150, abs=0.1)
    assert np.isnan(found).mean() == pytest.approx(0.5, abs=0.1)
    path.write_bytes(b"no sound")
    with pytest.raises(MeasureError, match="Praat cannot read it"):
        fundamental_frequency(path)
