"""The method `mdrqa`: multidimensional recurrence of a group."""

from dyadloop.measures.synchrony.method import Method
from dyadloop.measures.synchrony.recurrence import joint_recurrence

METHOD = Method(
    name="mdrqa",
    title="multidimensional recurrence of a group",
    function=joint_recurrence,
    family="group",
    answers="How often and how long does a whole group return to a state it has been in?",
    span=("embedding",),
    null="above 0 by each person's own slowness: shift persons against each other",
    error="jackknife over twelfths of the time",
    limits="no leader",
    reference="Wallot, Roepstorff & Mønster 2016, doi:10.3389/fpsyg.2016.01835",
)
