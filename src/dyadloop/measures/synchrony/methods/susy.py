"""The method `susy`: surrogate synchrony as SUSY has it."""

from dyadloop.measures.synchrony.method import Method
from dyadloop.measures.synchrony.segments import susy

METHOD = Method(
    name="susy",
    title="surrogate synchrony as SUSY has it",
    function=susy,
    family="correlation",
    answers="The same, comparable with published SUSY scores.",
    span=("segment",),
    null="segments exchangeable; SUSY's effect size is not calibrated",
    error="of the mean over segments",
    limits="beyond 0.8 in half of unrelated series",
    reference="Tschacher & Meier 2020, doi:10.1080/10503307.2019.1612114",
)
