"""Files of beat times: read as interbeat intervals, on one clock, or refused with the row."""

import numpy as np
import pytest

from dyadloop.data.sources import SynchronySource
from dyadloop.errors import MeasureError
from dyadloop.signals.beats import read_beats
from dyadloop.signals.channels import two_channels


def _beats(seed, start=0.0, n=300):
    rng = np.random.default_rng(seed)
    return start + np.cumsum(0.8 + 0.05 * np.sin(np.arange(n) / 9) + 0.01 * rng.normal(size=n))


def _write(path, times, head="beat"):
    path.write_text("\n".join([head, *(f"{t:.4f}" for t in times)]) + "\n")
    return path


def _source(**more):
    return SynchronySource(kind="synchrony", files="{dyad}", signal="beats", **more)


def test_a_file_of_beats_gives_the_intervals_between_them(tmp_path):
    times = _beats(1, 12.0)
    found = read_beats(_write(tmp_path / "p.tsv", times))
    assert (found.fs, found.start) == (4.0, pytest.approx(times[0], abs=1e-4))
    clock = found.start + np.arange(len(found.channels)) / 4
    place = np.clip(np.searchsorted(times, clock, side="right") - 1, 0, len(times) - 2)
    values = found.channel()
    assert np.nanmax(np.abs(values - np.diff(times)[place] * 1000)) < 60  # between beats, the interval goes on evenly
    np.testing.assert_allclose(np.nanmean(values), np.diff(times).mean() * 1000, rtol=0.01)


def test_two_persons_are_aligned_by_their_first_beats(tmp_path):
    one, two = _write(tmp_path / "p.tsv", _beats(1, 5.0)), _write(tmp_path / "t.tsv", _beats(1, 5.0)[10:])
    pair = two_channels(_source(), one, two)
    times = _beats(1, 5.0)[10:]
    grid = np.round(times[0], 4) + np.arange(len(pair.second)) / 4
    truth = np.interp(grid, times[1:], np.diff(times) * 1000)
    np.testing.assert_allclose(pair.second, truth, atol=0.2)  # times are written with four digits
    off = [np.nanmedian(np.abs(pair.first - np.interp(grid + s, times[1:], np.diff(times) * 1000))) for s in (0, 1, -1)]
    assert off[0] < 1 < min(off[1:]) / 4  # brought to the other's clock between samples
    with pytest.raises(MeasureError, match="one file per person; declare second_files"):
        two_channels(_source(), one)


def test_a_missed_beat_is_a_gap_and_is_told(tmp_path):
    times = np.delete(_beats(2), 100)
    pair = two_channels(_source(), _write(tmp_path / "p.tsv", times), _write(tmp_path / "t.tsv", _beats(3)))
    assert np.isnan(pair.first).any()
    assert any("missed or premature beat" in note for note in pair.notes)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (np.diff(_beats(1)), r"row \d+, column 'beat': got .* after .*; expected times that increase; .*not intervals"),
        (_beats(1) * 1000, "not milliseconds"),
        ([1.0, 2.0, 1.5, 3.0, 4.0], "row 4, column 'beat': got 1.5 after 2"),
        ([1.0, 2.0], "at least 3"),
    ],
)
def test_what_is_no_beat_time_is_refused(tmp_path, times, message):
    with pytest.raises(MeasureError, match=message):
        read_beats(_write(tmp_path / "p.tsv", times))


def test_a_column_must_be_there(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("beat,quality\n" + "".join(f"{t:.4f},ok\n" for t in _beats(1)))
    assert len(read_beats(path, "beat").channels) > 900
    with pytest.raises(MeasureError, match="expected one of beat, quality"):
        read_beats(path, "beats")
    with pytest.raises(MeasureError, match="row 2, column 'quality'"):
        read_beats(path, "quality")
