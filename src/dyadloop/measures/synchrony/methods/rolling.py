"""The method `rolling`: rolling correlation without lag."""

from dyadloop.measures.synchrony.method import Method
from dyadloop.measures.synchrony.rolling import rolling

METHOD = Method(
    name="rolling",
    title="rolling correlation without lag",
    function=rolling,
    family="correlation",
    answers="How alike are two courses at the same moment, and when?",
    span=("window",),
    null="about 0 for unrelated persons, but wide for slow ones: surrogates by shift",
    error="of the mean over windows apart from each other",
    limits="blind to a lag",
    reference="Makowski et al. 2021, doi:10.3758/s13428-020-01516-y",
)
