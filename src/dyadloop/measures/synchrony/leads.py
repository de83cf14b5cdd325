"""Who leads, from the phases of two persons: by the phase where it is unique, else by its slope over the band.

A phase repeats itself: beyond half a period it names the wrong leader. Where half a period of the shared rhythm exceeds
the leads in question the mean phase tells the lead; elsewhere the slope of the phase over the band does (the group
delay), found where the coherent frequencies line up best. Where neither is certain there is no lead, and why is told.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from dyadloop.measures.synchrony.still import still_parts, tolerance
from dyadloop.signals.series import Floats, Pair

_FINE = 4  # steps of the delay per sample
_PARTS = 10


class Lead(NamedTuple):
    """A lead [s], positive where the first person leads, its standard error, its phase [cycles], or why it is NaN."""

    seconds: float
    error: float
    cycles: float
    why: str = "ok"


class Spectra(NamedTuple):
    """Transforms (segment, frequency) of the whole, moving segments of two persons, and their frequencies [Hz]."""

    first: NDArray[np.complex128]
    second: NDArray[np.complex128]
    frequency: Floats
    width: int


def spectra(pair: Pair, width: int) -> Spectra:
    """Return Hann transforms of segments that overlap by half; gaps and segments of a still person are left out."""
    starts = np.arange(0, len(pair.first) - width + 1, max(width // 2, 1))
    cut = (
        [np.lib.stride_tricks.sliding_window_view(s, width)[starts] for s in (pair.first, pair.second)]
        if len(starts)
        else [np.empty((0, width))] * 2
    )
    limits = tolerance(pair.first), tolerance(pair.second)
    used = ~np.isnan(cut[0]).any(axis=1) & ~np.isnan(cut[1]).any(axis=1)
    used &= ~still_parts(cut[0], limits[0]) & ~still_parts(cut[1], limits[1])
    window = signal.get_window("hann", width)
    one, two = (np.fft.rfft((c[used] - c[used].mean(axis=1, keepdims=True)) * window, axis=1) for c in cut)
    return Spectra(one, two, np.fft.rfftfreq(width, 1 / pair.fs).astype(float), width)


def lead_of(pair: Pair, band: tuple[float, float] | None, lag: float) -> Lead:
    """Return the lead of a pair over a band, from segments of four times the lag or two periods, if longer."""
    longest = max(4 * lag, 2 / band[0] if band and band[0] > 0 else 0.0)
    width = max(min(round(longest * pair.fs), len(pair.first) // 3), 8)
    if width > len(pair.first):
        return Lead(math.nan, math.nan, math.nan, f"{len(pair.first)} samples are too few")
    found = spectra(pair, width)
    low, high = band or (0.0, math.inf)
    inside = (found.frequency >= low) & (found.frequency <= high) & (found.frequency > 0)
    return lead_in(found, inside, pair.fs, lag)


def lead_in(found: Spectra, inside: NDArray[np.bool_], fs: float, lag: float) -> Lead:
    """Return the lead over some frequencies of Welch spectra, its error by leaving out one tenth of the segments."""
    nothing = Lead(math.nan, math.nan, math.nan, f"no lead: {len(found.first)} whole segments, 4 are needed")
    count = len(found.first)
    if count < 4 or not inside.any():
        return nothing
    terms = np.conj(found.second) * found.first, np.abs(found.first) ** 2, np.abs(found.second) ** 2
    terms = [np.where(inside, term, 0.0) for term in terms]
    total = [term.sum(axis=0) for term in terms]
    left = [
        [t - term[part].sum(axis=0) for t, term in zip(total, terms, strict=True)]
        for part in np.array_split(np.arange(len(found.first)), min(_PARTS, len(found.first)))
    ]
    power = np.abs(total[0])
    middle = float((power * found.frequency).sum() / power.sum()) if power.sum() > 0 else 0.0
    if middle <= 0:
        return nothing
    level, chance = _coherence(total)[inside].mean(), 1 / effective(count, found.width)
    if level < chance * (1 + 3 / math.sqrt(int(inside.sum()))):
        return nothing._replace(why=f"no lead: coherence {level:.2g}, where unrelated persons have {chance:.2g}")
    turn = float(np.angle(total[0].sum()))
    if 1 / (2 * middle) > lag:
        turns = np.array([np.angle(cross.sum() * np.exp(-1j * turn)) for cross, *_ in left])
        return _told(turn / (2 * np.pi * middle), turns / (2 * np.pi * middle), turn / (2 * np.pi), 1 / (2 * middle))
    delay = _delay(total, found.width, fs)
    told = _told(
        delay, np.array([_delay(rest, found.width, fs) - delay for rest in left]), math.nan, found.width / fs / 4
    )
    unique = told.why == "ok" and abs(delay) < 1 / (2 * middle) and np.sign(turn) == np.sign(delay)
    return told._replace(cycles=turn / (2 * np.pi) if unique else math.nan)


def _delay(total: list[NDArray], width: int, fs: float) -> float:
    """Return the group delay [s], within a quarter of a segment: where the turned, weighted phases add up most."""
    cross = total[0]
    size = np.abs(cross)
    unit = np.divide(cross, size, out=np.zeros_like(cross), where=size > 0)
    lined = np.abs(np.fft.fft(_coherence(total) * unit, _FINE * width))
    places = np.arange(-(_FINE * width // 4), _FINE * width // 4 + 1)
    return float(places[np.argmax(lined[places])] / (_FINE * fs))


def _coherence(total: list[NDArray[np.complex128]]) -> Floats:
    cross, one, two = total
    product = one.real * two.real
    return np.divide(np.abs(cross) ** 2, product, out=np.zeros_like(product), where=product > np.finfo(np.float64).tiny)


def effective(count: int, width: int) -> float:
    """Return the number of independent segments that overlapping Hann windows are worth."""
    window = signal.get_window("hann", width)
    shared = np.dot(window[width // 2 :], window[: width - width // 2])
    overlap = (shared / np.dot(window, window)) ** 2
    return count / (1 + 2 * overlap * (count - 1) / count)


def _told(lead: float, deviations: Floats, cycles: float, most: float) -> Lead:
    n = len(deviations)
    error = math.sqrt((n - 1) / n * float(((deviations - deviations.mean()) ** 2).sum()))
    if error > most / 4 and abs(lead) < 3 * error:
        return Lead(math.nan, error, math.nan, f"no lead: uncertain by {error:.2g} s; half a period may be exceeded")
    return Lead(lead, error, cycles)


def told_of(lead: Lead) -> str:
    """Return why a lead in seconds has no phase in cycles."""
    return lead.why if lead.why != "ok" else f"lead {lead.seconds:.3g} s: half a period does not exceed it; see delay"
