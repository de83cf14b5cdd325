"""The method `concordance`: Marci's concordance index."""

from dyadloop.measures.synchrony.concordance import concordance
from dyadloop.measures.synchrony.method import Method

METHOD = Method(
    name="concordance",
    title="Marci's concordance index",
    function=concordance,
    family="correlation",
    answers="Do two skin conductances rise and fall together rather than apart, at the same moment?",
    span=("window", "slope_window"),
    null="about 0 for unrelated persons: surrogates by shift, or re-paired dyads",
    error="jackknife over parts of the time; none where the index is at its bound",
    limits="no lag; at most 10 either way where no window disagrees",
    reference="Marci et al. 2007, doi:10.1097/01.nmd.0000253731.71025.fc",
)
