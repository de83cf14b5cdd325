"""The method `wavelet_test`: wavelet coherence against surrogates of red noise."""

from dyadloop.measures.synchrony.method import Method
from dyadloop.measures.synchrony.red_noise import wavelet_test

METHOD = Method(
    name="wavelet_test",
    title="wavelet coherence against surrogates of red noise",
    function=wavelet_test,
    family="rhythm",
    answers="In which rhythms, and when, are two persons more coherent than chance?",
    span=("band",),
    null="a share of cells equal to level; p over the whole map is inside",
    error="jackknife over blocks of the time",
    limits="takes surrogates times as long as wavelet; AR(1) is too rough for smooth series: kind = phase",
    reference="Grinsted, Moore & Jevrejeva 2004, doi:10.5194/npg-11-561-2004",
)
