"""What was not recorded is a gap: rules against signals whose faults are known, and doubts in words."""

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import dyadloop as dl
from dyadloop.cli import app
from dyadloop.errors import MeasureError
from dyadloop.signals import heart_beats, interbeat_intervals, phasic_skin_conductance
from dyadloop.signals.body import heart_intervals
from dyadloop.signals.doubts import doubts, same_doubt
from dyadloop.signals.pauses import common_pauses
from dyadloop.signals.recording import Recording, Stretch, described, share_of
from tests.measures.conftest import autoregressive
from tests.signals import gap_rates, spoiled


@pytest.mark.parametrize(
    ("rule", "kind", "least"),
    [
        (gap_rates.of_beats, "clean", None), (gap_rates.of_beats, "missed", 0.99),
        (gap_rates.of_beats, "two missed in a row", 0.99), (gap_rates.of_beats, "invented", 0.9),
        (gap_rates.of_beats, "premature 30", 0.9), (gap_rates.of_eda, "clean", None), (gap_rates.of_eda, "band off", 0.99),
        (gap_rates.of_eda, "flat at the floor", 0.99), (gap_rates.of_eda, "frozen value", 0.95),
        (gap_rates.of_eda, "pressed and let go", 0.95), (gap_rates.of_eda, "clipped", 0.7),
        (gap_rates.of_pauses, "clean", None), (gap_rates.of_pauses, "60 s", 0.99),
    ],
)  # fmt: skip
def test_rules_find_what_was_spoiled_and_leave_the_rest(rule, kind, least):
    """The table of docs/measures.md with few draws; `make calibrate` prints it whole."""
    runs = [spoiled.rates(*rule(kind, seed)) for seed in range(100, 106)]
    hits, false = (np.array(side) for side in zip(*runs, strict=True))
    assert false.mean() < 0.03
    if least is not None:
        assert hits.mean() >= least


@pytest.mark.parametrize("heart", [{"breathing": 0.1, "white": 0.02}, {"mean": 0.6}, {"mean": 1.1, "breathing": 0.12}])
def test_sound_hearts_of_any_kind_keep_their_beats(heart):
    shares = [gap_rates.of_beats("clean", seed, **heart)[0].mean() for seed in range(10)]
    assert np.mean(shares) < 0.01


def test_two_missed_beats_do_not_widen_the_spread():
    times = spoiled.heartbeats(1, n=120, breathing=0.02, slow=0.01)
    whole = interbeat_intervals(times)
    missed = interbeat_intervals(np.delete(times, [40, 80]))
    assert np.nanstd(missed.channel()) == pytest.approx(np.nanstd(whole.channel()), rel=0.1)
    assert [round(s.start, 3) for s in missed.left_out] == [round(times[39], 3), round(times[79], 3)]
    assert missed.left_out[0].why == "a missed or premature beat"
    clock = np.arange(len(missed.channels)) / 4
    assert np.isnan(missed.channel()[(clock > times[39] + 0.01) & (clock < times[41] - 0.01)]).all()
    with pytest.raises(MeasureError, match="intervals are those of a heart"):
        interbeat_intervals(np.arange(0, 60, 3.0))


@pytest.mark.parametrize("kind", ["lead off, noise", "lead off, mains hum", "saturated"])
def test_no_beats_are_invented_where_the_lead_was_lost(kind):
    clean = spoiled.ecg(7)
    values, marked = spoiled.spoiled_ecg(clean, 7, kind)
    beats, true = heart_beats(values, 250), heart_beats(clean, 250)
    inside = (beats > 24.5) & (beats < 40)
    assert inside.sum() <= 2  # of 19
    outside = true[(true < 22) | (true > 42)]
    assert np.abs(np.subtract.outer(outside, beats)).min(axis=1).max() < 0.02
    assert marked.mean() > 0.25


def test_what_was_left_out_of_a_heart_is_named():
    values, _ = spoiled.spoiled_ecg(spoiled.ecg(7), 7, "saturated")
    recording = Recording(pd.DataFrame({"ecg": values}), 250.0, 5.0, "ecg.csv")
    found = heart_intervals(recording, values)
    assert (found.fs, found.start, found.source) == (4, 5, "ecg.csv")
    clipped = next(s for s in found.left_out if s.why == "clipped")
    assert (clipped.start, clipped.stop) == (23.5, 41)
    with pytest.raises(MeasureError, match="in which beats look alike"):
        heart_beats(np.random.default_rng(0).normal(size=15000), 250)


def test_skin_conductance_that_no_skin_gave():
    values, marked = spoiled.spoiled_conductance(spoiled.conductance(3), 3, "band off")
    found = phasic_skin_conductance(values, 4)
    assert np.isnan(found[marked]).all()
    assert np.isnan(found).mean() < marked.mean() + 0.03
    with pytest.raises(MeasureError, match=r"expected microsiemens .* got .*: check the unit"):
        phasic_skin_conductance(values * 1000, 4)  # nanosiemens


def test_words_for_stretches():
    left_out = [Stretch(0, 10, "a"), Stretch(5, 15, "b"), *(Stretch(20 + k, 20.5 + k, "c") for k in range(8))]
    assert share_of(left_out, 100) == pytest.approx(0.19)
    assert described(left_out, 100).startswith("19.0% left out: 0.0 to 10.0 s a; 5.0 to 15.0 s b; 20.0 to 20.5 s c;")
    assert described(left_out, 100).endswith("and 4 shorter")
    assert described([], 100) == ""


def _frozen(value=0.0):
    """Movement of two persons in a film that stands still from 90 to 150 s."""
    first, second = (np.round(40 + 30 * autoregressive(3000, 0.9, seed)).clip(0) for seed in (1, 2))
    first[[899, 1500]], second[[899, 1500]] = 50, 60  # no natural rest beside it
    first[900:1500], second[900:1500] = value, value and value + 3
    return first, second


@pytest.mark.parametrize("value", [0.0, 17.0])
@pytest.mark.parametrize("method", ["windowed", "segments", "phase", "coherence", "regression"])
def test_a_stopped_film_is_left_out_and_named(method, value):
    first, second = _frozen(value)
    gaps = [np.where((np.arange(3000) >= 900) & (np.arange(3000) < 1500), np.nan, v) for v in (first, second)]
    found, right = dl.synchrony(first, second, 10, method), dl.synchrony(*gaps, 10, method)
    assert float(found["score"]) == pytest.approx(float(right["score"]), abs=1e-12)
    assert found.attrs["common_pauses"].startswith("90.0 to 150.0 s: both stand still at once")
    assert "20.0%" in found.attrs["common_pauses"]
    assert right.attrs["common_pauses"] == "none"


@pytest.mark.parametrize("method", ["rmea", "susy", "crqa", "recurrence"])
def test_programs_and_states_keep_a_stopped_film_but_it_is_named(method):
    settings = {"radius": 0.5} if method == "crqa" else {}
    found = dl.synchrony(*_frozen(), 10, method, **settings)
    assert found.attrs["common_pauses"].endswith("kept, as the method has it")


def test_one_person_who_rests_is_no_stopped_film():
    first, second = _frozen()
    second[900:1500] = 40 + 30 * autoregressive(600, 0.9, 5)  # moves as it does elsewhere
    assert common_pauses(first, second, 10) == ()
    first, second = _frozen()
    first[990:] += 20.0  # one movement after nine seconds, beyond the noise floor
    assert common_pauses(first, second, 10) == ((99.0, 150.0),)


def test_the_pause_on_the_command_line(tmp_path):
    for name, values in zip("pt", _frozen(), strict=True):
        np.savetxt(tmp_path / f"{name}.txt", values, fmt="%d")
    options = ["--fs", "10", "--set", "window=20", "--set", "step=10", "--set", "lag=3"]
    printed = CliRunner().invoke(app, ["synchrony", str(tmp_path / "p.txt"), str(tmp_path / "t.txt"), *options])
    assert printed.exit_code == 0
    assert "note: 90.0 to 150.0 s: both stand still at once" in printed.output
    assert "no start is told by p.txt or t.txt" in printed.output
    (tmp_path / "zeros.csv").write_text(
        "a,b\n"
        + "".join(f"{v + 1},{0 if k < 40 else w + 1}\n" for k, (v, w) in enumerate(zip(*_frozen(), strict=True)))
    )
    printed = CliRunner().invoke(app, ["synchrony", str(tmp_path / "zeros.csv"), *options, "--gap-value", "0"])
    assert "second person, 1.3% of the samples are missing: 0.0 to 4.0 s" in printed.output


def test_a_raw_electrocardiogram_is_said_to_be_one():
    first, second = spoiled.ecg(1, 40, rate=70), spoiled.ecg(2, 40, rate=80)
    found = dl.synchrony(first, second, 250, window=10, step=10, lag=1)
    assert "first series looks like a raw electrocardiogram (70 beats per minute): convert it" in found.attrs["doubts"]
    assert "second series" in found.attrs["doubts"]
    upside_down = dl.synchrony(-first, second, 250, window=10, step=10, lag=1)
    assert "first series looks like" in upside_down.attrs["doubts"]


def _pulse(n, fs):
    t = np.arange(n) / fs
    return np.sin(2 * np.pi * 1.2 * t) + 0.4 * np.sin(4 * np.pi * 1.2 * t + 1)


@pytest.mark.parametrize("seed", range(5))
def test_movement_noise_and_waves_are_no_electrocardiogram(seed):
    rng = np.random.default_rng(seed)
    bursts = np.abs(autoregressive(15000, 0.95, seed)) ** 3
    for values in (
        rng.normal(size=15000),
        autoregressive(15000, 0.99, seed),
        bursts,
        _pulse(15000, 250),
        rng.exponential(size=15000),
    ):
        assert doubts(values, 250.0, "x") == []


def test_codes_and_ceilings_are_doubted_in_words():
    rng = np.random.default_rng(0)
    x = rng.normal(50, 10, 2000)
    assert doubts(x, 10, "x") == []
    coded = np.where(np.arange(2000) % 100 < 3, -999, x)
    assert "x is -999 in 60 samples, far from all others" in doubts(coded, 10, "x")[0]
    once = np.where(np.arange(2000) == 7, 900, x)
    assert doubts(once, 10, "x") == []  # a spike; see `spikes`
    waves = 10 * np.sin(np.arange(2000) / 20) + rng.normal(size=2000)
    assert "stays on its largest value 8 in" in doubts(np.minimum(waves, 8), 10, "x")[0]
    assert doubts(np.tile(x, 2), 10, "x") == ["x repeats its first half, number by number: pasted twice?"]
    assert "taken twice" in same_doubt(x, x[:-3])
    assert same_doubt(x, x[1:]) == ""
    dial = np.repeat(rng.integers(1, 8, 100), 20)
    assert doubts(dial, 10, "x") == []
