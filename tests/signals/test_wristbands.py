"""Exports of wristbands: two rows above the samples are no samples; intervals and tags are what they are."""

import json

import numpy as np
import pytest

import dyadloop as dl
from dyadloop.errors import MeasureError
from dyadloop.signals import read_recording, read_tags
from dyadloop.signals.alignment import aligned
from dyadloop.signals.body import skin_responses
from tests.signals.spoiled import conductance

START = 1592985316.0


def _e4(path, values, start=START, fs=4.0):
    rows = np.atleast_2d(np.asarray(values).T).T
    lines = [", ".join([f"{number:.6f}"] * rows.shape[1]) for number in (start, fs)]
    path.write_text("\n".join([*lines, *(",".join(f"{v:.6f}" for v in row) for row in rows)]) + "\n")
    return path


@pytest.mark.parametrize(
    ("name", "fs"), [("EDA.csv", 4), ("TEMP.csv", 4), ("BVP.csv", 64), ("HR.csv", 1), ("D01_p.csv", 4)]
)
def test_two_rows_are_start_and_rate(tmp_path, name, fs):
    found = read_recording(_e4(tmp_path / name, [1.5, 2.5, 3.25], fs=fs))
    assert (found.fs, found.start, found.zero) == (fs, START, "unix")
    assert found.channel().tolist() == [1.5, 2.5, 3.25]
    with pytest.raises(MeasureError, match=f"the file says {fs} Hz, fs is 7"):
        read_recording(tmp_path / name, fs=7)


def test_acceleration_has_three_axes_and_gyroscope_rows_of_another_width_are_named(tmp_path):
    found = read_recording(_e4(tmp_path / "ACC.csv", [[-1, 2, 60], [-2, 3, 61]], fs=32))
    assert found.channels.to_numpy().tolist() == [[-1, 2, 60], [-2, 3, 61]]
    assert list(found.channels) == ["x", "y", "z"]
    with (tmp_path / "ACC.csv").open("a") as stream:
        stream.write("1,2\n")
    with pytest.raises(MeasureError, match=r"ACC\.csv row 5: got '1,2'; expected 3 numbers"):
        read_recording(tmp_path / "ACC.csv")


def test_intervals_of_ibi_csv_leave_gaps_where_none_was_told(tmp_path):
    ends = np.concatenate([10 + 0.8 * np.arange(30), 60 + 0.8 * np.arange(30)])
    rows = "\n".join(f"{end:.6f},{0.8 + 0.01 * (k % 3):.6f}" for k, end in enumerate(ends))
    (tmp_path / "IBI.csv").write_text(f"{START:.6f}, IBI\n{rows}\n")
    found = read_recording(tmp_path / "IBI.csv")
    assert (found.fs, found.start, found.zero) == (4, START + 9.2, "unix")
    times = found.start - START + np.arange(len(found.channels)) / 4
    values = found.channel()
    assert np.isnan(values[(times > 34) & (times < 59)]).all()
    np.testing.assert_allclose(values[np.isfinite(values)], 810, atol=11)


def test_tags_are_moments_and_no_samples(tmp_path):
    (tmp_path / "tags.csv").write_text(f"{START + 5:.2f}\n{START + 65:.2f}\n")
    assert read_tags(tmp_path / "tags.csv").tolist() == [START + 5, START + 65]
    with pytest.raises(MeasureError, match="no samples; expected samples; read it with"):
        read_recording(tmp_path / "tags.csv")
    (tmp_path / "x.csv").write_text("1\n2\n")
    with pytest.raises(MeasureError, match="no Unix times"):
        read_tags(tmp_path / "x.csv")


def test_embraceplus_raw_pulses_and_minutes(tmp_path):
    start = 1687343523_000000
    (tmp_path / "bvp.csv").write_text(
        "unix_timestamp,bvp\n" + "".join(f"{start + round(k * 1e6 / 64)},{k}\n" for k in range(640))
    )
    found = read_recording(tmp_path / "bvp.csv")
    assert (found.fs, found.start) == (64, 1687343523)
    pulses = "".join(f"{start * 1000 + round(k * 0.85e9)}\n" for k in range(40))
    (tmp_path / "systolic_peaks.csv").write_text(f"systolic_peak_timestamp\n{pulses}")
    np.testing.assert_allclose(read_recording(tmp_path / "systolic_peaks.csv").channel()[1:-1], 850, atol=1e-3)
    rows = [
        f"{start // 1000 + 60000 * k},2023-06-21T10:32:03Z,{'' if k == 3 else 70 + k},{'device_not_recording' if k == 3 else ''}"
        for k in range(9)
    ]
    (tmp_path / "rate.csv").write_text(
        "timestamp_unix,timestamp_iso,pulse_rate_bpm,missing_value_reason\n" + "\n".join(rows) + "\n"
    )
    found = read_recording(tmp_path / "rate.csv")
    assert found.fs == pytest.approx(1 / 60, rel=1e-12)
    assert np.flatnonzero(np.isnan(found.channel("pulse_rate_bpm"))).tolist() == [3]
    with pytest.raises(MeasureError, match="row 5, column 'missing_value_reason': got 'device_not_recording'"):
        found.channel("missing_value_reason")


def test_a_sidecar_cannot_change_what_the_wristband_wrote(tmp_path):
    _e4(tmp_path / "EDA.csv", [1, 2, 3])
    (tmp_path / "EDA.json").write_text(json.dumps({"SamplingFrequency": 64}))
    with pytest.raises(MeasureError, match="the file says 4 Hz, its sidecar is 64"):
        read_recording(tmp_path / "EDA.csv")


def _skins(folder, k, phasic):
    pair = [
        read_recording(_e4(folder / f"{who}{k}_EDA.csv", conductance(2 * k + place, 400), START + 7 * place))
        for place, who in enumerate("PT")
    ]
    ready = [skin_responses(r, r.channel()) if phasic else r for r in pair]
    both = aligned(ready[0], ready[0].channel(), ready[1], ready[1].channel())
    assert len(both.first) == 400 * 4 - 28
    return both


@pytest.mark.parametrize(("phasic", "transform"), [(False, "difference"), (True, "none")])
def test_independent_skins_are_rarely_in_step(tmp_path, phasic, transform):
    """Of eight independent pairs, more than two are significant at .05 in one of 170 runs where the test holds."""
    significant = 0
    for k in range(8):
        both = _skins(tmp_path, k, phasic)
        tested = dl.synchrony_test(
            both.first, both.second, both.fs, transform=transform, draws=19, window=20, step=20, lag=3
        )
        significant += float(tested["p_value"]) <= 0.05
    assert significant <= 2


def test_the_drifting_level_of_two_skins_is_too_slow_for_a_test(tmp_path):
    both = _skins(tmp_path, 0, phasic=False)
    with pytest.raises(MeasureError, match="too short for its own slowness"):
        dl.synchrony_test(both.first, both.second, both.fs, draws=19, window=20, step=20, lag=3)
