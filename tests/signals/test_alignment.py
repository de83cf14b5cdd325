"""Two devices on one clock in every door: the same leader whatever tells the starts, or the start is said unknown."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

import dyadloop as dl
from dyadloop.cli import app
from dyadloop.errors import MeasureError
from dyadloop.measures.raw import measure
from dyadloop.signals import read_recording
from dyadloop.signals.alignment import aligned
from dyadloop.signals.recording import Recording
from tests.measures.conftest import follower

FS, LATER = 10, 2.5
SETTINGS = {"window": 20, "step": 10, "lag": 4}


def _movement():
    """The first person leads by one second; the second device starts 2.5 s later."""
    first, second = follower(n=1500, delay=10, noise=0.2, seed=3)
    return first, second[round(LATER * FS) :]


def _times(folder, begin):
    for name, values, start in zip("ab", _movement(), (begin, begin + LATER), strict=True):
        rows = "".join(f"{start + k / FS:.1f}\t{v:.4f}\n" for k, v in enumerate(values))
        (folder / f"{name}.tsv").write_text(f"time\tv\n{rows}")
    return folder / "a.tsv", folder / "b.tsv"


def _milliseconds(folder, begin):
    for name, values, start in zip("ab", _movement(), (begin, begin + LATER), strict=True):
        rows = "".join(f"{1000 * (start + k / FS):.0f}\t{v:.4f}\n" for k, v in enumerate(values))
        (folder / f"{name}.tsv").write_text(f"time_ms\tv\n{rows}")
    return folder / "a.tsv", folder / "b.tsv"


def _sidecars(folder, begin):
    for name, values, start in zip("ab", _movement(), (begin, begin + LATER), strict=True):
        (folder / f"{name}.csv").write_text("v\n" + "".join(f"{v:.4f}\n" for v in values))
        (folder / f"{name}.json").write_text(json.dumps({"SamplingFrequency": FS, "StartTime": start}))
    return folder / "a.csv", folder / "b.csv"


def _bids(folder, begin):
    (folder / "physio.json").write_text(json.dumps({"SamplingFrequency": FS, "Columns": ["v"]}))
    paths = []
    for who, values, start in zip(("01", "02"), _movement(), (begin, begin + LATER), strict=True):
        path = folder / f"sub-{who}" / f"sub-{who}_task-talk_physio.tsv.gz"
        path.parent.mkdir()
        with gzip.open(path, "wt") as stream:
            stream.write("".join(f"{v:.4f}\n" for v in values))
        (path.parent / f"sub-{who}_task-talk_physio.json").write_text(json.dumps({"StartTime": start}))
        paths.append(path)
    return tuple(paths)


def _wristbands(folder, begin):
    for name, values, start in zip("ab", _movement(), (begin, begin + LATER), strict=True):
        rows = "".join(f"{v:.4f}\n" for v in values)
        (folder / f"{name}.csv").write_text(f"{1592985316 + start:.6f}\n{FS:.6f}\n{rows}")
    return folder / "a.csv", folder / "b.csv"


WAYS = [_times, _milliseconds, _sidecars, _bids, _wristbands]


@pytest.fixture(scope="module")
def truth():
    first, second = follower(n=1500, delay=10, noise=0.2, seed=3)
    skip = round(LATER * FS)
    return dl.synchrony(first[skip:], second[skip:], FS, **SETTINGS)


@pytest.mark.parametrize("begin", [0.0, 100.0, -3.0])
@pytest.mark.parametrize("write", WAYS)
def test_a_device_that_starts_later_does_not_turn_the_leader_round(tmp_path, write, begin, truth):
    one, two = (read_recording(path) for path in write(tmp_path, begin))
    both = aligned(one, one.channel("v") if "v" in one.channels else one.channel(), two, two.channel())
    found = dl.synchrony(both.first, both.second, both.fs, **SETTINGS)
    assert float(found["score"]) == pytest.approx(float(truth["score"]), abs=1e-3)  # four decimals in the files
    assert float(found["lead"]) == pytest.approx(float(truth["lead"]), abs=1e-3)
    assert float(found["lead"]) > 0.2
    assert any("starts 2.5 s after" in note for note in both.notes)
    back = aligned(two, two.channel(), one, one.channel())
    np.testing.assert_array_equal(back.second, both.first)


@pytest.mark.parametrize("write", [_times, _sidecars, _wristbands])
def test_the_same_score_on_the_command_line_and_in_a_study(tmp_path, write, truth):
    one, two = write(tmp_path, 50.0)
    settings = [part for name, value in SETTINGS.items() for part in ("--set", f"{name}={value}")]
    printed = CliRunner().invoke(app, ["synchrony", str(one), str(two), *settings])
    assert printed.exit_code == 0, printed.output
    score = float(printed.output.partition("score: ")[2].split()[0])
    assert score == pytest.approx(float(truth["score"]), abs=1e-3)
    assert "starts 2.5 s after" in printed.output
    info = {
        "schema_version": 1, "name": "pair", "title": "SIMULATED", "licence": "CC0-1.0", "simulated": True,
        "indicators": {"s": {"quantity": "synchrony", "person": "patient", "unit": "z", "use": False}},
        "measures": {"s": {"kind": "synchrony", "files": one.name, "second_files": two.name, "settings": SETTINGS}},
    }  # fmt: skip
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(info))
    (tmp_path / "participants.tsv").write_text("participant_id\tdyad\trole\nP\tD\tpatient\nT\tD\ttherapist\n")
    (tmp_path / "sessions.tsv").write_text("dyad\tsession\tstart\tlength_min\nD\t1\t0\t5\n")
    found = measure(tmp_path)
    assert float(found.rows["value"][0]) == pytest.approx(float(truth["score"]), abs=1e-3)
    assert any("starts 2.5 s after" in note for note in found.record["s"]["notes"]["D session 1"])


def _recording(n=100, fs=10.0, start=np.nan, zero="file", source="x"):
    values = np.random.default_rng(n).normal(size=n)
    return Recording(pd.DataFrame({"v": values}), fs, start, source, zero)


@pytest.mark.parametrize(
    ("one", "two", "message"),
    [
        ({"start": 5.0}, {}, "y, column 'start': got no start; expected one, as x starts at 5 s; give it StartTime"),
        ({}, {"start": 5.0}, "x, column 'start': got no start"),
        (
            {"start": 5.0},
            {"start": 1.6e9, "zero": "unix"},
            "got a start in Unix time, where x has one in seconds of its own",
        ),
        ({"start": 5.0}, {"start": 500.0}, "they do not overlap; expected recordings of one session"),
    ],
)
def test_starts_that_cannot_be_compared_are_refused(one, two, message):
    first, second = _recording(**one), _recording(**two, source="y")
    with pytest.raises(MeasureError, match=message):
        aligned(first, first.channel(), second, second.channel())


@pytest.mark.parametrize(
    ("one", "two", "message"),
    [
        ({}, {}, "no start is told by x or y: they are taken to begin together"),
        ({"start": 0.0}, {}, "y tells no start: it is taken to begin with x"),
        ({"start": 0.0}, {"start": 0.0}, "start at 0 s of their clocks: taken to begin together"),
    ],
)
def test_starts_that_are_assumed_are_said(one, two, message):
    first, second = _recording(**one), _recording(n=90, **two, source="y")
    both = aligned(first, first.channel(), second, second.channel())
    assert (len(both.first), len(both.second)) == (100, 90)  # a difference in length is for the user to judge
    assert any(message in note for note in both.notes)


def test_rates_within_rounding_are_one_and_others_go_to_the_slower():
    first, second = _recording(fs=30.0), _recording(fs=29.9999, source="y")
    assert aligned(first, first.channel(), second, second.channel()).fs == 30
    slower = _recording(fs=25.0, source="y")
    both = aligned(first, first.channel(), slower, slower.channel())
    assert both.fs == 25
    assert any("30 Hz" in note and "25" in note for note in both.notes)
    assert len(both.first) == len(both.second)


def test_unix_time_keeps_gaps_and_samples():
    """Near 1.6e9 a comparison relative to the time itself would bridge every gap."""
    first, second = _recording(start=1.6e9, zero="unix"), _recording(start=1.6e9 + 1.05, zero="unix", source="y")
    values = first.channel()
    values[40:60] = np.nan
    both = aligned(first, values, second, second.channel())
    assert np.isnan(both.first).sum() == 21  # half a sample between the clocks: one more moment has a missing neighbour
    np.testing.assert_array_equal(both.second, second.channel()[: len(both.second)])


def test_films_of_one_camera_can_be_re_paired(tmp_path):
    """Rates told by times in milliseconds differ in the last digits from film to film."""
    people, sessions = ["participant_id\tdyad\trole"], ["dyad\tsession\tstart\tlength_min"]
    for d in range(5):
        people += [f"P{d}\tD{d}\tpatient", f"T{d}\tD{d}\ttherapist"]
        sessions.append(f"D{d}\t1\t{d}\t1")
        for k, (who, values) in enumerate(zip("pt", follower(n=900, delay=5, seed=d), strict=True)):
            rows = "".join(
                f"{i}, 0, {i / 29.9703:.3f}, 0.98, 1, {v:.3f}\n" for i, v in enumerate(values[: 900 - 7 * k - d])
            )
            (tmp_path / f"D{d}_{who}.csv").write_text(f"frame, face_id, timestamp, confidence, success, AU12_r\n{rows}")
    info = {
        "schema_version": 1, "name": "faces", "title": "SIMULATED", "licence": "CC0-1.0", "simulated": True,
        "indicators": {"s": {"quantity": "synchrony", "person": "patient", "unit": "z", "use": False}},
        "measures": {"s": {
            "kind": "synchrony", "files": "{dyad}_p.csv", "second_files": "{dyad}_t.csv", "first": "AU12_r", "second": "AU12_r",
            "surrogate": "between", "value": "effect", "settings": {"window": 5, "step": 2, "lag": 1},
        }},
    }  # fmt: skip
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(info))
    (tmp_path / "participants.tsv").write_text("\n".join(people) + "\n")
    (tmp_path / "sessions.tsv").write_text("\n".join(sessions) + "\n")
    found = measure(tmp_path)
    assert (found.status["status"] == "ok").all()
    assert "group_p_value" in found.record["s"]
