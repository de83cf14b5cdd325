"""The method `symbolic_entropy`: symbolic entropy of a group: patterns that persons share."""

from dyadloop.measures.synchrony.group_courses import symbolic_entropy
from dyadloop.measures.synchrony.method import Method

METHOD = Method(
    name="symbolic_entropy",
    title="symbolic entropy of a group: patterns that persons share",
    function=symbolic_entropy,
    family="group",
    answers="Does a group go through few joint patterns, or through all?",
    span=(),
    null="0 in long recordings of unrelated persons, above it in short ones: shift persons against each other",
    error="jackknife over blocks of the time",
    limits="no lag, no leader",
    reference="Hudson, Wiltshire & Atzmueller 2022, doi:10.3758/s13428-022-01855-y",
)
