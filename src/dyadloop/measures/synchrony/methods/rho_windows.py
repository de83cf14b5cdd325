"""The method `rho_windows`: cluster phase of a group in windows."""

from dyadloop.measures.synchrony.group_courses import rho_windows
from dyadloop.measures.synchrony.method import Method

METHOD = Method(
    name="rho_windows",
    title="cluster phase of a group in windows",
    function=rho_windows,
    family="group",
    answers="When do persons keep their phase to that of the group?",
    span=("window",),
    null="above 0, the more the fewer persons and the shorter the windows: shift persons against each other",
    error="of the mean over windows that overlap",
    limits="needs rhythms",
    reference="Richardson et al. 2012, doi:10.3389/fphys.2012.00405",
)
