"""What makes a series doubtful: a raw electrocardiogram, clipped values, codes for missing, a file pasted twice.

Nothing is changed here; each doubt is a sentence for the screen and the record.
"""

import numpy as np
from scipy import signal, stats

from dyadloop.signals.series import Floats

_SLOWEST_ECG = 50.0  # samples per second
_LOOKED_AT = 60.0  # seconds
_PEAKED = 4.0  # excess kurtosis; Gaussian noise 0, an electrocardiogram 5 to 30
_NARROW = 0.12  # seconds of an R wave at half height
_PERIODS = (0.33, 1.5)  # seconds between beats
_CODE_DISTANCE = 20.0  # robust SDs
_CLIPPED_RUN = 4
_CLIPPED_SHARE = 0.01


def doubts(values: Floats, fs: float, who: str) -> list[str]:
    """Return in words what is doubtful about a series."""
    checks = (ecg_doubt(values, fs), _code(values), _ceiling(values), _doubled(values))
    return [f"{who} {text}" for text in checks if text]


def ecg_doubt(values: Floats, fs: float) -> str:
    """Return a sentence if a series looks like an electrocardiogram as recorded, else nothing.

    Samples of an electrocardiogram of two persons correlate by chance of their phases; what is compared are intervals.
    """
    if fs < _SLOWEST_ECG:
        return ""
    known = values[~np.isnan(values)]
    middle = len(known) // 2
    half = int(_LOOKED_AT * fs / 2)
    part = known[max(middle - half, 0) : middle + half]
    if len(part) < 8 * fs:
        return ""
    sharp = part - np.convolve(part, np.ones(round(0.2 * fs)) / round(0.2 * fs), "same")
    sharp = sharp if abs(sharp.max()) > abs(sharp.min()) else -sharp
    if stats.kurtosis(sharp) < _PEAKED:
        return ""
    height = float(np.percentile(sharp, 99.5)) / 2
    peaks, _ = signal.find_peaks(sharp, height=height, distance=max(round(0.25 * fs), 1))
    if len(peaks) < 0.6 * len(part) / fs:
        return ""
    steps = np.diff(peaks) / fs
    widths = signal.peak_widths(sharp, peaks, rel_height=0.5)[0] / fs
    regular = stats.iqr(steps) < 0.25 * np.median(steps)
    if not (_PERIODS[0] <= np.median(steps) <= _PERIODS[1] and regular and np.median(widths) < _NARROW):
        return ""
    return (
        f"looks like a raw electrocardiogram ({60 / np.median(steps):.0f} beats per minute): convert it to interbeat "
        "intervals first (signal: ecg in study.yaml; heart_beats and interbeat_intervals of measures.recordings)"
    )


def _code(values: Floats) -> str:
    """Return a sentence if one far value stands again and again: a code for missing that nobody declared."""
    known = values[~np.isnan(values)]
    centre = np.median(known)
    spread = max(1.4826 * float(np.median(np.abs(known - centre))), 1e-12 * max(abs(centre), 1.0))
    for extreme in (known.min(), known.max()):
        others = known[known != extreme]
        times = len(known) - len(others)
        if times < 2 or len(others) < 2:
            continue
        nearest = others.min() if extreme < centre else others.max()
        beyond = abs(extreme - nearest) > _CODE_DISTANCE * spread and abs(extreme - centre) > 3 * abs(nearest - centre)
        if beyond:
            remedy = "if that means missing, declare it (--gap-value, gap_values)"
            return f"is {extreme:g} in {times} samples, far from all others: {remedy}"
    return ""


def _ceiling(values: Floats) -> str:
    """Return a sentence if a series stays on its largest value for runs of samples, as a clipped one does."""
    known = values[~np.isnan(values)]
    at_top = known == known.max()
    edges = np.flatnonzero(np.diff(np.concatenate([[False], at_top, [False]]).astype(np.int8)))
    lengths = edges[1::2] - edges[::2]
    share = lengths[lengths >= _CLIPPED_RUN].sum() / len(known)
    few = len(np.unique(known[:2000])) <= 12  # a dial or a state, where the last step is an answer
    if few or share < _CLIPPED_SHARE or (lengths >= _CLIPPED_RUN).sum() < 2:
        return ""
    return f"stays on its largest value {known.max():g} in {share:.1%} of the samples: clipped?"


def _doubled(values: Floats) -> str:
    """Return a sentence if the second half of a series repeats the first, as a file does that was pasted twice."""
    half, odd = divmod(len(values), 2)
    alike = not odd and half > 10 and np.array_equal(values[:half], values[half:], equal_nan=True)
    return "repeats its first half, number by number: pasted twice?" if alike else ""


def same_doubt(first: Floats, second: Floats) -> str:
    """Return a sentence if two persons have the same numbers: one column or file was taken twice."""
    n = min(len(first), len(second))
    alike = n > 10 and np.array_equal(first[:n], second[:n], equal_nan=True)
    return "both persons have the same numbers: is one column, or one file, taken twice?" if alike else ""
