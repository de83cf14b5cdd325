"""The method `cross_mapping`: convergent cross mapping."""

from dyadloop.measures.synchrony.cross_mapping import cross_mapping
from dyadloop.measures.synchrony.method import Method

METHOD = Method(
    name="cross_mapping",
    title="convergent cross mapping",
    function=cross_mapping,
    family="direction",
    answers="Does one person's history contain the other's, as a driven system contains its driver?",
    span=("embedding", "exclude"),
    null="above 0 for slow or seasonal series: convergence over libraries, and surrogates by shift or phase",
    error="jackknife over blocks of the time",
    limits="for deterministic systems; a common rhythm or strong coupling both ways looks the same",
    reference="Sugihara et al. 2012, doi:10.1126/science.1227079",
)
