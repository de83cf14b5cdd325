"""The method `crqa`: cross-recurrence as crqa has it."""

from dyadloop.measures.synchrony.crqa import crqa
from dyadloop.measures.synchrony.method import Method

METHOD = Method(
    name="crqa",
    title="cross-recurrence as crqa has it",
    function=crqa,
    family="state",
    answers="The same as recurrence, comparable with published crqa scores; also of categories.",
    span=("lag", "embedding"),
    null="above 0 by chance and by slowness: surrogates by shift",
    error="jackknife over twelfths of the first person's time",
    limits="no gaps; a fixed radius makes dyads hard to compare",
    reference="Coco & Dale 2014, doi:10.3389/fpsyg.2014.00510; Coco et al. 2021, doi:10.32614/RJ-2021-062",
)
