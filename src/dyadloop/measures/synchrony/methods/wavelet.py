"""The method `wavelet`: wavelet coherence."""

import xarray as xr

from dyadloop.measures.synchrony.method import Method
from dyadloop.measures.synchrony.spectral import wavelet_coherence
from dyadloop.signals.series import Pair


def _wavelet(
    pair: Pair,
    band: tuple[float, float] | None = None,
    per_octave: int = 12,
    shortest_period: float | None = None,
    lag: float = 4.0,
) -> xr.Dataset:
    return wavelet_coherence(pair, band, per_octave, shortest_period, lag)


METHOD = Method(
    name="wavelet",
    title="wavelet coherence",
    function=_wavelet,
    family="rhythm",
    answers="In which rhythms, and when?",
    span=("band",),
    null="0.3 to 0.5 for unrelated series: surrogates, or the method wavelet_test",
    error="of the mean over 30 parts of the time",
    limits="no gaps; the ends of the recording know only fast rhythms",
    reference="Grinsted, Moore & Jevrejeva 2004, doi:10.5194/npg-11-561-2004",
)
