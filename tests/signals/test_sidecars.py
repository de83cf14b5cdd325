"""Sidecars: inherited as BIDS has it, and a fault by name where they disagree with their file."""

import gzip
import json

import numpy as np
import pytest

from dyadloop.errors import MeasureError
from dyadloop.signals import read_recording

NAME = "sub-01_ses-1_task-talk_recording-eda_physio"


def _dataset(root, rows="1\t2\n3\t4\n5\t6\n", name=NAME):
    folder = root / "sub-01" / "ses-1" / "beh"
    folder.mkdir(parents=True)
    (root / "dataset_description.json").write_text("{}")
    with gzip.open(folder / f"{name}.tsv.gz", "wt") as stream:
        stream.write(rows)
    return folder, folder / f"{name}.tsv.gz"


def _tell(path, **keys):
    path.write_text(json.dumps(keys))


def test_sidecars_are_inherited_key_by_key(tmp_path):
    folder, file = _dataset(tmp_path)
    _tell(tmp_path / "physio.json", SamplingFrequency=1, StartTime=0)
    _tell(tmp_path / "task-talk_physio.json", SamplingFrequency=2, Columns=["a", "b"])
    _tell(tmp_path / "task-rest_physio.json", SamplingFrequency=999)
    _tell(tmp_path / "task-talk_events.json", SamplingFrequency=999)
    _tell(tmp_path / "sub-01" / "sub-01_task-talk_recording-eda_physio.json", StartTime=-1.5)
    found = read_recording(file)
    assert (found.fs, found.start, list(found.channels)) == (2, -1.5, ["a", "b"])
    _tell(folder / f"{NAME}.json", SamplingFrequency=50)  # the nearest wins
    assert (read_recording(file).fs, read_recording(file).start) == (50, -1.5)


def test_sidecars_above_the_root_do_not_count(tmp_path):
    _, file = _dataset(tmp_path / "data")
    _tell(tmp_path / "physio.json", SamplingFrequency=999)
    with pytest.raises(MeasureError, match="the sampling rate is unknown"):
        read_recording(file)
    (tmp_path / "data" / "dataset_description.json").unlink()  # then the folder above sub-01 is the root
    _tell(tmp_path / "data" / "task-talk_physio.json", SamplingFrequency=5)
    assert read_recording(file).fs == 5


@pytest.mark.parametrize(
    ("keys", "rows", "message"),
    [
        ({"StartTime": "n/a"}, None, r"physio\.json, key 'StartTime': got 'n/a'; expected a number of seconds; .*remove the key"),
        ({"StartTime": float("nan")}, None, "key 'StartTime': got nan"),
        ({"StartTime": True}, None, "key 'StartTime': got True"),
        ({"SamplingFrequency": "50 Hz"}, None, "key 'SamplingFrequency': got '50 Hz'; expected samples per second"),
        ({"SamplingFrequency": -50}, None, "key 'SamplingFrequency': got -50"),
        ({"Columns": ["a", "b", "c"]}, None, "row 1: got 2 columns; expected 3, as .*physio.json names them"),
        ({"Columns": ["a", "a"]}, None, "key 'Columns': got a name twice"),
        ({"Columns": "a, b"}, None, "key 'Columns': got 'a, b'; expected a list of names"),
        ({}, "a\tb\n1\t2\n3\t4\n", "row 1: got a row of names; expected samples from the first row on"),
        ({"Columns": ["time", "b"]}, "".join(f"{k / 10}\t{k}\n" for k in range(50)), "the file says 10 Hz, its sidecar is 50"),
        ({"Columns": ["time", "b"], "SamplingFrequency": 10, "StartTime": 9},
         "".join(f"{5 + k / 10}\t{k}\n" for k in range(50)), "got a first time of 5 s; expected 9 s, as StartTime in"),
        ({"GapValues": "0"}, None, "key 'GapValues': got '0'"),
    ],
)  # fmt: skip
def test_a_sidecar_that_disagrees_is_a_fault(tmp_path, keys, rows, message):
    folder, file = _dataset(tmp_path, **({"rows": rows} if rows else {}))
    _tell(folder / f"{NAME}.json", **({"SamplingFrequency": 50, "Columns": ["a", "b"]} | keys))
    with pytest.raises(MeasureError, match=message):
        read_recording(file)


def test_all_faults_of_a_sidecar_at_once(tmp_path):
    folder, file = _dataset(tmp_path)
    _tell(folder / f"{NAME}.json", SamplingFrequency="x", StartTime="n/a", Columns=["a"])
    with pytest.raises(MeasureError) as caught:
        read_recording(file)
    assert len(str(caught.value).splitlines()) == 3


def test_unknown_starts_are_unknown_and_declared_gaps_are_gaps(tmp_path):
    folder, file = _dataset(tmp_path, rows="1\t0\n0\t3\nNA\t4\n2\t-9\n")
    _tell(folder / f"{NAME}.json", SamplingFrequency=50, Columns=["a", "b"], GapValues=[-9])
    found = read_recording(file)
    assert np.isnan(found.start)
    assert np.isnan(found.channel("a")).tolist() == [False, False, True, False]
    assert np.isnan(found.channel("b")).tolist() == [False, False, False, True]
    found = read_recording(file, gap_values=[0])
    assert np.isnan(found.channel("a")).tolist() == [False, True, True, False]
    assert np.isnan(found.channel("b")).tolist() == [True, False, False, True]


def test_motion_inherits_its_channels(tmp_path):
    folder, file = _dataset(tmp_path, name="sub-01_ses-1_task-talk_tracksys-imu_motion")
    _tell(tmp_path / "task-talk_motion.json", SamplingFrequency=60)
    (folder / "sub-01_ses-1_task-talk_tracksys-imu_channels.tsv").write_text("name\ttype\nhead\tPOS\nhand\tPOS\n")
    assert list(read_recording(file).channels) == ["head", "hand"]
    (folder / "sub-01_ses-1_task-talk_tracksys-imu_channels.tsv").write_text("name\ttype\nhead\tPOS\n")
    with pytest.raises(MeasureError, match=r"got 2 columns; expected 1, as .*channels\.tsv names them"):
        read_recording(file)
