"""The method `envelope`: amplitude envelope correlation."""

from dyadloop.measures.synchrony.envelope import envelope
from dyadloop.measures.synchrony.method import Method

METHOD = Method(
    name="envelope",
    title="amplitude envelope correlation",
    function=envelope,
    family="rhythm",
    answers="Do the strengths of two rhythms rise and fall together, whatever their phases?",
    span=("band",),
    null="about 0 for unrelated rhythms; envelopes are slow, so test by surrogates of shift",
    error="jackknife over blocks of the time",
    limits="no lag, no leader",
    reference="Hipp et al. 2012, doi:10.1038/nn.3101",
)
