"""The method `recurrence`: cross-recurrence, at a fixed recurrence rate."""

from dyadloop.measures.synchrony.method import Method
from dyadloop.measures.synchrony.recurrence import recurrence

METHOD = Method(
    name="recurrence",
    title="cross-recurrence, at a fixed recurrence rate",
    function=recurrence,
    family="state",
    answers="How long do two persons stay in the same sequence of states, and who is first?",
    span=("lag", "embedding"),
    null="above 0 by chance and by slowness: surrogates by shift",
    error="jackknife over twelfths of the first person's time",
    limits="depends on embedding and radius",
    reference="Marwan et al. 2007, doi:10.1016/j.physrep.2006.11.001",
)
