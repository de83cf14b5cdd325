"""Print how often the rules for what was not recorded are right: `python -m tests.signals.gap_rates`."""

import numpy as np

from dyadloop.signals.beats import doubtful_intervals
from dyadloop.signals.body import _heart
from dyadloop.signals.gaps import band_off
from dyadloop.signals.pauses import common_pauses
from tests.signals import spoiled

BEATS = ("clean", "missed", "two missed in a row", "invented", "premature 45", "premature 30", "premature 20")
ECG = (
    "clean",
    "lead off, flat",
    "lead off, noise",
    "lead off, mains hum",
    "muscle noise, five times the ECG",
    "saturated",
)
EDA = ("clean", "band off", "flat at the floor", "frozen value", "pressed and let go", "clipped")
PAUSES = ("clean", "8 s", "12 s", "60 s")


def of_beats(kind, seed, **heart):
    times, spans = spoiled.heartbeats(seed, **heart), []
    if kind != "clean":
        times, spans = spoiled.spoiled_beats(times, seed, kind)
    middles = (times[1:] + times[:-1]) / 2
    marked = np.array([any(a < m < b for a, b in spans) for m in middles])
    intervals = np.diff(times)
    return (intervals > 2) | doubtful_intervals(intervals), marked


def of_ecg(kind, seed, fs=250):
    values, marked = spoiled.spoiled_ecg(spoiled.ecg(seed), seed, kind)
    found = np.zeros(len(values), dtype=bool)
    for stretch in _heart(values, fs, None)[1]:
        found[round(stretch.start * fs) : round(stretch.stop * fs)] = True
    return found, marked & (kind != "clean")


def of_eda(kind, seed):
    values, marked = spoiled.spoiled_conductance(spoiled.conductance(seed), seed, kind)
    reasons = band_off(values, 4)
    found = np.any([mask for why, mask in reasons.items() if why != "beside" or kind == "pressed and let go"], axis=0)
    return found, marked & (kind != "clean")


def of_pauses(kind, seed, fs=10):
    pair, marked = spoiled.movement(seed), np.zeros(9000, dtype=bool)
    if kind != "clean":
        marked[3000 : 3000 + fs * int(kind.split()[0])] = True
        pair[:, marked] = pair[:, 3000, None]
    found = np.zeros(9000, dtype=bool)
    for start, stop in common_pauses(*pair, fs):
        found[round(start * fs) : round(stop * fs)] = True
    return found, marked


RULES = {
    "interbeat intervals": (of_beats, BEATS, spoiled.SEEDS),
    "electrocardiogram": (of_ecg, ECG, range(8)),
    "skin conductance": (of_eda, EDA, spoiled.SEEDS),
    "both stand still": (of_pauses, PAUSES, spoiled.SEEDS),
}


def table():
    """Rows of rule, what was spoiled, share of it left out, share of the sound rest left out."""
    for name, (rule, kinds, seeds) in RULES.items():
        for kind in kinds:
            runs = [spoiled.rates(*rule(kind, seed)) for seed in seeds]
            hits, false = (np.array(side) for side in zip(*runs, strict=True))
            yield name, kind, float("nan") if np.isnan(hits).all() else float(hits.mean()), float(false.mean())


if __name__ == "__main__":
    for name, kind, hits, false in table():
        print(f"| {name} | {kind} | {'' if hits != hits else f'{hits:.3f}'} | {false:.4f} |")
