"""The method `phase`: phase-locking value."""

from dyadloop.measures.synchrony.method import Method
from dyadloop.measures.synchrony.phase import phase_locking

METHOD = Method(
    name="phase",
    title="phase-locking value",
    function=phase_locking,
    family="rhythm",
    answers="Do two rhythms keep a constant difference of phase?",
    span=("band",),
    null="above 0 in short recordings: surrogates by shift",
    error="jackknife over blocks of the time",
    limits="means little without a narrow band",
    reference="Lachaux et al. 1999, doi:10.1002/(SICI)1097-0193(1999)8:4<194::AID-HBM4>3.0.CO;2-C",
)
