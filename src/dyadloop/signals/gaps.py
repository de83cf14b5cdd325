"""What was not recorded: a flat or clipped signal, a band that was off, a lead that only brings noise.

Each rule gives a mask of samples and has a source; docs/measures.md has its error rate on signals of known truth.
"""

import numpy as np
from numpy.typing import NDArray

from dyadloop.signals.series import Floats
from dyadloop.signals.stretches import stretches

_ECG_FLAT = 1.0  # seconds
_EDA_FLAT = 5.0
_EDA_CLIPPED = 2.0
_SATURATED = 0.1
_CONDUCTANCE = (0.05, 60.0)  # microsiemens
_FASTEST_CHANGE = 10.0  # microsiemens per second
_AROUND = 5.0  # seconds on either side of an invalid stretch
_PIECE = 10.0  # seconds over which beats are held against their own mean
_ALIKE = 0.66
_HEART_RATES = (40.0, 180.0)  # per minute


BAND_WORDS = {
    "off": "band off (not 0.05 to 60 microsiemens)",
    "jump": "a jump (above 10 microsiemens per second)",
    "flat": "flat",
    "beside": "beside such a stretch",
}
"""Reasons of :func:`band_off` in words."""


def flat(values: Floats, fs: float, seconds: float) -> NDArray[np.bool_]:
    """Return the samples that lie in a stretch of so many seconds in which nothing changes."""
    found = np.zeros(len(values), dtype=bool)
    still = np.concatenate([np.diff(values) == 0, [False]])
    for low, high in stretches(still):
        if high - low >= seconds * fs:
            found[low : high + 1] = True
    return found


def saturation(values: Floats, fs: float, seconds: float = _SATURATED) -> NDArray[np.bool_]:
    """Return the samples of a biosignal that stay on its largest or smallest value: the limit of the amplifier.

    For 0.1 s and at least four samples: the clipped top of one R wave is shorter, and its beat still counts.

    References
    ----------
    .. [1] Clifford, Azuaje & McSharry (2006). Advanced Methods and Tools for ECG Data Analysis. ISBN 1580539661
    """
    found = np.zeros(len(values), dtype=bool)
    shortest = max(4, round(seconds * fs))
    for extreme in (np.nanmax(values), np.nanmin(values)):
        for low, high in stretches(values == extreme):
            found[low:high] |= high - low >= shortest
    return found


def lead_off(ecg: Floats, fs: float) -> NDArray[np.bool_]:
    """Return the samples of an electrocardiogram that do not move for a second: the lead fell off."""
    return flat(ecg, fs, _ECG_FLAT)


def band_off(eda: Floats, fs: float) -> dict[str, NDArray[np.bool_]]:
    """Return by reason the samples of skin conductance [microsiemens] that no skin gave.

    ``off`` (outside 0.05 to 60), ``jump`` (faster than 10 per second), ``flat`` (the same number for 5 s, for 2 s where
    it is the largest or smallest), and ``beside`` (within 5 s of one of these).

    Notes
    -----
    The rule on skin temperature of the paper is not applied; the one on flat stretches is ours.

    References
    ----------
    .. [1] Kleckner et al. (2018). doi:10.1109/TBME.2017.2758643
    """
    with np.errstate(invalid="ignore"):
        off = (eda < _CONDUCTANCE[0]) | (eda > _CONDUCTANCE[1])
        fast = np.abs(np.diff(eda)) * fs > _FASTEST_CHANGE
    jump = np.concatenate([fast, [False]]) | np.concatenate([[False], fast])
    still = flat(eda, fs, _EDA_FLAT) | saturation(eda, fs, _EDA_CLIPPED)
    invalid = off | jump | still
    reach = round(_AROUND * fs)
    near = np.zeros(len(eda), dtype=bool)
    for low, high in stretches(invalid):
        near[max(low - reach, 0) : high + reach] = True
    return {"off": off, "jump": jump & ~off, "flat": still & ~off & ~jump, "beside": near & ~invalid}


def noisy(ecg: Floats, beats: Floats, fs: float) -> NDArray[np.bool_]:
    """Return the samples of a cleaned electrocardiogram in which the beats that were found do not look alike.

    Parameters
    ----------
    ecg
        Filtered signal without gaps.
    beats
        Samples of the R peaks found in it.
    fs
        Rate [Hz].

    Notes
    -----
    A piece of 10 s is sound where its median rate is within 40 to 180 per minute, it has three beats or more, and they
    correlate with their mean by 0.66 or more on average. The median beat of all sound pieces is the template; a beat
    that correlates with it below 0.66, or stands between two such, is noise, half way to its neighbours (this last step
    is ours: pieces that are noise in part would else keep it).

    References
    ----------
    .. [1] Orphanidou et al. (2015). doi:10.1109/JBHI.2014.2338351
    """
    found = np.ones(len(ecg), dtype=bool)
    if len(beats) < 3:
        return found
    count = max(int(len(ecg) / (_PIECE * fs)), 1)
    piece = np.minimum((beats * count / len(ecg)).astype(int), count - 1)
    cuts, whole = _cuts(ecg, beats, float(np.median(np.diff(beats))))
    sound = np.zeros(len(beats), dtype=bool)
    for k in range(count):
        mine = piece == k
        sound[mine] = _alike(cuts[mine & whole], beats[mine], fs)
    if not (sound & whole).any():
        return found
    bad = whole & (_correlations(cuts, np.median(cuts[sound & whole], axis=0)) < _ALIKE)
    between = bad.copy()
    between[1:-1] |= bad[:-2] & bad[2:]
    edges = np.concatenate([[0], np.round((beats[1:] + beats[:-1]) / 2).astype(int), [len(ecg)]])
    for low, high, noise in zip(edges[:-1], edges[1:], between, strict=True):
        found[low:high] = noise
    return found


def _cuts(ecg: Floats, beats: Floats, step: float) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the signal around every beat (beat, sample), centred, and which beats are not cut off by an end."""
    half = max(int(step / 2), 1)
    middles = np.round(beats).astype(int)
    whole = (middles >= half) & (middles + half < len(ecg))
    cuts = ecg[np.clip(middles, half, max(len(ecg) - half - 1, half))[:, None] + np.arange(-half, half + 1)]
    return cuts - cuts.mean(axis=1, keepdims=True), whole


def _correlations(cuts: Floats, template: Floats) -> Floats:
    size = np.linalg.norm(cuts, axis=1) * np.linalg.norm(template)
    return np.divide(cuts @ template, size, out=np.zeros(len(cuts)), where=size > 0)


def _alike(cuts: Floats, beats: Floats, fs: float) -> bool:
    """Return whether beats come at a heart's rate and look like their mean."""
    if len(beats) < 3 or len(cuts) < 2:
        return False
    rate = 60 * fs / float(np.median(np.diff(beats)))
    alike = float(_correlations(cuts, cuts.mean(axis=0)).mean()) >= _ALIKE
    return _HEART_RATES[0] <= rate <= _HEART_RATES[1] and alike
