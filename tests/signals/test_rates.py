"""Rates are rationals within their rounding; times have a unit that is told or doubted, never guessed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dyadloop.errors import Fault, MeasureError
from dyadloop.signals import read_recording
from dyadloop.signals.clocks import clock_of, written_times
from dyadloop.signals.rates import rate_of, rounding_of, same_rate, told_rate

NOMINAL = [
    1,
    4,
    10,
    12.5,
    24000 / 1001,
    25,
    30000 / 1001,
    30,
    50,
    60000 / 1001,
    60,
    64,
    100,
    128,
    256,
    1000,
    0.5,
    1 / 3,
]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(NOMINAL), st.integers(400, 5000), st.sampled_from([1e-3, 1e-4, 1e-6]), st.floats(0, 2e9))
def test_rounded_times_tell_the_nominal_rate(fs, n, rounding, start):
    """Any film or device, its times rounded to 1 ms or finer: the rate to 1e-12, or within what rounding leaves open."""
    if rounding >= 0.5 / fs:
        return
    times = np.round((start % 1000 + np.arange(n) / fs) / rounding) * rounding
    found = rate_of(times, rounding)
    assert found.low <= fs <= found.high
    assert same_rate(found.value, fs, n)


@pytest.mark.parametrize(("fs", "n"), [(30, 520), (30, 513), (30000 / 1001, 3000), (60, 1000), (12.5, 400), (4, 60)])
def test_milliseconds_tell_these_rates_exactly(fs, n):
    times = np.round(np.arange(n) / fs, 3)
    assert rate_of(times, rounding_of(times)).value == pytest.approx(fs, rel=1e-12)


def test_told_rates_hold_what_their_digits_leave_open():
    assert told_rate(29.97).value == pytest.approx(30000 / 1001, rel=1e-12)
    assert told_rate(33.3).holds(100 / 3)
    assert not told_rate(30).holds(29.97)
    assert not told_rate(25).holds(24)
    assert same_rate(30000 / 1001, 29.97, 100_000)  # a tenth of a sample in an hour
    assert not same_rate(30, 29.97, 18_000)


@pytest.mark.parametrize(
    ("heading", "scale", "fs", "rate", "start"),
    [
        ("time", 1, None, 25, 3.0), ("time", 1000, 25, 25, 3.0), ("time_ms", 1000, None, 25, 3.0),
        ("Time [ms]", 1000, None, 25, 3.0), ("timestamp_us", 1e6, None, 25, 3.0), ("time (s)", 1, None, 25, 3.0),
    ],
)  # fmt: skip
def test_units_of_time(tmp_path, heading, scale, fs, rate, start):
    rows = "\n".join(f"{round((start + k / rate) * scale, 6):.10g},{k % 7}" for k in range(200))
    (tmp_path / "a.csv").write_text(f"{heading},v\n{rows}\n")
    found = read_recording(tmp_path / "a.csv", fs)
    assert (found.fs, found.zero) == (rate, "file")
    assert found.start == pytest.approx(start)
    assert list(found.channels) == ["v"]


@pytest.mark.parametrize("unit", [1, 1e3, 1e6, 1e9])
def test_unix_time_in_any_unit(tmp_path, unit):
    rows = "\n".join(f"{round((1687343523 + k / 4) * unit)},{k % 7}" for k in range(0, 400, 4 if unit == 1 else 1))
    (tmp_path / "eda.csv").write_text(f"unix_timestamp,eda\n{rows}\n")
    found = read_recording(tmp_path / "eda.csv")
    assert (found.fs, found.zero, found.start) == (1 if unit == 1 else 4, "unix", 1687343523)


@pytest.mark.parametrize("step", [40, 10, 1, 4, 100, 1000])
def test_milliseconds_without_a_unit_are_never_read_as_seconds(tmp_path, step):
    (tmp_path / "a.csv").write_text("time,v\n" + "\n".join(f"{k * step},{k % 7}" for k in range(300)) + "\n")
    with pytest.raises(MeasureError, match=r"a\.csv row 2, column 'time': got steps of .* Hz if ms.*; expected a unit"):
        read_recording(tmp_path / "a.csv")
    assert read_recording(tmp_path / "a.csv", 1000 / step).fs == 1000 / step
    with pytest.raises(MeasureError, match="expected steps that fit 7 Hz"):
        read_recording(tmp_path / "a.csv", 7)


def test_dates_hours_and_days(tmp_path):
    for heading, texts, start, zero in (
        ("time", [f"10:03:{k / 10:04.1f}" for k in range(300)], 36180.0, "file"),
        ("timestamp", [f"2024-03-01T10:00:{k / 10:06.3f}Z" for k in range(300)], 1709287200.0, "unix"),
    ):
        rows = "\n".join(f"{text},{k % 7}" for k, text in enumerate(texts))
        (tmp_path / "a.csv").write_text(f"{heading},v\n{rows}\n")
        found = read_recording(tmp_path / "a.csv")
        assert (found.fs, found.start, found.zero) == (10, start, zero)
    days = 45000 + np.arange(500) / 25 / 86400
    found = clock_of(days, "a.csv", "time", 2, None)
    assert isinstance(found, Fault)
    assert "without a unit" in found.got
    assert written_times(["yesterday"]) is None


def test_a_rate_that_changes_or_a_lost_frame_is_named():
    changing = np.concatenate([np.arange(200) / 30, 200 / 30 + np.arange(200) / 25])
    found = clock_of(changing, "a.csv", "time", 2, None)
    assert isinstance(found, Fault)
    assert "the rate changes" in found.got
    lost = np.delete(np.arange(400) / 25, 100)
    found = clock_of(lost, "a.csv", "time", 2, None)
    assert isinstance(found, Fault)
    assert found.row == 102
    jitter = np.arange(400) / 25 + np.random.default_rng(0).uniform(-0.008, 0.008, 400)  # a fifth of a frame
    found = clock_of(jitter, "a.csv", "time", 2, None)
    assert not isinstance(found, Fault)
    assert same_rate(found.rate.value, 25, 400)
