"""The method `kuramoto`: Kuramoto order parameter of a group."""

from dyadloop.measures.synchrony.group import kuramoto
from dyadloop.measures.synchrony.method import Method

METHOD = Method(
    name="kuramoto",
    title="Kuramoto order parameter of a group",
    function=kuramoto,
    family="group",
    answers="How near are the phases of a group to each other?",
    span=("band",),
    null="mean square 1 / n for independent phases; a test is inside",
    error="of the mean over blocks of the time",
    limits="persons with a constant difference of phase count as not together",
    reference="Frank & Richardson 2010, doi:10.1016/j.physd.2010.07.015",
)
