"""The method `segments`: surrogate synchrony of segments, calibrated."""

from dyadloop.measures.synchrony.method import Method
from dyadloop.measures.synchrony.segments import segments

METHOD = Method(
    name="segments",
    title="surrogate synchrony of segments, calibrated",
    function=segments,
    family="correlation",
    answers="Is a dyad more in step in the same segment than in others?",
    span=("segment",),
    null="segments exchangeable; a permutation test is inside",
    error="of the mean over segments",
    limits="needs at least 4 segments",
    reference="Tschacher & Meier 2020, doi:10.1080/10503307.2019.1612114",
)
