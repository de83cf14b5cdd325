"""The method `kuramoto_windows`: Kuramoto order parameter of a group in windows."""

from dyadloop.measures.synchrony.group_courses import kuramoto_windows
from dyadloop.measures.synchrony.method import Method

METHOD = Method(
    name="kuramoto_windows",
    title="Kuramoto order parameter of a group in windows",
    function=kuramoto_windows,
    family="group",
    answers="When are the phases of a group near to each other?",
    span=("window",),
    null="about 0.9 / sqrt(persons) for independent phases; over many groups: kuramoto_test",
    error="of the mean over windows that overlap",
    limits="persons with a constant difference of phase count as not together",
    reference="Frank & Richardson 2010, doi:10.1016/j.physd.2010.07.015",
)
