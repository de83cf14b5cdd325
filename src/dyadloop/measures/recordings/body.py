"""Heart, skin and voice: interbeat intervals, phasic skin conductance and fundamental frequency, with gaps kept.

Each stretch between gaps is processed by itself, so that no beat and no response is invented where nothing was
recorded.
"""

import itertools
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from dyadloop.errors import MeasureError
from dyadloop.measures.recordings.files import Recording
from dyadloop.measures.synchrony.phase import stretches
from dyadloop.measures.synchrony.series import Floats, as_rate, as_series

_LONGEST_BEAT = 2.0  # seconds; a longer interval is a missed beat, not a heart at 30 per minute
_FLAT = 1.0  # seconds of an unchanging signal that count as a gap: a lead that fell off
_BLOCK = 300.0  # seconds that are processed at once, which bounds the memory
_MARGIN = 5.0
Progress = Callable[[int, int], None]


def heart_beats(ecg: ArrayLike, fs: float, progress: Progress | None = None) -> Floats:
    """Return the times of the R peaks [s] of an electrocardiogram, none inside gaps and flat stretches.

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

    References
    ----------
    .. [1] Makowski et al. (2021). doi:10.3758/s13428-020-01516-y
    """
    neurokit = _neurokit()
    values, rate = as_series(ecg, "ecg"), as_rate(fs)
    known = ~np.isnan(values) & ~_flat(values, rate)
    beats: list[Floats] = []
    for low, high in stretches(known):
        if high - low >= 5 * rate:
            for begin, end, kept_from, kept_to in _pieces(low, high, rate):
                found = _peaks(neurokit, values[begin:end], rate) + begin / rate
                beats.append(found[(found >= kept_from / rate) & (found < kept_to / rate)])
                if progress is not None:
                    progress(kept_to, len(values))
    if not beats:
        raise MeasureError("ecg: no stretch of 5 s without a gap; expected at least one")
    return np.unique(np.concatenate(beats))


def interbeat_intervals(beats: ArrayLike, fs: float = 4.0, start: float = 0.0, stop: float | None = None) -> Recording:
    """Return interbeat intervals [ms] on an even clock, NaN where two beats are more than 2 s apart.

    Parameters
    ----------
    beats
        Times of beats, increasing [s].
    fs
        Rate of the clock [Hz].
    start, stop
        First and last moment [s]; default: 0 and the last beat.
    """
    times = np.asarray(beats, dtype=np.float64)
    if times.size < 3 or (np.diff(times) <= 0).any():
        raise MeasureError(f"beats: got {times.size} times; expected at least 3, increasing")
    intervals = np.diff(times)
    sound = intervals <= _LONGEST_BEAT
    grid = start + np.arange(int(((times[-1] if stop is None else stop) - start) * fs) + 1) / fs
    place = np.clip(np.searchsorted(times, grid, side="right") - 1, 0, len(intervals) - 1)
    inside = (grid >= times[0]) & (grid <= times[-1]) & sound[place]
    level = np.interp(grid, times[1:][sound], intervals[sound] * 1000)
    return Recording(pd.DataFrame({"ibi_ms": np.where(inside, level, np.nan)}), fs, start, "beats")


def phasic_skin_conductance(eda: ArrayLike, fs: float) -> Floats:
    """Return the phasic part of skin conductance [as recorded], NaN in gaps and in stretches below 20 s.

    Raises
    ------
    MeasureError
        If no stretch of 20 s is usable, or NeuroKit2 is not installed (``dyadloop[signals]``).
    """
    neurokit = _neurokit()
    values, rate = as_series(eda, "eda"), as_rate(fs)
    found = np.full(len(values), np.nan)
    for low, high in stretches(~np.isnan(values)):
        if high - low >= 20 * rate:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                part = neurokit.eda_phasic(values[low:high], sampling_rate=rate, method="highpass")
            found[low:high] = part["EDA_Phasic"].to_numpy()
    if np.isnan(found).all():
        raise MeasureError("eda: no stretch of 20 s without a gap; expected at least one")
    return found


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


def _flat(values: Floats, fs: float) -> np.ndarray:
    """Return the samples that lie in a stretch of at least 1 s in which nothing changes."""
    flat = np.zeros(len(values), dtype=bool)
    still = np.concatenate([np.diff(values) == 0, [False]])
    for low, high in stretches(still):
        if high - low >= _FLAT * fs:
            flat[low : high + 1] = True
    return flat


def _pieces(low: int, high: int, fs: float) -> list[tuple[int, int, int, int]]:
    """Return pieces (from, to, kept from, kept to) of a stretch, with margins in which nothing is kept."""
    width, margin = int(_BLOCK * fs), int(_MARGIN * fs)
    count = max(math.ceil((high - low) / width), 1)
    edges = np.linspace(low, high, count + 1).astype(int).tolist()
    return [(max(a - margin, low), min(b + margin, high), a, b) for a, b in itertools.pairwise(edges)]


def _peaks(neurokit: Any, part: Floats, fs: float) -> Floats:  # noqa: ANN401
    rate = round(fs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clean = neurokit.ecg_clean(part, sampling_rate=rate)
        _, found = neurokit.ecg_peaks(clean, sampling_rate=rate)
    return np.asarray(found["ECG_R_Peaks"], dtype=np.float64) / fs
