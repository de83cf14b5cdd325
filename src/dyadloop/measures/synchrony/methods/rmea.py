"""The method `rmea`: windowed lagged cross-correlation as rMEA has it."""

from dyadloop.measures.synchrony.method import Method
from dyadloop.measures.synchrony.windowed import rmea

METHOD = Method(
    name="rmea",
    title="windowed lagged cross-correlation as rMEA has it",
    function=rmea,
    family="correlation",
    answers="The same, comparable with published rMEA scores.",
    span=("window", "lag"),
    null="above 0 for unrelated persons: re-paired dyads (group_test)",
    error="of the mean over windows that overlap",
    limits="windows with gaps weigh less",
    reference="Kleinbub & Ramseyer 2020, doi:10.1080/10503307.2020.1844334",
)
