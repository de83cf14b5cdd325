"""Heart, skin and voice: interbeat intervals, phasic skin conductance and fundamental frequency, with gaps kept.

Each stretch between gaps is processed by itself, so that no beat and no response is invented where nothing was
recorded.
"""

import itertools
import math
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from dyadloop.errors import MeasureError
from dyadloop.signals.beats import interbeat_intervals
from dyadloop.signals.gaps import BAND_WORDS, band_off, lead_off, noisy, saturation
from dyadloop.signals.recording import Recording, Stretch, stretches_of
from dyadloop.signals.series import Floats, as_rate, as_series
from dyadloop.signals.stretches import stretches

_BLOCK = 300.0  # seconds that are processed at once, which bounds the memory
_MARGIN = 5.0
Progress = Callable[[int, int], None]


def heart_beats(ecg: ArrayLike, fs: float, progress: Progress | None = None) -> Floats:
    """Return the times of the R peaks [s] of an electrocardiogram, none inside gaps, flat stretches and noise.

    Parameters
    ----------
    ecg
        Samples, NaN where missing.
    fs
        Rate [Hz].
    progress
        Called with samples done and their number.

    Raises
    ------
    MeasureError
        If no stretch of 5 s is usable, or NeuroKit2 is not installed (``dyadloop[signals]``).

    Notes
    -----
    What counts as flat, clipped and noise: :mod:`dyadloop.signals.gaps`.

    References
    ----------
    .. [1] Makowski et al. (2021). doi:10.3758/s13428-020-01516-y
    """
    return _heart(ecg, fs, progress)[0]


def heart_intervals(recording: Recording, values: Floats, fs: float = 4.0) -> Recording:
    """Return the interbeat intervals [ms] of an electrocardiogram on an even clock, and what was left out of it.

    Parameters
    ----------
    recording, values
        Where the channel comes from, and its samples.
    fs
        Rate of the result [Hz].

    Raises
    ------
    MeasureError
        As :func:`heart_beats` and :func:`interbeat_intervals`.
    """
    beats, left_out = _heart(values, recording.fs, None)
    found = interbeat_intervals(beats, fs, stop=(len(values) - 1) / recording.fs)
    gaps = tuple(s for s in found.left_out if not any(s.start < o.stop and o.start < s.stop for o in left_out))
    return replace(
        found, start=recording.start, source=recording.source, zero=recording.zero,
        left_out=(*recording.left_out, *left_out, *gaps),
    )  # fmt: skip


def _heart(ecg: ArrayLike, fs: float, progress: Progress | None) -> tuple[Floats, tuple[Stretch, ...]]:
    """Return the beats, and the stretches in which the lead was off, saturated or noisy."""
    neurokit = _neurokit()
    values, rate = as_series(ecg, "ecg"), as_rate(fs)
    off, saturated, noise = lead_off(values, rate), saturation(values, rate), np.zeros(len(values), dtype=bool)
    beats: list[Floats] = []
    for low, high in stretches(~(np.isnan(values) | off | saturated)):
        if high - low >= 5 * rate:
            for begin, end, kept_from, kept_to in _pieces(low, high, rate):
                peaks, bad = _peaks(neurokit, values[begin:end], rate)
                noise[kept_from:kept_to] = bad[kept_from - begin : kept_to - begin]
                found = peaks[~bad[np.round(peaks * rate).astype(int)]] + begin / rate
                beats.append(found[(found >= kept_from / rate) & (found < kept_to / rate)])
                if progress is not None:
                    progress(kept_to, len(values))
    left_out = [
        stretch
        for mask, why in ((saturated, "clipped"), (off & ~saturated, "lead off"), (noise, "noise without heartbeats"))
        for stretch in stretches_of(mask, rate, why)
    ]
    if not beats or sum(map(len, beats)) < 3:
        raise MeasureError(
            "ecg: no stretch of 5 s without a gap in which beats look alike; expected at least one; check that the "
            "column is an electrocardiogram and the rate is right"
        )
    return np.unique(np.concatenate(beats)), tuple(left_out)


def phasic_skin_conductance(eda: ArrayLike, fs: float) -> Floats:
    """Return the phasic part of skin conductance [as recorded], NaN in gaps and in stretches below 20 s.

    Raises
    ------
    MeasureError
        If no stretch of 20 s is usable, or NeuroKit2 is not installed (``dyadloop[signals]``).

    Notes
    -----
    Conductance in microsiemens is expected: what lies outside 0.05 to 60, jumps, stays flat or lies within 5 s of such
    is a gap (:func:`dyadloop.signals.gaps.band_off`).
    """
    return _phasic(eda, fs)[0]


def skin_responses(recording: Recording, values: Floats) -> Recording:
    """Return the phasic skin conductance of a channel, and what was left out of it.

    Raises
    ------
    MeasureError
        As :func:`phasic_skin_conductance`.
    """
    phasic, left_out = _phasic(values, recording.fs)
    return replace(recording, channels=pd.DataFrame({"eda": phasic}), left_out=(*recording.left_out, *left_out))


def _phasic(eda: ArrayLike, fs: float) -> tuple[Floats, tuple[Stretch, ...]]:
    neurokit = _neurokit()
    values, rate = as_series(eda, "eda"), as_rate(fs)
    reasons = band_off(values, rate)
    found = np.full(len(values), np.nan)
    usable = ~np.isnan(values) & ~np.any(list(reasons.values()), axis=0)
    short = np.zeros(len(values), dtype=bool)
    for low, high in stretches(usable):
        if high - low < 20 * rate:
            short[low:high] = True
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            part = neurokit.eda_phasic(values[low:high], sampling_rate=rate, method="highpass")
        found[low:high] = part["EDA_Phasic"].to_numpy()
    left_out = tuple(
        stretch
        for why, mask in {
            **{BAND_WORDS[name]: mask for name, mask in reasons.items()},
            "shorter than 20 s": short,
        }.items()
        for stretch in stretches_of(mask, rate, why)
    )
    if np.isnan(found).all():
        raise MeasureError(
            "eda: no stretch of 20 s that a skin gives; expected microsiemens between 0.05 and 60; "
            f"got {np.nanmin(values):.4g} to {np.nanmax(values):.4g}: check the unit and the column"
        )
    return found, left_out


def fundamental_frequency(path: str | Path, fs: float = 20.0, low: float = 75.0, high: float = 500.0) -> Recording:
    """Return the fundamental frequency of a voice [Hz] on an even clock, NaN where it is not voiced.

    Parameters
    ----------
    path
        Sound file that Praat can read; one person's channel, or a mono file.
    fs
        Rate of the result [Hz].
    low, high
        Range of the voice [Hz].

    Raises
    ------
    MeasureError
        If the file cannot be read, or parselmouth is not installed (``dyadloop[voice]``, GPL).
    """
    try:
        import parselmouth
    except ImportError:
        raise MeasureError("voice needs Praat's parselmouth (GPL): pip install 'dyadloop[voice]'") from None
    if not Path(path).is_file():
        raise MeasureError(f"{path}: no such file; check the path")
    try:
        sound = parselmouth.Sound(str(path))
    except parselmouth.PraatError as error:
        raise MeasureError(f"{Path(path).name}: Praat cannot read it ({str(error).splitlines()[0]})") from None
    if sound.n_channels > 1:
        raise MeasureError(f"{Path(path).name}: {sound.n_channels} channels; give one file per person")
    pitch = sound.to_pitch(time_step=1 / fs, pitch_floor=low, pitch_ceiling=high)
    found = pitch.selected_array["frequency"].astype(np.float64)
    found[found == 0] = np.nan
    return Recording(pd.DataFrame({"f0_hz": found}), fs, float(pitch.x1), Path(path).name)


def _neurokit() -> Any:  # noqa: ANN401 - a module
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import neurokit2
    except ImportError:
        raise MeasureError("heart and skin need NeuroKit2: pip install 'dyadloop[signals]'") from None
    return neurokit2


def _pieces(low: int, high: int, fs: float) -> list[tuple[int, int, int, int]]:
    """Return pieces (from, to, kept from, kept to) of a stretch, with margins in which nothing is kept."""
    width, margin = int(_BLOCK * fs), int(_MARGIN * fs)
    count = max(math.ceil((high - low) / width), 1)
    edges = np.linspace(low, high, count + 1).astype(int).tolist()
    return [(max(a - margin, low), min(b + margin, high), a, b) for a, b in itertools.pairwise(edges)]


def _peaks(neurokit: Any, part: Floats, fs: float) -> tuple[Floats, np.ndarray]:  # noqa: ANN401
    """Return the R peaks [s] and the samples that are noise."""
    rate = round(fs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clean = neurokit.ecg_clean(part, sampling_rate=rate)
        _, found = neurokit.ecg_peaks(clean, sampling_rate=rate)
    places = np.asarray(found["ECG_R_Peaks"], dtype=np.float64)
    return places / fs, noisy(np.asarray(clean, dtype=np.float64), places, fs)
