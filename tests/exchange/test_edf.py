"""EDF and BDF: our reader beside edfio, which wrote the files."""

import datetime as dt
import json

import edfio
import numpy as np
import pytest

from dyadloop.errors import DataError
from dyadloop.exchange.recordings import read_edf, unpack_edf
from dyadloop.signals import read_recording
from tests.cli.program import dyadloop

RNG = np.random.default_rng(3)
ECG, BREATH = RNG.normal(size=10 * 256).cumsum(), RNG.normal(size=10 * 32)


def _edf(path, start=dt.time(14, 0, 0)):
    signals = [
        edfio.EdfSignal(ECG, 256, label="ECG", physical_dimension="uV"),
        edfio.EdfSignal(BREATH, 32, label="Breath", physical_dimension="1"),
    ]
    annotations = [edfio.EdfAnnotation(3.0, None, "begin")]
    edfio.Edf(
        signals, annotations=annotations, starttime=start, recording=edfio.Recording(startdate=dt.date(2024, 3, 1))
    ).write(path)
    return path


def test_the_samples_are_those_that_were_written(tmp_path):
    fast, slow = read_edf(_edf(tmp_path / "a.edf"))
    again = edfio.read_edf(tmp_path / "a.edf")
    assert (fast.fs, slow.fs) == (256, 32)
    close = {
        "rtol": 0,
        "atol": 1e-12 * np.ptp(ECG),
    }  # the two scale in another order, so values near 0 round differently
    np.testing.assert_allclose(fast.samples["ECG"], again.signals[0].data, **close)
    np.testing.assert_allclose(slow.samples["Breath"], again.signals[1].data, **close)
    assert np.abs(fast.samples["ECG"] - ECG).max() <= np.ptp(ECG) / 65535
    assert fast.units == {"ECG": "uV"}
    assert fast.breaks == ()


def test_the_start_keeps_its_fraction(tmp_path):
    fast, _ = read_edf(_edf(tmp_path / "a.edf", dt.time(14, 0, 0, 250_000)))
    assert fast.start == dt.datetime(2024, 3, 1, 14, 0, 0, 250_000)


def test_a_break_is_a_gap(tmp_path):
    """Records of EDF+D that begin later than the one before has ended."""
    path = _edf(tmp_path / "a.edf")
    raw = bytearray(path.read_bytes())
    raw[192:197] = b"EDF+D"
    edf = edfio.read_edf(path)
    seconds, n_records = edf.data_record_duration, edf.num_data_records
    for record in range(n_records // 2, n_records):
        old = f"+{record * seconds:g}".encode() + b"\x14\x14"
        new = f"+{record * seconds + 20:g}".encode() + b"\x14\x14"
        at = raw.rindex(old + b"\x00") if raw.count(old + b"\x00") else raw.rindex(old)
        raw[at : at + len(new)] = new
    path.write_bytes(raw)
    fast, _ = read_edf(path)
    half = n_records // 2 * seconds
    assert fast.breaks == ((half, 20.0),)
    assert len(fast.samples) == 30 * 256
    gap = fast.samples["ECG"].isna()
    assert gap.sum() == 20 * 256
    assert gap.iloc[int(half * 256)]
    assert not gap.iloc[-1]


def test_it_is_unpacked_into_tables_that_measures_read(tmp_path):
    files = unpack_edf(_edf(tmp_path / "session 1.edf"), tmp_path / "out")
    assert [file.name for file in files] == ["session_1_256Hz.tsv", "session_1_32Hz.tsv"]
    found = read_recording(files[0])
    assert found.fs == 256
    assert np.abs(found.channel("ECG") - ECG).max() <= np.ptp(ECG) / 65535 + 1e-6
    told = json.loads((tmp_path / "out" / "session_1_256Hz.json").read_text())
    assert told["RecordingStart"] == "2024-03-01T14:00:00"
    assert dyadloop("unpack", tmp_path / "session 1.edf", tmp_path / "out").returncode == 3


def test_odd_files_are_read_or_refused_in_words(tmp_path):
    raw, path = _edf(tmp_path / "a.edf").read_bytes(), tmp_path / "odd.edf"
    for k in range(60):
        rng = np.random.default_rng(k)
        changed = bytearray(raw)
        for place in rng.integers(800 if k % 2 else len(raw), size=5):
            changed[place] = int(rng.integers(256))
        path.write_bytes(bytes(changed[: int(rng.integers(len(raw)))]) if k % 3 == 0 else bytes(changed))
        try:
            assert read_edf(path)
        except DataError:
            continue
    path.write_bytes(b"no recording at all" * 30)
    with pytest.raises(DataError, match="header of EDF"):
        read_edf(path)


@pytest.mark.parametrize(("label", "name"), [("7", "signal 7"), ("EEG Fpz-Cz", "EEG Fpz-Cz")])
def test_a_signal_alone_is_read_whatever_its_name(tmp_path, label, name):
    """A number in place of a heading would pass for a sample, a name of two words for two columns."""
    signal = edfio.EdfSignal(BREATH, 32, label=label)
    edfio.Edf([signal], starttime=dt.time(14, 0)).write(tmp_path / "a.edf")
    (table,) = unpack_edf(tmp_path / "a.edf", tmp_path / "out")
    found = read_recording(table)
    assert list(found.channels) == [name]
    assert len(found.channels) == len(BREATH)


@pytest.mark.parametrize("far", ["+9e9", "+999999999999"])
def test_a_break_that_no_table_can_hold_is_refused(tmp_path, far):
    """A damaged time of a record must not fill memory or disk with a gap."""
    path = _edf(tmp_path / "a.edf")
    raw = bytearray(path.read_bytes())
    raw[192:197] = b"EDF+D"
    at = raw.rindex(b"+9\x14\x14")
    raw[at : at + len(far) + 2] = far.encode() + b"\x14\x14"
    path.write_bytes(raw)
    with pytest.raises(DataError, match=r"no time|gaps of at most"):
        read_edf(path)


def test_breaks_without_times_and_records_beyond_the_header_are_refused(tmp_path):
    """EDF+D says that its records may lie apart, and its annotations when; a header that tells too few would lose some."""
    path = tmp_path / "a.edf"
    edfio.Edf([edfio.EdfSignal(ECG, 256, label="ECG", physical_dimension="uV")]).write(path)
    raw = bytearray(path.read_bytes())
    raw[192:197] = b"EDF+D"
    path.write_bytes(bytes(raw))
    with pytest.raises(DataError, match="EDF\\+D without annotations"):
        read_edf(path)
    raw[192:197], raw[236:244] = b"EDF+C", b"7       "
    path.write_bytes(bytes(raw))
    with pytest.raises(DataError, match="10 records where the header tells 7"):
        read_edf(path)
