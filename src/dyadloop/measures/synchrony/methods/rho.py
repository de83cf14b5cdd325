"""The method `rho`: cluster phase of a group."""

from dyadloop.measures.synchrony.group import rho
from dyadloop.measures.synchrony.method import Method

METHOD = Method(
    name="rho",
    title="cluster phase of a group",
    function=rho,
    family="group",
    answers="How closely do persons keep their phase to that of the group?",
    span=("band",),
    null="above 0, more so for few persons: shift persons against each other",
    error="of the mean over blocks of the time",
    limits="needs rhythms",
    reference="Richardson et al. 2012, doi:10.3389/fphys.2012.00405",
)
