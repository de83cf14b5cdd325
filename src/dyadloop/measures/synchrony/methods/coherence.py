"""The method `coherence`: Welch coherence."""

from dyadloop.measures.synchrony.method import Method
from dyadloop.measures.synchrony.spectral import coherence

METHOD = Method(
    name="coherence",
    title="Welch coherence",
    function=coherence,
    family="rhythm",
    answers="In which rhythms are two persons linearly related, over the whole recording?",
    span=("segment",),
    null="the inverse of the effective number of segments, returned as expected",
    error="jackknife over segments",
    limits="a relation that comes and goes is averaged away",
    reference="Welch 1967, doi:10.1109/TAU.1967.1161901",
)
