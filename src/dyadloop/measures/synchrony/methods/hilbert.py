"""The method `hilbert`: Hilbert phase synchrony."""

from dyadloop.measures.synchrony.method import Method
from dyadloop.measures.synchrony.phase import hilbert

METHOD = Method(
    name="hilbert",
    title="Hilbert phase synchrony",
    function=hilbert,
    family="rhythm",
    answers="How near are two rhythms to being in phase, moment by moment?",
    span=("band",),
    null="0.36 for unrelated phases: surrogates by shift",
    error="jackknife over blocks of the time",
    limits="antiphase counts as none",
    reference="Makowski et al. 2021, doi:10.3758/s13428-020-01516-y",
)
